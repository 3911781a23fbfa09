#pragma once

#include <isofield/backend.hpp>
#include <isofield/mfg/config.hpp>
#include <isofield/mfg/discrete_problem.hpp>

#include "plan.hpp"

namespace isofield::mfg_solve {

/// Lay the problem of a configuration out on the default backend; throw ConfigError for data that
/// make no sense on the grid.
mfg::DiscreteProblem lay_out(const mfg::Config& config);

/// What only the machine and the grid tell of a run.
Setting setting_of(const BaseBackend& backend, const mfg::DiscreteProblem& problem);

}  // namespace isofield::mfg_solve
