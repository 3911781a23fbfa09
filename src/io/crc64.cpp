#include "io/crc64.hpp"

#include <array>
#include <bit>
#include <cstdio>
#include <cstring>

namespace isofield::io {
namespace {

static_assert(std::endian::native == std::endian::little,
              "checksums are of little-endian bytes: swap them before they come here");

constexpr std::uint64_t polynomial = 0xC96C5795D7870F42;  // 0x42F0E1EBA9EA3693, reflected
using Tables = std::array<std::array<std::uint64_t, 256>, 8>;

// tables[k][b]: byte b followed by k zero bytes, so that eight bytes go in one step.
constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint64_t byte = 0; byte < 256; ++byte) {
    std::uint64_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t k = 1; k < tables.size(); ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint64_t before = tables[k - 1][byte];
      tables[k][byte] = tables[0][before & 0xff] ^ (before >> 8);
    }
  }
  return tables;
}

constexpr Tables tables = make_tables();

}  // namespace

void Crc64::update(const void* bytes, std::size_t size) noexcept {
  const auto* from = static_cast<const unsigned char*>(bytes);
  std::uint64_t crc = state_;
  for (; size >= 8; from += 8, size -= 8) {
    std::uint64_t word;
    std::memcpy(&word, from, 8);
    word ^= crc;
    crc = 0;
    for (std::size_t k = 0; k < 8; ++k) crc ^= tables[7 - k][(word >> (8 * k)) & 0xff];
  }
  for (; size > 0; ++from, --size) crc = tables[0][(crc ^ *from) & 0xff] ^ (crc >> 8);
  state_ = crc;
}

std::string Crc64::text() const {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value()));
  return digits;
}

std::string crc64(const void* bytes, std::size_t size) {
  Crc64 crc;
  crc.update(bytes, size);
  return crc.text();
}

}  // namespace isofield::io
