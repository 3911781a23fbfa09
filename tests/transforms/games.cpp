// A step of a mean-field game's Hamilton-Jacobi-Bellman equation is differentiated as a whole: its
// Newton iterations, upwind Hamiltonian, walls and linear systems.

#include <cmath>
#include <isofield/mfg/discrete_problem.hpp>
#include <isofield/mfg/steps.hpp>

#include "mfg/mfg_test.hpp"
#include "transforms/differences.hpp"

namespace isofield::mfg::testing {
namespace {

using isofield::testing::difference_along;
using isofield::testing::dot;
using isofield::testing::random_array;

/// The step's u, weighed, by its data u^(n+1) and running cost: its gradient against differences.
void check_step(const Problem& problem, double tolerance) {
  const DiscreteProblem whole(problem);
  const DiscretePopulation& d = whole.population();
  const Shape& shape = d.grid().shape();
  const UnifiedArray guess = d.grid().value(zeros(shape), d.exit_value()).copy();
  const UnifiedArray next = d.grid().value(0.1 * noise_field(d.grid(), 3), d.exit_value()).copy();
  const UnifiedArray cost = noise_field(d.grid(), 4), weight = noise_field(d.grid(), 5);
  const auto loss = [&](const UnifiedArray& u_next, const UnifiedArray& running) {
    LinearStep linear(d);
    HjbNewton newton(d, linear);
    HjbStep step(d, linear, newton);
    return sum(step({u_next, running, {}, 0}, guess, 1e-12) * weight);
  };
  const auto [by_next, by_cost] = grad<0, 1>(loss)(next, cost);
  const UnifiedArray along = d.grid().density(noise_field(d.grid(), 6)).copy();
  const auto of_next = [&](const UnifiedArray& u) { return loss(u, cost); };
  const auto of_cost = [&](const UnifiedArray& f) { return loss(next, f); };
  const double by_difference = difference_along(of_next, next, along, 1e-5).item<double>();
  BOOST_TEST(std::abs(dot(by_next, along) - by_difference) <
             tolerance * (1 + std::abs(by_difference)));
  const double cost_difference = difference_along(of_cost, cost, along, 1e-4).item<double>();
  BOOST_TEST(std::abs(dot(by_cost, along) - cost_difference) <
             tolerance * (1 + std::abs(cost_difference)));
}

}  // namespace

MFG_TEST_CASE(an_hjb_step_is_differentiated_by_its_data) {
  check_step(rough_line(24, 10, Boundary::reflecting, Boundary::reflecting), 1e-6);
  check_step(rough_line(24, 10, Boundary::periodic, Boundary::periodic), 1e-6);
  check_step(rough_line(24, 10, Boundary::reflecting, Boundary::exit, 3.0), 1e-6);
}

// sum_x u is moved by exactly what u^(n+1) is: the transpose conserves mass.
MFG_TEST_CASE(the_gradient_of_a_step_conserves_mass) {
  const DiscreteProblem whole(rough_line(24, 10, Boundary::reflecting, Boundary::reflecting));
  const DiscretePopulation& d = whole.population();
  const UnifiedArray guess = zeros(d.grid().shape()), cost = noise_field(d.grid(), 4);
  const UnifiedArray m = abs(noise_field(d.grid(), 5));
  const auto mean_value = [&](const UnifiedArray& u_next) {
    LinearStep linear(d);
    HjbNewton newton(d, linear);
    HjbStep step(d, linear, newton);
    return sum(step({u_next, cost, {}, 0}, guess, 1e-12) * m);
  };
  const UnifiedArray moved = grad(mean_value)(0.1 * noise_field(d.grid(), 3));
  BOOST_TEST(std::abs(sum(moved).item<double>() - sum(m).item<double>()) < 1e-11);
}

}  // namespace isofield::mfg::testing
