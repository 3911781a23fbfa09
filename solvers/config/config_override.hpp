#pragma once

#include <vector>

#include "config.hpp"
#include "config_table.hpp"
#include "toml_reader.hpp"

namespace isofield::mfg_solve {

/// Put a value of the command line into a document; add what is wrong to `errors`.
void apply_override(const Override& override, TomlValue& root, std::vector<Diagnostic>& errors);

/// Find the row of the table for a key whose population may be counted: population.0.mass.
const Key* row_of(std::string_view key);

/// Put a value at a dotted path of a document, whose tables are made as needed; false where there
/// is no such place. [model] is another name for the only population.
bool put_value(TomlValue& root, std::string path, const Place& place, TomlValue value);

}  // namespace isofield::mfg_solve
