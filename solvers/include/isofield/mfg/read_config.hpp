#pragma once

#include <isofield/mfg/config.hpp>
#include <span>
#include <string>
#include <string_view>

namespace isofield::mfg {

/// Read a configuration of `mfg_solve`: check it and fill in what it leaves out. `name` is what
/// messages call the text; settings such as "time.steps=200" are stronger than it. Throws
/// ConfigError with all that is wrong, a paragraph each.
Config read_config(std::string_view toml, const std::string& name = "configuration",
                   std::span<const std::string> settings = {});

/// The same of a file. Throws IoError where it cannot be read.
Config read_config_file(const std::string& path, std::span<const std::string> settings = {});

}  // namespace isofield::mfg
