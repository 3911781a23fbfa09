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

double at(const UnifiedArray& x, std::int64_t i, std::int64_t j) { return x(i, j).item<double>(); }

MFG_TEST_CASE(one_axis_100_cells_100_steps) {
  const Solution s = solved(problem_p(1, 100, 100), 1e-10);
  const UnifiedArray u = s.u, m = s.m;
  BOOST_TEST(std::abs(at(u, 0, 30) - 1.4150957330) < 1e-9);
  BOOST_TEST(std::abs(at(u, 0, 0) - 1.2789347390) < 1e-9);
  BOOST_TEST(std::abs(at(m, 100, 64) - 1.7246256179) < 1e-8);
  BOOST_TEST(max(m(100)).item<double>() == at(m, 100, 64));
  const UnifiedArray x = linspace(0.0, 1.0, 101);
  BOOST_TEST(std::abs(sum(x * m(100)).item<double>() / sum(m(100)).item<double>() - 0.6098172803) <
             1e-9);
}

MFG_TEST_CASE(one_axis_400_cells_400_steps) {
  const Solution s = solved(problem_p(1, 400, 400), 1e-9);
  BOOST_TEST(std::abs(at(s.u, 0, 120) - 1.4306482760) < 1e-8);
  BOOST_TEST(std::abs(at(s.u, 0, 0) - 1.2844288621) < 1e-8);
  BOOST_TEST(std::abs(at(s.m, 400, 254) - 1.7470047280) < 1e-7);
}

MFG_TEST_CASE(two_axes_32_cells_32_steps) {
  const Solution s = solved(problem_p(2, 32, 32), 1e-9);
  const UnifiedArray u = s.u, m = s.m;
  BOOST_TEST(std::abs(u(0, 10, 10).item<double>() - 1.826146847) < 1e-8);
  BOOST_TEST(std::abs(u(0, 0, 0).item<double>() - 1.562722597) < 1e-8);
  BOOST_TEST(std::abs(m(32, 21, 21).item<double>() - 2.581234511) < 1e-7);
  BOOST_TEST(largest_difference(m, permute_dims(m, {0, 2, 1})) < 1e-9);
}

void backends_agree(const Problem& problem, double tolerance) {
  std::vector<double> u, m;
  for (const std::string& name : available_backends()) {
    const ScopedBackend scope(name);
    const Solution s = solved(problem, 1e-10);
    if (u.empty()) {
      u = s.u.to_vector<double>();
      m = s.m.to_vector<double>();
      continue;
    }
    BOOST_TEST_CONTEXT(name << " against " << available_backends().front()) {
      BOOST_TEST(largest_difference(s.u, asarray(u, s.u.shape())) < tolerance);
      BOOST_TEST(largest_difference(s.m, asarray(m, s.m.shape())) < tolerance * largest(s.m));
    }
  }
}

BOOST_AUTO_TEST_CASE(backends_agree_in_one_dimension) {
  backends_agree(rough_line(64, 40, Boundary::reflecting, Boundary::exit), 1e-10);
  backends_agree(problem_p(1, 50, 50), 1e-10);
}

BOOST_AUTO_TEST_CASE(backends_agree_in_two_dimensions) {
  backends_agree(room(16, 16, true), 1e-10);
}

}  // namespace
}  // namespace isofield::mfg::testing
