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

ViewTensor share(const View& view) {
  const auto& bytes = static_cast<const TensorStorage*>(view.storage)->tensor;
  const auto size = static_cast<std::int64_t>(itemsize(view.dtype));
  const std::int64_t whole = bytes.numel() / size * size;
  const at::Tensor elements =
      (whole == bytes.numel() ? bytes : bytes.narrow(0, 0, whole)).view(scalar_type(view.dtype));
  ViewTensor result;
  Strides strides = view.layout.strides;
  std::int64_t offset = view.layout.offset;
  for (int k = 0; k < view.layout.rank(); ++k) {
    if (strides[k] >= 0) continue;
    if (view.layout.shape[k] > 0) offset += strides[k] * (view.layout.shape[k] - 1);
    strides[k] = -strides[k];
    result.flipped.push_back(k);
  }
  result.tensor = at::as_strided(elements, sizes_of(view.layout.shape), sizes_of(strides), offset);
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
