#pragma once

#include <isofield/backend.hpp>
#include <isofield/mfg/config.hpp>
#include <isofield/mfg/discrete_problem.hpp>

#include <cstdint>
#include <string>

#include "plan.hpp"

namespace isofield::mfg_solve {

/// Lay the problem of a configuration out on the default backend; throw ConfigError for data that
/// make no sense on the grid.
mfg::DiscreteProblem lay_out(const mfg::Config& config);

/// What only the machine and the grid tell of a run.
Setting setting_of(const BaseBackend& backend, std::int64_t free_cells);

/// The same for a plan: lay the problem out, where there is the memory, to see whether its data and
/// the file that it starts from (`resume`, else the configuration's) make sense. Where there is
/// not, all cells count as free. `with_time` tries how long it takes.
Setting look_at(const mfg::Config& config, const BaseBackend& backend, const std::string& resume,
                bool with_time);

}  // namespace isofield::mfg_solve
