#include <array>
#include <isofield/dtype.hpp>
#include <isofield/error.hpp>
#include <string>

namespace isofield {
namespace {

struct Entry {
  std::string_view name;
  Kind kind;
  bool supported;
};

constexpr std::array<Entry, dtype_count> table = {{
    {"bool", Kind::boolean, true},
    {"int8", Kind::signed_integer, false},
    {"int16", Kind::signed_integer, false},
    {"int32", Kind::signed_integer, false},
    {"int64", Kind::signed_integer, true},
    {"uint8", Kind::unsigned_integer, false},
    {"uint16", Kind::unsigned_integer, false},
    {"uint32", Kind::unsigned_integer, false},
    {"uint64", Kind::unsigned_integer, false},
    {"float32", Kind::real, true},
    {"float64", Kind::real, true},
    {"complex64", Kind::complex, false},
    {"complex128", Kind::complex, false},
}};

const Entry& entry(DType dtype) { return table[static_cast<std::size_t>(dtype)]; }

}  // namespace

std::string_view name(DType dtype) noexcept { return entry(dtype).name; }
Kind kind(DType dtype) noexcept { return entry(dtype).kind; }
bool is_supported(DType dtype) noexcept { return entry(dtype).supported; }

DType dtype_from_name(std::string_view text) {
  std::string names;
  for (int i = 0; i < dtype_count; ++i) {
    const auto dtype = static_cast<DType>(i);
    if (name(dtype) == text) return dtype;
    names += (i ? ", " : "") + std::string(name(dtype));
  }
  throw DTypeError("unknown dtype '" + std::string(text) + "'; known are " + names);
}

void throw_unsupported(DType dtype) {
  std::string names;
  for (const auto& e : table)
    if (e.supported) names += (names.empty() ? "" : ", ") + std::string(e.name);
  throw DTypeError("arrays of dtype " + std::string(name(dtype)) +
                   " are not supported yet; supported are " + names);
}

}  // namespace isofield
