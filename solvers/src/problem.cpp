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
Problem::Field condition(const Expression& expression) {
  const Problem::Field number = expression_field(expression);
  return [number](const Grid& grid) { return number(grid) != 0.0; };
}

void refuse(bool used, const std::string& key) {
  if (used) throw ConfigError(key + " is not supported yet");
}

}  // namespace

Problem make_problem(const Config& config, std::size_t population) {
  const PopulationConfig& p = config.populations.at(population);
  refuse(config.populations.size() > 1, "more than one population");
  refuse(p.hamiltonian.congestion != 0.0, "model.hamiltonian.congestion");
  refuse(p.nonlocal.has_value(), "model.nonlocal");
  refuse(p.target_density.has_value(), "model.target_density");
  refuse(p.ergodic, "model.ergodic");
  refuse(config.domain.axes() > 2, "a domain of three axes");
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
  problem.viscosity = p.viscosity;
  problem.scale = expression_field(p.hamiltonian.scale);
  problem.exponent = p.hamiltonian.exponent;
  problem.running = expression_cost(p.running_cost);
  problem.terminal = expression_cost(p.terminal_cost);
  problem.initial_density = expression_field(p.initial_density);
  problem.mass = p.mass;
  return problem;
}

}  // namespace isofield::mfg
