#include "estimate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <isofield/error.hpp>

#include "progress.hpp"

namespace isofield::mfg_solve {
namespace {

constexpr double largest_trial = 60000;  // unknowns
constexpr double most_seconds = 1.5;     // of one trial

double unknowns_of(const mfg::Problem& problem) {
  double count =
      2.0 * static_cast<double>(problem.levels()) * static_cast<double>(problem.populations.size());
  for (const mfg::Axis& axis : problem.axes) count *= static_cast<double>(axis.cells);
  return count;
}

/// The problem with a share of 2^-level of its cells along each axis, and of its steps.
mfg::Problem coarsened(const mfg::Problem& problem, int level) {
  constexpr std::int64_t fewest = 6;
  const auto fewer = [&](std::int64_t count) {
    const std::int64_t some = (count + (std::int64_t{1} << level) - 1) >> level;
    return std::max(std::min(count, fewest), some);
  };
  std::vector<std::int64_t> cells;
  for (const mfg::Axis& axis : problem.axes) cells.push_back(fewer(axis.cells));
  return problem.resized(cells, fewer(problem.steps));
}

struct Trial {
  double unknowns = 0.0, seconds = 0.0;
  int iterations = 0;
  bool ended = false;

  double each() const { return seconds / std::max(iterations, 1); }
};

Trial tried(const mfg::Problem& problem, mfg::SolveOptions options) {
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  options.should_stop = [&] { return seconds() > most_seconds; };
  const mfg::Solution solution = mfg::solve(problem, options);
  return {unknowns_of(problem), seconds(), solution.report.iterations,
          solution.report.status != mfg::Status::interrupted};
}

}  // namespace

std::string Estimate::words() const {
  if (!seconds) return "unknown: the game cannot be tried on coarser grids";
  return fmt::format("{} {}, by trials of {}; a difficult game takes longer",
                     at_least ? "more than" : "about", duration(*seconds), duration(trial_seconds));
}

Estimate estimate_time(const mfg::Problem& problem, mfg::SolveOptions options) try {
  options.exploitability = true;
  options.state = {};
  if (options.initial_guess == mfg::InitialGuess::given) {  // it is of the grid itself
    options.initial_guess = mfg::InitialGuess::zero;
    options.initial_u.clear();
  }
  int level = 0;
  while (unknowns_of(coarsened(problem, level)) > largest_trial && level < 20) ++level;
  const Trial fine = tried(coarsened(problem, level), options);
  Estimate estimate{fine.seconds, fine.seconds, !fine.ended};
  if (level == 0) return estimate;
  const Trial coarse = tried(coarsened(problem, level + 1), options);
  estimate.trial_seconds += coarse.seconds;
  // seconds of an iteration = a + b unknowns, a >= 0
  const double most = fine.each() / fine.unknowns;
  const double slope = std::clamp((fine.each() - coarse.each()) / (fine.unknowns - coarse.unknowns),
                                  0.5 * most, most);
  const double each = fine.each() + slope * (unknowns_of(problem) - fine.unknowns);
  estimate.seconds = each * std::max(fine.iterations, 1);
  return estimate;
} catch (const Error&) {
  return {};
}

}  // namespace isofield::mfg_solve
