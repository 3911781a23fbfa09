#pragma once

#include <isofield/mfg/config.hpp>
#include <string>

namespace isofield::mfg_solve {

/// Say in a table for people what a run would do: grid, unknowns, memory, backend, output.
std::string plan_to_table(const mfg::Config& config);

/// The same as one JSON object, on one line.
std::string plan_to_json(const mfg::Config& config);

}  // namespace isofield::mfg_solve
