#include "state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <isofield/error.hpp>
#include <isofield/ops.hpp>

namespace isofield::mfg_solve {
namespace {

// Names in /state: "density@0" is a field of population 0, others are lists of numbers.
constexpr const char* beginning = "beginning";

Shape shape_of(const mfg::StateArray& array) {
  Shape shape{};
  for (const std::uint64_t n : array.extents)
    shape.insert(shape.size(), static_cast<std::int64_t>(n));
  return shape;
}

const mfg::PopulationResult& population_in(const mfg::Results& results, const std::string& name) {
  const auto found = std::ranges::find(results.populations, name, &mfg::PopulationResult::name);
  if (found == results.populations.end())
    throw ConfigError(fmt::format("the state to go on from has no population \"{}\"", name));
  return *found;
}

}  // namespace

UnifiedArray field_in(const std::vector<double>& values, const mfg::Results& results, DType dtype) {
  Shape shape{static_cast<std::int64_t>(results.times.size())};
  for (const std::vector<double>& nodes : results.axes)
    shape.insert(shape.size(), static_cast<std::int64_t>(nodes.size()));
  return asarray(values, shape).astype(dtype);
}

void add_state(const mfg::SolverState& state, mfg::Results& results) {
  if (state.empty()) results.state.push_back({beginning, {1}, {0.0}});
  for (const auto& [name, numbers] : state.numbers)
    results.state.push_back({name, {numbers.size()}, numbers});
  for (const auto& [name, fields] : state.fields) {
    if (name == "u" || name == "m") continue;
    for (std::size_t p = 0; p < fields.size(); ++p) {
      mfg::StateArray array{fmt::format("{}@{}", name, p), {}, fields[p].to_vector<double>()};
      for (const std::int64_t n : fields[p].shape())
        array.extents.push_back(static_cast<std::uint64_t>(n));
      results.state.push_back(std::move(array));
    }
  }
}

bool has_state(const mfg::Results& results) { return !results.state.empty(); }

mfg::SolverState state_in(const mfg::Results& results, const mfg::DiscreteProblem& problem) {
  mfg::SolverState state;
  if (std::ranges::find(results.state, beginning, &mfg::StateArray::name) != results.state.end())
    return state;
  for (std::size_t p = 0; p < problem.size(); ++p) {
    const mfg::PopulationResult& one = population_in(results, problem.population(p).name());
    state.fields["u"].push_back(field_in(one.u, results, problem.dtype()));
    state.fields["m"].push_back(field_in(one.m, results, problem.dtype()));
  }
  for (const mfg::StateArray& array : results.state) {
    const std::size_t at = array.name.find('@');
    if (at == std::string::npos) {
      state.numbers[array.name] = array.values;
      continue;
    }
    std::size_t p = problem.size();
    std::from_chars(array.name.data() + at + 1, array.name.data() + array.name.size(), p);
    mfg::Fields& fields = state.fields[array.name.substr(0, at)];
    fields.resize(problem.size());
    if (p < problem.size())
      fields[p] = asarray(array.values, shape_of(array)).astype(problem.dtype());
  }
  return state;
}

}  // namespace isofield::mfg_solve
