// How much does a crowd avoid itself? From where people stand at the end: a parameter of a game is
// found by descending the misfit along its gradient, which one linear system gives.
#include <cmath>
#include <cstdio>
#include <isofield/isofield.hpp>
#include <isofield/mfg/sensitivity.hpp>

namespace {

using namespace isofield;

// The games among which the right one is sought: people pay `avoidance` times m.
mfg::Problem game(const std::vector<double>& parameters) {
  const double avoidance = parameters[0];
  mfg::Problem problem;
  problem.axes = {{.lower = 0.0, .upper = 1.0, .cells = 60}};
  problem.steps = 30;
  mfg::Population& crowd = problem.populations[0];
  crowd.viscosity = 0.05;
  crowd.initial_density = [](const mfg::Grid& grid) {
    return exp(-square(grid.coordinate(0) - 0.3) * 50.0);
  };
  crowd.running = [=](const mfg::CostInput& at) { return avoidance * at.m; };
  crowd.terminal = [](const mfg::CostInput& at) { return square(at.grid.coordinate(0) - 0.8); };
  return problem;
}

}  // namespace

int main() {
  mfg::SolveOptions options;
  options.tolerance = 1e-10;
  const UnifiedArray observed = mfg::solve(game({0.7}), options).m[0](-1).copy();
  const mfg::Functional misfit = [&](const mfg::Fields&, const mfg::Fields& m) {
    return sum(square(m[0](-1) - observed)) / 60.0;
  };

  // Newton's method for the zero of the gradient, its slope by the secant.
  double avoidance = 0.3, last = 0.0, last_gradient = 0.0;
  for (int k = 0; k < 12; ++k) {
    const mfg::Gradient at = mfg::value_and_gradient(game, {avoidance}, misfit, options);
    const double gradient = at.gradient[0];
    std::printf("avoidance %.8f: misfit %.2e, gradient %+.2e\n", avoidance, at.value, gradient);
    if (std::abs(gradient) < 1e-10) break;
    const double slope = k > 0 ? (gradient - last_gradient) / (avoidance - last) : 0.0;
    const double step = slope > 0.0 ? -gradient / slope : -0.1 * std::copysign(1.0, gradient);
    last = avoidance;
    last_gradient = gradient;
    avoidance += step;
  }
  return std::abs(avoidance - 0.7) < 1e-6 ? 0 : 1;
}
