// A simulation code that solves a game: birds on a line who like to be where the others are, and
// in the end at 0. By theory the flock's mean falls from 1 at time 0 to 1/2 at time 1.
#include <cstdio>
#include <isofield/isofield.hpp>
#include <isofield/mfg/solve.hpp>

using namespace isofield;

namespace {

// Where the flock is at each time, shape (levels, 1).
UnifiedArray mean_position(const mfg::Grid& grid, const UnifiedArray& m) {
  return grid.sum_cells(m * grid.coordinate(0)) / grid.sum_cells(m);
}

}  // namespace

int main() {
  mfg::Problem problem;
  problem.axes = {{.lower = -2.0, .upper = 3.0, .cells = 250}};
  problem.horizon = 1.0;
  problem.steps = 100;
  mfg::Population& birds = problem.populations[0];
  birds.name = "birds";
  birds.viscosity = 0.1;
  birds.initial_density = [](const mfg::Grid& grid) {
    return exp(-square(grid.coordinate(0) - 1.0) / 0.2);
  };
  // A cost of one's own: any function of arrays. The solver differentiates it.
  birds.running = [](const mfg::CostInput& at) {
    return 0.5 * square(at.grid.coordinate(0) - mean_position(at.grid, at.m));
  };
  birds.terminal = [](const mfg::CostInput& at) { return 0.5 * square(at.grid.coordinate(0)); };

  mfg::SolveOptions options;
  options.on_iteration = [](const mfg::Progress& now) {
    std::printf("%s %s: residual %.1e\n", now.start.c_str(), now.iteration.method.c_str(),
                now.iteration.residual);
    return true;  // go on
  };
  const mfg::Solution game = mfg::solve(problem, options);

  const UnifiedArray m = game.m[0](-1);  // the density at the horizon
  std::printf("%s; mean position %.3f at the end\n", mfg::to_string(game.report.status).c_str(),
              mean_position(mfg::Grid(problem.axes), m).item<double>());
  return game.report.status == mfg::Status::converged ? 0 : 1;
}
