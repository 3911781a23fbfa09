#pragma once

#include <array>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace isofield {

/// The thirteen data types of the Python Array API standard.
enum class DType : std::uint8_t {
  bool_,
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  uint64,
  float32,
  float64,
  complex64,
  complex128,
};
inline constexpr int dtype_count = 13;
inline constexpr std::array<DType, dtype_count> all_dtypes = {
    DType::bool_,   DType::int8,      DType::int16,     DType::int32,  DType::int64,
    DType::uint8,   DType::uint16,    DType::uint32,    DType::uint64, DType::float32,
    DType::float64, DType::complex64, DType::complex128};

inline constexpr DType bool_ = DType::bool_;
inline constexpr DType int8 = DType::int8;
inline constexpr DType int16 = DType::int16;
inline constexpr DType int32 = DType::int32;
inline constexpr DType int64 = DType::int64;
inline constexpr DType uint8 = DType::uint8;
inline constexpr DType uint16 = DType::uint16;
inline constexpr DType uint32 = DType::uint32;
inline constexpr DType uint64 = DType::uint64;
inline constexpr DType float32 = DType::float32;
inline constexpr DType float64 = DType::float64;
inline constexpr DType complex64 = DType::complex64;
inline constexpr DType complex128 = DType::complex128;

/// The standard's coarse grouping of data types, in promotion order.
enum class Kind : std::uint8_t { boolean, signed_integer, unsigned_integer, real, complex };

/// Bytes of one element.
constexpr std::size_t itemsize(DType dtype) noexcept {
  constexpr std::uint8_t bytes[dtype_count] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 8, 16};
  return bytes[static_cast<std::size_t>(dtype)];
}
/// The standard's name: "float64", "bool", ...
std::string_view name(DType dtype) noexcept;
constexpr Kind kind(DType dtype) noexcept {
  if (dtype == DType::bool_) return Kind::boolean;
  if (dtype <= DType::int64) return Kind::signed_integer;
  if (dtype <= DType::uint64) return Kind::unsigned_integer;
  return dtype <= DType::float64 ? Kind::real : Kind::complex;
}
/// Find a dtype by its name; throws DTypeError that lists the names.
DType dtype_from_name(std::string_view name);

constexpr bool is_integer(DType d) noexcept {
  return kind(d) == Kind::signed_integer || kind(d) == Kind::unsigned_integer;
}
/// float32 or float64.
constexpr bool is_floating(DType d) noexcept { return kind(d) == Kind::real; }
/// complex64 or complex128.
constexpr bool is_complex(DType d) noexcept { return kind(d) == Kind::complex; }
/// The dtype of a complex dtype's parts; any other dtype itself.
constexpr DType real_dtype(DType d) noexcept {
  if (d == DType::complex64) return DType::float32;
  return d == DType::complex128 ? DType::float64 : d;
}
/// The complex dtype whose parts have this floating-point dtype; any other dtype itself.
constexpr DType complex_dtype(DType d) noexcept {
  if (d == DType::float32) return DType::complex64;
  return d == DType::float64 ? DType::complex128 : d;
}

template <class T>
struct dtype_of_t;
#define ISOFIELD_DTYPE_OF(T, name)              \
  template <>                                   \
  struct dtype_of_t<T> {                        \
    static constexpr DType value = DType::name; \
  };
ISOFIELD_DTYPE_OF(bool, bool_)
ISOFIELD_DTYPE_OF(std::int8_t, int8)
ISOFIELD_DTYPE_OF(std::int16_t, int16)
ISOFIELD_DTYPE_OF(std::int32_t, int32)
ISOFIELD_DTYPE_OF(std::int64_t, int64)
ISOFIELD_DTYPE_OF(std::uint8_t, uint8)
ISOFIELD_DTYPE_OF(std::uint16_t, uint16)
ISOFIELD_DTYPE_OF(std::uint32_t, uint32)
ISOFIELD_DTYPE_OF(std::uint64_t, uint64)
ISOFIELD_DTYPE_OF(float, float32)
ISOFIELD_DTYPE_OF(double, float64)
ISOFIELD_DTYPE_OF(std::complex<float>, complex64)
ISOFIELD_DTYPE_OF(std::complex<double>, complex128)
#undef ISOFIELD_DTYPE_OF
/// The dtype that holds elements of C++ type `T`.
template <class T>
inline constexpr DType dtype_of = dtype_of_t<std::remove_cv_t<T>>::value;

template <class T>
inline constexpr bool is_complex_type = false;
template <class T>
inline constexpr bool is_complex_type<std::complex<T>> = true;

/// Call `f` with a value of the C++ type of `dtype` as a tag.
template <class F>
decltype(auto) visit_dtype(DType dtype, F&& f) {
  switch (dtype) {
    case DType::bool_: return f(bool{});
    case DType::int8: return f(std::int8_t{});
    case DType::int16: return f(std::int16_t{});
    case DType::int32: return f(std::int32_t{});
    case DType::int64: return f(std::int64_t{});
    case DType::uint8: return f(std::uint8_t{});
    case DType::uint16: return f(std::uint16_t{});
    case DType::uint32: return f(std::uint32_t{});
    case DType::uint64: return f(std::uint64_t{});
    case DType::float32: return f(float{});
    case DType::float64: return f(double{});
    case DType::complex64: return f(std::complex<float>{});
    case DType::complex128: break;
  }
  return f(std::complex<double>{});
}

}  // namespace isofield
