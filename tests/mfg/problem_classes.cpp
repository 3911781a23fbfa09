// What distinguishes the classes of problems: congestion, drift, discounting, several populations,
// control, three axes.

#include <algorithm>
#include <cmath>
#include <isofield/mfg/convolution.hpp>
#include <isofield/mfg/diagnostics.hpp>
#include <isofield/mfg/discrete_problem.hpp>
#include <isofield/mfg/residual.hpp>
#include <isofield/mfg/sweeps.hpp>
#include <numbers>

#include "mfg/mfg_test.hpp"

namespace isofield::mfg::testing {
namespace {

constexpr double pi = std::numbers::pi;

SolveOptions with(Coupling coupling, double tolerance, double damping = 0.5) {
  SolveOptions o;
  o.coupling = coupling;
  o.tolerance = tolerance;
  o.damping = damping;
  o.initial_guess = InitialGuess::zero;
  o.max_iterations = 600;
  return o;
}

// --- Derivatives: Newton's method is fast only if they are right, and right without them
// ----------

MFG_TEST_CASE(congestion_has_the_derivatives_it_says) {
  const UnifiedArray m = asarray({0.0, 0.3, 1.0, 4.0});
  const double eps = 1e-6;
  for (const bool control : {false, true}) {
    const Congestion c(0.75, 0.4, control);
    const auto quotient = [&](auto f) { return (f(m + eps) - f(m - eps)) / (2.0 * eps); };
    BOOST_TEST(largest_difference(c.flux_derivative(m), quotient([&](const UnifiedArray& x) {
                                    return x * c.speed(x);
                                  })) < 1e-8);
    BOOST_TEST(largest_difference(c.value_derivative(m), quotient([&](const UnifiedArray& x) {
                                    return c.value(x);
                                  })) < 1e-8);
    BOOST_TEST(largest_difference(c.value(m), control ? c.flux_derivative(m) : c.speed(m)) == 0.0);
  }
  BOOST_CHECK_THROW(Congestion(-1.0, 1.0, false), SolverError);
  BOOST_CHECK_THROW(Congestion(1.0, 0.0, false), SolverError);
  BOOST_CHECK_THROW(Congestion(1.5, 1.0, true), SolverError);
}

MFG_TEST_CASE(both_equations_have_the_derivatives_that_newton_uses) {
  for (Problem problem : {congested_line(24, 10, Boundary::exit), congested_room(12, 6, true),
                          current(2, 12, 6, Boundary::reflecting)}) {
    for (const bool control : {false, true}) {
      problem.control = control;
      const DiscreteProblem whole(problem);
      const DiscretePopulation& d = whole.population();
      const Grid& grid = d.grid();
      const UnifiedArray u = grid.value(0.5 * noise_field(grid, 3), d.exit_value()).copy();
      const UnifiedArray m = grid.density(1.2 + noise_field(grid, 4, 1)).copy();
      const UnifiedArray du = grid.density(noise_field(grid, 5)).copy();
      const UnifiedArray dm = grid.density(noise_field(grid, 6, 1)).copy();
      const UnifiedArray none = zeros_like(u);
      const double eps = 1e-6;
      const auto at = [&](double step) { return d.conditions((m + step * dm).copy()).level(0); };
      const auto hjb = [&](double by_u, double by_m) {
        return d.hjb_residual((u + by_u * du).copy(), none, none, at(by_m));
      };
      const UnifiedArray by_u = (hjb(eps, 0.0) - hjb(-eps, 0.0)) / (2.0 * eps);
      const UnifiedArray expected = apply(grid, d.hjb_matrix(u, at(0.0)), du) / d.dt();
      BOOST_TEST(largest_difference(grid.density(by_u), grid.density(expected)) <
                 1e-5 * largest(expected));
      const auto transported = [&](double by_m) {
        const Stencil a = transpose(grid, d.density_matrix(u, at(by_m)));
        return apply(grid, a, (m + by_m * dm)(0).copy());
      };
      const UnifiedArray by_m = (transported(eps) - transported(-eps)) / (2.0 * eps);
      const UnifiedArray jacobian =
          apply(grid, transpose(grid, d.density_jacobian(u, at(0.0))), dm(0).copy());
      BOOST_TEST(largest_difference(by_m, jacobian) < 1e-7 * largest(jacobian));
      if (!d.congestion()) continue;
      const UnifiedArray change = (hjb(0.0, eps) - hjb(0.0, -eps)) / (2.0 * eps);
      BOOST_TEST(
          largest_difference(grid.density(change), grid.density(d.hjb_change(u, at(0.0), dm(0)))) <
          1e-7 * (1.0 + largest(change)));
    }
  }
}

// --- Whatever the class, every way leads to the same solution
// -------------------------------------

void every_way_leads_to_the_same(const Problem& problem, double damping) {
  const Solution picard = solve(problem, with(Coupling::picard, 1e-10, damping));
  BOOST_TEST((picard.report.status == Status::converged));
  const Solution newton = solve(problem, with(Coupling::newton, 1e-10));
  BOOST_TEST((newton.report.status == Status::converged));
  BOOST_TEST(newton.report.iterations < 14);
  const DiscreteProblem d(problem);
  for (std::size_t p = 0; p < newton.u.size(); ++p) {
    BOOST_TEST(largest_difference(newton.u[p], picard.u[p]) < 1e-8);
    BOOST_TEST(largest_difference(newton.m[p], picard.m[p]) < 1e-8 * largest(newton.m[p]));
    const std::vector<double> mass = masses(d.grid(), newton.m[p]);
    if (d.grid().is_closed())
      for (const double now : mass) BOOST_TEST(std::abs(now / mass.front() - 1.0) < 1e-12);
    BOOST_TEST(min(newton.m[p]).item<double>() >= 0.0);
  }
  BOOST_TEST(residuals(d, newton.u, newton.m).largest() < 1e-9);
}

MFG_TEST_CASE(a_congested_line) {
  every_way_leads_to_the_same(congested_line(32, 20, Boundary::periodic), 0.3);
  every_way_leads_to_the_same(congested_line(32, 20, Boundary::exit, 1.5), 0.3);
}
MFG_TEST_CASE(a_congested_room_that_people_leave) {
  every_way_leads_to_the_same(congested_room(14, 8, true), 0.5);
}
MFG_TEST_CASE(a_current_with_discounted_costs) {
  every_way_leads_to_the_same(current(1, 32, 20, Boundary::reflecting), 0.5);
  every_way_leads_to_the_same(current(2, 14, 8, Boundary::periodic), 0.5);
}
MFG_TEST_CASE(two_populations_that_cross) { every_way_leads_to_the_same(crossing(30, 20), 0.3); }
MFG_TEST_CASE(a_hall_of_three_axes) { every_way_leads_to_the_same(hall(9, 6), 0.5); }
MFG_TEST_CASE(a_planner_of_a_congested_line) {
  Problem problem = congested_line(32, 20, Boundary::reflecting);
  problem.control = true;
  every_way_leads_to_the_same(problem, 0.2);
}

MFG_TEST_CASE(anderson_fictitious_play_and_policy_iteration_reach_the_same_solution) {
  for (const Problem& problem : {problem_p(1, 30, 20, 0.5), crossing(24, 12)}) {
    const Solution exact = solve(problem, with(Coupling::automatic, 1e-10));
    const Solution mixed = solve(problem, with(Coupling::anderson, 1e-9));
    BOOST_TEST((mixed.report.status == Status::converged));
    BOOST_TEST(mixed.report.iterations < 35);
    BOOST_TEST(mixed.report.history.back().method == "anderson");
    const Solution policy = solve(problem, with(Coupling::policy, 1e-9, 0.3));
    BOOST_TEST((policy.report.status == Status::converged));
    // Slow by nature.
    const auto play = [&](int iterations) {
      SolveOptions o = with(Coupling::fictitious_play, 1e-12);
      o.max_iterations = iterations;
      const Solution s = solve(problem, o);
      BOOST_TEST((s.report.status == Status::not_converged));
      return largest_difference(s.u[0], exact.u[0]);
    };
    BOOST_TEST(play(120) < 0.9 * play(60));
    for (std::size_t p = 0; p < exact.u.size(); ++p) {
      BOOST_TEST(largest_difference(mixed.u[p], exact.u[p]) < 1e-7);
      BOOST_TEST(largest_difference(policy.u[p], exact.u[p]) < 1e-7);
    }
  }
}

// --- What is known of the solutions
// ---------------------------------------------------------------

// With nothing to pay, nobody moves but with the current: m(t, x) = 1 + a e^(-4 pi^2 nu t) cos(2 pi
// (x - b t)), and u = 0.
MFG_TEST_CASE(a_density_is_carried_by_the_current_at_first_order) {
  const double nu = 0.02, b = 0.7, horizon = 0.5;
  const auto error = [&](std::int64_t n) {
    const auto exact = [=](const Grid& g, double t) {
      return 1.0 +
             0.5 * std::exp(-4.0 * pi * pi * nu * t) * cos(2.0 * pi * (g.coordinate(0) - b * t));
    };
    Problem problem;
    problem.axes = {unit_axis(n, Boundary::periodic, Boundary::periodic)};
    problem.horizon = horizon;
    problem.steps = n;
    Population& crowd = problem.populations[0];
    crowd.viscosity = nu;
    crowd.drift = [=](const Grid&, const UnifiedArray& t) {
      return std::vector<UnifiedArray>{zeros_like(t) + b};
    };
    crowd.initial_density = [=](const Grid& g) { return exact(g, 0.0); };
    const Solution s = solve(problem, with(Coupling::automatic, 1e-10));
    BOOST_TEST(largest(s.u[0]) < 1e-12);
    return largest_difference(s.m[0](n), exact(Grid(problem.axes), horizon));
  };
  const double coarse = error(40), fine = error(80);
  BOOST_TEST(fine < 5e-2);
  BOOST_TEST(std::log2(coarse / fine) > 0.85);
}

// A cost of 1 a unit of time, discounted at rate rho: u = (1 - e^(-rho (T - t)))/rho everywhere.
MFG_TEST_CASE(discounted_costs_are_those_of_the_closed_form_at_first_order) {
  const double rho = 1.5;
  const auto error = [&](std::int64_t steps) {
    Problem problem;
    problem.axes = {unit_axis(8, Boundary::reflecting, Boundary::reflecting)};
    problem.steps = steps;
    Population& crowd = problem.populations[0];
    crowd.viscosity = 0.1;
    crowd.discount = rho;
    crowd.running = [](const CostInput& in) { return ones_like(in.t); };
    crowd.initial_density = [](const Grid& g) { return ones(g.shape()); };
    const Solution s = solve(problem, with(Coupling::automatic, 1e-11));
    const double exact = (1.0 - std::exp(-rho)) / rho;
    // The parts of the cost are discounted as u is, up to the order of the scheme.
    const CostParts parts = cost_parts(DiscreteProblem(problem), s.u, s.m)[0];
    BOOST_TEST(std::abs(parts.sum() - s.u[0](0, 0).item<double>()) < 1e-10);
    return std::abs(s.u[0](0, 0).item<double>() - exact);
  };
  const double coarse = error(40), fine = error(80);
  BOOST_TEST(std::log2(coarse / fine) == 1.0, boost::test_tools::tolerance(0.05));
}

// Two populations that differ by nothing but their mass are one.
MFG_TEST_CASE(a_population_in_two_parts_is_the_whole) {
  const Problem whole = problem_p(1, 30, 20);
  Problem parts = whole;
  Population& one = parts.populations[0];
  one.running = [](const CostInput& in) { return in.all[0] + in.all[1]; };
  one.mass = 0.3;
  parts.populations.push_back(one);
  parts.populations[1].name = "1";
  parts.populations[1].mass = 0.7;
  const Solution s = solve(whole, with(Coupling::automatic, 1e-11));
  const Solution both = solve(parts, with(Coupling::automatic, 1e-11));
  BOOST_TEST((both.report.status == Status::converged));
  for (const UnifiedArray& u : both.u) BOOST_TEST(largest_difference(u, s.u[0]) < 1e-9);
  BOOST_TEST(largest_difference(both.m[0] + both.m[1], s.m[0]) < 1e-8);
}

// --- Convolutions
// ---------------------------------------------------------------------------------

// The sum over all cells, written out: offsets the shorter way round on periodic axes.
std::vector<double> convolved(const Grid& grid, const std::vector<double>& m) {
  const Axis &a = grid.axis(0), &b = grid.axis(1);
  const std::vector<double> x = a.nodes(), y = b.nodes();
  const auto offset = [](const Axis& axis, double d) {
    const double length = axis.upper - axis.lower;
    if (!axis.periodic()) return d;
    return d > 0.5 * length + 1e-9 ? d - length : d < -0.5 * length + 1e-9 ? d + length : d;
  };
  std::vector<double> result(m.size(), 0.0);
  for (std::size_t i = 0; i < m.size(); ++i)
    for (std::size_t j = 0; j < m.size(); ++j) {
      const double dx = offset(a, x[i / y.size()] - x[j / y.size()]);
      const double dy = offset(b, y[i % y.size()] - y[j % y.size()]);
      result[i] += std::exp(-3.0 * dx * dx + dx - dy * dy) * m[j] * grid.cell_volume();
    }
  return result;
}

MFG_TEST_CASE(convolutions_are_the_sums_they_stand_for) {
  const Convolution convolution([](const std::vector<UnifiedArray>& d) {
    return exp(-3.0 * square(d[0]) + d[0] - square(d[1]));
  });
  const auto periodic = Boundary::periodic, reflecting = Boundary::reflecting;
  for (const auto& [first, second] :
       {std::pair(periodic, reflecting), std::pair(reflecting, periodic),
        std::pair(reflecting, reflecting)}) {
    const Grid grid({{-1.0, 2.0, 7, {first, first}}, {0.0, 2.0, 6, {second, second}}});
    const UnifiedArray m = noise_field(grid, 1, 2);
    const UnifiedArray result = convolution(grid, m);
    BOOST_TEST((result.shape() == m.shape()));
    for (std::int64_t n = 0; n < 2; ++n) {
      const UnifiedArray expected =
          asarray(convolved(grid, UnifiedArray(m(n)).to_vector<double>()), grid.shape());
      BOOST_TEST(largest_difference(result(n), expected) < 1e-13);
    }
  }
  const Convolution bad([](const std::vector<UnifiedArray>& d) { return 1.0 / d[0]; });
  const Grid line({unit_axis(8, periodic, periodic)});
  BOOST_CHECK_THROW(bad(line, ones({8})), SolverError);
}

MFG_TEST_CASE(costs_that_see_a_neighbourhood) {
  for (const bool control : {false, true}) {
    Problem problem = problem_p(1, 30, 20);
    problem.control = control;
    const Convolution near(
        [](const std::vector<UnifiedArray>& d) { return 3.0 * exp(-20.0 * square(d[0])); });
    problem.populations[0].running = [near](const CostInput& in) { return near(in.grid, in.m); };
    every_way_leads_to_the_same(problem, 0.2);
    const Solution s = solve(problem, with(Coupling::automatic, 1e-9));
    BOOST_TEST(s.report.iterations < 12);
  }
}

// A crowd led by a planner pays less in all than one of which everybody minds himself.
MFG_TEST_CASE(the_social_optimum_costs_less_than_the_game) {
  for (Problem problem : {problem_p(1, 40, 30, 2.0), congested_line(40, 30, Boundary::reflecting),
                          crossing(30, 20), room(14, 8, false)}) {
    const auto total = [&] {
      const Solution s = solve(problem, with(Coupling::automatic, 1e-9));
      BOOST_TEST((s.report.status == Status::converged));
      double all = 0.0;
      for (const CostParts& c : cost_parts(DiscreteProblem(problem), s.u, s.m)) all += c.sum();
      return std::pair(all, s);
    };
    problem.control = false;
    const auto [game, at_game] = total();
    problem.control = true;
    const auto [optimum, at_optimum] = total();
    BOOST_TEST(optimum < game - 1e-5);
    // A minimum: moving towards the game's control gains nothing, to first order and a bit.
    const DiscreteProblem d(problem);
    const auto paid = [&](double step) {
      Fields u, m;
      double all = 0.0;
      for (std::size_t p = 0; p < at_game.u.size(); ++p) {
        u.push_back((at_optimum.u[p] + step * (at_game.u[p] - at_optimum.u[p])).copy());
        m.push_back(Sweeps(d.population(p)).fokker_planck(u[p], &at_optimum.m[p], 1e-13).m);
      }
      for (const CostParts& c : cost_parts(d, u, m)) all += c.sum();
      return all;
    };
    const double eps = 1e-2, slope = (paid(eps) - paid(-eps)) / (2.0 * eps);
    BOOST_TEST(std::abs(slope) < 1e-2 * (game - optimum));
    BOOST_TEST(paid(eps) > optimum);
    BOOST_TEST(paid(-eps) > optimum);
  }
}

// Somewhere else than they would go by themselves, whatever they pay on the way.
Field bump_at(double place) {
  return [=](const Grid& g) {
    UnifiedArray distance = square(g.coordinate(0) - place);
    for (int k = 1; k < g.axes(); ++k) distance = distance + square(g.coordinate(k) - place);
    return 0.1 + exp(-20.0 * distance);
  };
}

MFG_TEST_CASE(a_prescribed_final_density_is_reached_in_problems_of_every_kind) {
  const auto planned = [](Problem problem) {
    for (Population& p : problem.populations) {
      p.terminal = nullptr;
      p.initial_density = bump_at(0.3);
      p.target_density = bump_at(0.6);
    }
    return problem;
  };
  Problem optimum = planned(problem_p(1, 30, 20));
  optimum.control = true;
  Problem half = planned(crossing(30, 20));  // the other population is free to choose
  half.populations[1].target_density = nullptr;
  for (const Problem& problem :
       {planned(problem_p(1, 30, 20)), optimum, planned(congested_line(30, 20, Boundary::periodic)),
        planned(current(1, 30, 20, Boundary::reflecting)), planned(crossing(30, 20)), half,
        planned(room(14, 10, false))}) {
    SolveOptions options = with(Coupling::automatic, 1e-7);
    std::vector<double> seen;
    options.on_iteration = [&](const Progress& p) {
      if (p.start.empty()) seen.push_back(p.iteration.residual);
      BOOST_TEST((!p.start.empty() || p.iteration.number == static_cast<int>(seen.size())));
      return true;
    };
    const Solution s = solve(problem, options);
    BOOST_TEST((s.report.status == Status::converged));
    BOOST_TEST(s.report.residual <= 1e-7);
    BOOST_TEST(s.report.iterations == static_cast<int>(seen.size()));
    BOOST_TEST(seen.back() <= 1e-7);
    const DiscreteProblem whole(problem);
    const Grid& grid = whole.grid();
    for (std::size_t p = 0; p < problem.populations.size(); ++p) {
      const double whole_mass = *problem.populations[p].mass;
      for (const double mass : masses(grid, s.m[p]))
        BOOST_TEST(std::abs(mass - whole_mass) < 1e-11);
      if (!problem.populations[p].target_density) continue;
      UnifiedArray target = grid.density(grid.field(bump_at(0.6)(grid)));
      target = whole_mass * target / grid.integral(target);
      BOOST_TEST(largest_difference(s.m[p](problem.steps), target) < 1e-6 * largest(target));
    }
  }
}

MFG_TEST_CASE(impossible_plans_are_refused_or_given_up) {
  Problem problem = problem_p(1, 20, 10);
  problem.populations[0].target_density = bump_at(0.6);
  BOOST_CHECK_THROW(solve(problem), SolverError);  // and a terminal cost
  problem.populations[0].terminal = nullptr;
  SolveOptions options;
  options.max_iterations = 3;
  BOOST_TEST((solve(problem, options).report.status == Status::not_converged));
  problem.axes[0].boundary.upper = Boundary::exit;
  BOOST_CHECK_THROW(solve(problem), SolverError);
  problem.axes[0].boundary.upper = Boundary::reflecting;
  problem.populations[0].target_density = [](const Grid& g) { return g.coordinate(0) - 0.5; };
  BOOST_CHECK_THROW(solve(problem), SolverError);
  problem.populations[0].target_density = [](const Grid& g) { return 0.0 * g.coordinate(0); };
  BOOST_CHECK_THROW(solve(problem), SolverError);
}

}  // namespace
}  // namespace isofield::mfg::testing
