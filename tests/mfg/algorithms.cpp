// What the outer algorithms reach, and what they say about it.

#include <algorithm>
#include <cmath>
#include <isofield/error.hpp>
#include <isofield/mfg/diagnostics.hpp>
#include <isofield/mfg/discrete_problem.hpp>
#include <isofield/mfg/residual.hpp>
#include <isofield/mfg/sweeps.hpp>
#include <limits>
#include <numbers>

#include "mfg/mfg_test.hpp"

namespace isofield::mfg::testing {
namespace {

SolveOptions with(Coupling coupling, double tolerance, double damping = 0.5,
                  InitialGuess guess = InitialGuess::zero) {
  SolveOptions o;
  o.coupling = coupling;
  o.tolerance = tolerance;
  o.damping = damping;
  o.initial_guess = guess;
  return o;
}

bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

void same_solution_by_every_way(const Problem& problem, double damping) {
  SolveOptions slow = with(Coupling::picard, 1e-10, damping);
  slow.max_iterations = 600;
  const Solution picard = solve(problem, slow);
  BOOST_TEST((picard.report.status == Status::converged));
  for (const Coupling coupling : {Coupling::newton, Coupling::automatic}) {
    for (const InitialGuess guess : {InitialGuess::zero, InitialGuess::coarse}) {
      const Solution s = solve(problem, with(coupling, 1e-10, damping, guess));
      BOOST_TEST((s.report.status == Status::converged));
      BOOST_TEST(s.report.iterations < picard.report.iterations);
      BOOST_TEST(largest_difference(s.u[0], picard.u[0]) < 1e-8);
      BOOST_TEST(largest_difference(s.m[0], picard.m[0]) < 1e-8 * std::max(1.0, largest(s.m[0])));
    }
  }
}

MFG_TEST_CASE(newton_and_picard_reach_the_same_solution_in_one_dimension) {
  same_solution_by_every_way(problem_p(1, 40, 40), 0.2);
  same_solution_by_every_way(rough_line(40, 30, Boundary::periodic, Boundary::periodic), 0.1);
  same_solution_by_every_way(rough_line(40, 30, Boundary::exit, Boundary::reflecting, 1.5), 0.1);
}

MFG_TEST_CASE(newton_and_picard_reach_the_same_solution_in_two_dimensions) {
  same_solution_by_every_way(room(16, 8, true), 0.5);
}

MFG_TEST_CASE(a_solution_satisfies_both_equations_and_its_report_says_how_well) {
  for (const Problem& problem : {problem_p(1, 40, 40), room(16, 12, true), room(16, 12, false)}) {
    const Solution s = solve(problem, with(Coupling::automatic, 1e-9));
    const DiscreteProblem d(problem);
    const Residuals left = residuals(d, s.u, s.m);
    BOOST_TEST(left.hjb < 1e-8);
    BOOST_TEST(left.fokker_planck < 1e-9);
    BOOST_TEST(s.report.residual == left.largest(), boost::test_tools::tolerance(1e-6));
    BOOST_TEST(s.report.iterations == static_cast<int>(s.report.history.size()));
    const UnifiedArray &u = s.u[0], &m = s.m[0];
    BOOST_TEST(largest_difference(u(problem.steps), d.terminal_costs(s.m)[0]) < 1e-8);
    BOOST_TEST(largest_difference(m(0), d.population().initial_density()) == 0.0);
    BOOST_TEST(min(m).item<double>() >= -1e-14);
  }
}

MFG_TEST_CASE(every_iteration_is_recorded_with_the_residuals_of_its_iterate) {
  for (const Problem& problem : {problem_p(1, 24, 24), room(16, 12, true)}) {
    const DiscreteProblem d(problem);
    for (const Coupling coupling : {Coupling::picard, Coupling::automatic}) {
      SolveOptions o = with(coupling, 1e-9);
      o.max_iterations = 12;
      o.on_iteration = [&](const Progress& now) {
        const Residuals left = residuals(d, now.u, now.m);
        const Iteration& i = now.iteration;
        BOOST_TEST(i.residual == std::max(i.hjb_residual, i.fp_residual));
        BOOST_TEST(i.fp_residual == left.fokker_planck, boost::test_tools::tolerance(1e-6));
        BOOST_TEST(i.fp_residual > 0.0);
        // Picard's is a bound, by what it lets a step leave.
        BOOST_TEST(left.hjb <= i.hjb_residual * (1.0 + 1e-6));
        BOOST_TEST(i.hjb_residual <= 1.01 * left.hjb + 1e-9);
        return true;
      };
      solve(problem, o);
    }
  }
}

Problem crowded_end(std::int64_t n, double strength) {
  Problem problem = problem_p(1, n, n);
  problem.populations[0].terminal = [=](const CostInput& in) { return strength * in.m; };
  return problem;
}

MFG_TEST_CASE(exploitability_is_what_the_crowd_pays_more_than_its_best_response) {
  for (const Problem& problem :
       {problem_p(1, 24, 24), rough_line(24, 16, Boundary::periodic, Boundary::periodic),
        room(16, 12, false)}) {
    const DiscreteProblem d(problem);
    for (const Coupling coupling : {Coupling::picard, Coupling::automatic}) {
      SolveOptions o = with(coupling, 1e-9);
      o.max_iterations = 12;
      o.exploitability = true;
      o.on_iteration = [&](const Progress& now) {
        const CostParts paid = cost_parts(d, now.u, now.m)[0];
        const UnifiedArray best = Sweeps(d.population()).hjb(d.hjb_data(now.m)[0], nullptr, 1e-11);
        const double gain = paid.sum() - d.grid().inner(best(0), now.m[0](0));
        BOOST_TEST(std::abs(now.iteration.exploitability - gain) < 1e-10 + 0.02 * gain);
        return true;
      };
      const Solution s = solve(problem, o);
      BOOST_TEST(s.report.history.front().exploitability > 1e-4);
    }
  }
}

MFG_TEST_CASE(exploitability_vanishes_at_a_solution_also_where_people_leave) {
  for (const bool on_a_path : {false, true}) {
    SolveOptions o = with(Coupling::automatic, 1e-9);
    BOOST_TEST(std::isnan(solve(room(16, 12, true), o).report.history.back().exploitability));
    o.exploitability = true;
    const Solution s = solve(on_a_path ? crowded_end(24, 20.0) : room(16, 12, true), o);
    BOOST_TEST((s.report.status == Status::converged));
    for (const Iteration& i : s.report.history) BOOST_TEST(i.exploitability > -1e-11);
    BOOST_TEST(std::abs(s.report.history.back().exploitability) < 1e-11);
    BOOST_TEST(s.report.history.front().exploitability > 1e-4);
    const auto on_path = [](const Iteration& i) { return i.method == "continuation"; };
    BOOST_TEST(
        (on_a_path == std::any_of(s.report.history.begin(), s.report.history.end(), on_path)));
  }
}

MFG_TEST_CASE(newton_solves_strong_couplings_where_picard_gives_up_and_says_so) {
  const Problem problem = problem_p(1, 60, 60, 8.0);
  SolveOptions o = with(Coupling::picard, 1e-8, 0.5);
  o.max_iterations = 40;
  const Solution picard = solve(problem, o);
  BOOST_TEST((picard.report.status == Status::not_converged));
  BOOST_TEST(picard.report.iterations == 40);
  BOOST_TEST(has(picard.report.message, "the coupling is too strong for this damping"));
  const Solution s = solve(problem, with(Coupling::automatic, 1e-8));
  BOOST_TEST((s.report.status == Status::converged));
  BOOST_TEST(s.report.iterations < 25);
}

MFG_TEST_CASE(newton_solves_terminal_costs_of_the_density) {
  const Problem problem = crowded_end(40, 1.0);
  SolveOptions slow = with(Coupling::picard, 1e-9, 0.05);
  slow.max_iterations = 600;
  const Solution picard = solve(problem, slow);
  BOOST_TEST((picard.report.status == Status::converged));
  for (const InitialGuess guess : {InitialGuess::zero, InitialGuess::coarse}) {
    const Solution s = solve(problem, with(Coupling::automatic, 1e-9, 0.5, guess));
    BOOST_TEST((s.report.status == Status::converged));
    BOOST_TEST(s.report.iterations < 30);
    BOOST_TEST(largest_difference(s.u[0], picard.u[0]) < 1e-7);
  }
}

MFG_TEST_CASE(a_path_of_games_leads_to_solutions_that_nothing_else_finds_from_afar) {
  for (const double strength : {30.0, 100.0}) {
    const Problem problem = crowded_end(30, strength);
    const Solution far = solve(problem, with(Coupling::automatic, 1e-9));
    const Solution near =
        solve(problem, with(Coupling::automatic, 1e-9, 0.5, InitialGuess::coarse));
    BOOST_TEST((far.report.status == Status::converged));
    BOOST_TEST((near.report.status == Status::converged));
    BOOST_TEST(has(far.report.message, "a path from weaker couplings was tried"));
    BOOST_TEST(largest_difference(far.u[0], near.u[0]) < 1e-7 * largest(near.u[0]));
  }
}

// On coarse grids with little viscosity the second-order schemes find nothing by themselves, and
// elimination without pivots may break down on the way: a status, no error to be caught.
MFG_TEST_CASE(second_order_schemes_start_from_the_implicit_one_where_they_must) {
  for (const Scheme scheme : {Scheme::centred, Scheme::exponential}) {
    Problem problem;
    Population& crowd = problem.populations[0];
    problem.axes = {unit_axis(20, Boundary::periodic, Boundary::periodic)};
    problem.steps = 20;
    problem.scheme = scheme;
    crowd.viscosity = 0.02;
    crowd.scale = [](const Grid&) { return full(Shape{}, 1.0); };
    crowd.running = [](const CostInput& in) {
      return square(in.m) - 2.0 * sin(2.0 * std::numbers::pi * in.grid.coordinate(0));
    };
    crowd.initial_density = [](const Grid& g) {
      return 1.0 + 0.5 * cos(2.0 * std::numbers::pi * g.coordinate(0));
    };
    SolveOptions alone = with(Coupling::automatic, 1e-9);
    BOOST_TEST((solve(problem, alone).report.status != Status::converged));
    bool implicit = false;
    alone.initial_guess = InitialGuess::coarse;
    alone.on_iteration = [&](const Progress& p) {
      implicit = implicit || p.start == "implicit scheme";
      return true;
    };
    BOOST_TEST((solve(problem, alone).report.status == Status::converged));
    BOOST_TEST(implicit);
  }
}

MFG_TEST_CASE(newton_is_not_given_up_while_it_gets_on) {
  // |q|^1.5 has no second derivative at 0: Newton's method is slow, and not to be interrupted.
  Problem problem = problem_p(1, 60, 60);
  problem.populations[0].exponent = 1.5;
  problem.populations[0].viscosity = 0.1;
  problem.populations[0].terminal = [](const CostInput& in) {
    return 2.0 * square(in.grid.coordinate(0) - 0.7) + 5.0 * in.m;
  };
  const Solution s = solve(problem, with(Coupling::automatic, 1e-8));
  BOOST_TEST((s.report.status == Status::converged));
  BOOST_TEST(s.report.iterations > 30);
  BOOST_TEST(s.report.message == "");
}

MFG_TEST_CASE(nobody_is_advised_to_use_what_is_used) {
  SolveOptions o = with(Coupling::automatic, 1e-8);
  o.max_iterations = 120;
  Problem hard = crowded_end(40, 30.0);
  hard.populations[0].exponent = 1.2;
  const Solution s = solve(hard, o);
  BOOST_TEST((s.report.status == Status::not_converged));
  BOOST_TEST(!has(s.report.message, "use coupling"));
}

MFG_TEST_CASE(a_path_that_is_cut_short_is_not_taken_for_a_solution) {
  const Problem problem = crowded_end(24, 40.0);
  SolveOptions o = with(Coupling::automatic, 1e-8);
  const std::vector<Iteration> history = solve(problem, o).report.history;
  const auto on_path = [](const Iteration& i) { return i.method == "continuation"; };
  const auto first = std::find_if(history.begin(), history.end(), on_path);
  BOOST_TEST_REQUIRE((first != history.end()));
  for (const int more : {-1, 0, 2, 5}) {
    o.max_iterations = first->number + more;
    const Solution s = solve(problem, o);
    BOOST_TEST((s.report.status == Status::not_converged));
    BOOST_TEST(s.report.iterations == o.max_iterations);
    BOOST_TEST(s.report.residual > 1e-8);
  }
}

MFG_TEST_CASE(costs_see_less_of_the_density_along_a_path_of_games) {
  DiscreteProblem d(problem_p(1, 20, 10, 2.0));
  const Fields reference = d.constant_densities();
  const Fields m{1.0 + noise_field(d.grid(), 1, 11)}, dm{noise_field(d.grid(), 2, 10)};
  const UnifiedArray whole = d.running_costs(m)[0].copy();
  const UnifiedArray change = d.running_derivatives(m, dm)[0].copy();
  d.set_coupling(0.25, reference);
  BOOST_TEST(largest_difference(d.running_costs(m)[0],
                                0.25 * whole + 0.75 * 2.0 * reference[0](from(1))) < 1e-14);
  BOOST_TEST(largest_difference(d.running_derivatives(m, dm)[0], 0.25 * change) < 1e-14);
  d.set_coupling(1.0, reference);
  BOOST_TEST(largest_difference(d.running_costs(m)[0], whole) == 0.0);
}

MFG_TEST_CASE(the_usual_stop_rule_of_other_codes_is_there) {
  SolveOptions o = with(Coupling::picard, 1e-6, 0.2);
  o.stop = StopRule::change;
  const Solution s = solve(problem_p(1, 40, 40), o);
  BOOST_TEST((s.report.status == Status::converged));
  const Iteration& last = s.report.history.back();
  BOOST_TEST(std::max(last.change_m, last.change_u) < 1e-6);
  const Iteration& before = s.report.history[s.report.history.size() - 2];
  BOOST_TEST(std::max(before.change_m, before.change_u) >= 1e-6);
}

MFG_TEST_CASE(a_caller_sees_every_iteration_and_can_stop) {
  for (const Coupling coupling : {Coupling::picard, Coupling::automatic}) {
    int calls = 0;
    SolveOptions o = with(coupling, 1e-10);
    o.on_iteration = [&](const Progress& p) {
      ++calls;
      BOOST_TEST(p.iteration.number == calls);
      BOOST_TEST((p.u[0].shape() == Shape{21, 31}));
      BOOST_TEST(p.start == "");
      return calls < 6;
    };
    const Solution s = solve(problem_p(1, 30, 20), o);
    BOOST_TEST((s.report.status == Status::interrupted));
    BOOST_TEST(s.report.iterations == 6);
    BOOST_TEST(!has_nan_or_inf(s.u[0]));
    // Going on from there ends where an undisturbed solve does.
    SolveOptions again = with(coupling, 1e-10, 0.2, InitialGuess::given);
    again.initial_u = s.u;
    const Solution rest = solve(problem_p(1, 30, 20), again);
    const Solution whole = solve(problem_p(1, 30, 20), with(coupling, 1e-10, 0.2));
    BOOST_TEST((rest.report.status == Status::converged));
    BOOST_TEST(largest_difference(rest.u[0], whole.u[0]) < 1e-8);
  }
}

MFG_TEST_CASE(a_caller_can_stop_between_time_steps) {
  for (const Problem& problem : {room(24, 12, true), problem_p(1, 24, 12)}) {
    for (const InitialGuess guess : {InitialGuess::zero, InitialGuess::coarse}) {
      SolveOptions o = with(Coupling::automatic, 1e-9, 0.5, guess);
      int asked = 0;
      o.should_stop = [&] { return ++asked < 0; };
      const int needed = solve(problem, o).report.iterations;
      const int in_all = asked;
      // Many more than there are iterations: between the steps of all sweeps.
      BOOST_TEST(in_all > (problem.axes.size() > 1 ? 20 * problem.steps : 20));
      for (const int last : {1, in_all / 10, in_all / 2, in_all - 1}) {
        asked = 0;
        o.should_stop = [&] { return ++asked >= last; };
        const Solution s = solve(problem, o);
        BOOST_TEST((s.report.status == Status::interrupted));
        BOOST_TEST(s.report.message == "");
        BOOST_TEST(asked <= last + 1);  // one on each grid at most
        BOOST_TEST(s.report.iterations <= needed);
        BOOST_TEST((s.u[0].shape() == s.m[0].shape()));
        BOOST_TEST(!has_nan_or_inf(s.u[0]));
        const std::vector<double> mass = masses(DiscreteProblem(problem).grid(), s.m[0]);
        BOOST_TEST(std::abs(mass.front() - 1.0) < 1e-12);
        BOOST_TEST(mass.back() <= 1.0 + 1e-12);
      }
    }
  }
}

MFG_TEST_CASE(an_iteration_limit_is_a_status) {
  SolveOptions o = with(Coupling::automatic, 1e-10);
  o.max_iterations = 3;
  const Solution s = solve(problem_p(1, 30, 20), o);
  BOOST_TEST((s.report.status == Status::not_converged));
  BOOST_TEST(s.report.iterations == 3);
  BOOST_TEST(s.report.residual > 1e-10);
}

MFG_TEST_CASE(a_breakdown_says_where_and_when_and_keeps_the_last_good_state) {
  // The cost turns into NaN at t = 0.5 once the iteration has moved the density there.
  Problem problem = problem_p(1, 30, 20);
  problem.populations[0].running = [](const CostInput& in) {
    const UnifiedArray change = abs(in.m - in.m(slice(0, 1)));
    return in.m + sqrt(where(in.t == 0.5, 0.0 - change, 0.0));
  };
  const Solution s = solve(problem, with(Coupling::picard, 1e-8));
  BOOST_TEST((s.report.status == Status::breakdown));
  BOOST_TEST(has(s.report.message, "HJB equation at time level 10 (t = 0.5): NaN or infinity"));
  BOOST_TEST(s.report.iterations == 1);
  BOOST_TEST(!has_nan_or_inf(s.u[0]));
  BOOST_TEST(!has_nan_or_inf(s.m[0]));
}

MFG_TEST_CASE(a_breakdown_names_the_cost_and_the_place_that_it_began_in) {
  // Finer than the coarse grids: each of them breaks down, too, which is told once.
  Problem line = problem_p(1, 50, 50);
  Problem plane = room(24, 12, true);
  const auto nan_beyond = [](double x) {
    return [=](const CostInput& in) { return 0.0 * in.m + sqrt(x - in.grid.coordinate(0)); };
  };
  line.populations[0].running = nan_beyond(0.805);
  plane.populations[0].terminal = nan_beyond(0.8);
  for (const InitialGuess guess : {InitialGuess::zero, InitialGuess::coarse}) {
    const SolveReport first = solve(line, with(Coupling::automatic, 1e-8, 0.5, guess)).report;
    BOOST_TEST((first.status == Status::breakdown));
    BOOST_TEST(first.breakdown ==
               "HJB equation at time level 49 (t = 0.98): NaN or infinity in the running cost at "
               "x = 0.82");
    BOOST_TEST(first.message.starts_with(first.breakdown));
    BOOST_TEST(first.message.find("coarser") == first.message.rfind("coarser"));
    const SolveReport second = solve(plane, with(Coupling::automatic, 1e-8, 0.5, guess)).report;
    BOOST_TEST(has(second.breakdown,
                   "HJB equation at time level 12 (t = 1): NaN or infinity in "
                   "the terminal cost at x = 0.8125, y = "),
               second.breakdown);
  }
}

MFG_TEST_CASE(a_tolerance_below_rounding_is_replaced_by_what_rounding_allows) {
  const Solution s = solve(problem_p(1, 40, 40), with(Coupling::automatic, 1e-30));
  BOOST_TEST((s.report.status == Status::converged));
  BOOST_TEST(s.report.tolerance > 1e-14);
  BOOST_TEST(s.report.tolerance < 1e-10);
  BOOST_TEST(s.report.residual <= s.report.tolerance);
  BOOST_TEST(has(s.report.message, "float64 and this grid allow a residual of"));
  BOOST_TEST(solve(problem_p(1, 40, 40), with(Coupling::automatic, 1e-8)).report.tolerance == 1e-8);
}

MFG_TEST_CASE(bad_data_are_refused) {
  const Problem good = problem_p(1, 30, 20);
  Problem bad = good;
  bad.populations[0].viscosity = 0.0;
  BOOST_CHECK_THROW(solve(bad), SolverError);
  bad = good;
  bad.populations[0].initial_density = [](const Grid& g) { return g.coordinate(0) - 0.5; };
  BOOST_CHECK_THROW(solve(bad), SolverError);
  bad.populations[0].initial_density = [](const Grid& g) { return 0.0 * g.coordinate(0); };
  BOOST_CHECK_THROW(solve(bad), SolverError);
  bad.populations[0].initial_density = [](const Grid& g) { return log(g.coordinate(0) - 0.5); };
  BOOST_CHECK_THROW(solve(bad), SolverError);
  SolveOptions o;
  o.damping = 0.0;
  BOOST_CHECK_THROW(solve(good, o), SolverError);
  o = {};
  o.coupling = Coupling::primal_dual;
  BOOST_CHECK_THROW(solve(good, o), SolverError);
  o = {};
  o.initial_guess = InitialGuess::given;
  o.initial_u = {zeros({3, 3})};
  BOOST_CHECK_THROW(solve(good, o), ShapeError);
}

MFG_TEST_CASE(single_precision_reaches_what_it_can) {
  for (const Problem& problem : {problem_p(1, 40, 40), room(16, 8, true)}) {
    const Solution reference = solve(problem, with(Coupling::automatic, 1e-9));
    SolveOptions o = with(Coupling::automatic, 1e-9);
    o.dtype = float32;
    const Solution s = solve(problem, o);
    BOOST_TEST((s.report.status == Status::converged));
    BOOST_TEST((s.u[0].dtype() == float32));
    BOOST_TEST(largest_difference(s.u[0].astype(float64), reference.u[0]) < 2e-3);
    BOOST_TEST(largest_difference(s.m[0].astype(float64), reference.m[0]) <
               2e-3 * largest(reference.m[0]));
    BOOST_TEST(has(s.report.message, "float32"));
  }
}

MFG_TEST_CASE(walls_keep_mass_and_exits_take_it) {
  const Problem closed = room(16, 12, false), open = room(16, 12, true);
  const DiscreteProblem d(closed), e(open);
  const std::vector<double> kept =
      masses(d.grid(), solve(closed, with(Coupling::automatic, 1e-8)).m[0]);
  for (const double mass : kept) BOOST_TEST(std::abs(mass - 1.0) < 1e-12);
  const std::vector<double> left =
      masses(e.grid(), solve(open, with(Coupling::automatic, 1e-8)).m[0]);
  for (std::size_t n = 1; n < left.size(); ++n) BOOST_TEST(left[n] < left[n - 1]);
  BOOST_TEST(left.back() < 0.9);
}

MFG_TEST_CASE(the_parts_of_the_cost_sum_to_the_value) {
  for (const Problem& problem : {problem_p(1, 40, 40), room(16, 12, false)}) {
    const Solution s = solve(problem, with(Coupling::automatic, 1e-11));
    const DiscreteProblem d(problem);
    const CostParts parts = cost_parts(d, s.u, s.m)[0];
    BOOST_TEST(parts.kinetic > 0.0);
    BOOST_TEST(std::abs(parts.sum() - d.grid().inner(s.u[0](0), s.m[0](0))) < 1e-9);
  }
}

}  // namespace
}  // namespace isofield::mfg::testing
