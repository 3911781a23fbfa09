// A start from coarser grids: the solution with half the cells and half the steps, found in the
// same way, is brought over. Newton's method then needs a few iterations on the finest grid.

#include <algorithm>

#include "interpolate.hpp"
#include "outer.hpp"

namespace isofield::mfg {

namespace {

constexpr std::int64_t fewest_cells = 12, fewest_steps = 6;

std::optional<Problem> coarsened(const Problem& problem) {
  std::vector<std::int64_t> cells;
  for (const Axis& a : problem.axes) cells.push_back((a.cells + 1) / 2);
  const std::int64_t steps = (problem.steps + 1) / 2;
  if (*std::min_element(cells.begin(), cells.end()) < fewest_cells || steps < fewest_steps)
    return std::nullopt;
  return problem.resized(cells, steps);
}

}  // namespace

Outcome coarse_start(Outer& outer) {
  const std::optional<Problem> problem = coarsened(outer.problem.problem());
  if (!problem) return Outcome::stalled;
  const PhaseTimer timer(outer.phases, "coarser grids");
  SolveOptions options = outer.options;
  options.coupling = Coupling::automatic;
  options.stop = StopRule::residual;
  // The grids differ by more than this.
  options.tolerance = std::max(options.tolerance, 1e-3);
  try {
    const Solution coarse = solve_on(*problem, options, outer.coarsening + 1);
    if (coarse.report.status == Status::breakdown) {
      outer.note("the coarser grid broke down (" + coarse.report.message + ")");
      return Outcome::stalled;
    }
    const DiscreteProblem& fine = outer.problem;
    const DiscreteProblem other(*problem, options.dtype);
    const UnifiedArray u = fine.grid().value(
        interpolate(coarse.u, other.grid(), fine.grid(), fine.steps()), fine.exit_value());
    const UnifiedArray m = outer.sweeps.fokker_planck(
        outer.sweeps.transposed_matrices(u), nullptr,
        StepTolerances::within(fine, outer.tolerance, 1.0).fokker_planck);
    outer.u = concat({u(upto(fine.steps())), expand_dims(fine.terminal_cost(m), 0)});
    outer.m = m;
    outer.has_state = true;
    return coarse.report.status == Status::interrupted ? Outcome::interrupted : Outcome::converged;
  } catch (const SolverError& e) {
    // An obstacle or a density may be too fine for the coarser grid.
    outer.note(std::string("no start from a coarser grid (") + e.what() + ")");
    return Outcome::stalled;
  }
}

}  // namespace isofield::mfg
