#include "isofield/mfg/problem.hpp"

#include <algorithm>

#include <isofield/error.hpp>
#include <isofield/mfg/expression_array.hpp>
#include <isofield/mfg/mask.hpp>

namespace isofield::mfg {

bool Problem::is_planning() const {
  return std::any_of(populations.begin(), populations.end(),
                     [](const Population& p) { return p.target_density != nullptr; });
}

Problem Problem::resized(const std::vector<std::int64_t>& cells, std::int64_t time_steps) const {
  if (cells.size() != axes.size())
    throw ShapeError("problem: as many cell counts as axes are needed");
  Problem other = *this;
  for (std::size_t k = 0; k < cells.size(); ++k) other.axes[k].cells = cells[k];
  other.steps = time_steps;
  return other;
}

namespace {

// A boolean field, from an expression of x y z.
Field condition(const Expression& expression) {
  const Field number = expression_field(expression);
  return [number](const Grid& grid) { return number(grid) != 0.0; };
}

Population make_population(const Config& config, std::size_t which,
                           const std::vector<DensityNames>& names) {
  const PopulationConfig& data = config.populations[which];
  Population p;
  p.name = data.name;
  p.viscosity = data.viscosity;
  p.scale = expression_field(data.hamiltonian.scale);
  p.exponent = data.hamiltonian.exponent;
  p.congestion = data.hamiltonian.congestion;
  p.offset = data.hamiltonian.offset;
  if (!data.drift.empty()) p.drift = expression_velocity(data.drift);
  p.discount = data.discount;
  p.running = expression_cost(data.running_cost, names, which);
  if (!data.target_density) p.terminal = expression_cost(data.terminal_cost, names, which);
  p.initial_density = expression_field(data.initial_density);
  if (data.target_density) p.target_density = expression_field(*data.target_density);
  p.mass = data.mass;
  return p;
}

}  // namespace

Problem make_problem(const Config& config) {
  Problem problem;
  for (std::size_t k = 0; k < config.domain.axes(); ++k)
    problem.axes.push_back({config.domain.lower[k], config.domain.upper[k], config.domain.cells[k],
                            config.domain.boundary[k]});
  if (config.domain.obstacle) problem.obstacle = condition(*config.domain.obstacle);
  if (config.domain.exit) problem.exit = condition(*config.domain.exit);
  if (!config.domain.mask.empty()) {
    const std::vector<std::uint8_t>& kinds = config.domain.mask_kinds;
    mark(problem, kinds.empty() ? read_mask(config.domain.mask, config.domain.cells)
                                : Mask{config.domain.cells, kinds});
  }
  problem.exit_cost = config.domain.exit_cost.evaluate();
  problem.horizon = config.time.horizon;
  problem.steps = config.time.steps;
  problem.scheme = config.solver.scheme;
  problem.control = config.control;
  problem.ergodic = config.ergodic();
  for (const PopulationConfig& p : config.populations)
    if (p.ergodic != problem.ergodic)
      throw ConfigError("model.ergodic: either all populations play an ergodic game or none does");
  std::vector<DensityNames> names;
  for (const PopulationConfig& p : config.populations) {
    names.push_back({p.name, std::nullopt});
    const NonlocalConfig& n = p.nonlocal;
    if (n.kernel) names.back().convolution = {n.applied_to, expression_kernel(*n.kernel, n.weight)};
  }
  problem.populations.clear();
  for (std::size_t p = 0; p < config.populations.size(); ++p)
    problem.populations.push_back(make_population(config, p, names));
  return problem;
}

}  // namespace isofield::mfg
