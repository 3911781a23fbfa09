#pragma once

#include <isofield/mfg/discrete_problem.hpp>
#include <isofield/mfg/results.hpp>
#include <isofield/mfg/solver_state.hpp>

namespace isofield::mfg_solve {

/// Put into a file's contents what a solve needs to go on: all but u and m, which stand there as
/// results do. An empty state says that there is nothing to go on from but the beginning.
void add_state(const mfg::SolverState& state, mfg::Results& results);

/// Whether a file was left by a solve that can be gone on with, or begun again.
bool has_state(const mfg::Results& results);

/// What add_state() put there, and u and m, for the default backend; empty where the solve had
/// nothing yet. Throws ConfigError where a population is missing.
mfg::SolverState state_in(const mfg::Results& results, const mfg::DiscreteProblem& problem);

/// One population's array at all levels, u or m, from a file.
UnifiedArray field_in(const std::vector<double>& values, const mfg::Results& results, DType dtype);

}  // namespace isofield::mfg_solve
