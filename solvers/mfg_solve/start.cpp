#include "start.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <isofield/error.hpp>
#include <isofield/mfg/results.hpp>
#include <isofield/ops.hpp>
#include <ranges>
#include <vector>

#include "same_run.hpp"
#include "state.hpp"

namespace isofield::mfg_solve {
namespace {

/// Throw ConfigError unless a file is of the same grid and has all levels.
void check_shape(const std::string& file, const mfg::Results& results,
                 const mfg::DiscreteProblem& problem) {
  std::vector<std::int64_t> shape{static_cast<std::int64_t>(results.times.size())};
  for (const std::vector<double>& nodes : results.axes) {
    shape.push_back(static_cast<std::int64_t>(nodes.size()));
  }
  Shape needed = problem.grid().shape();
  needed.insert(0, problem.problem().levels());
  if (!std::ranges::equal(shape, needed)) {
    const bool misses_levels =
        std::ranges::equal(shape | std::views::drop(1), needed | std::views::drop(1));
    throw ConfigError(
        fmt::format("{} holds {} levels x nodes, this configuration has {}{}", file,
                    fmt::join(shape, " x "), fmt::join(needed, " x "),
                    misses_levels && !problem.problem().ergodic
                        ? "; a start must have them all (output.stride = 1 keeps every level)"
                        : ""));
  }
}

/// Each population's value at all levels.
mfg::Fields values_in(const std::string& file, const mfg::Results& results,
                      const mfg::DiscreteProblem& problem) {
  check_shape(file, results, problem);
  mfg::Fields values;
  for (std::size_t p = 0; p < problem.size(); ++p) {
    const std::string& name = problem.population(p).name();
    const auto found = std::ranges::find(results.populations, name, &mfg::PopulationResult::name);
    if (found == results.populations.end()) {
      throw ConfigError(fmt::format("{} has no population \"{}\"", file, name));
    }
    values.push_back(field_in(found->u, results, problem.dtype()));
  }
  return values;
}

}  // namespace

std::string start_file(const mfg::Config& config, const std::string& resume) {
  const std::string& guess = config.solver.initial_guess;
  return !resume.empty() || guess == "zero" || guess == "coarse" ? resume : guess;
}

Start find_start(const mfg::Config& config, const std::string& resume,
                 const mfg::DiscreteProblem& problem) {
  Start start{mfg::make_options(config), ""};
  const std::string file = start_file(config, resume);
  if (file.empty()) return start;
  const mfg::Results results = mfg::read_results(file);
  const bool same =
      !resume.empty() && has_state(results) && states_the_same(results.config, config);
  if (same) {
    check_shape(file, results, problem);
    start.options.state = state_in(results, problem);
    start.note = start.options.state.empty()
                     ? fmt::format("{} is of a run that had done nothing yet: it begins", file)
                     : fmt::format("goes on after iteration {} of {}", results.iterations, file);
    return start;
  }
  start.options.initial_guess = mfg::InitialGuess::given;
  start.options.initial_u = values_in(file, results, problem);
  if (!resume.empty() && has_state(results))
    start.note = fmt::format("{} is of another computation: only its value is a start", file);
  return start;
}

}  // namespace isofield::mfg_solve
