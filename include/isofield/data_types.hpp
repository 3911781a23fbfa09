#pragma once

#include <cstdint>
#include <initializer_list>
#include <isofield/array.hpp>
#include <span>
#include <string_view>

/// The Array API standard's functions of data types.
namespace isofield {

/// Whether promotion takes `from` to `to`, so that a cast loses nothing that promotion would keep.
bool can_cast(DType from, DType to) noexcept;

/// Whether a dtype is of a kind: "bool", "signed integer", "unsigned integer", "integral", "real
/// floating", "complex floating", "numeric". Throws DTypeError for another word.
bool isdtype(DType dtype, std::string_view kind);

/// The dtype that arrays, dtypes and scalars promote to together; a scalar alone has its own.
/// Throws DTypeError where they do not promote.
DType result_type(std::initializer_list<Operand> operands);
DType result_type(std::span<const Operand> operands);

/// Limits of a floating-point dtype; of a complex one, its parts'.
struct FloatInfo {
  int bits;  ///< of one number; of one part of a complex number
  double eps;
  double max;
  double min;
  double smallest_normal;
  DType dtype;  ///< of the parts
};
/// Throws DTypeError for a dtype that is not floating-point.
FloatInfo finfo(DType dtype);

/// Limits of an integer dtype.
struct IntegerInfo {
  int bits;
  std::uint64_t max;
  std::int64_t min;
  DType dtype;
};
/// Throws DTypeError for a dtype that is no integer's.
IntegerInfo iinfo(DType dtype);

}  // namespace isofield
