// The derivatives of ops.def: their expressions are compiled over `Value`, which makes arrays and
// folds what is said of scalars alone.

#include "transforms/derivative.hpp"

#include <cmath>
#include <isofield/ops.hpp>
#include <optional>
#include <type_traits>
#include <utility>

#include "core/emit.hpp"

namespace isofield::detail {
namespace derivative {
namespace {

/// An operand in a derivative's expression: an array, or a number that is folded.
class Value {
 public:
  template <class T>
  requires std::is_arithmetic_v<T> Value(T number)  // NOLINT: implicit
      : operand_(Scalar(number)) {}
  Value(Operand operand) : operand_(std::move(operand)) {}   // NOLINT: implicit
  Value(UnifiedArray array) : operand_(std::move(array)) {}  // NOLINT: implicit

  const Operand& operand() const noexcept { return operand_; }
  /// Whether it is a real number.
  bool folds() const noexcept {
    return operand_.is_scalar() && operand_.scalar().kind() != Kind::complex;
  }
  double number() const noexcept { return operand_.scalar().to<double>(); }
  bool is(double wanted) const noexcept { return folds() && number() == wanted; }

 private:
  Operand operand_;
};

std::optional<Value> folded(Op op, double x) {
  switch (op) {
    case Op::negative: return -x;
    case Op::square: return x * x;
    case Op::reciprocal: return 1 / x;
    case Op::sqrt: return std::sqrt(x);
    case Op::exp: return std::exp(x);
    case Op::log: return std::log(x);
    default: return std::nullopt;
  }
}

std::optional<Value> folded(Op op, double a, double b) {
  switch (op) {
    case Op::add: return a + b;
    case Op::subtract: return a - b;
    case Op::multiply: return a * b;
    case Op::divide: return a / b;
    case Op::power: return std::pow(a, b);
    case Op::equal: return a == b;
    case Op::not_equal: return a != b;
    case Op::less: return a < b;
    case Op::less_equal: return a <= b;
    case Op::greater: return a > b;
    case Op::greater_equal: return a >= b;
    default: return std::nullopt;
  }
}

Value applied(Op op, const Value& x) {
  if (x.folds())
    if (const auto number = folded(op, x.number())) return *number;
  Operand operand = x.operand();
  return emit(op, {&operand, 1});
}

Value applied(Op op, const Value& a, const Value& b) {
  if (a.folds() && b.folds())
    if (const auto number = folded(op, a.number(), b.number())) return *number;
  if (op == Op::power && b.is(1)) return a;
  if (op == Op::multiply && a.is(1)) return b;
  Operand operands[] = {a.operand(), b.operand()};
  return emit(op, operands);
}

// The rows as functions of values, for the expressions to call.
#define UNARY(name, ...) \
  [[maybe_unused]] Value name(const Value& x) { return applied(Op::name, x); }
#define BINARY(name, ...) \
  [[maybe_unused]] Value name(const Value& a, const Value& b) { return applied(Op::name, a, b); }
#include <isofield/ops.def>
#undef UNARY
#undef BINARY

Value where(const Value& condition, const Value& a, const Value& b) {
  if (condition.folds()) return condition.is(0) ? b : a;
  // Numbers alone would make integers.
  if (a.folds() && b.folds()) return where(condition, Value(full({}, a.number())), b.number());
  Operand operands[] = {condition.operand(), a.operand(), b.operand()};
  return emit(Op::where, operands);
}

Value operator-(const Value& x) { return negative(x); }
Value operator+(const Value& a, const Value& b) { return add(a, b); }
Value operator-(const Value& a, const Value& b) { return subtract(a, b); }
Value operator*(const Value& a, const Value& b) { return multiply(a, b); }
Value operator/(const Value& a, const Value& b) { return divide(a, b); }
Value operator==(const Value& a, const Value& b) { return equal(a, b); }
Value operator<(const Value& a, const Value& b) { return less(a, b); }
Value operator>(const Value& a, const Value& b) { return greater(a, b); }

/// A row's derivative by operand k, unevaluated: `visit` gets a function that gives it, an int
/// where the column is a literal and else a Value.
template <class Visit>
auto with_column(Op op, std::size_t k, std::span<const Operand> in, const Operand& out, DType dtype,
                 Visit visit) {
  // A truth as a number of the result's dtype.
  [[maybe_unused]] const auto indicator = [dtype](const Value& condition) -> Value {
    if (condition.folds()) return condition.is(0) ? 0.0 : 1.0;
    return condition.operand().array().astype(dtype);
  };
  switch (op) {
#define UNARY(name, domain, result, value, dx)     \
  case Op::name: {                                 \
    [[maybe_unused]] const Value x(in[0]), y(out); \
    return visit([&] { return dx; });              \
  }
#define BINARY(name, domain, result, value, da, db)          \
  case Op::name: {                                           \
    [[maybe_unused]] const Value a(in[0]), b(in[1]), y(out); \
    if (k == 0) return visit([&] { return da; });            \
    return visit([&] { return db; });                        \
  }
#include <isofield/ops.def>
#undef UNARY
#undef BINARY
    case Op::where:
    case Op::cast: break;
  }
  return visit([] { return 1; });
}

template <class Column>
constexpr bool is_literal = std::is_same_v<std::invoke_result_t<Column>, int>;

/// A literal column; nothing where it is an expression.
std::optional<int> literal(Op op, std::size_t k) {
  static const Operand none[] = {0.0, 0.0};
  return with_column(op, k, none, none[0], DType::float64, [](auto column) -> std::optional<int> {
    if constexpr (is_literal<decltype(column)>)
      return column();
    else
      return std::nullopt;
  });
}

}  // namespace
}  // namespace derivative

namespace {

Partial partial_of(Op op, std::size_t k, std::span<const Operand> in, const Operand& out,
                   DType dtype) {
  using namespace derivative;
  return with_column(op, k, in, out, dtype, [](auto column) -> Partial {
    if constexpr (is_literal<decltype(column)>) {
      const int number = column();
      if (number == 0) return {Partial::Kind::zero};
      if (number == 1) return {Partial::Kind::one};
      if (number == -1) return {Partial::Kind::minus_one};
      return {Partial::Kind::factor, number};
    } else {
      return {Partial::Kind::factor, column().operand()};
    }
  });
}

}  // namespace

Partial partial(Op op, std::size_t k, std::span<const Operand> in, const UnifiedArray& out) {
  return partial_of(op, k, in, out, out.dtype());
}

Partial literal_partial(Op op, std::size_t k) {
  static const Operand none[] = {0.0, 0.0};
  return partial_of(op, k, none, none[0], DType::float64);
}

bool is_constant(Op op, std::size_t k) noexcept { return derivative::literal(op, k) == 0; }

bool has_factors(Op op) noexcept {
  for (int k = 0; k < info(op).arity; ++k)
    if (!derivative::literal(op, static_cast<std::size_t>(k))) return true;
  return false;
}

}  // namespace isofield::detail
