#pragma once

#include <isofield/mfg/config.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "diagnostic.hpp"

namespace isofield::mfg_solve {

/// What a file gave, by the paths that messages use.
struct Given {
  std::shared_ptr<const Source> source;  ///< the configuration as a whole
  std::map<std::string, Place> places;   ///< of every key and table
  std::vector<std::string> populations;  ///< "model" or "population[0]", ...
};

/// Check what no key can tell alone. Adds what is wrong to `errors`, and nothing about keys that
/// are already in there.
void check_config(const mfg::Config& config, const Given& given, std::vector<Diagnostic>& errors);

}  // namespace isofield::mfg_solve
