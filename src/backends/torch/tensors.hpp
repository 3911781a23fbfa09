#pragma once

#include <ATen/core/Tensor.h>

#include <isofield/backend.hpp>

namespace isofield::torch_backend {

/// A storage that is a flat tensor of bytes.
struct TensorStorage : Storage {
  at::Tensor tensor;
};

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
