#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace isofield::io {

/// What a file must contain: one record an object, attribute, scale or link, as fields of text.
///
///     group       PATH
///     dataset     PATH  TYPE  EXTENTS ("101,64", "" for a scalar)  CRC64 of the bytes
///     attribute   PATH  NAME  text|real|integer  CRC64 of the bytes
///     scale       PATH  AXIS  PATH of the scale
///     link        PATH  hard|soft  TARGET
using Record = std::vector<std::string>;

class Manifest {
 public:
  /// The attribute of "/" that holds the text.
  static constexpr const char* attribute = "manifest";

  void add(Record record) { records_.push_back(std::move(record)); }
  const std::vector<Record>& records() const noexcept { return records_; }

  /// Lines of fields separated by tabs, the last one a checksum of those before.
  std::string text() const;

  /// Parse text(); throws IoError without a file name where the text is damaged.
  static Manifest parse(std::string_view text);

 private:
  std::vector<Record> records_;
};

}  // namespace isofield::io
