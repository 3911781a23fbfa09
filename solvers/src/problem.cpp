#include "isofield/mfg/problem.hpp"

#include <isofield/error.hpp>
#include <isofield/mfg/expression_array.hpp>

namespace isofield::mfg {

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

void refuse(bool used, const std::string& key) {
  if (used) throw ConfigError(key + " is not supported yet");
}

Population make_population(const PopulationConfig& config, const std::vector<std::string>& names) {
  refuse(config.nonlocal.has_value(), "model.nonlocal");
  refuse(config.target_density.has_value(), "model.target_density");
  refuse(config.ergodic, "model.ergodic");
  Population p;
  p.name = config.name;
  p.viscosity = config.viscosity;
  p.scale = expression_field(config.hamiltonian.scale);
  p.exponent = config.hamiltonian.exponent;
  p.congestion = config.hamiltonian.congestion;
  p.offset = config.hamiltonian.offset;
  p.running = expression_cost(config.running_cost, names);
  p.terminal = expression_cost(config.terminal_cost, names);
  p.initial_density = expression_field(config.initial_density);
  p.mass = config.mass;
  return p;
}

}  // namespace

Problem make_problem(const Config& config) {
  refuse(config.solver.scheme != Scheme::implicit,
         "solver.scheme = " + to_string(config.solver.scheme));
  Problem problem;
  for (std::size_t k = 0; k < config.domain.axes(); ++k)
    problem.axes.push_back({config.domain.lower[k], config.domain.upper[k], config.domain.cells[k],
                            config.domain.boundary[k]});
  if (config.domain.obstacle) problem.obstacle = condition(*config.domain.obstacle);
  if (config.domain.exit) problem.exit = condition(*config.domain.exit);
  problem.exit_cost = config.domain.exit_cost.evaluate();
  problem.horizon = config.time.horizon;
  problem.steps = config.time.steps;
  std::vector<std::string> names;
  for (const PopulationConfig& p : config.populations) names.push_back(p.name);
  problem.populations.clear();
  for (const PopulationConfig& p : config.populations)
    problem.populations.push_back(make_population(p, names));
  return problem;
}

}  // namespace isofield::mfg
