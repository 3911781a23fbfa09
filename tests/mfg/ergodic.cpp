// Games that go on for ever.

#include <cmath>
#include <isofield/error.hpp>
#include <isofield/mfg/convolution.hpp>
#include <isofield/mfg/diagnostics.hpp>
#include <numbers>

#include "mfg/mfg_test.hpp"

namespace isofield::mfg::testing {
namespace {

constexpr double pi = std::numbers::pi;

SolveOptions tight() {
  SolveOptions o;
  o.tolerance = 1e-10;
  return o;
}

// The stationary test of Achdou and Capuzzo-Dolcetta (2010): on the torus, H = sin(2 pi y) +
// sin(2 pi x) + cos(4 pi x) + |q|^2, F = m^2.
Problem torus(std::int64_t n, double nu) {
  Problem p;
  p.axes = {unit_axis(n, Boundary::periodic, Boundary::periodic),
            unit_axis(n, Boundary::periodic, Boundary::periodic)};
  p.ergodic = true;
  Population& crowd = p.populations[0];
  crowd.viscosity = nu;
  crowd.scale = [](const Grid& g) { return ones_like(g.coordinate(0) + g.coordinate(1)); };
  crowd.running = [](const CostInput& in) {
    const UnifiedArray &x = in.grid.coordinate(0), &y = in.grid.coordinate(1);
    return square(in.m) - (sin(2.0 * pi * y) + sin(2.0 * pi * x) + cos(4.0 * pi * x));
  };
  crowd.initial_density = [](const Grid& g) { return ones(g.shape()); };
  return p;
}

MFG_TEST_CASE(lambda_is_what_others_have_published) {
  const Solution thick = solve(torus(64, 1.0), tight());
  BOOST_TEST((thick.report.status == Status::converged));
  BOOST_TEST(std::abs(thick.lambda[0] - 0.978411) < 1e-5);
  BOOST_TEST(thick.report.iterations <= 6);
  BOOST_TEST((thick.u[0].shape() == Shape{1, 64, 64}));
}

BOOST_AUTO_TEST_CASE(lambda_is_what_others_have_published_where_there_is_little_noise) {
  const ScopedBackend scope(available_backends().back());
  SolveOptions o;
  o.tolerance = 1e-7;
  const Solution thin = solve(torus(64, 0.01), o);
  BOOST_TEST(thin.report.message.find("a path from more viscosity") != std::string::npos);
  BOOST_TEST((thin.report.status == Status::converged));
  BOOST_TEST(std::abs(thin.lambda[0] - 1.188538) < 1e-5);
  BOOST_TEST(min(thin.m[0]).item<double>() >= 0.0);
}

// Any u makes a game: m = e^(-u/nu)/Z is what H = |q|^2/2 moves it to, and V = -nu u'' + u'^2/2 +
// lambda - m the cost for which it is the solution.
MFG_TEST_CASE(a_game_made_of_its_solution_is_solved_at_first_order) {
  const double nu = 0.3, lambda = 0.7, a = 0.2;
  const auto error = [&](std::int64_t n) {
    const auto density = [=](const Grid& g) {
      const UnifiedArray e = exp(-a / nu * sin(2.0 * pi * g.coordinate(0)));
      return e / g.integral(e);
    };
    Problem p;
    p.axes = {unit_axis(n, Boundary::periodic, Boundary::periodic)};
    p.ergodic = true;
    Population& crowd = p.populations[0];
    crowd.viscosity = nu;
    crowd.running = [=](const CostInput& in) {
      const UnifiedArray x = 2.0 * pi * in.grid.coordinate(0);
      const UnifiedArray v = nu * a * 4.0 * pi * pi * sin(x) + 0.5 * square(2.0 * pi * a * cos(x)) +
                             lambda - density(in.grid);
      return v + in.m;
    };
    crowd.initial_density = [](const Grid& g) { return ones(g.shape()); };
    const Solution s = solve(p, tight());
    BOOST_TEST((s.report.status == Status::converged));
    const Grid grid(p.axes);
    BOOST_TEST(std::abs(grid.integral(s.m[0](0)).item<double>() - 1.0) < 1e-12);
    BOOST_TEST(std::abs(sum(s.u[0]).item<double>()) < 1e-9);
    BOOST_TEST(std::abs(s.lambda[0] - lambda) < 0.5 / static_cast<double>(n));
    return largest_difference(s.m[0](0), density(grid));
  };
  const double coarse = error(40), fine = error(80);
  BOOST_TEST(fine < 2e-2);
  BOOST_TEST(std::log2(coarse / fine) > 0.9);
}

// The longer a game with an end, the more of it is spent near the ergodic one.
MFG_TEST_CASE(a_long_game_pays_lambda_per_unit_of_time) {
  for (const bool control : {false, true}) {
    Problem p = congested_line(24, 300, Boundary::reflecting, 0.5);
    p.control = control;
    p.horizon = 60.0;
    p.populations[0].terminal = nullptr;
    const Solution whole = solve(p, tight());
    BOOST_TEST((whole.report.status == Status::converged));
    p.ergodic = true;
    const Solution s = solve(p, tight());
    BOOST_TEST((s.report.status == Status::converged));
    const double rate = (whole.u[0](140, 10) - whole.u[0](160, 10)).item<double>() / 4.0;
    BOOST_TEST(std::abs(rate - s.lambda[0]) < 1e-6 * std::abs(rate));
    BOOST_TEST(largest_difference(whole.m[0](150), s.m[0](0)) < 1e-6);
  }
}

MFG_TEST_CASE(several_populations_walls_and_currents) {
  Problem two = crossing(24, 1);
  two.ergodic = true;
  for (Population& crowd : two.populations) {
    const Cost own = crowd.running;
    const double place = crowd.name == "left" ? 0.3 : 0.6;
    crowd.running = [=](const CostInput& in) {
      return own(in) + square(in.grid.coordinate(0) - place);
    };
  }
  const Solution both = solve(two, tight());
  BOOST_TEST((both.report.status == Status::converged));
  BOOST_TEST(both.lambda.size() == 2);
  const Grid line(two.axes);
  BOOST_TEST(std::abs(line.integral(both.m[1](0)).item<double>() - 0.6) < 1e-12);

  Problem walls = room(16, 1, false);
  walls.ergodic = true;
  walls.populations[0].drift = [](const Grid& g, const UnifiedArray&) {
    return std::vector<UnifiedArray>{0.5 * sin(pi * g.coordinate(1)), 0.0 * g.coordinate(0)};
  };
  const Solution s = solve(walls, tight());
  BOOST_TEST((s.report.status == Status::converged));
  BOOST_TEST(min(s.m[0]).item<double>() >= 0.0);
}

Problem line(double nu) {
  Problem p;
  p.axes = {unit_axis(20, Boundary::reflecting, Boundary::reflecting)};
  p.ergodic = true;
  p.populations[0].viscosity = nu;
  p.populations[0].running = [](const CostInput& in) {
    return in.m + 4.0 * square(in.grid.coordinate(0) - 0.3);
  };
  p.populations[0].initial_density = [](const Grid& g) { return ones(g.shape()); };
  return p;
}

MFG_TEST_CASE(callers_see_values_of_mean_0_with_a_level) {
  const Problem p = line(0.1);
  SolveOptions o = tight();
  int seen = 0;
  Fields last;
  o.on_iteration = [&](const Progress& progress) {
    ++seen;
    BOOST_TEST((progress.u[0].shape() == Shape{1, 20}));
    BOOST_TEST((progress.m[0].shape() == Shape{1, 20}));
    BOOST_TEST(std::abs(sum(progress.u[0]).item<double>()) < 1e-12);
    last = progress.u;
    return true;
  };
  const Solution s = solve(p, o);
  BOOST_TEST(seen == s.report.iterations);
  BOOST_TEST(largest_difference(last[0], s.u[0]) == 0.0);
  BOOST_TEST(s.report.newton_updates > 0);
  BOOST_TEST(s.report.linear_solves > s.report.newton_updates);
}

MFG_TEST_CASE(a_given_value_is_where_the_iteration_starts) {
  const Solution far = solve(line(0.12), tight());
  SolveOptions o = tight();
  o.initial_guess = InitialGuess::given;
  o.initial_u = far.u;
  const Solution cold = solve(line(0.1), tight()), warm = solve(line(0.1), o);
  BOOST_TEST(warm.report.iterations < cold.report.iterations);
  BOOST_TEST(largest_difference(warm.u[0], cold.u[0]) < 1e-8);
  o.initial_u = cold.u;
  const Solution there = solve(line(0.1), o);
  BOOST_TEST((there.report.status == Status::converged));
  BOOST_TEST(there.report.iterations == 0);
  BOOST_TEST(there.report.residual <= o.tolerance);
  o.initial_u = {cold.u[0](0)};
  BOOST_CHECK_THROW(solve(line(0.1), o), ShapeError);
  o.initial_u.clear();
  BOOST_CHECK_THROW(solve(line(0.1), o), SolverError);
}

// What the crowd of a policy pays is <m, L + F>; what the best response pays is the lambda of the
// problem of control with the crowd's density as it is, an ergodic game without a coupling.
MFG_TEST_CASE(exploitability_is_what_the_best_response_pays_less) {
  SolveOptions o = tight();
  o.exploitability = true;
  o.max_iterations = 1;
  const Solution early = solve(line(0.1), o);
  Problem alone = line(0.1);
  const UnifiedArray crowd = early.m[0](0);
  alone.populations[0].running = [crowd](const CostInput& in) {
    return crowd + 4.0 * square(in.grid.coordinate(0) - 0.3);
  };
  SolveOptions whole = tight();
  const double best = solve(alone, whole).lambda[0];
  const DiscreteProblem discrete(line(0.1));
  const double paid = cost_parts(discrete, early.u, early.m)[0].sum();
  const double gain = early.report.history.back().exploitability;
  BOOST_TEST(gain > 1e-6);
  BOOST_TEST(std::abs(gain - (paid - best)) < 0.02 * gain + 1e-10);
  o.max_iterations = 100;
  const Solution late = solve(line(0.1), o);
  BOOST_TEST(std::abs(late.report.history.back().exploitability) < 1e-12);
  BOOST_TEST(std::abs(cost_parts(discrete, late.u, late.m)[0].sum() - late.lambda[0]) < 1e-9);
}

MFG_TEST_CASE(a_solve_that_is_asked_to_stop_gives_what_it_has) {
  SolveOptions o = tight();
  int asked = 0;
  o.should_stop = [&] { return ++asked > 40; };
  const Solution s = solve(line(0.1), o);
  BOOST_TEST((s.report.status == Status::interrupted));
  BOOST_TEST((s.u[0].shape() == Shape{1, 20}));
}

MFG_TEST_CASE(what_does_not_go_on_for_ever_is_refused) {
  Problem open = room(16, 1, true);
  open.ergodic = true;
  BOOST_CHECK_THROW(solve(open), SolverError);
  Problem discounted = current(1, 16, 1, Boundary::periodic);
  discounted.ergodic = true;
  BOOST_CHECK_THROW(solve(discounted), SolverError);
}

}  // namespace
}  // namespace isofield::mfg::testing
