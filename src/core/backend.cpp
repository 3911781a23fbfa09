// The protocol's public face, on top of the virtuals.

#include <isofield/backend.hpp>
#include <isofield/ops.hpp>

namespace isofield {

std::string_view name(FourierTransform::Kind kind) noexcept {
  constexpr std::string_view names[] = {"dct type 1", "dct type 2", "dct type 3", "dct type 4",
                                        "dst type 1", "dst type 2", "dst type 3", "dst type 4",
                                        "hartley",    "fft",        "ifft",       "rfft",
                                        "ihfft",      "hfft",       "irfft"};
  return names[static_cast<int>(kind)];
}

std::string_view name(Factorization::Kind kind) noexcept {
  constexpr std::string_view names[] = {"Cholesky decomposition",
                                        "solution of linear systems",
                                        "solution of triangular systems",
                                        "inverse of matrices",
                                        "determinant",
                                        "logarithm of the determinant",
                                        "QR decomposition",
                                        "singular value decomposition",
                                        "eigenvalues of Hermitian matrices",
                                        "eigenvalues",
                                        "exponential of matrices"};
  return names[static_cast<int>(kind)];
}

std::string_view name(Arrangement::Kind kind) noexcept {
  constexpr std::string_view names[] = {"gather", "scatter", "compress", "nonzero",
                                        "scan",   "sort",    "search",   "extremum"};
  return names[static_cast<int>(kind)];
}

std::string BaseBackend::spelling() const {
  std::string text(name());
  if (text == "torch" || !device().is_host()) text += ":" + to_string(device());
  return text;
}

UnifiedArray BaseBackend::zeros(const Shape& shape, DType dtype) {
  return isofield::zeros(shape, dtype, this);
}
UnifiedArray BaseBackend::ones(const Shape& shape, DType dtype) {
  return isofield::ones(shape, dtype, this);
}
UnifiedArray BaseBackend::full(const Shape& shape, Scalar value) {
  return isofield::full(shape, value, this);
}
UnifiedArray BaseBackend::full(const Shape& shape, Scalar value, DType dtype) {
  return isofield::full(shape, value, dtype, this);
}
UnifiedArray BaseBackend::zeros_like(const UnifiedArray& array) {
  return isofield::zeros(array.shape(), array.dtype(), this);
}
UnifiedArray BaseBackend::ones_like(const UnifiedArray& array) {
  return isofield::ones(array.shape(), array.dtype(), this);
}
UnifiedArray BaseBackend::copy(const UnifiedArray& array) { return to_backend(array).copy(); }
UnifiedArray& BaseBackend::assign(UnifiedArray& target, std::initializer_list<Index> indices,
                                  const UnifiedArray& value, Where where) {
  target.assign({indices.begin(), indices.size()}, {value.to_backend(target.backend()), where});
  return target;
}
bool BaseBackend::any(const UnifiedArray& array, Where where) {
  return isofield::any({to_backend(array), where}).item<bool>(where);
}
bool BaseBackend::has_nan_or_inf(const UnifiedArray& array, Where where) {
  return isofield::has_nan_or_inf({to_backend(array), where});
}
UnifiedArray BaseBackend::to_backend(const UnifiedArray& array) { return array.to_backend(*this); }
UnifiedArray BaseBackend::reduce_sum(const UnifiedArray& array, Where where) {
  return isofield::sum({to_backend(array), where});
}
UnifiedArray BaseBackend::reduce_mean(const UnifiedArray& array, Where where) {
  return isofield::mean({to_backend(array), where});
}

#define UNARY(op, domain, result, value, ...)                        \
  UnifiedArray BaseBackend::op(const UnifiedArray& x, Where where) { \
    return isofield::op({to_backend(x), where});                     \
  }
#define BINARY(op, domain, result, value, ...)                                              \
  UnifiedArray BaseBackend::op(const UnifiedArray& a, const UnifiedArray& b, Where where) { \
    return isofield::op({to_backend(a), where}, {to_backend(b), where});                    \
  }
#include <isofield/ops.def>
#undef UNARY
#undef BINARY

}  // namespace isofield
