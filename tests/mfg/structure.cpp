// Identities that hold to rounding on any grid: they fail if the pairing of levels, the transpose
// or a boundary rule is wrong.

#include <cmath>
#include <isofield/mfg/diagnostics.hpp>
#include <isofield/mfg/residual.hpp>
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
  list.push_back(hall(9, 6));
  list.push_back(congested_line(40, 30, Boundary::reflecting));
  list.push_back(congested_line(40, 30, Boundary::periodic, 1.5));
  list.push_back(congested_room(16, 12, false));
  list.push_back(current(1, 40, 30, Boundary::reflecting));
  list.push_back(current(2, 16, 12, Boundary::periodic));
  return list;
}

// The same by every scheme that can solve them: centred differences of noise need more viscosity,
// no cubic Hamiltonian, and a speed that is defined for densities a little negative.
std::vector<Problem> by_every_scheme(const std::vector<Problem>& problems) {
  std::vector<Problem> list;
  for (const Problem& problem : problems)
    for (const Scheme scheme : {Scheme::implicit, Scheme::centred, Scheme::exponential}) {
      const Population& p = problem.populations[0];
      if (scheme == Scheme::exponential && (p.exponent != 2.0 || p.congestion != 0.0)) continue;
      if (scheme == Scheme::centred && p.exponent > 2.0) continue;
      list.push_back(problem);
      list.back().scheme = scheme;
      if (scheme != Scheme::centred) continue;
      list.back().populations[0].viscosity += 1.0;
      list.back().populations[0].offset = 5.0;
    }
  return list;
}

std::vector<Problem> open_problems() {
  return {rough_line(40, 30, Boundary::exit, Boundary::exit),
          rough_line(40, 30, Boundary::reflecting, Boundary::exit, 3.0),
          room(16, 12, true),
          congested_line(40, 30, Boundary::exit),
          congested_room(16, 12, true),
          current(1, 40, 30, Boundary::exit)};
}

std::vector<Problem> every_problem() {
  std::vector<Problem> list = closed_problems();
  for (Problem& p : open_problems()) list.push_back(std::move(p));
  return list;
}

// A value function with steep slopes both ways.
UnifiedArray wild_value(const DiscretePopulation& d) {
  return d.grid().value(0.5 * noise_field(d.grid(), 3, d.steps() + 1), d.exit_value()).copy();
}

// What the equations are told at the first level besides u.
Conditions first_conditions(const DiscretePopulation& d) {
  const UnifiedArray m = d.grid().density(abs(noise_field(d.grid(), 10, d.steps())));
  return d.conditions(m).level(0);
}

MFG_TEST_CASE(the_fokker_planck_matrix_is_the_transpose) {
  for (const Problem& problem : by_every_scheme(every_problem())) {
    const DiscreteProblem whole(problem);
    const DiscretePopulation& d = whole.population();
    const UnifiedArray u = wild_value(d)(0).copy();
    const Stencil a = d.density_matrix(u, first_conditions(d));
    const UnifiedArray w = d.grid().density(noise_field(d.grid(), 4)).copy();
    const UnifiedArray m = d.grid().density(noise_field(d.grid(), 5)).copy();
    const UnifiedArray kw = apply(d.grid(), a, w), ktm = apply(d.grid(), transpose(d.grid(), a), m);
    const double scale = d.grid().inner(abs(kw), abs(m));
    BOOST_TEST(std::abs(d.grid().inner(kw, m) - d.grid().inner(w, ktm)) < 1e-14 * scale);
  }
}

MFG_TEST_CASE(the_matrix_is_an_m_matrix_whose_rows_sum_to_one) {
  for (const Problem& problem : by_every_scheme(closed_problems())) {
    const DiscreteProblem whole(problem);
    const DiscretePopulation& d = whole.population();
    const Stencil a = d.density_matrix(wild_value(d)(0).copy(), first_conditions(d));
    const bool monotone = problem.scheme == Scheme::implicit ||
                          (problem.scheme == Scheme::exponential && !problem.populations[0].drift);
    for (const auto& x : a.faces.forward) BOOST_TEST((!monotone || max(x).item<double>() <= 0.0));
    for (const auto& x : a.faces.backward) BOOST_TEST((!monotone || max(x).item<double>() <= 0.0));
    const UnifiedArray ones_on_free = d.grid().density(ones(d.grid().shape()));
    const UnifiedArray rows = apply(d.grid(), a, ones_on_free.copy());
    BOOST_TEST(largest(d.grid().density(rows - 1.0)) < 1e-12 * largest(a.diagonal));
  }
}

MFG_TEST_CASE(mass_is_conserved_to_rounding_and_density_is_never_negative) {
  for (const Problem& problem : closed_problems()) {
    const DiscreteProblem whole(problem);
    const DiscretePopulation& d = whole.population();
    Sweeps sweeps(d);
    const UnifiedArray m = sweeps.fokker_planck(wild_value(d), nullptr, 1e-12).m;
    for (const double mass : masses(d.grid(), m)) BOOST_TEST(std::abs(mass - 1.0) < 1e-12);
    BOOST_TEST(min(m).item<double>() >= 0.0);
    BOOST_TEST(largest_difference(d.grid().density(m), m) == 0.0);
  }
}

