#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <isofield/isofield.hpp>
#include <limits>
#include <string>

/// What the fuzz targets share.
namespace isofield::fuzz {

/// A case read from bytes; zeros where they end.
class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}

  bool empty() const noexcept { return left_ == 0; }
  std::uint8_t byte() noexcept {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }
  /// A number in [0, n), n at most 256.
  int pick(int n) noexcept { return byte() % n; }
  bool flag() noexcept { return byte() & 1; }
  template <class T>
  T bits() noexcept {
    unsigned char raw[sizeof(T)];
    for (auto& b : raw) b = byte();
    T value;
    std::memcpy(&value, raw, sizeof value);
    return value;
  }
  /// A number near 0, now and then one near a limit or any.
  std::int64_t integer(std::int64_t span) noexcept {
    using L = std::numeric_limits<std::int64_t>;
    const int kind = byte();
    if (kind < 0xe0) return kind % (2 * span + 1) - span;
    if (kind < 0xf0) return static_cast<std::int64_t>(bits<std::int16_t>());
    if (kind < 0xf8) return bits<std::int64_t>();
    const std::int64_t limits[] = {L::min(), L::max(), L::min() + 1, L::max() - 1};
    return limits[kind % 4];
  }
  DType dtype() noexcept { return static_cast<DType>(pick(dtype_count)); }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
};

/// End the process, as libFuzzer expects of a case that fails.
[[noreturn]] inline void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}
inline void require(bool right, const std::string& what) {
  if (!right) fail(what);
}

/// The text of the typed error that `f` throws, "" if it throws none. What is no Error of ours goes
/// on and ends the process.
template <class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return *e.what() ? e.what() : "an error without a text";
  }
  return "";
}

}  // namespace isofield::fuzz
