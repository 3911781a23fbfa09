#pragma once

#include <cstdint>
#include <isofield/mfg/config.hpp>
#include <optional>
#include <string>

#include "estimate.hpp"

namespace isofield::mfg_solve {

/// What only the machine and the grid tell of a run.
struct Setting {
  std::int64_t free_cells = 0;
  std::string backend{}, device{};
  int threads = 1;
  std::optional<Estimate> time{};  ///< where somebody asked for it
};

/// Say that a run on the processor cannot have the memory that it needs at least; empty if it can.
std::string lack_of_memory(const mfg::Config& config);

/// Say a number of bytes: "262 kB".
std::string size_of(double bytes);

/// Say in a table for people what a run would do: grid, unknowns, memory, backend, output.
std::string plan_to_table(const mfg::Config& config, const Setting& setting);

/// The same as one JSON object, on one line.
std::string plan_to_json(const mfg::Config& config, const Setting& setting);

}  // namespace isofield::mfg_solve