MFG_TEST_CASE(mass_is_conserved_to_rounding_by_every_scheme) {
  for (const Problem& problem : by_every_scheme(closed_problems())) {
    const DiscreteProblem whole(problem);
    const DiscretePopulation& d = whole.population();
    Sweeps sweeps(d);
    const UnifiedArray u = 0.02 * wild_value(d);
    const UnifiedArray m = sweeps.fokker_planck(u, nullptr, 1e-12).m;
    for (const double mass : masses(d.grid(), m)) BOOST_TEST(std::abs(mass - 1.0) < 1e-12);
    BOOST_TEST(largest_difference(d.grid().density(m), m) == 0.0);
    BOOST_TEST(fokker_planck_residual(d, u, m) < 1e-9);
  }
}

MFG_TEST_CASE(mass_leaves_by_exits_and_never_comes_back) {
  for (const Problem& problem : open_problems()) {
    const DiscreteProblem whole(problem);
    const DiscretePopulation& d = whole.population();
    Sweeps sweeps(d);
    const UnifiedArray m = sweeps.fokker_planck(wild_value(d), nullptr, 1e-12).m;
    const std::vector<double> mass = masses(d.grid(), m);
    for (std::size_t n = 1; n < mass.size(); ++n) BOOST_TEST(mass[n] < mass[n - 1]);
    BOOST_TEST(mass.back() > 0.0);
    BOOST_TEST(min(m).item<double>() >= 0.0);
    BOOST_TEST(largest_difference(d.grid().density(m), m) == 0.0);
  }
}

// <u^0, m^0> - <u^N, m^N> = dt sum <p^n, G_q D v^n - G + F - rho v^n>, whatever m is that u was
// solved for, as long as m is transported by u; v and p are the stages. With exits, u is 0 there.
// Where there is congestion, m is what slows agents down: u is solved for it.
MFG_TEST_CASE(value_and_cost_agree_by_duality) {
  for (Problem problem : by_every_scheme(every_problem())) {
    problem.exit_cost = 0.0;
    const DiscreteProblem whole(problem);
    const DiscretePopulation& d = whole.population();
    Sweeps sweeps(d);
    HjbData data = whole.hjb_data(whole.constant_densities())[0];
    UnifiedArray u = sweeps.hjb(data, nullptr, 1e-12);
    UnifiedArray m = sweeps.fokker_planck(u, nullptr, 1e-14).m;
    for (int k = 0; d.congestion() && k < 60; ++k) {
      data.at = d.conditions(d.stage_densities(m));
      u = sweeps.hjb(data, &u, 1e-12);
      m = (0.5 * m + 0.5 * sweeps.fokker_planck(u, &m, 1e-14).m).eval();
    }
    const UnifiedArray stages = d.stage_values(u);
    const UnifiedArray paid = d.lagrangian(stages, data.at) + data.running - d.discount() * stages;
    const double change = d.grid().inner(u(0), m(0)) - d.grid().inner(u(d.steps()), m(d.steps()));
    BOOST_TEST(std::abs(change - d.dt() * d.grid().inner(paid, d.stage_densities(m))) < 1e-11);
  }
}

MFG_TEST_CASE(values_are_monotone_in_costs) {
  for (const Problem& problem : every_problem()) {
    const DiscreteProblem whole(problem);
    const DiscretePopulation& d = whole.population();
    Sweeps sweeps(d);
    HjbData data = whole.hjb_data(whole.constant_densities())[0];
    const UnifiedArray low = sweeps.hjb(data, nullptr, 1e-11);
    const UnifiedArray more = d.grid().density(abs(noise_field(d.grid(), 6, d.steps())));
    data.running = (data.running + more).copy();
    const UnifiedArray high = sweeps.hjb(data, nullptr, 1e-11);
    BOOST_TEST(min(high - low).item<double>() > -1e-10);
    BOOST_TEST(largest(high - low) > 1e-2);
  }
}

MFG_TEST_CASE(backward_sweeps_solve_the_scheme_they_claim_to) {
  for (const Problem& problem : by_every_scheme(every_problem())) {
    const DiscreteProblem whole(problem);
    const DiscretePopulation& d = whole.population();
    Sweeps sweeps(d);
    const HjbData data = whole.hjb_data(whole.constant_densities())[0];
    const UnifiedArray u = sweeps.hjb(data, nullptr, 1e-10);
    const UnifiedArray left = d.hjb_residual(u(upto(d.steps())), u(from(1)), data.running, data.at);
    BOOST_TEST(largest(left) < 1e-9);
  }
}

}  // namespace
}  // namespace isofield::mfg::testing
