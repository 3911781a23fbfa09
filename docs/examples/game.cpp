// A mean-field game in C++, without a configuration file: a crowd on a line that avoids itself.
#include <cstdio>
#include <isofield/isofield.hpp>
#include <isofield/mfg/solve.hpp>

int main() {
  using namespace isofield;

  mfg::Problem problem;
  problem.axes = {{.lower = 0.0, .upper = 1.0, .cells = 100}};  // both ends reflect
  problem.horizon = 1.0;
  problem.steps = 50;
  mfg::Population& crowd = problem.populations[0];
  crowd.viscosity = 0.05;
  crowd.initial_density = [](const mfg::Grid& grid) {
    return exp(-square(grid.coordinate(0) - 0.3) * 50.0);
  };
  crowd.running = [](const mfg::CostInput& at) { return 0.5 * at.m; };
  crowd.terminal = [](const mfg::CostInput& at) { return square(at.grid.coordinate(0) - 0.8); };

  const mfg::Solution game = mfg::solve(problem);
  const UnifiedArray m = game.m[0](-1);  // the density at the horizon
  std::printf("%s after %d iterations, residual %.0e; mean position %.2f at the end\n",
              mfg::to_string(game.report.status).c_str(), game.report.iterations,
              game.report.residual, sum(m * linspace(0.005, 0.995, 100)).item<double>() / 100);
  return game.report.status == mfg::Status::converged ? 0 : 1;
}
