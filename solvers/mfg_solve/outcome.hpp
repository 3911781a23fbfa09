#pragma once

#include <isofield/mfg/config.hpp>
#include <isofield/mfg/discrete_problem.hpp>
#include <isofield/mfg/results.hpp>
#include <isofield/mfg/solve.hpp>
#include <string>
#include <vector>

#include "plan.hpp"
#include "summary.hpp"

namespace isofield::mfg_solve {

/// Which time levels a file keeps, in order: every stride-th, and the last.
std::vector<std::int64_t> kept_level_numbers(std::int64_t steps, std::int64_t stride);

/// What a run is about, for those who write of it.
struct RunContext {
  const mfg::Config& config;
  const std::string& config_toml;
  const mfg::DiscreteProblem& problem;
  Setting setting;
};

/// Gather what a result file holds of a solution, at every stride-th level.
mfg::Results make_results(const RunContext& context, const mfg::Solution& solution,
                          std::int64_t stride);

/// Carry the particles that the configuration asks for, unless the solve broke down, and add them
/// to the results of every stride-th level.
void add_particles(const RunContext& context, const mfg::Solution& solution, std::int64_t stride,
                   mfg::Results& results);

/// Gather what an interrupted run goes on from: all levels of its last iteration and its state, or
/// that there is nothing yet.
mfg::Results make_stopped(const RunContext& context, const mfg::Solution& solution);

/// Gather a checkpoint: value and density at all levels and the state, in the midst of a run.
mfg::Results make_checkpoint(const RunContext& context, const mfg::Progress& progress);

/// Sum a run up for people.
Summary make_summary(const RunContext& context, const mfg::Solution& solution,
                     const mfg::Results& results);

}  // namespace isofield::mfg_solve
