// Starts from the solutions of simpler problems. On a coarser grid: the solution with half the
// cells and half the steps, found in the same way, is brought over, and Newton's method needs a few
// iterations on the finest grid. Of the implicit scheme: it is monotone, and finds a way where
// schemes of second order have lost theirs.

#include <algorithm>

#include "interpolate.hpp"
#include "outer.hpp"

namespace isofield::mfg {

namespace {

constexpr std::int64_t fewest_cells = 12, fewest_steps = 6;
// A start's tolerance, and as many iterations as a good start takes.
constexpr double rough = 1e-3;
constexpr int few = 12;

std::optional<Problem> coarsened(const Problem& problem) {
  std::vector<std::int64_t> cells;
  for (const Axis& a : problem.axes) cells.push_back((a.cells + 1) / 2);
  const std::int64_t steps = (problem.steps + 1) / 2;
  if (*std::min_element(cells.begin(), cells.end()) < fewest_cells || steps < fewest_steps)
    return std::nullopt;
  return problem.resized(cells, steps);
}

// The density on a finer grid, with the mass that it has on its own.
UnifiedArray interpolated_density(const UnifiedArray& m, const Grid& from,
                                  const DiscretePopulation& to) {
  const Grid& grid = to.grid();
  const UnifiedArray fine = grid.density(interpolate(m, from, grid, to.steps()));
  const double wanted = grid.integral(to.initial_density()).item<double>();
  const UnifiedArray mass = grid.sum_cells(fine) * grid.cell_volume();
  // Where people leave, the share of them that is still there is as on the coarser grid.
  return (fine * (wanted / (grid.is_closed() ? mass : mass(slice(0, 1))))).eval();
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
  options.tolerance = std::max(options.tolerance, rough);
  const bool monotone = problem->scheme == Scheme::implicit;
  if (!monotone) {  // the next start is better than many iterations
    options.coupling = Coupling::newton;
    options.max_iterations = std::min(options.max_iterations, few);
  }
  try {
    const Solution coarse =
        solve_on(*problem, options, {outer.nesting.coarsening + 1, outer.nesting.implicit});
    const SolveReport& report = coarse.report;
    if (!monotone && (report.status == Status::breakdown || report.status == Status::not_converged))
      return Outcome::stalled;
    if (report.status == Status::breakdown) {
      outer.note("no start from a coarser grid (" + report.breakdown + ")");
      return Outcome::stalled;
    }
    const bool interrupted = coarse.report.status == Status::interrupted;
    if (interrupted && coarse.report.history.empty()) return Outcome::interrupted;
    const DiscreteProblem& fine = outer.problem;
    const DiscreteProblem other(*problem, options.dtype);
    Fields u, m;
    for (std::size_t p = 0; p < outer.size(); ++p) {
      const DiscretePopulation& one = fine.population(p);
      u.push_back(fine.grid().value(
          interpolate(coarse.u[p], other.grid(), fine.grid(), fine.steps()), one.exit_value()));
      if (interrupted) {  // nobody waits for the density that belongs to it
        m.push_back(interpolated_density(coarse.m[p], other.grid(), one));
        continue;
      }
      const auto exactness = StepTolerances::within(one, outer.tolerance, 1.0);
      m.push_back(outer.sweeps[p].fokker_planck(u[p], nullptr, exactness.fokker_planck).m);
    }
    outer.has_state = true;
    outer.u = std::move(u);
    outer.m = std::move(m);
    if (interrupted) return Outcome::interrupted;
    const Fields last = fine.terminal_costs(outer.m);
    for (std::size_t p = 0; p < outer.size(); ++p)
      outer.u[p] = concat({outer.u[p](upto(fine.steps())), expand_dims(last[p], 0)});
    return Outcome::converged;
  } catch (const SolverError& e) {
    // An obstacle or a density may be too fine for the coarser grid.
    outer.note(std::string("no start from a coarser grid (") + e.what() + ")");
    return Outcome::stalled;
  }
}

Outcome implicit_start(Outer& outer) {
  Problem problem = outer.problem.problem();
  if (problem.scheme == Scheme::implicit) return Outcome::stalled;
  problem.scheme = Scheme::implicit;
  const PhaseTimer timer(outer.phases, "implicit scheme");
  SolveOptions options = outer.options;
  options.coupling = Coupling::automatic;
  options.stop = StopRule::residual;
  options.tolerance = std::max(options.tolerance, rough);
  const Solution start = solve_on(problem, options, {outer.nesting.coarsening, true});
  if (start.report.status == Status::breakdown) return Outcome::stalled;
  outer.u = start.u;
  outer.m = start.m;
  outer.has_state = true;
  return start.report.status == Status::interrupted ? Outcome::interrupted : Outcome::converged;
}

}  // namespace isofield::mfg
