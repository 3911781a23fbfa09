#include "isofield/mfg/diagnostics.hpp"

#include <cmath>

namespace isofield::mfg {

namespace {

// (1 + rho dt)^-(n+1), shaped to broadcast with levels.
UnifiedArray discount_factors(const DiscretePopulation& population) {
  std::vector<double> factors;
  for (std::int64_t n = 0; n < population.steps(); ++n)
    factors.push_back(std::pow(population.hjb_constant(), -static_cast<double>(n + 1)));
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
    const UnifiedArray later = m[p](from(1));
    const UnifiedArray lagrangian =
        one.lagrangian(u[p](upto(problem.steps())), one.conditions(later));
    const UnifiedArray weight =
        one.discount() == 0.0 ? later : (later * discount_factors(one)).eval();
    const double at_the_end = std::pow(one.hjb_constant(), -static_cast<double>(problem.steps()));
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
