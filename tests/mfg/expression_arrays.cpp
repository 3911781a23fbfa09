// Formulas as arrays, against their evaluation number by number.

#include <cmath>
#include <isofield/mfg/expression_array.hpp>

#include "mfg/mfg_test.hpp"

namespace isofield::mfg::testing {
namespace {

const std::vector<std::string> names = {"x", "y", "z", "t", "m", "mean_x", "mean_y", "mean_z"};

Expression parsed(const char* text) { return Expression::parse(text, names); }

MFG_TEST_CASE(every_operation_agrees_with_its_scalar_value) {
  const std::vector<double> x = {-1.5, -0.25, 0.0, 0.5, 2.0, 3.25},
                            y = {0.5, 2.0, -3.0, 0.5, 1.0, -0.75};
  const std::map<std::string, UnifiedArray> variables = {{"x", asarray(x, Shape{6})},
                                                         {"y", asarray(y, Shape{6})}};
  for (const char* text : {"x + y",
                           "x - y",
                           "x*y",
                           "x/y",
                           "-x",
                           "x^2",
                           "x^3",
                           "x^4",
                           "abs(x)^0.5",
                           "abs(x)^y",
                           "2^x",
                           "x^(-1) + 1/y",
                           "abs(x)",
                           "exp(x)",
                           "log(abs(x) + 0.1)",
                           "sqrt(abs(y))",
                           "sin(x)",
                           "cos(x)",
                           "tan(x)",
                           "tanh(x)",
                           "erf(x)",
                           "floor(x)",
                           "sign(x)",
                           "min(x, y)",
                           "max(x, y, 0)",
                           "mod(x, y)",
                           "mod(x, 0.7)",
                           "mod(3, y)",
                           "x < y",
                           "x <= 0.5",
                           "0.5 > x",
                           "x >= y",
                           "x == y",
                           "x != y",
                           "x < 0 and y > 0",
                           "x < 0 or y > 0",
                           "not (x < y)",
                           "not x",
                           "x and y",
                           "(x < y)*x + 2*(y < 1)",
                           "if(x < y, x, y)",
                           "if(x < y, 1, 2)",
                           "if(x, y, 3)",
                           "if(1, x, y)",
                           "if(0 < 1 and x > 0, 1, y)",
                           "x > 0 or 1",
                           "x > 0 and 0",
                           "pi*x + e",
                           "2*3 + x*0"}) {
    const Expression e = parsed(text);
    const UnifiedArray result = evaluate(e, variables, variables.at("x"));
    BOOST_TEST_CONTEXT(text) {
      BOOST_TEST((result.dtype() == float64));
      const std::vector<double> values = broadcast_to(result, Shape{6}).to_vector<double>();
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double expected = e.evaluate({{"x", x[i]}, {"y", y[i]}});
        if (!std::isfinite(expected)) continue;
        BOOST_TEST(std::abs(values[i] - expected) <= 1e-14 * std::max(1.0, std::abs(expected)));
      }
    }
  }
}

MFG_TEST_CASE(formulas_keep_single_precision_and_broadcast) {
  const UnifiedArray x = linspace(0, 1, 4, true, float32), t = full(Shape{3, 1}, 2.0, float32);
  const UnifiedArray result =
      evaluate(parsed("if(x > 0.5, t, 1) + 0.5*x"), {{"x", x}, {"t", t}}, x);
  BOOST_TEST((result.dtype() == float32));
  BOOST_TEST((result.shape() == Shape{3, 4}));
  BOOST_TEST((evaluate(parsed("2*3"), {}, x).dtype() == float32));
  BOOST_CHECK_THROW(evaluate(parsed("z"), {{"x", x}}, x), std::out_of_range);
}

MFG_TEST_CASE(costs_from_formulas_have_exact_derivatives_means_included) {
  const Grid grid({unit_axis(6, Boundary::reflecting, Boundary::reflecting),
                   {-1.0, 1.0, 5, {Boundary::periodic, Boundary::periodic}}});
  const UnifiedArray m = (1.5 + noise_field(grid, 1, 3)).copy(), dm = noise_field(grid, 2, 3);
  const UnifiedArray t = asarray(std::vector<double>{0.0, 0.5, 1.0}, Shape{3, 1, 1});
  for (const char* text : {"m^2 + x*m", "log(m) + t", "(x - mean_x)^2 + y*mean_y*m", "3", "x*t",
                           "exp(-m)*mean_x^2", "max(m, 1.5)"}) {
    const Cost cost = expression_cost(parsed(text));
    const auto of_density = [&](const UnifiedArray& density) {
      const Fields all{density};
      return broadcast_to(cost({grid, t, density, all}), density.shape());
    };
    const double eps = 1e-6;
    const UnifiedArray quotient =
        (of_density((m + eps * dm).copy()) - of_density((m - eps * dm).copy())) / (2.0 * eps);
    const UnifiedArray exact = jvp(of_density, m, dm).second;
    BOOST_TEST_CONTEXT(text) { BOOST_TEST(largest_difference(exact, quotient) < 1e-7); }
  }
  // The mean of x under a density that sits in one cell is that cell.
  UnifiedArray point = zeros({1, 6, 5});
  point(0, 4, 1) = 3.0;
  const UnifiedArray first = t(slice(0, 1));
  const Fields all{point};
  const UnifiedArray means =
      expression_cost(parsed("mean_x + 10*mean_y"))({grid, first, point, all});
  BOOST_TEST(largest_difference(means, full_like(means, 0.75 + 10.0 * (-0.6))) < 1e-14);
}

}  // namespace
}  // namespace isofield::mfg::testing
