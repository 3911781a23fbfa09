#pragma once

#include <ATen/core/Tensor.h>

#include <isofield/backend.hpp>
#include <limits>

namespace isofield::torch_backend {

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// The tensor of bytes that owns a storage's memory. Every storage of this backend has one: its
/// `owner` points to an at::Tensor.
inline const at::Tensor& owner_tensor(const Storage& storage) {
  return *static_cast<const at::Tensor*>(storage.owner.get());
}
/// `bytes` bytes of a storage from `offset` on, as a tensor. The storage may begin inside its
/// tensor.
at::Tensor bytes_of(const Storage& storage, std::size_t offset, std::size_t bytes);

at::ScalarType scalar_type(DType dtype);
at::Device torch_device(Device device);

/// A tensor over memory that `owner` keeps alive.
at::Tensor tensor_over(void* data, std::size_t bytes, Device device, std::shared_ptr<void> owner);

/// The elements of a view of this backend as a tensor that shares its memory. LibTorch has no
/// negative strides: axes in `flipped` run backwards, and the tensor holds them forwards.
struct ViewTensor {
  at::Tensor tensor;
  std::vector<std::int64_t> flipped;
};
ViewTensor share(const View& view);

/// The elements of a view for reading: shared, or copied where an axis runs backwards.
at::Tensor read(const View& view);
/// Write `value`, which broadcasts to the view's shape, into its elements.
void write(const View& view, const at::Tensor& value);

inline at::IntArrayRef sizes_of(const Dims& dims) {
  return {dims.data(), static_cast<std::size_t>(dims.size())};
}

}  // namespace isofield::torch_backend
