#pragma once

#include <cstddef>
#include <isofield/mfg/config.hpp>
#include <vector>

#include "config_table.hpp"
#include "diagnostic.hpp"
#include "toml_reader.hpp"

namespace isofield::mfg_solve {

/// Where a value goes and how its errors call it.
struct Slot {
  const Key& key;
  std::string path;  ///< as the user wrote it: "population[0].viscosity"
  mfg::Config& config;
  std::size_t population = 0;
  const Surroundings& surroundings;  ///< for the variables of expressions
};

/// Check a value and put it in its slot; add what is wrong to `errors`.
void fill(const Slot& slot, const TomlValue& value, std::vector<Diagnostic>& errors);

}  // namespace isofield::mfg_solve
