// A case for each row of ops.def: its derivatives against differences, at points where it is
// smooth.

#include <boost/test/unit_test.hpp>
#include <string_view>

#include "backend_case.hpp"
#include "transforms/differences.hpp"

namespace isofield::testing {
namespace {

/// Where a row is smooth; away from integers, and from points where operands are equal.
std::pair<double, double> smooth_range(std::string_view row) {
  if (row == "acosh") return {1.2, 3.0};
  if (row == "remainder" || row == "floor_divide") return {1.1, 1.4};
  return {0.3, 0.85};
}

/// Whether a row takes floating-point numbers and gives such.
template <class F, class... X>
bool is_smooth(F f, const X&... x) {
  try {
    return f(x...).dtype() == DType::float64;
  } catch (const DTypeError&) {
    return false;
  }
}

template <class F>
void check_unary(Op op, F f) {
  const auto [low, high] = smooth_range(info(op).name);
  const UnifiedArray x = random_array({3, 4}, low, high);
  if (is_smooth(f, x)) check_derivatives(f, x);
}

template <class F>
void check_binary(Op op, F f) {
  const auto [low, high] = smooth_range(info(op).name);
  const UnifiedArray a = random_array({3, 4}, low, high, 2);
  // The second operand repeats along an axis, and is larger in some rows.
  const UnifiedArray b = random_array({4}, low, high, 3) + asarray({-0.08, 0.09, -0.07, 0.06});
  if (!is_smooth(f, a, b)) return;
  check_derivatives([&](const UnifiedArray& x) { return f(x, b); }, a);
  check_derivatives([&](const UnifiedArray& x) { return f(a, x); }, b.copy());
  check_derivatives([&](const UnifiedArray& x) { return f(x, 0.7); }, a);
  check_derivatives([&](const UnifiedArray& x) { return f(0.7, x); }, a);
  check_derivatives([&](const UnifiedArray& x) { return f(x, square(x) + 0.01); }, a);
}

}  // namespace

#define UNARY(name, ...)                                             \
  BACKEND_TEST_CASE(name##_has_its_derivative) {                     \
    check_unary(Op::name, [](auto x) { return isofield::name(x); }); \
  }
#define BINARY(name, ...)                                                        \
  BACKEND_TEST_CASE(name##_has_its_derivatives) {                                \
    check_binary(Op::name, [](auto a, auto b) { return isofield::name(a, b); }); \
  }
#include <isofield/ops.def>

BACKEND_TEST_CASE(integer_powers_have_derivatives_at_zero_and_below) {
  const UnifiedArray x = asarray({-1.5, 0.0, 2.0});
  for (const double n : {2.0, 3.0, 4.0})
    check_derivatives([n](const UnifiedArray& a) { return power(a, n); }, x, 1e-7);
  BOOST_TEST(
      near(grad([](const UnifiedArray& a) { return sum(power(a, 0.0)); })(x), zeros({3}), 0.0));
}

BACKEND_TEST_CASE(equal_operands_share_the_derivative_of_the_larger) {
  const UnifiedArray x = asarray({1.0, 2.0});
  const auto f = [](const UnifiedArray& a, const UnifiedArray& b) { return sum(maximum(a, b)); };
  const auto [by_a, by_b] = grad<0, 1>(f)(x, asarray({1.0, 1.0}));
  BOOST_TEST(near(by_a, asarray({0.5, 1.0}), 0.0));
  BOOST_TEST(near(by_b, asarray({0.5, 0.0}), 0.0));
}

BACKEND_TEST_CASE(what_was_not_taken_does_not_spoil_the_derivative) {
  const UnifiedArray x = asarray({0.0, 4.0});
  const auto f = [](const UnifiedArray& a) {
    return sum(where(a > 0.0, sqrt(where(a > 0.0, a, 1.0)), 0.0));
  };
  BOOST_TEST(near(grad(f)(x), asarray({0.0, 0.25}), 0.0));
}

}  // namespace isofield::testing
