#include <array>
#include <isofield/dtype.hpp>
#include <isofield/error.hpp>
#include <isofield/scalar.hpp>
#include <sstream>
#include <string>

namespace isofield {
namespace {

constexpr std::array<std::string_view, dtype_count> names = {
    "bool",   "int8",   "int16",   "int32",   "int64",     "uint8",     "uint16",
    "uint32", "uint64", "float32", "float64", "complex64", "complex128"};

}  // namespace

std::string_view name(DType dtype) noexcept { return names[static_cast<std::size_t>(dtype)]; }

DType dtype_from_name(std::string_view text) {
  std::string known;
  for (int i = 0; i < dtype_count; ++i) {
    const auto dtype = static_cast<DType>(i);
    if (name(dtype) == text) return dtype;
    known += (i ? ", " : "") + std::string(name(dtype));
  }
  throw DTypeError("unknown dtype '" + std::string(text) + "'; known are " + known);
}

bool Scalar::fits(DType dtype) const noexcept {
  if (kind_ != Kind::signed_integer && kind_ != Kind::unsigned_integer) return true;
  const int bits = static_cast<int>(itemsize(dtype)) * 8;
  const auto magnitude = static_cast<std::uint64_t>(integer_);
  if (isofield::kind(dtype) == Kind::unsigned_integer)
    return (kind_ == Kind::unsigned_integer || integer_ >= 0) &&
           (bits == 64 || magnitude >> bits == 0);
  if (isofield::kind(dtype) != Kind::signed_integer) return true;
  if (kind_ == Kind::unsigned_integer) return false;
  const std::int64_t beyond = integer_ >> (bits - 1);
  return beyond == 0 || beyond == -1;
}

std::string Scalar::text() const {
  std::ostringstream out;
  switch (kind_) {
    case Kind::boolean: return integer_ ? "true" : "false";
    case Kind::signed_integer: return std::to_string(integer_);
    case Kind::unsigned_integer: return std::to_string(static_cast<std::uint64_t>(integer_));
    case Kind::real: out << real_; break;
    case Kind::complex: out << to<std::complex<double>>(); break;
  }
  return out.str();
}

}  // namespace isofield
