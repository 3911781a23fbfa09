#include "isofield/mfg/diagnostics.hpp"

namespace isofield::mfg {

CostParts cost_parts(const DiscreteProblem& problem, const UnifiedArray& u, const UnifiedArray& m) {
  const Grid& grid = problem.grid();
  const UnifiedArray later = m(from(1));
  const UnifiedArray lagrangian = problem.hamiltonian().lagrangian(
      upwind_slopes(grid, u(upto(problem.steps())), problem.exit_value()));
  const UnifiedArray last = grid.density(problem.terminal_cost(m));
  return {problem.dt() * grid.inner(lagrangian, later),
          problem.dt() * grid.inner(problem.running_cost(m), later),
          grid.inner(last, m(problem.steps()))};
}

std::vector<double> masses(const DiscreteProblem& problem, const UnifiedArray& m) {
  return problem.grid().integral(m).to_vector<double>();
}

}  // namespace isofield::mfg
