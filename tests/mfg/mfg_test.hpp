#pragma once

#include <boost/test/unit_test.hpp>
#include <isofield/isofield.hpp>
#include <isofield/mfg/solve.hpp>
#include <isofield/registry.hpp>
#include <string>
#include <vector>

namespace isofield::mfg::testing {

/// Spellings of the backends that can be used here. The others are named once, with the reason.
const std::vector<std::string>& available_backends();

/// Run `body` with each backend as the default one.
void on_every_backend(void (*body)());

/// Reproducible numbers in [-1, 1], smooth at no scale.
std::vector<double> noise(std::size_t count, unsigned seed);
/// The same as an array of the grid's shape, after `levels` levels if there are any.
UnifiedArray noise_field(const Grid& grid, unsigned seed, std::int64_t levels = 0);

double largest(const UnifiedArray& x);
double largest_difference(const UnifiedArray& a, const UnifiedArray& b);

/// An axis of [0, 1].
Axis unit_axis(std::int64_t cells, Boundary lower, Boundary upper);

/// Problem P, which other codes have been measured on: H = |q|^2/2, F = coupling m,
/// G = 2|x - 0.7|^2, m0 ~ exp(-50|x - 0.3|^2), nodes i/n, walls.
Problem problem_p(int axes, std::int64_t n, std::int64_t steps, double coupling = 1.0);

/// A closed room with a wall and a door, or with exits, in two dimensions.
Problem room(std::int64_t n, std::int64_t steps, bool with_exit);

/// A problem of one axis with noise in its data.
Problem rough_line(std::int64_t n, std::int64_t steps, Boundary lower, Boundary upper,
                   double exponent = 2.0);

/// A problem of one axis in which a crowd slows down who is in it.
Problem congested_line(std::int64_t n, std::int64_t steps, Boundary ends, double congestion = 0.75);
/// The room with congestion.
Problem congested_room(std::int64_t n, std::int64_t steps, bool with_exit);
/// A problem of `axes` axes in a current that turns with time, with discounted costs.
Problem current(int axes, std::int64_t n, std::int64_t steps, Boundary ends);
/// A box of three axes with a pillar in it.
Problem hall(std::int64_t n, std::int64_t steps);
/// Two populations on a line, who change places and avoid each other.
Problem crossing(std::int64_t n, std::int64_t steps);

}  // namespace isofield::mfg::testing

/// A test case that runs on every backend.
#define MFG_TEST_CASE(name)                                                             \
  static void name##_body();                                                            \
  BOOST_AUTO_TEST_CASE(name) { isofield::mfg::testing::on_every_backend(name##_body); } \
  static void name##_body()
