#include "isofield/mfg/diagnostics.hpp"

#include <cmath>

namespace isofield::mfg {

namespace {

// What a value counts a step earlier.
double discount_of_a_step(const DiscretePopulation& population) {
  const double rest = (1.0 - population.theta()) * population.dt() * population.discount();
  return (1.0 - rest) / population.hjb_constant();
}

// What a cost of step n counts at time 0, shaped to broadcast with steps.
UnifiedArray discount_factors(const DiscretePopulation& population) {
  std::vector<double> factors{1.0 / population.hjb_constant()};
  while (factors.size() < static_cast<std::size_t>(population.steps()))
    factors.push_back(factors.back() * discount_of_a_step(population));
  Shape shape(population.grid().axes() + 1, 1);
  shape[0] = population.steps();
  return asarray(factors, shape).astype(population.dtype());
}

}  // namespace

namespace {

std::vector<CostParts> stationary_cost_parts(const DiscreteProblem& problem, const Fields& u,
                                             const Fields& m) {
  const Grid& grid = problem.grid();
  Fields levels;
  for (const UnifiedArray& x : m) levels.push_back(concat({x, x}));
  const Fields running = problem.paid_running_costs(levels);
  std::vector<CostParts> list;
  for (std::size_t p = 0; p < problem.size(); ++p) {
    const DiscretePopulation& one = problem.population(p);
    const UnifiedArray lagrangian = one.lagrangian(u[p], one.conditions(m[p]));
    list.push_back({grid.inner(lagrangian, m[p]), grid.inner(running[p], m[p]), 0.0});
  }
  return list;
}

}  // namespace

std::vector<CostParts> cost_parts(const DiscreteProblem& problem, const Fields& u,
                                  const Fields& m) {
  if (problem.problem().ergodic) return stationary_cost_parts(problem, u, m);
  const Grid& grid = problem.grid();
  const Fields running = problem.paid_running_costs(m), terminal = problem.paid_terminal_costs(m);
  std::vector<CostParts> list;
  for (std::size_t p = 0; p < problem.size(); ++p) {
    const DiscretePopulation& one = problem.population(p);
    const UnifiedArray density = one.stage_densities(m[p]);
    const UnifiedArray lagrangian = one.lagrangian(one.stage_values(u[p]), one.conditions(density));
    const UnifiedArray weight =
        one.discount() == 0.0 ? density : (density * discount_factors(one)).eval();
    const double at_the_end =
        std::pow(discount_of_a_step(one), static_cast<double>(problem.steps()));
    list.push_back({problem.dt() * grid.inner(lagrangian, weight),
                    problem.dt() * grid.inner(running[p], weight),
                    at_the_end * grid.inner(grid.density(terminal[p]), m[p](problem.steps()))});
  }
  return list;
}

std::vector<double> masses(const Grid& grid, const UnifiedArray& m) {
  return grid.integral(m).to_vector<double>();
}

}  // namespace isofield::mfg
