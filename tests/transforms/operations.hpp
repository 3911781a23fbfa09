#pragma once

#include <complex>
#include <limits>

#include "transforms/differences.hpp"

/// What the functions of operations.def are made of.
namespace isofield::testing {

inline constexpr double infinity = std::numeric_limits<double>::infinity();

/// Of which numbers a function has derivatives.
enum class Takes { real, any };

#define P(...) \
  Shape { __VA_ARGS__ }

/// Real and imaginary parts of what is complex.
inline UnifiedArray parts(const UnifiedArray& x) {
  return is_complex(x.dtype()) ? stack({real(x), imag(x)}) : x;
}
inline UnifiedArray from_parts(const UnifiedArray& x) {
  return x(0) + x(1) * std::complex<double>(0.0, 1.0);
}

/// Constants of the dtype that x has.
inline UnifiedArray fixed(const Shape& shape, const UnifiedArray& x) {
  const UnifiedArray constants = random_array(shape, 0.4, 1.2, 6);
  if (!is_complex(x.dtype())) return constants.astype(x.dtype());
  const UnifiedArray imaginary = random_array(shape, -0.4, 0.4, 7);
  return (constants + imaginary * std::complex<double>(0.0, 1.0)).astype(x.dtype());
}
/// The identity of the dtype that x has.
inline UnifiedArray unit(std::int64_t n, const UnifiedArray& x) { return eye(n, x.dtype()); }
inline UnifiedArray places(const std::vector<std::int64_t>& values) {
  return asarray(values, {static_cast<std::int64_t>(values.size())});
}
inline UnifiedArray adjoint(const UnifiedArray& x) { return conj(matrix_transpose(x)); }
inline UnifiedArray definite(const UnifiedArray& x) {
  return linalg::matmul(x, adjoint(x)) + 2.0 * unit(x.shape()[x.ndim() - 2], x);
}
inline UnifiedArray regular(const UnifiedArray& x) { return x + 3.0 * unit(x.shape().back(), x); }
inline UnifiedArray row(const UnifiedArray& x) { return expand_dims(x, -2); }
inline UnifiedArray column(const UnifiedArray& x) { return expand_dims(x, -1); }
/// |x|^2.
inline UnifiedArray size(const UnifiedArray& x) { return square(abs(x)); }

inline UnifiedArray of_svd(const linalg::SvdResult& d) {
  return linalg::matmul(d.U * row(sqrt(d.S)), d.Vh) +
         linalg::matmul(size(d.U) * row(d.S), size(d.Vh));
}
inline UnifiedArray of_eigh(const linalg::EigResult& d) {
  const auto& [w, v] = d;
  return linalg::matmul(v * row(sqrt(w)), adjoint(v)) + linalg::matmul(size(v), column(w));
}
inline UnifiedArray of_eig(const linalg::EigResult& d) {
  return linalg::matmul(size(d.eigenvectors), column(d.eigenvalues));
}

}  // namespace isofield::testing
