#include "problem_p.hpp"

namespace bench {

using isofield::UnifiedArray;
using isofield::mfg::CostInput;
using isofield::mfg::Grid;

namespace {

/// Squared distance of the nodes from (c, ..., c).
UnifiedArray squared_distance(const Grid& grid, double c) {
  UnifiedArray total = square(grid.coordinate(0) - c);
  for (int k = 1; k < grid.axes(); ++k) total = total + square(grid.coordinate(k) - c);
  return total;
}

}  // namespace

isofield::mfg::Problem problem_p(int axes, std::int64_t intervals, std::int64_t steps) {
  isofield::mfg::Problem p;
  // Nodes are cell centres, the first and last at the ends of [0, 1].
  const double h = 1.0 / static_cast<double>(intervals);
  p.axes.assign(static_cast<std::size_t>(axes), {-0.5 * h, 1.0 + 0.5 * h, intervals + 1, {}});
  p.steps = steps;
  isofield::mfg::Population& crowd = p.populations[0];
  crowd.viscosity = 0.045;
  crowd.running = [](const CostInput& in) { return in.m; };
  crowd.terminal = [](const CostInput& in) { return 2.0 * squared_distance(in.grid, 0.7); };
  crowd.initial_density = [](const Grid& grid) { return exp(-50.0 * squared_distance(grid, 0.3)); };
  return p;
}

}  // namespace bench
