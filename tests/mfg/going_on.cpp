// Solves that stop after an iteration and go on from what they remember.

#include <cstring>
#include <isofield/error.hpp>

#include "mfg/mfg_test.hpp"

namespace isofield::mfg::testing {
namespace {

bool same_bits(const UnifiedArray& a, const UnifiedArray& b) {
  const std::vector<double> x = a.to_vector<double>(), y = b.to_vector<double>();
  return a.shape() == b.shape() && std::memcmp(x.data(), y.data(), x.size() * sizeof(double)) == 0;
}

// Everything is what it would have been, from each iteration that a solve may stop after.
void goes_on(const Problem& problem, SolveOptions o, int stride = 1) {
  const Solution whole = solve(problem, o);
  BOOST_TEST(whole.state.empty());
  BOOST_REQUIRE(whole.report.iterations > 2);
  o.keep_state = true;
  for (int stop = 1; stop < whole.report.iterations; stop += stride) {
    SolveOptions first = o;
    first.on_iteration = [&](const Progress& now) {
      BOOST_TEST((now.state == nullptr) == !now.start.empty());
      return !now.start.empty() || now.iteration.number < stop;
    };
    const Solution part = solve(problem, first);
    BOOST_TEST((part.report.status == Status::interrupted));
    BOOST_TEST(part.report.iterations == stop);
    SolveOptions second = o;
    second.state = part.state;
    const Solution rest = solve(problem, second);
    BOOST_TEST_CONTEXT("after iteration " << stop << " of " << whole.report.iterations) {
      BOOST_TEST((rest.report.status == whole.report.status));
      BOOST_TEST(rest.report.iterations == whole.report.iterations);
      BOOST_TEST(rest.report.residual == whole.report.residual);
      BOOST_TEST(rest.report.gmres == whole.report.gmres);
      for (std::size_t p = 0; p < whole.u.size(); ++p) {
        BOOST_TEST(same_bits(rest.u[p], whole.u[p]));
        BOOST_TEST(same_bits(rest.m[p], whole.m[p]));
      }
      BOOST_TEST((rest.lambda == whole.lambda));
      for (std::size_t k = 0; k < whole.report.history.size(); ++k) {
        const Iteration &mine = rest.report.history[k], &other = whole.report.history[k];
        BOOST_TEST(mine.method == other.method);
        BOOST_TEST(mine.residual == other.residual);
        BOOST_TEST(mine.change_u == other.change_u);
        BOOST_TEST(mine.krylov == other.krylov);
      }
    }
  }
}

SolveOptions with(Coupling coupling, int most, InitialGuess guess = InitialGuess::zero) {
  SolveOptions o;
  o.coupling = coupling;
  o.max_iterations = most;
  o.initial_guess = guess;
  o.tolerance = 1e-9;
  return o;
}

constexpr Coupling couplings[] = {Coupling::picard, Coupling::fictitious_play, Coupling::anderson,
                                  Coupling::policy, Coupling::newton,          Coupling::automatic};

MFG_TEST_CASE(every_coupling_goes_on_bit_for_bit) {
  for (const Coupling coupling : couplings) {
    BOOST_TEST_CONTEXT(to_string(coupling)) {
      goes_on(rough_line(20, 12, Boundary::periodic, Boundary::periodic), with(coupling, 12));
      goes_on(congested_line(20, 12, Boundary::reflecting), with(coupling, 9), 3);
    }
  }
}

MFG_TEST_CASE(rooms_and_several_populations_go_on_bit_for_bit) {
  for (const Coupling coupling : {Coupling::anderson, Coupling::automatic}) {
    BOOST_TEST_CONTEXT(to_string(coupling)) {
      goes_on(room(12, 8, true), with(coupling, 9), 2);
      goes_on(crossing(20, 12), with(coupling, 9), 2);
    }
  }
  SolveOptions o = with(Coupling::automatic, 9, InitialGuess::coarse);
  o.exploitability = true;  // whose sweeps learn, too
  goes_on(room(24, 12, false), o, 2);
  o.dtype = float32;
  o.tolerance = 1e-6;
  o.initial_guess = InitialGuess::zero;
  goes_on(room(12, 8, false), o, 2);
}

MFG_TEST_CASE(a_path_from_weaker_couplings_goes_on_bit_for_bit) {
  Problem problem = problem_p(1, 20, 20);
  problem.populations[0].terminal = [](const CostInput& in) { return 100.0 * in.m; };
  SolveOptions o = with(Coupling::automatic, 200);
  o.tolerance = 1e-8;
  const Solution whole = solve(problem, o);
  BOOST_TEST(whole.report.message.find("a path from weaker couplings") != std::string::npos);
  goes_on(problem, o, 3);
}

MFG_TEST_CASE(second_order_schemes_go_on_bit_for_bit) {
  Problem problem = problem_p(1, 24, 24);
  problem.scheme = Scheme::centred;
  goes_on(problem, with(Coupling::automatic, 20));
}

MFG_TEST_CASE(planning_goes_on_bit_for_bit) {
  Problem problem = problem_p(1, 24, 12);
  Population& crowd = problem.populations[0];
  crowd.terminal = nullptr;
  const auto bump = [](double place) {
    return [=](const Grid& g) { return 0.1 + exp(-20.0 * square(g.coordinate(0) - place)); };
  };
  crowd.initial_density = bump(0.3);
  crowd.target_density = bump(0.6);
  SolveOptions o = with(Coupling::automatic, 100);
  o.tolerance = 1e-6;
  goes_on(problem, o, 4);
}

MFG_TEST_CASE(an_ergodic_game_goes_on_bit_for_bit) {
  Problem problem = problem_p(2, 12, 1);
  problem.ergodic = true;
  problem.populations[0].terminal = nullptr;
  problem.populations[0].running = [](const CostInput& in) {
    return in.m + square(in.grid.coordinate(0) - 0.7);
  };
  goes_on(problem, with(Coupling::automatic, 50));
}

MFG_TEST_CASE(what_is_no_state_of_the_problem_is_refused) {
  const Problem problem = rough_line(20, 12, Boundary::periodic, Boundary::periodic);
  SolveOptions o = with(Coupling::anderson, 4);
  o.keep_state = true;
  const SolverState state = solve(problem, o).state;
  BOOST_TEST(!state.empty());
  o.state = state;
  const Problem finer = rough_line(24, 12, Boundary::periodic, Boundary::periodic);
  BOOST_CHECK_THROW(solve(finer, o), StateError);
  BOOST_CHECK_THROW(solve(crossing(20, 12), o), StateError);
  o.coupling = Coupling::picard;
  BOOST_CHECK_THROW(solve(problem, o), StateError);
  for (const char* const lost :
       {"coupling", "iterate", "counts", "sweeps", "seconds", "anderson"}) {
    BOOST_TEST_CONTEXT(lost) {
      SolveOptions without = with(Coupling::anderson, 8);
      without.state = state;
      without.state.numbers.erase(lost);
      BOOST_CHECK_THROW(solve(problem, without), StateError);
    }
  }
  SolveOptions odd = with(Coupling::anderson, 8);
  odd.state = state;
  odd.state.numbers["iterate"][0] = std::numeric_limits<double>::quiet_NaN();
  BOOST_CHECK_THROW(solve(problem, odd), StateError);
}

}  // namespace
}  // namespace isofield::mfg::testing
