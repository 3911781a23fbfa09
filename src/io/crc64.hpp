#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace isofield::io {

/// CRC-64/XZ (ECMA-182, reflected): finds every single burst of damage up to 64 bits long.
class Crc64 {
 public:
  void update(const void* bytes, std::size_t size) noexcept;
  std::uint64_t value() const noexcept { return ~state_; }
  /// The value as 16 hexadecimal digits.
  std::string text() const;

 private:
  std::uint64_t state_ = ~std::uint64_t{0};
};

std::string crc64(const void* bytes, std::size_t size);

}  // namespace isofield::io
