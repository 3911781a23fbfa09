#pragma once

#include <cstdint>
#include <isofield/mfg/config.hpp>
#include <vector>

#include "config_check.hpp"
#include "diagnostic.hpp"

namespace isofield::mfg_solve {

/// Compute what expressions give on the grid and add what makes no sense there to `errors`: values
/// that are not finite or out of their key's range, masks that leave no free cell, exits that hold
/// nowhere or that people cannot reach, a density that is 0 everywhere. The density itself is not
/// known yet: a cost is wrong where it is so for low, middling and high ones. Grids of more cells
/// are left to the solver, which looks at each field when it meets it, but cannot say where it was
/// asked for.
void check_data(const mfg::Config& config, const Given& given, std::int64_t most_cells,
                std::vector<Diagnostic>& errors);

}  // namespace isofield::mfg_solve
