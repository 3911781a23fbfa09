#pragma once

#include <cstdint>
#include <isofield/mfg/config.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diagnostic.hpp"
#include "toml_reader.hpp"

namespace isofield::mfg_solve {

/// A value that the command line gives, over what the file says.
struct Override {
  std::string option;  ///< as messages name it: "--set", "--dtype"
  std::string key;     ///< "model.viscosity"
  std::string value;   ///< a TOML value, or a text without quotes
};

/// Split KEY=VALUE; throw ConfigErrors where there is no '='.
Override parse_setting(std::string_view option, std::string_view text);

/// Parse a document and put in it what the command line gives. Adds what is wrong to `errors`;
/// throws ConfigErrors where it is no TOML.
TomlValue read_document(std::shared_ptr<const Source> source, std::span<const Override> overrides,
                        std::vector<Diagnostic>& errors);

/// Check a document and fill in what it leaves out. Adds what is wrong to `errors`.
mfg::Config config_of(TomlValue document, std::int64_t most_cells, std::vector<Diagnostic>& errors);

/// Throw ConfigErrors if there are any: first what the command line says, then the file called
/// `name` from top to bottom.
void throw_if_any(std::vector<Diagnostic> errors, const std::string& name);

/// Read a configuration file; throw IoError where it cannot be read.
std::shared_ptr<const Source> read_source(const std::string& path);

/// Check a configuration and fill in what it leaves out; throw ConfigErrors with all that is wrong.
/// Expressions are computed on grids of so many cells at most, to see whether they make sense. A
/// table [sweep] is refused: see read_family().
mfg::Config read_config(std::shared_ptr<const Source> source, std::span<const Override> overrides,
                        std::int64_t most_cells = std::int64_t{1} << 21);

/// Write a configuration in full, so that reading it gives the same one.
std::string to_toml(const mfg::Config& config);

}  // namespace isofield::mfg_solve
