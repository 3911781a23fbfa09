#include "backends/torch/tensors.hpp"

#include <ATen/ops/as_strided.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/from_blob.h>

namespace isofield::torch_backend {

at::ScalarType scalar_type(DType dtype) {
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
    default: throw DTypeError("torch: LibTorch has no dtype " + std::string(name(dtype)));
  }
}

at::Device torch_device(Device device) {
  switch (device.kind) {
    case Device::Kind::cuda:
      return {at::DeviceType::CUDA, static_cast<at::DeviceIndex>(device.index)};
    case Device::Kind::mps: return {at::DeviceType::MPS, 0};
    case Device::Kind::cpu: break;
  }
  return {at::DeviceType::CPU};
}

at::Tensor tensor_over(void* data, std::size_t bytes, Device device, std::shared_ptr<void> owner) {
  const auto options = at::TensorOptions().dtype(at::kByte).device(torch_device(device));
  return at::from_blob(
      data, {static_cast<std::int64_t>(bytes)}, [owner = std::move(owner)](void*) {}, options);
}

at::Tensor bytes_of(const Storage& storage, std::size_t offset, std::size_t bytes) {
  const at::Tensor& tensor = owner_tensor(storage);
  const auto begin = static_cast<const std::byte*>(storage.data) -
                     static_cast<const std::byte*>(tensor.data_ptr());
  return tensor.narrow(0, begin + static_cast<std::int64_t>(offset),
                       static_cast<std::int64_t>(bytes));
}

ViewTensor share(const View& view) {
  const std::size_t size = itemsize(view.dtype);
  const at::Tensor elements =
      bytes_of(*view.storage, 0, view.storage->bytes / size * size).view(scalar_type(view.dtype));
  ViewTensor result;
  Strides strides = view.layout.strides;
  std::int64_t offset = view.layout.offset;
  for (int k = 0; k < view.layout.rank(); ++k) {
    if (strides[k] >= 0) continue;
    if (view.layout.shape[k] > 0) offset += strides[k] * (view.layout.shape[k] - 1);
    strides[k] = -strides[k];
    result.flipped.push_back(k);
  }
  result.tensor = at::as_strided(elements, sizes_of(view.layout.shape), sizes_of(strides),
                                 elements.storage_offset() + offset);
  return result;
}

at::Tensor read(const View& view) {
  ViewTensor shared = share(view);
  return shared.flipped.empty() ? shared.tensor : at::flip(shared.tensor, shared.flipped);
}

void write(const View& view, const at::Tensor& value) {
  ViewTensor shared = share(view);
  if (shared.flipped.empty())
    shared.tensor.copy_(value);
  else
    shared.tensor.copy_(at::flip(value.expand(sizes_of(view.layout.shape)), shared.flipped));
}

}  // namespace isofield::torch_backend
