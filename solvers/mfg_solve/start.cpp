#include "start.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <isofield/error.hpp>
#include <isofield/mfg/results.hpp>
#include <isofield/ops.hpp>
#include <ranges>
#include <vector>

namespace isofield::mfg_solve {
namespace {

/// Read each population's value at all levels from a file of the same grid.
mfg::Fields values_in(const std::string& file, const mfg::DiscreteProblem& problem) {
  const mfg::Results results = mfg::read_results(file);
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
  mfg::Fields values;
  for (std::size_t p = 0; p < problem.size(); ++p) {
    const std::string& name = problem.population(p).name();
    const auto found = std::ranges::find(results.populations, name, &mfg::PopulationResult::name);
    if (found == results.populations.end()) {
      throw ConfigError(fmt::format("{} has no population \"{}\"", file, name));
    }
    values.push_back(asarray(found->u, needed).astype(problem.dtype()));
  }
  return values;
}

}  // namespace

std::string start_file(const mfg::Config& config, const std::string& resume) {
  const std::string& guess = config.solver.initial_guess;
  return !resume.empty() || guess == "zero" || guess == "coarse" ? resume : guess;
}

mfg::SolveOptions start_options(const mfg::Config& config, const std::string& resume,
                                const mfg::DiscreteProblem& problem) {
  mfg::SolveOptions options = mfg::make_options(config);
  if (const std::string file = start_file(config, resume); !file.empty()) {
    options.initial_guess = mfg::InitialGuess::given;
    options.initial_u = values_in(file, problem);
  }
  return options;
}

}  // namespace isofield::mfg_solve
