// A text as an expression: it is refused with a place inside it, or what is printed of it parses to
// the same values at every point, as numbers and as arrays.
#include <algorithm>
#include <cmath>
#include <isofield/mfg/expression_array.hpp>
#include <map>
#include <string_view>
#include <vector>

#include "bytes.hpp"

namespace isofield::fuzz {
namespace {

using mfg::Expression;
using mfg::ExpressionOp;
using Point = std::map<std::string, double>;

const std::vector<std::string> names{"x", "y", "t", "m", "mean_x"};

const std::vector<Point>& points() {
  static const std::vector<Point> all{
      {{"x", 0.0}, {"y", -0.0}, {"t", 1.0}, {"m", 2.5}, {"mean_x", -1.0}},
      {{"x", -0.75}, {"y", 3.0}, {"t", 0.0}, {"m", 1e-300}, {"mean_x", 1e300}},
      {{"x", INFINITY}, {"y", NAN}, {"t", 0.5}, {"m", 0.0}, {"mean_x", -INFINITY}},
  };
  return all;
}

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

/// Tell whether numbers and kernels must agree to the last bit: not in functions that each rounds
/// as it likes, nor in what looks at the sign of a zero that min and max may choose.
bool is_exact(const Expression& e) {
  switch (e.op()) {
    case ExpressionOp::power:
    case ExpressionOp::minimum:
    case ExpressionOp::maximum:
    case ExpressionOp::mod:
    case ExpressionOp::exp:
    case ExpressionOp::log:
    case ExpressionOp::sin:
    case ExpressionOp::cos:
    case ExpressionOp::tan:
    case ExpressionOp::tanh:
    case ExpressionOp::erf: return false;
    default: return std::ranges::all_of(e.children(), is_exact);
  }
}

void check_arrays(const Expression& e, const std::vector<double>& expected) {
  const auto count = static_cast<std::int64_t>(points().size());
  std::map<std::string, UnifiedArray> arrays;
  for (const std::string& name : names) {
    std::vector<double> values;
    for (const Point& point : points()) values.push_back(point.at(name));
    arrays.emplace(name, asarray(values, {count}));
  }
  const UnifiedArray like = arrays.at("x");
  const UnifiedArray values = broadcast_to(mfg::evaluate(e, arrays, like), {count});
  const UnifiedArray holds = broadcast_to(mfg::evaluate_condition(e, arrays, like), {count});
  require(values.dtype() == float64 && holds.dtype() == bool_, "an array of another dtype");
  const std::vector<double> got = values.to_vector<double>();
  const std::vector<double> true_ = holds.astype(float64).to_vector<double>();
  if (!is_exact(e)) return;
  for (std::size_t i = 0; i < got.size(); ++i) {
    require(same(got[i], expected[i]), "another value in an array: " + e.to_string());
    require((true_[i] != 0) == (expected[i] != 0), "another truth in an array: " + e.to_string());
  }
}

void check_refusal(const mfg::ExpressionError& error, std::string_view text) {
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  require(!error.reason().empty() && error.reason().find('\n') == std::string::npos, "no reason");
  require(error.line() >= 1 && error.line() <= lines, "a line that the text does not have");
  require(error.column() >= 1 && error.column() <= text.size() + 1, "a column beyond the text");
}

void run(std::string_view text) {
  Expression e;
  try {
    e = Expression::parse(text, names);
  } catch (const mfg::ExpressionError& error) {
    return check_refusal(error, text);
  }
  const std::string printed = e.to_string();
  Expression again;
  try {
    again = Expression::parse(printed, names);
  } catch (const mfg::ExpressionError& error) {
    fail("what is printed cannot be read: " + printed + "\n" + error.what());
  }
  require(again.to_string() == printed, "printed differently the second time: " + printed);
  require(again.variables() == e.variables(), "other variables: " + printed);
  std::vector<double> values;
  for (const Point& point : points()) {
    values.push_back(e.evaluate(point));
    require(same(values.back(), again.evaluate(point)), "another value: " + printed);
  }
  if (text.size() % 32 == 0) check_arrays(e, values);  // each is a program of its own, and dear
}

}  // namespace
}  // namespace isofield::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  isofield::fuzz::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
