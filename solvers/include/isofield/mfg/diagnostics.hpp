#pragma once

#include <isofield/mfg/discrete_problem.hpp>
#include <vector>

namespace isofield::mfg {

/// What the population pays in all: parts of <u^0, m^0>, which is their sum where nobody leaves.
struct CostParts {
  double kinetic = 0.0;   ///< dt sum <m^(n+1), G_q D u^n - G>
  double running = 0.0;   ///< dt sum <m^(n+1), F>
  double terminal = 0.0;  ///< <m^N, G>
};

/// The parts of the cost of a value u and a density m at all levels.
CostParts cost_parts(const DiscreteProblem& problem, const UnifiedArray& u, const UnifiedArray& m);

/// Mass at every time level.
std::vector<double> masses(const DiscreteProblem& problem, const UnifiedArray& m);

}  // namespace isofield::mfg
