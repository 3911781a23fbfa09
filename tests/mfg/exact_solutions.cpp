// Problems whose continuous solution is known: the implicit scheme is of first order in mesh width
// and step, the centred and the exponential one of second.

#include <array>
#include <cmath>
#include <isofield/mfg/diagnostics.hpp>
#include <numbers>

#include "mfg/mfg_test.hpp"

namespace isofield::mfg::testing {
namespace {

constexpr double pi = std::numbers::pi;

double order(double coarse, double fine) { return std::log2(coarse / fine); }

SolveOptions tight() {
  SolveOptions o;
  o.tolerance = 1e-9;
  return o;
}

// --- Linear dynamics, quadratic costs, Gaussian density
// -------------------------------------------
//
// H = p^2/2, F = q x^2/2 + qb (x - s mu)^2/2, G likewise, mu the mean: u = A x^2/2 + b x + c with b
// = P mu and m normal with mean mu and variance var, where
//   A' = A^2 - q - qb,  P' = A P + qb s + P (A + P),  mu' = -(A + P) mu,  var' = 2 nu - 2 A var,
//   c' = -nu A + b^2/2 - qb s^2 mu^2/2.

struct Quadratic {
  double nu = 0.1, horizon = 1.0;
  double q = 0.5, qb = 1.0, s = 0.5;
  double qt = 0.5, qtb = 0.5, st = 0.5;
  double mean = 0.4, variance = 0.09;
};

template <std::size_t N, class F>
std::array<double, N> runge_kutta(const std::array<double, N>& y, double h, F f) {
  const auto plus = [](const std::array<double, N>& a, const std::array<double, N>& b, double w) {
    std::array<double, N> r;
    for (std::size_t i = 0; i < N; ++i) r[i] = a[i] + w * b[i];
    return r;
  };
  const auto k1 = f(y), k2 = f(plus(y, k1, h / 2)), k3 = f(plus(y, k2, h / 2)),
             k4 = f(plus(y, k3, h));
  auto r = y;
  for (std::size_t i = 0; i < N; ++i) r[i] += h / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
  return r;
}

struct Riccati {
  double a0, b0, c0, mean, variance;  // u at t = 0, m at t = T
};

Riccati riccati(const Quadratic& p) {
  // A and P do not depend on mu: backwards first. A level every half step serves the midpoints of
  // the forward run.
  const int n = 2000;
  const double h = p.horizon / n;
  std::vector<std::array<double, 2>> ap(2 * n + 1);
  ap.back() = {p.qt + p.qtb, -p.qtb * p.st};
  for (int i = 2 * n; i > 0; --i)
    ap[static_cast<std::size_t>(i - 1)] =
        runge_kutta(ap[static_cast<std::size_t>(i)], -h / 2, [&](const std::array<double, 2>& y) {
          return std::array<double, 2>{y[0] * y[0] - p.q - p.qb,
                                       y[0] * y[1] + p.qb * p.s + y[1] * (y[0] + y[1])};
        });
  // mu, var and the integral of -c', by steps whose stages read A and P at their own times.
  std::array<double, 3> y = {p.mean, p.variance, 0.0};
  for (int i = 0; i < n; ++i) {
    const auto rate = [&](const std::array<double, 3>& z, std::size_t at) {
      const double a = ap[at][0], b = ap[at][1] * z[0];
      return std::array<double, 3>{-(a + ap[at][1]) * z[0], 2 * p.nu - 2 * a * z[1],
                                   p.nu * a - b * b / 2 + p.qb * p.s * p.s * z[0] * z[0] / 2};
    };
    const auto at = static_cast<std::size_t>(2 * i);
    int stage = 0;
    y = runge_kutta(y, h, [&](const std::array<double, 3>& z) {
      constexpr std::array<std::size_t, 4> offset = {0, 1, 1, 2};
      return rate(z, at + offset[static_cast<std::size_t>(stage++)]);
    });
  }
  const double ct = p.qtb * p.st * p.st * y[0] * y[0] / 2;
  return {ap[0][0], ap[0][1] * p.mean, ct + y[2], y[0], y[1]};
}

UnifiedArray mean_of(const CostInput& in) {
  const UnifiedArray& x = in.grid.coordinate(0);
  return in.grid.sum_cells(x * in.m) / in.grid.sum_cells(in.m);
}

Cost quadratic_cost(double q, double qb, double s) {
  return [=](const CostInput& in) {
    const UnifiedArray& x = in.grid.coordinate(0);
    return 0.5 * q * square(x) + 0.5 * qb * square(x - s * mean_of(in));
  };
}

struct Errors {
  double u, mean, variance;
};

Errors quadratic_errors(std::int64_t n, Scheme scheme) {
  const Quadratic p;
  const Riccati exact = riccati(p);
  Problem problem;
  Population& crowd = problem.populations[0];
  problem.axes = {{-3.0, 3.0, 6 * n, {}}};
  problem.steps = n;
  problem.scheme = scheme;
  crowd.viscosity = p.nu;
  crowd.running = quadratic_cost(p.q, p.qb, p.s);
  crowd.terminal = quadratic_cost(p.qt, p.qtb, p.st);
  crowd.initial_density = [=](const Grid& g) {
    return exp(-square(g.coordinate(0) - p.mean) / (2.0 * p.variance));
  };
  const Solution s = solve(problem, tight());
  BOOST_TEST((s.report.status == Status::converged));
  const std::vector<double> x = problem.axes[0].nodes();
  const std::vector<double> u = UnifiedArray(s.u[0](0)).to_vector<double>();
  const std::vector<double> m = UnifiedArray(s.m[0](n)).to_vector<double>();
  double worst = 0.0, mass = 0.0, first = 0.0, second = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    // The walls are felt near them.
    const double expected = exact.a0 * x[i] * x[i] / 2 + exact.b0 * x[i] + exact.c0;
    if (std::abs(x[i]) < 1.0) worst = std::max(worst, std::abs(u[i] - expected));
    mass += m[i];
    first += m[i] * x[i];
    second += m[i] * x[i] * x[i];
  }
  const double mean = first / mass;
  return {worst, std::abs(mean - exact.mean),
          std::abs(second / mass - mean * mean - exact.variance)};
}

MFG_TEST_CASE(gaussian_solution_of_a_quadratic_game_at_first_order) {
  const Errors coarse = quadratic_errors(20, Scheme::implicit),
               fine = quadratic_errors(40, Scheme::implicit);
  BOOST_TEST(fine.u < 2e-2);
  BOOST_TEST(order(coarse.u, fine.u) > 0.9);
  BOOST_TEST(order(coarse.mean, fine.mean) > 0.9);
  BOOST_TEST(order(coarse.variance, fine.variance) > 0.9);
}

MFG_TEST_CASE(gaussian_solution_of_a_quadratic_game_at_second_order) {
  for (const Scheme scheme : {Scheme::centred, Scheme::exponential}) {
    const Errors coarse = quadratic_errors(12, scheme), fine = quadratic_errors(24, scheme);
    BOOST_TEST(fine.u < 1e-3);
    BOOST_TEST(order(coarse.u, fine.u) > 1.9);
    BOOST_TEST(order(coarse.mean, fine.mean) > 1.9);
    BOOST_TEST(order(coarse.variance, fine.variance) > 1.9);
  }
}

// u = a x^2/2 + b, m = N(0, nu/a) for F = q x^2/2 + kappa ln m: a pair that does not move.
MFG_TEST_CASE(stationary_gaussian_with_entropy_is_kept_at_first_order) {
  const double nu = 0.2, q = 1.0, kappa = 0.1;
  const double a = (-kappa / nu + std::sqrt(kappa * kappa / (nu * nu) + 4.0 * q)) / 2.0;
  const double variance = nu / a;
  const auto drift = [&](std::int64_t n) {
    Problem problem;
    Population& crowd = problem.populations[0];
    problem.axes = {{-4.0, 4.0, 4 * n, {}}};
    problem.steps = n;
    crowd.viscosity = nu;
    crowd.running = [=](const CostInput& in) {
      return 0.5 * q * square(in.grid.coordinate(0)) + kappa * log(in.m);
    };
    crowd.terminal = [=](const CostInput& in) { return 0.5 * a * square(in.grid.coordinate(0)); };
    crowd.initial_density = [=](const Grid& g) {
      return exp(-square(g.coordinate(0)) / (2.0 * variance));
    };
    const Solution s = solve(problem, tight());
    BOOST_TEST((s.report.status == Status::converged));
    return largest_difference(s.m[0](n), s.m[0](0));
  };
  const double coarse = drift(20), fine = drift(40);
  BOOST_TEST(fine < 2e-2);
  BOOST_TEST(order(coarse, fine) > 0.9);
}

// --- Hopf and Cole
// --------------------------------------------------------------------------------
//
// H = |q|^2/2, F = 0 on a torus: u = -2 nu ln phi and m = phi psi/Z, phi solving the heat equation
// backwards and psi forwards. In more dimensions, products of these.

struct HeatPair {
  double nu = 0.05, horizon = 0.5, a = 0.6, b = 0.5, shift = 0.15;
  double decay(double t) const { return std::exp(-4.0 * pi * pi * nu * t); }
  UnifiedArray phi(const UnifiedArray& x, double t) const {
    return 1.0 + a * decay(horizon - t) * cos(2.0 * pi * x);
  }
  UnifiedArray psi(const UnifiedArray& x, double t) const {
    return 1.0 + b * decay(t) * cos(2.0 * pi * (x - shift));
  }
  double z() const { return 1.0 + 0.5 * a * b * decay(horizon) * std::cos(2.0 * pi * shift); }
};

Errors hopf_cole_errors(int axes, std::int64_t n, Scheme scheme = Scheme::implicit) {
  const HeatPair pair;
  const auto u = [=](const Grid& g, double t) {
    UnifiedArray s = log(pair.phi(g.coordinate(0), t));
    for (int k = 1; k < g.axes(); ++k) s = s + log(pair.phi(g.coordinate(k), t));
    return -2.0 * pair.nu * s;
  };
  const auto m = [=](const Grid& g, double t) {
    UnifiedArray product = ones(Shape{});
    for (int k = 0; k < g.axes(); ++k)
      product = product * pair.phi(g.coordinate(k), t) * pair.psi(g.coordinate(k), t) / pair.z();
    return product;
  };
  Problem problem;
  Population& crowd = problem.populations[0];
  for (int k = 0; k < axes; ++k)
    problem.axes.push_back(unit_axis(n, Boundary::periodic, Boundary::periodic));
  problem.horizon = pair.horizon;
  problem.steps = n / 2;
  problem.scheme = scheme;
  crowd.viscosity = pair.nu;
  crowd.terminal = [=](const CostInput& in) { return u(in.grid, pair.horizon); };
  crowd.initial_density = [=](const Grid& g) { return m(g, 0.0); };
  const Solution s = solve(problem, tight());
  BOOST_TEST((s.report.status == Status::converged));
  const Grid grid(problem.axes);
  for (const double mass : masses(grid, s.m[0])) BOOST_TEST(std::abs(mass - 1.0) < 1e-12);
  return {largest_difference(s.u[0](0), u(grid, 0.0)),
          largest_difference(s.m[0](problem.steps), m(grid, pair.horizon)), 0.0};
}

MFG_TEST_CASE(hopf_cole_solution_on_a_circle_at_first_order) {
  const Errors coarse = hopf_cole_errors(1, 40), fine = hopf_cole_errors(1, 80);
  BOOST_TEST(fine.u < 1e-2);
  BOOST_TEST(order(coarse.u, fine.u) > 0.9);
  BOOST_TEST(order(coarse.mean, fine.mean) > 0.9);
}

MFG_TEST_CASE(hopf_cole_solution_on_a_torus_at_first_order) {
  const Errors coarse = hopf_cole_errors(2, 16), fine = hopf_cole_errors(2, 32);
  BOOST_TEST(order(coarse.u, fine.u) > 0.85);
  BOOST_TEST(order(coarse.mean, fine.mean) > 0.85);
}

MFG_TEST_CASE(hopf_cole_solution_on_a_torus_of_three_axes_at_first_order) {
  const Errors coarse = hopf_cole_errors(3, 12), fine = hopf_cole_errors(3, 24);
  BOOST_TEST(order(coarse.u, fine.u) > 0.75);
  BOOST_TEST(order(coarse.mean, fine.mean) > 0.75);
}

MFG_TEST_CASE(hopf_cole_solution_on_tori_at_second_order) {
  const std::array<std::int64_t, 3> cells = {40, 20, 16};
  for (int axes = 1; axes <= 3; ++axes)
    for (const Scheme scheme : {Scheme::centred, Scheme::exponential}) {
      const std::int64_t n = cells[static_cast<std::size_t>(axes - 1)];
      const Errors coarse = hopf_cole_errors(axes, n, scheme),
                   fine = hopf_cole_errors(axes, 2 * n, scheme);
      BOOST_TEST(order(coarse.u, fine.u) > 1.9);
      BOOST_TEST(order(coarse.mean, fine.mean) > 1.9);
    }
}

// --- Planning
// -------------------------------------------------------------------------------------
//
// The same pair with m(T) prescribed instead of u(T), which is found but for a constant: that of
// the implicit scheme at first order, of the exponential one at second.
Errors bridge_errors(std::int64_t n, Scheme scheme) {
  const HeatPair pair;
  Problem problem;
  problem.axes = {unit_axis(n, Boundary::periodic, Boundary::periodic)};
  problem.horizon = pair.horizon;
  problem.steps = n / 2;
  problem.scheme = scheme;
  Population& crowd = problem.populations[0];
  crowd.viscosity = pair.nu;
  const auto m = [=](const Grid& g, double t) {
    return pair.phi(g.coordinate(0), t) * pair.psi(g.coordinate(0), t) / pair.z();
  };
  crowd.initial_density = [=](const Grid& g) { return m(g, 0.0); };
  crowd.target_density = [=](const Grid& g) { return m(g, pair.horizon); };
  const Solution s = solve(problem, tight());
  BOOST_TEST((s.report.status == Status::converged));
  BOOST_TEST(s.report.residual <= 1e-9);
  const Grid grid(problem.axes);
  const UnifiedArray target = m(grid, pair.horizon);
  BOOST_TEST(largest_difference(s.m[0](problem.steps),
                                target / (sum(target) / static_cast<double>(n))) < 1e-8);
  const UnifiedArray exact = -2.0 * pair.nu * log(pair.phi(grid.coordinate(0), 0.0));
  const UnifiedArray found = s.u[0](0);
  return {largest_difference(found - mean(found), exact - mean(exact)),
          largest_difference(s.m[0](n / 4), m(grid, 0.5 * pair.horizon)), 0.0};
}

MFG_TEST_CASE(a_bridge_between_densities_is_found_at_first_and_second_order) {
  const Errors coarse = bridge_errors(40, Scheme::implicit),
               fine = bridge_errors(80, Scheme::implicit);
  BOOST_TEST(order(coarse.u, fine.u) > 0.9);
  BOOST_TEST(order(coarse.mean, fine.mean) > 0.85);
  const Errors second = bridge_errors(40, Scheme::exponential),
               finer = bridge_errors(80, Scheme::exponential);
  BOOST_TEST(order(second.u, finer.u) > 1.9);
  BOOST_TEST(order(second.mean, finer.mean) > 1.9);
}

// A normal density to another one: mean and variance of Schroedinger's bridge in closed form.
Errors normal_bridge_errors(std::int64_t steps) {
  const double nu = 0.1, s0 = 0.06, s1 = 0.04, start = -0.3, end = 0.2;
  Problem problem;
  problem.axes = {{-2.0, 2.0, 4 * steps, {}}};
  problem.steps = steps;
  problem.scheme = Scheme::exponential;
  Population& crowd = problem.populations[0];
  crowd.viscosity = nu;
  const auto normal = [](double mean, double variance) {
    return [=](const Grid& g) {
      return exp(-square(g.coordinate(0) - mean) / (2.0 * variance)) + 1e-12;
    };
  };
  crowd.initial_density = normal(start, s0);
  crowd.target_density = normal(end, s1);
  SolveOptions options;
  options.tolerance = 1e-7;
  const Solution s = solve(problem, options);
  BOOST_TEST((s.report.status == Status::converged));
  const double e = 2.0 * nu, c = (std::sqrt(4.0 * s0 * s1 + e * e) - e) / 2.0;
  const Grid grid(problem.axes);
  const UnifiedArray& x = grid.coordinate(0);
  Errors worst{};
  for (const std::int64_t n : {steps / 4, steps / 2, 3 * steps / 4}) {
    const double tau = static_cast<double>(n) / static_cast<double>(steps), rest = 1.0 - tau;
    const UnifiedArray m = s.m[0](n);
    const double mean = grid.inner(m, x), variance = grid.inner(m, square(x - mean));
    const double expected = rest * rest * s0 + tau * tau * s1 + 2 * tau * rest * (c + e / 2);
    worst.mean = std::max(worst.mean, std::abs(mean - (rest * start + tau * end)));
    worst.variance = std::max(worst.variance, std::abs(variance - expected) / expected);
  }
  return worst;
}

MFG_TEST_CASE(a_bridge_between_normal_densities_is_that_of_the_closed_form) {
  const Errors coarse = normal_bridge_errors(20), fine = normal_bridge_errors(40);
  BOOST_TEST(fine.mean < 1e-3);
  BOOST_TEST(fine.variance < 1e-2);
  BOOST_TEST(order(coarse.variance, fine.variance) > 1.8);
}

}  // namespace
}  // namespace isofield::mfg::testing
