// Identities that hold to rounding on any grid: they fail if the pairing of levels, the transpose
// or a boundary rule is wrong.

#include <cmath>
#include <isofield/mfg/diagnostics.hpp>
#include <isofield/mfg/sweeps.hpp>

#include "mfg/mfg_test.hpp"

namespace isofield::mfg::testing {
namespace {

std::vector<Problem> closed_problems() {
  std::vector<Problem> list;
  list.push_back(rough_line(40, 30, Boundary::periodic, Boundary::periodic));
  list.push_back(rough_line(40, 30, Boundary::reflecting, Boundary::reflecting));
  list.push_back(rough_line(40, 30, Boundary::reflecting, Boundary::reflecting, 1.5));
  list.push_back(room(16, 12, false));
  Problem torus = problem_p(2, 15, 12);
  torus.axes[0] = unit_axis(16, Boundary::periodic, Boundary::periodic);
  list.push_back(torus);
  return list;
}

std::vector<Problem> open_problems() {
  return {rough_line(40, 30, Boundary::exit, Boundary::exit),
          rough_line(40, 30, Boundary::reflecting, Boundary::exit, 3.0), room(16, 12, true)};
}

std::vector<Problem> every_problem() {
  std::vector<Problem> list = closed_problems();
  for (Problem& p : open_problems()) list.push_back(std::move(p));
  return list;
}

// A value function with steep slopes both ways.
UnifiedArray wild_value(const DiscreteProblem& d) {
  return d.grid().value(0.5 * noise_field(d.grid(), 3, d.steps() + 1), d.exit_value()).copy();
}

MFG_TEST_CASE(the_fokker_planck_matrix_is_the_transpose) {
  for (const Problem& problem : every_problem()) {
    const DiscreteProblem d(problem);
    const UnifiedArray u = wild_value(d)(0).copy();
    const Stencil a = d.linearise(u);
    const UnifiedArray w = d.grid().density(noise_field(d.grid(), 4)).copy();
    const UnifiedArray m = d.grid().density(noise_field(d.grid(), 5)).copy();
    const UnifiedArray kw = apply(d.grid(), a, w), ktm = apply(d.grid(), transpose(d.grid(), a), m);
    const double scale = d.grid().inner(abs(kw), abs(m));
    BOOST_TEST(std::abs(d.grid().inner(kw, m) - d.grid().inner(w, ktm)) < 1e-14 * scale);
  }
}

MFG_TEST_CASE(the_matrix_is_an_m_matrix_whose_rows_sum_to_one) {
  for (const Problem& problem : closed_problems()) {
    const DiscreteProblem d(problem);
    const Stencil a = d.linearise(wild_value(d)(0).copy());
    for (const auto& x : a.faces.forward) BOOST_TEST(max(x).item<double>() <= 0.0);
    for (const auto& x : a.faces.backward) BOOST_TEST(max(x).item<double>() <= 0.0);
    const UnifiedArray ones_on_free = d.grid().density(ones(d.grid().shape()));
    const UnifiedArray rows = apply(d.grid(), a, ones_on_free.copy());
    BOOST_TEST(largest(d.grid().density(rows - 1.0)) < 1e-12 * largest(a.diagonal));
  }
}

MFG_TEST_CASE(mass_is_conserved_to_rounding_and_density_is_never_negative) {
  for (const Problem& problem : closed_problems()) {
    const DiscreteProblem d(problem);
    Sweeps sweeps(d);
    const UnifiedArray m = sweeps.fokker_planck(wild_value(d), nullptr, 1e-12).m;
    for (const double mass : masses(d, m)) BOOST_TEST(std::abs(mass - 1.0) < 1e-12);
    BOOST_TEST(min(m).item<double>() >= 0.0);
    BOOST_TEST(largest_difference(d.grid().density(m), m) == 0.0);
  }
}

MFG_TEST_CASE(mass_leaves_by_exits_and_never_comes_back) {
  for (const Problem& problem : open_problems()) {
    const DiscreteProblem d(problem);
    Sweeps sweeps(d);
    const UnifiedArray m = sweeps.fokker_planck(wild_value(d), nullptr, 1e-12).m;
    const std::vector<double> mass = masses(d, m);
    for (std::size_t n = 1; n < mass.size(); ++n) BOOST_TEST(mass[n] < mass[n - 1]);
    BOOST_TEST(mass.back() > 0.0);
    BOOST_TEST(min(m).item<double>() >= 0.0);
    BOOST_TEST(largest_difference(d.grid().density(m), m) == 0.0);
  }
}

// <u^0, m^0> - <u^N, m^N> = dt sum <m^(n+1), G_q D u^n - G + F>, whatever m is that u was solved
// for, as long as m is transported by u. With exits, u is 0 there.
MFG_TEST_CASE(value_and_cost_agree_by_duality) {
  for (Problem problem : every_problem()) {
    problem.exit_cost = 0.0;
    const DiscreteProblem d(problem);
    Sweeps sweeps(d);
    const UnifiedArray start = d.constant_density();
    UnifiedArray u = sweeps.hjb(d.running_cost(start), d.terminal_cost(start), nullptr, 1e-12);
    const UnifiedArray m = sweeps.fokker_planck(u, nullptr, 1e-14).m;
    const CostParts parts = cost_parts(d, u, m);
    const double running = d.dt() * d.grid().inner(d.running_cost(start), m(from(1)));
    const double change = d.grid().inner(u(0), m(0)) - d.grid().inner(u(d.steps()), m(d.steps()));
    BOOST_TEST(std::abs(change - parts.kinetic - running) < 1e-11);
  }
}

MFG_TEST_CASE(values_are_monotone_in_costs) {
  for (const Problem& problem : every_problem()) {
    const DiscreteProblem d(problem);
    Sweeps sweeps(d);
    const UnifiedArray m = d.constant_density();
    const UnifiedArray f = d.running_cost(m), g = d.terminal_cost(m);
    const UnifiedArray low = sweeps.hjb(f, g, nullptr, 1e-11);
    const UnifiedArray more = d.grid().density(abs(noise_field(d.grid(), 6, d.steps())));
    const UnifiedArray high = sweeps.hjb((f + more).copy(), g, nullptr, 1e-11);
    BOOST_TEST(min(high - low).item<double>() > -1e-10);
    BOOST_TEST(largest(high - low) > 1e-2);
  }
}

MFG_TEST_CASE(backward_sweeps_solve_the_scheme_they_claim_to) {
  for (const Problem& problem : every_problem()) {
    const DiscreteProblem d(problem);
    Sweeps sweeps(d);
    const UnifiedArray m = d.constant_density();
    const UnifiedArray f = d.running_cost(m);
    const UnifiedArray u = sweeps.hjb(f, d.terminal_cost(m), nullptr, 1e-10);
    const UnifiedArray left = d.hjb_residual(u(upto(d.steps())), u(from(1)), f);
    BOOST_TEST(largest(left) < 1e-9);
  }
}

}  // namespace
}  // namespace isofield::mfg::testing
