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

/// What is wrong with the keys of a file: one finding a key, at its place.
class Findings {
 public:
  Findings(const Given& given, std::vector<Diagnostic>& errors) : given_(given), errors_(errors) {}

  /// Whether nothing is wrong with a key yet.
  bool sound(const std::string& key) const;
  /// Add what is wrong with a key.
  void error(const std::string& key, std::string message);

 private:
  const Given& given_;
  std::vector<Diagnostic>& errors_;
};

/// Check what no key can tell alone. Adds what is wrong to `errors`, and nothing about keys that
/// are already in there.
void check_config(const mfg::Config& config, const Given& given, std::vector<Diagnostic>& errors);

}  // namespace isofield::mfg_solve
