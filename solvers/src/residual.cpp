#include "isofield/mfg/residual.hpp"

#include <algorithm>

#include "norms.hpp"

namespace isofield::mfg {

double residual_scale(const DiscretePopulation& population, const UnifiedArray& field) {
  return population.horizon() / std::max(largest_of(field), 1e-30);
}

double HjbResidual::largest(const DiscretePopulation& population) const {
  // A wrong u^N is worth what it would take one step to make up for.
  return larger(largest_of(levels), largest_of(terminal) / population.horizon());
}

HjbResidual hjb_residual(const DiscretePopulation& population, const UnifiedArray& u,
                         const HjbData& data) {
  const std::int64_t n = population.steps();
  HjbResidual r{population.hjb_residual(u(upto(n)), u(from(1)), data.running, data.at),
                u(n) - data.terminal};
  eval(r.levels, r.terminal);
  return r;
}

double fokker_planck_residual(const DiscretePopulation& population, const UnifiedArray& u,
                              const UnifiedArray& m) {
  const Grid& grid = population.grid();
  const UnifiedArray p = population.stage_densities(m);
  const Stencil a = transpose(
      grid, population.density_matrix(population.stage_values(u), population.conditions(p)));
  // theta ((m^(n+1) - m^n) + dt K^T p^n)
  const UnifiedArray left = apply(grid, a, p) - m(upto(population.steps()));
  return largest_of(left) / population.stage_dt() * residual_scale(population, m);
}

Residuals residuals(const DiscreteProblem& problem, const Fields& u, const Fields& m) {
  Residuals worst;
  const std::vector<HjbData> data = problem.hjb_data(m);
  for (std::size_t p = 0; p < problem.size(); ++p) {
    const DiscretePopulation& one = problem.population(p);
    worst.hjb = larger(worst.hjb,
                       hjb_residual(one, u[p], data[p]).largest(one) * residual_scale(one, u[p]));
    worst.fokker_planck = larger(worst.fokker_planck, fokker_planck_residual(one, u[p], m[p]));
  }
  return worst;
}

}  // namespace isofield::mfg
