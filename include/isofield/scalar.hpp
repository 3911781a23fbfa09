#pragma once

#include <bit>
#include <complex>
#include <cstdint>
#include <isofield/dtype.hpp>
#include <string>
#include <type_traits>

namespace isofield {

/// A single number: a truth value, an integer of 64 bits, signed or not, a double or a complex
/// number. As an operand it is weakly typed: it takes the dtype of the arrays it meets, as the
/// Array API asks of Python scalars.
class Scalar {
 public:
  constexpr Scalar() noexcept : kind_(Kind::real), real_(0) {}
  template <class T>
  requires(std::is_arithmetic_v<T>) constexpr Scalar(
      T value) noexcept {  // NOLINT: implicit by design
    if constexpr (std::is_same_v<T, bool>) {
      kind_ = Kind::boolean;
      integer_ = value;
    } else if constexpr (std::is_integral_v<T>) {
      // An unsigned number that a signed one can hold is one: there is one spelling of a number.
      kind_ = static_cast<std::int64_t>(value) < 0 && value > T(0) ? Kind::unsigned_integer
                                                                   : Kind::signed_integer;
      integer_ = static_cast<std::int64_t>(value);
    } else {
      kind_ = Kind::real;
      real_ = static_cast<double>(value);
    }
  }
  template <class T>
  constexpr Scalar(const std::complex<T>& value) noexcept  // NOLINT: implicit by design
      : kind_(Kind::complex),
        real_(static_cast<double>(value.real())),
        imag_(static_cast<double>(value.imag())) {}

  Kind kind() const noexcept { return kind_; }
  /// The dtype that an array made of this scalar alone gets: bool, int64 (uint64 where the number
  /// needs it), float64 or complex128.
  DType default_dtype() const noexcept {
    switch (kind_) {
      case Kind::boolean: return DType::bool_;
      case Kind::signed_integer: return DType::int64;
      case Kind::unsigned_integer: return DType::uint64;
      case Kind::real: return DType::float64;
      case Kind::complex: break;
    }
    return DType::complex128;
  }
  /// The number as a T; a complex number's real part where T is not complex.
  template <class T>
  T to() const noexcept {
    if constexpr (is_complex_type<T>) {
      using Part = typename T::value_type;
      return {to<Part>(), static_cast<Part>(kind_ == Kind::complex ? imag_ : 0.0)};
    } else if (kind_ == Kind::unsigned_integer) {
      return static_cast<T>(static_cast<std::uint64_t>(integer_));
    } else {
      return kind_ == Kind::real || kind_ == Kind::complex ? static_cast<T>(real_)
                                                           : static_cast<T>(integer_);
    }
  }
  /// Whether an integer dtype can hold this integer; true for every other dtype or kind.
  bool fits(DType dtype) const noexcept;
  /// The number as C++ would print it.
  std::string text() const;
  /// Whether both are the same bits of the same kind: 0.0 is not -0.0, and NaN is itself.
  friend bool identical(const Scalar& a, const Scalar& b) noexcept {
    if (a.kind_ != b.kind_) return false;
    if (a.kind_ != Kind::real && a.kind_ != Kind::complex) return a.integer_ == b.integer_;
    const auto same = [](double x, double y) {
      return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
    };
    return same(a.real_, b.real_) && same(a.imag_, b.imag_);
  }

 private:
  Kind kind_;
  union {
    std::int64_t integer_;  ///< an unsigned integer's bits, too
    double real_;
  };
  double imag_ = 0;
};

}  // namespace isofield
