#pragma once

#include <string>

namespace isofield::mfg_solve {

/// Write the JSON Schema of the configuration.
std::string config_schema();

}  // namespace isofield::mfg_solve
