#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <isofield/dtype.hpp>
#include <type_traits>

namespace isofield {

/// A single number whose kind is bool, int64 or float64. As an operand it is weakly typed: it takes
/// the dtype of the arrays it meets, as the Array API asks of Python scalars.
class Scalar {
 public:
  constexpr Scalar() noexcept : kind_(Kind::real), real_(0) {}
  template <class T>
  requires std::is_arithmetic_v<T>
  constexpr Scalar(T value) noexcept {  // NOLINT: implicit by design
    if constexpr (std::same_as<T, bool>) {
      kind_ = Kind::boolean;
      integer_ = value;
    } else if constexpr (std::is_integral_v<T>) {
      kind_ = Kind::signed_integer;
      integer_ = static_cast<std::int64_t>(value);
    } else {
      kind_ = Kind::real;
      real_ = static_cast<double>(value);
    }
  }

  Kind kind() const noexcept { return kind_; }
  /// The dtype that an array made of this scalar alone gets: bool, int64 or float64.
  DType default_dtype() const noexcept {
    return kind_ == Kind::boolean          ? DType::bool_
           : kind_ == Kind::signed_integer ? DType::int64
                                           : DType::float64;
  }
  template <class T>
  T to() const noexcept {
    return kind_ == Kind::real ? static_cast<T>(real_) : static_cast<T>(integer_);
  }
  /// Whether both are the same bits of the same kind: 0.0 is not -0.0, and NaN is itself.
  friend bool identical(Scalar a, Scalar b) noexcept {
    if (a.kind_ != b.kind_) return false;
    if (a.kind_ != Kind::real) return a.integer_ == b.integer_;
    return std::bit_cast<std::uint64_t>(a.real_) == std::bit_cast<std::uint64_t>(b.real_);
  }

 private:
  Kind kind_;
  union {
    std::int64_t integer_;
    double real_;
  };
};

}  // namespace isofield
