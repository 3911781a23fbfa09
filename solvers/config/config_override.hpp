#pragma once

#include <vector>

#include "config.hpp"
#include "toml_reader.hpp"

namespace isofield::mfg_solve {

/// Put a value of the command line into a document; add what is wrong to `errors`.
void apply_override(const Override& override, TomlValue& root, std::vector<Diagnostic>& errors);

}  // namespace isofield::mfg_solve
