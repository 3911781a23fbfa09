#pragma once

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

inline constexpr DType bool_ = DType::bool_;
inline constexpr DType int64 = DType::int64;
inline constexpr DType float32 = DType::float32;
inline constexpr DType float64 = DType::float64;

/// The standard's coarse grouping of data types, in promotion order.
enum class Kind : std::uint8_t { boolean, signed_integer, unsigned_integer, real, complex };

/// Bytes of one element.
constexpr std::size_t itemsize(DType dtype) noexcept {
  constexpr std::uint8_t bytes[dtype_count] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 8, 16};
  return bytes[static_cast<std::size_t>(dtype)];
}
/// The standard's name: "float64", "bool", ...
std::string_view name(DType dtype) noexcept;
Kind kind(DType dtype) noexcept;
/// Whether arrays of this dtype can be made and computed with; the others are named for later.
bool is_supported(DType dtype) noexcept;
/// Find a dtype by its name; throws DTypeError that lists the names.
DType dtype_from_name(std::string_view name);

inline bool is_floating(DType d) noexcept { return kind(d) == Kind::real; }
inline bool is_integer(DType d) noexcept {
  return kind(d) == Kind::signed_integer || kind(d) == Kind::unsigned_integer;
}

template <class T>
struct dtype_of_t;
template <>
struct dtype_of_t<bool> {
  static constexpr DType value = DType::bool_;
};
template <>
struct dtype_of_t<std::int64_t> {
  static constexpr DType value = DType::int64;
};
template <>
struct dtype_of_t<float> {
  static constexpr DType value = DType::float32;
};
template <>
struct dtype_of_t<double> {
  static constexpr DType value = DType::float64;
};
/// The dtype that holds elements of C++ type `T`.
template <class T>
inline constexpr DType dtype_of = dtype_of_t<std::remove_cv_t<T>>::value;

/// Call `f` with a value of the C++ type of `dtype` as a tag; throws DTypeError if unsupported.
template <class F>
decltype(auto) visit_dtype(DType dtype, F&& f);

[[noreturn]] void throw_unsupported(DType dtype);

template <class F>
decltype(auto) visit_dtype(DType dtype, F&& f) {
  switch (dtype) {
    case DType::bool_: return f(bool{});
    case DType::int64: return f(std::int64_t{});
    case DType::float32: return f(float{});
    case DType::float64: return f(double{});
    default: throw_unsupported(dtype);
  }
}

}  // namespace isofield
