#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "diagnostic.hpp"

namespace isofield::mfg_solve {

struct TomlEntry;

/// A value of a TOML document with its place, free of any library's types.
struct TomlValue {
  enum class Kind { text, integer, number, boolean, date, array, table };

  Kind kind = Kind::table;
  Place place;
  std::string text;  ///< of a text
  std::int64_t integer = 0;
  double number = 0.0;  ///< of a number or an integer
  bool boolean = false;
  std::vector<TomlValue> items;    ///< of an array
  std::vector<TomlEntry> entries;  ///< of a table, in the order of the file

  /// Find an entry of a table; nullptr where there is none.
  const TomlEntry* find(std::string_view key) const;
  TomlEntry* find(std::string_view key);
};

struct TomlEntry {
  std::string key;
  Place place;  ///< of the key
  TomlValue value;
};

/// Describe a value for a message: `the text "abc"`, `the integer 3`, `a table`.
std::string describe(const TomlValue& value);

/// Parse a document; throw ConfigErrors where it is not TOML. Never ends the process, whatever the
/// bytes: what the parser underneath would stumble over is refused before it.
TomlValue read_toml(std::shared_ptr<const Source> source);

}  // namespace isofield::mfg_solve
