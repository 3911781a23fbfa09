#include "results_layout.hpp"

#include <set>

namespace isofield::mfg::layout {
namespace {

/// Keeps the first thing that is wrong.
class Misfit {
 public:
  void demand(bool good, const std::string& what) {
    if (!good && first_.empty()) first_ = what;
  }
  void demand_size(std::size_t size, std::uint64_t expected, const std::string& what) {
    demand(size == expected,
           what + " has " + std::to_string(size) + " values, expected " + std::to_string(expected));
  }
  const std::string& first() const { return first_; }

 private:
  std::string first_;
};

}  // namespace

std::uint64_t particle_count(const Results& results, const PopulationResult& population) {
  const std::uint64_t numbers = results.times.size() * results.axes.size();
  return numbers == 0 ? 0 : population.particles.size() / numbers;
}

std::string misfit(const Results& results) {
  Misfit found;
  const std::uint64_t nodes = results.nodes(), levels = results.times.size();
  const std::uint64_t populations = results.populations.size();
  found.demand(!results.axes.empty() && results.axes.size() <= 3, "1, 2 or 3 axes are expected");
  found.demand(nodes > 0 && levels > 0 && populations > 0,
               "nodes, times and populations are needed");
  if (!results.mask.empty()) found.demand_size(results.mask.size(), nodes, "the mask");
  std::set<std::string> names;
  for (const PopulationResult& population : results.populations) {
    found.demand(names.insert(population.name).second,
                 "two populations are named " + population.name);
    found.demand(population.name.find('/') == std::string::npos,
                 "the name of population " + population.name + " contains a slash");
    found.demand_size(population.u.size(), levels * nodes, "u of population " + population.name);
    found.demand_size(population.m.size(), levels * nodes, "m of population " + population.name);
    const std::uint64_t all = levels * particle_count(results, population);
    found.demand_size(population.particles.size(), all * results.axes.size(),
                      "particles of population " + population.name);
    found.demand_size(population.particles_inside.size(), all,
                      "particles_inside of population " + population.name);
  }
  for_each_column(results.convergence, [&](const char* name, const auto& column) {
    if (!column.empty()) {
      found.demand_size(column.size(), results.convergence.iteration.size(), name);
    }
  });
  if (!results.diagnostics.mass.empty()) {
    found.demand_size(results.diagnostics.mass.size(), levels * populations, "the mass");
  }
  for_each_cost(results.diagnostics, [&](const char* name, const auto& values) {
    if (!values.empty()) found.demand_size(values.size(), populations, name);
  });
  return found.first();
}

}  // namespace isofield::mfg::layout
