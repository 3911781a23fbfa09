#pragma once

#include <cstdint>
#include <isofield/mfg/config.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diagnostic.hpp"

namespace isofield::mfg_solve {

/// A value that the command line gives, over what the file says.
struct Override {
  std::string option;  ///< as messages name it: "--set", "--dtype"
  std::string key;     ///< "model.viscosity"
  std::string value;   ///< a TOML value, or a text without quotes
};

/// Split KEY=VALUE; throw ConfigErrors where there is no '='.
Override parse_setting(std::string_view option, std::string_view text);

/// Read a configuration file; throw IoError where it cannot be read.
std::shared_ptr<const Source> read_source(const std::string& path);

/// Check a configuration and fill in what it leaves out; throw ConfigErrors with all that is wrong.
/// Expressions are computed on grids of so many cells at most, to see whether they make sense.
mfg::Config read_config(std::shared_ptr<const Source> source, std::span<const Override> overrides,
                        std::int64_t most_cells = std::int64_t{1} << 21);

/// Write a configuration in full, so that reading it gives the same one.
std::string to_toml(const mfg::Config& config);

}  // namespace isofield::mfg_solve
