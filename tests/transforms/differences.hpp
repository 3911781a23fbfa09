#pragma once

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <isofield/isofield.hpp>
#include <random>
#include <sstream>
#include <vector>

/// Derivatives by differences, to hold others against.
namespace isofield::testing {

/// Random numbers in [low, high), the same each time.
inline UnifiedArray random_array(const Shape& shape, double low, double high, unsigned seed = 1) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<double> number(low, high);
  std::vector<double> values(static_cast<std::size_t>(element_count(shape)));
  for (auto& v : values) v = number(engine);
  return asarray(values, shape);
}

/// Numbers that are far apart, so that differences do not change which is the largest.
inline UnifiedArray sample(const Shape& shape, unsigned seed = 1) {
  const std::int64_t n = element_count(shape);
  std::vector<double> values;
  for (std::int64_t i = 0; i < n; ++i)
    values.push_back(0.3 + static_cast<double>(i) / static_cast<double>(n));
  std::shuffle(values.begin(), values.end(), std::mt19937(seed));
  return asarray(values, shape);
}

/// Whether two arrays agree to `tolerance`, relative to the largest element or 1.
inline boost::test_tools::assertion_result near(const UnifiedArray& a, const UnifiedArray& b,
                                                double tolerance) {
  boost::test_tools::assertion_result result(true);
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) {
    result = false;
    result.message() << "shapes " << to_string(a.shape()) << " and " << to_string(b.shape())
                     << ", dtypes " << name(a.dtype()) << " and " << name(b.dtype());
    return result;
  }
  const auto x = a.to_vector<double>(), y = b.to_vector<double>();
  double size = 1.0;
  for (const double v : y) size = std::max(size, std::abs(v));
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::abs(x[i] - y[i]) <= tolerance * size) continue;
    result = false;
    result.message() << "element " << i << " is " << x[i] << ", not " << y[i] << " ";
  }
  return result;
}

using ArrayFunction = std::function<UnifiedArray(const UnifiedArray&)>;

/// The derivative of f at x along dx, by differences of fourth order.
inline UnifiedArray difference_along(const ArrayFunction& f, const UnifiedArray& x,
                                     const UnifiedArray& dx, double h = 1e-3) {
  const auto at = [&](double t) { return f((x + dx * t).eval()).eval(); };
  return ((at(h) - at(-h)) * 8.0 - (at(2 * h) - at(-2 * h))) / (12.0 * h);
}

inline double dot(const UnifiedArray& a, const UnifiedArray& b) {
  return sum(a * b).item<double>();
}

/// Check a function's derivatives in both modes, and its second ones, against differences along a
/// random direction. `rounding`: how far values may be from those that are not differentiated.
inline void check_derivatives(const ArrayFunction& f, const UnifiedArray& x,
                              double tolerance = 1e-8, double rounding = 0.0) {
  const UnifiedArray dx = random_array(x.shape(), -1.0, 1.0, 77);
  const UnifiedArray expected = difference_along(f, x, dx);
  const auto [y, dy] = jvp(f, x, dx);
  BOOST_TEST(near(y, f(x), rounding));
  BOOST_TEST(near(dy, expected, tolerance), "jvp");
  const UnifiedArray weight = random_array(y.shape(), -1.0, 1.0, 78);
  const auto [value, pull] = vjp(f, x);
  BOOST_TEST(near(value, y, 0.0));
  const UnifiedArray by_x = pull(weight);
  const double forward = dot(weight, dy), back = dot(by_x, dx);
  BOOST_TEST(std::abs(forward - back) <= 1e-12 * (1.0 + std::abs(forward)),
             "transposes differ: " << forward << " and " << back);
  // The derivative of the derivative: forward over reverse, and reverse over reverse.
  const auto gradient = grad([&](const UnifiedArray& a) { return sum(f(a) * weight); });
  const UnifiedArray second = difference_along(gradient, x, dx);
  BOOST_TEST(near(jvp(gradient, x, dx).second, second, tolerance * 10), "second, forward");
  const auto along = grad([&](const UnifiedArray& a) { return sum(gradient(a) * dx); });
  BOOST_TEST(near(along(x), second, tolerance * 10), "second, reverse");
}

}  // namespace isofield::testing
