// Problem P, whose discrete solution NumPy, Numba and JAX codes of other hands agree on to 6e-15,
// and the backends among each other.

#include <cmath>

#include "mfg/mfg_test.hpp"

namespace isofield::mfg::testing {
namespace {

Solution solved(const Problem& problem, double tolerance) {
  SolveOptions o;
  o.tolerance = tolerance;
  const Solution s = solve(problem, o);
  BOOST_TEST((s.report.status == Status::converged));
  return s;
}

/// Mean of the first coordinate, weighted by a density on the nodes i/n.
double mean_x(const UnifiedArray& m) {
  const std::int64_t nodes = m.shape()[0];
  const UnifiedArray along_x = m.ndim() == 1 ? m : sum(m, {1});
  return sum(linspace(0.0, 1.0, nodes) * along_x).item<double>() / sum(m).item<double>();
}

struct Reference {
  double u_at_start, u_at_corner, largest_m_at_end, mean_x_at_end;
};

// Values at t = 0 on the node of x = (0.3, ...), with index `start`, and in the corner; the density
// at the horizon.
void check_problem_p(int axes, std::int64_t n, std::int64_t start, std::int64_t peak,
                     const Reference& expected) {
  const Solution s = solved(problem_p(axes, n, n), 1e-10);
  const UnifiedArray u = s.u[0](0), m = s.m[0](n);
  const auto at = [&](const UnifiedArray& x, std::int64_t i) {
    return (axes == 1 ? x(i) : x(i, i)).item<double>();
  };
  BOOST_TEST(std::abs(at(u, start) - expected.u_at_start) < 1e-9);
  BOOST_TEST(std::abs(at(u, 0) - expected.u_at_corner) < 1e-9);
  BOOST_TEST(std::abs(at(m, peak) - expected.largest_m_at_end) < 1e-9);
  BOOST_TEST(largest(m) == at(m, peak));
  BOOST_TEST(std::abs(mean_x(m) - expected.mean_x_at_end) < 1e-9);
  if (axes == 2) BOOST_TEST(largest_difference(s.m[0], permute_dims(s.m[0], {0, 2, 1})) < 1e-9);
}

MFG_TEST_CASE(one_axis_100_cells_100_steps) {
  check_problem_p(1, 100, 30, 64, {1.4150957330, 1.2789347390, 1.7246256179, 0.6098172803});
}

MFG_TEST_CASE(one_axis_400_cells_400_steps) {
  check_problem_p(1, 400, 120, 254, {1.4306482760, 1.2844288621, 1.7470047280, 0.6105636577});
}

MFG_TEST_CASE(two_axes_32_cells_32_steps) {
  check_problem_p(2, 32, 10, 21, {1.826146847, 1.562722597, 2.581234511, 0.606232323});
}

// Damped Picard sweeps from the same start, until nothing changes by 1e-6: peers of three kinds end
// at the same values, which are not yet those of the limit, after the same number of sweeps.
MFG_TEST_CASE(picard_follows_its_peers_sweep_by_sweep) {
  SolveOptions o;
  o.coupling = Coupling::picard;
  o.damping = 0.2;
  o.tolerance = 1e-6;
  o.stop = StopRule::change;
  o.initial_guess = InitialGuess::zero;
  const Solution line = solve(problem_p(1, 100, 100), o);
  BOOST_TEST(line.report.iterations == 63);
  BOOST_TEST(std::abs(line.u[0](0, 30).item<double>() - 1.4150957313) < 1e-9);
  BOOST_TEST(std::abs(line.u[0](0, 0).item<double>() - 1.2789347342) < 1e-9);
  const Solution square = solve(problem_p(2, 32, 32), o);
  BOOST_TEST(square.report.iterations == 70);
  BOOST_TEST(std::abs(square.u[0](0, 10, 10).item<double>() - 1.8261468455) < 1e-9);
  BOOST_TEST(std::abs(square.u[0](0, 0, 0).item<double>() - 1.5627225953) < 1e-9);
  // Steps start where the sweeps are bound for: from the last sweep alone they took 5.9 and 1.29.
  const double steps = 70.0 * 32.0;
  BOOST_TEST(static_cast<double>(square.report.krylov) < 5.0 * steps);
  BOOST_TEST(static_cast<double>(square.report.newton_updates) < 1.2 * steps);
}

void backends_agree(const Problem& problem) {
  std::vector<double> u, m;
  for (const std::string& name : available_backends()) {
    const ScopedBackend scope(name);
    const Solution s = solved(problem, 1e-10);
    if (u.empty()) {
      u = s.u[0].to_vector<double>();
      m = s.m[0].to_vector<double>();
      continue;
    }
    BOOST_TEST_CONTEXT(name << " against " << available_backends().front()) {
      BOOST_TEST(largest_difference(s.u[0], asarray(u, s.u[0].shape())) < 1e-12 * largest(s.u[0]));
      BOOST_TEST(largest_difference(s.m[0], asarray(m, s.m[0].shape())) < 1e-12 * largest(s.m[0]));
    }
  }
}

BOOST_AUTO_TEST_CASE(backends_agree_in_one_dimension) {
  backends_agree(rough_line(64, 40, Boundary::reflecting, Boundary::exit));
  backends_agree(problem_p(1, 50, 50));
}

BOOST_AUTO_TEST_CASE(backends_agree_in_two_dimensions) {
  backends_agree(room(16, 16, true));
  backends_agree(problem_p(2, 24, 8));
}

}  // namespace
}  // namespace isofield::mfg::testing
