#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/as_strided.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/zeros_like.h>

#include <isofield/compat.hpp>
#include <isofield/interop/strided.hpp>

/// LibTorch tensors beside our arrays, without copies. Opt-in: nothing else includes LibTorch.
namespace isofield {

namespace interop {

inline DType dtype_of_tensor(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kBool: return DType::bool_;
    case at::kChar: return DType::int8;
    case at::kShort: return DType::int16;
    case at::kInt: return DType::int32;
    case at::kLong: return DType::int64;
    case at::kByte: return DType::uint8;
    case at::kFloat: return DType::float32;
    case at::kDouble: return DType::float64;
    case at::kComplexFloat: return DType::complex64;
    case at::kComplexDouble: return DType::complex128;
    default:
      throw DTypeError(std::string("from_torch: tensors of dtype ") +
                       c10::toString(tensor.scalar_type()) +
                       " are not supported; cast with .to(at::kDouble) or .to(at::kFloat)");
  }
}

inline Layout layout_of(const at::Tensor& tensor) {
  const auto sizes = tensor.sizes(), strides = tensor.strides();
  return Layout(Shape(std::span<const std::int64_t>(sizes.data(), sizes.size())),
                Strides(std::span<const std::int64_t>(strides.data(), strides.size())), 0);
}

inline at::IntArrayRef sizes_of(const Dims& dims) {
  return {dims.data(), static_cast<std::size_t>(dims.size())};
}

inline at::ScalarType scalar_type_of(DType dtype) {
  switch (dtype) {
    case DType::bool_: return at::kBool;
    case DType::int8: return at::kChar;
    case DType::int16: return at::kShort;
    case DType::int32: return at::kInt;
    case DType::int64: return at::kLong;
    case DType::uint8: return at::kByte;
    case DType::float32: return at::kFloat;
    case DType::float64: return at::kDouble;
    case DType::complex64: return at::kComplexFloat;
    case DType::complex128: return at::kComplexDouble;
    default:
      throw DTypeError("torch_tensor: LibTorch has no tensors of dtype " +
                       std::string(name(dtype)) + "; convert with astype");
  }
}

}  // namespace interop

/// An array as a tensor that shares its memory, on the array's device, for as long as the tensor
/// lives: later writes to the array copy first and are not seen. LibTorch knows no read-only
/// memory: call clone() before changing the tensor in place. An array with an axis that runs
/// backwards is copied.
inline at::Tensor torch_tensor(UnifiedArray array) {
  if (array.device().kind == Device::Kind::mps)
    throw DeviceError("torch_tensor: Metal memory cannot be shared; use to_backend(\"torch:cpu\")");
  const Strides& strides = array.eval().view().layout.strides;
  for (const std::int64_t stride : strides)
    if (stride < 0) return torch_tensor(array.copy());
  const View view = array.view();
  auto options = at::TensorOptions().dtype(interop::scalar_type_of(view.dtype));
  if (!array.device().is_host())
    options = options.device(at::kCUDA, static_cast<at::DeviceIndex>(array.device().index));
  return at::from_blob(
      view.bytes(), interop::sizes_of(view.layout.shape), interop::sizes_of(view.layout.strides),
      [array](void*) {}, options);
}

/// Use the elements of a dense tensor without a copy; the tensor is kept, and must not be written
/// to in place while arrays use it. A cpu tensor can go to any host backend. Autograd is left
/// behind.
inline UnifiedArray from_torch(const at::Tensor& tensor, BaseBackend* backend = nullptr) {
  if (tensor.layout() != at::kStrided)
    throw ShapeError("from_torch: the tensor is sparse; call to_dense() first");
  const at::Tensor plain = tensor.detach().resolve_conj().resolve_neg();
  const DType dtype = interop::dtype_of_tensor(plain);
  const Layout layout = interop::layout_of(plain);
  if (!backend)
    backend = &get_backend(plain.is_cpu() ? "torch:cpu"
                                          : "torch:cuda:" + std::to_string(plain.get_device()));
  if (backend->device().is_host() != plain.is_cpu())
    throw DeviceError("from_torch: the tensor is on " + plain.device().str() +
                      " and cannot be shared with " + backend->spelling() +
                      "; move it with .to(), or bring the array over with to_backend");
  return from_memory(plain.data_ptr(), dtype, layout, interop::span_bytes(layout, dtype),
                     std::make_shared<at::Tensor>(plain), *backend);
}

// Tier 2 for tensors: their data stays LibTorch's own, whatever backend is in force.

/// A tensor with memory of its own.
inline at::Tensor backend_aware_copy(const at::Tensor& x, BaseBackend* = nullptr) {
  return x.clone();
}

/// Zeros of the same shape, dtype and device.
inline at::Tensor backend_aware_zeros_like(const at::Tensor& x, BaseBackend* = nullptr) {
  return at::zeros_like(x);
}

/// Whether any element is not zero.
inline bool backend_aware_any(const at::Tensor& x, BaseBackend* = nullptr) {
  return x.any().item<bool>();
}

/// Whether any element is NaN or infinite.
inline bool has_nan_or_inf(const at::Tensor& x) {
  return x.is_floating_point() && !at::isfinite(x).all().item<bool>();
}

/// Write a tensor, broadcast, into `target[indices]`.
inline void backend_aware_assign(at::Tensor& target, std::initializer_list<Index> indices,
                                 const at::Tensor& value, BaseBackend* = nullptr) {
  Layout whole = interop::layout_of(target);
  whole.offset = target.storage_offset();
  const Layout part = whole.index(std::span<const Index>(indices.begin(), indices.size()));
  for (const std::int64_t stride : part.strides)
    if (stride < 0)
      throw IndexError("backend_aware_assign: tensors cannot be sliced backwards; flip the value");
  at::as_strided(target, interop::sizes_of(part.shape), interop::sizes_of(part.strides),
                 part.offset)
      .copy_(value);
}

/// Write an array or a scalar, broadcast, into `target[indices]`.
inline void backend_aware_assign(at::Tensor& target, std::initializer_list<Index> indices,
                                 Operand value, BaseBackend* = nullptr) {
  const UnifiedArray array =
      value.is_scalar() ? asarray(value.scalar(), &get_backend("eigen")) : value.array();
  backend_aware_assign(target, indices, torch_tensor(array));
}

}  // namespace isofield
