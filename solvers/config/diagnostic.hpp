#pragma once

#include <cstddef>
#include <isofield/error.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace isofield::mfg_solve {

/// A text that values come from: a configuration file, or an option of the command line.
struct Source {
  std::string name;  ///< as messages say it: "room.toml", "--set model.mass=2"
  std::string text;
};

/// A place in a source; lines and columns count from 1, columns in characters.
struct Place {
  std::shared_ptr<const Source> source;
  std::size_t line = 0;  ///< 0: the source as a whole
  std::size_t column = 0;
  std::size_t length = 1;  ///< characters to underline
};

/// Read the rest of the line from a place on; empty where the place is a whole source.
std::string_view text_at(const Place& place);

/// One thing that is wrong, where it is and what would be right.
struct Diagnostic {
  Place place;
  std::string key;  ///< path such as "model.viscosity"; empty for syntax errors
  std::string message;
  std::string suggestion;  ///< nearest valid name; may be empty
};

/// Write `file:line:column: key: message; did you mean 'x'?` and the line with a caret.
std::string to_string(const Diagnostic& diagnostic);

/// Everything that is wrong with one configuration, a paragraph each.
class ConfigErrors : public ConfigError {
 public:
  explicit ConfigErrors(std::vector<Diagnostic> diagnostics);
  const std::vector<Diagnostic>& diagnostics() const noexcept { return diagnostics_; }

 private:
  std::vector<Diagnostic> diagnostics_;
};

}  // namespace isofield::mfg_solve
