#pragma once

#include <isofield/mfg/discrete_problem.hpp>
#include <vector>

namespace isofield::mfg {

/// What a population pays in all: parts of <u^0, m^0>, which is their sum where nobody leaves,
/// costs are not discounted and nobody plans for all.
struct CostParts {
  double kinetic = 0.0;   ///< dt sum <m^(n+1), G_q D u^n - G>
  double running = 0.0;   ///< dt sum <m^(n+1), F>
  double terminal = 0.0;  ///< <m^N, G>
  double sum() const { return kinetic + running + terminal; }
};

/// The parts of each population's cost, from values u and densities m at all levels. With a
/// discount rate rho, what is paid in the step after t_n counts (1 + rho dt)^-(n+1). Of an ergodic
/// game, what is paid per unit of time; there is no terminal cost then.
std::vector<CostParts> cost_parts(const DiscreteProblem& problem, const Fields& u, const Fields& m);

/// Mass at every time level.
std::vector<double> masses(const Grid& grid, const UnifiedArray& m);

}  // namespace isofield::mfg
