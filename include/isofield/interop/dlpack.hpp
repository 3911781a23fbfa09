#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <isofield/compat.hpp>
#include <isofield/error.hpp>
#include <isofield/interop/strided.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// DLPack, the structure in which libraries hand arrays to each other without copies, of version 1
/// and of the time before. Opt-in; it needs no other library: the structures are declared here with
/// the layout that dlpack.h prescribes (https://dmlc.github.io/dlpack).
namespace isofield::interop {

struct DLPackVersion {
  std::uint32_t major = 1, minor = 1;
};
struct DLDevice {
  std::int32_t type = 1;
  std::int32_t id = 0;
};
enum : std::int32_t {
  dl_cpu = 1,
  dl_cuda = 2,
  dl_cuda_host = 3,
  dl_metal = 8,
  dl_cuda_managed = 13
};
struct DLDataType {
  std::uint8_t code = 0, bits = 0;
  std::uint16_t lanes = 1;
};
enum : std::uint8_t { dl_int = 0, dl_uint = 1, dl_float = 2, dl_complex = 5, dl_bool = 6 };
struct DLTensor {
  void* data = nullptr;
  DLDevice device;
  std::int32_t ndim = 0;
  DLDataType dtype;
  std::int64_t* shape = nullptr;
  std::int64_t* strides = nullptr;
  std::uint64_t byte_offset = 0;
};
/// Before version 1: a capsule named "dltensor".
struct DLManagedTensor {
  DLTensor dl_tensor;
  void* manager_ctx = nullptr;
  void (*deleter)(DLManagedTensor*) = nullptr;
};
/// From version 1 on: a capsule named "dltensor_versioned".
struct DLManagedTensorVersioned {
  DLPackVersion version;
  void* manager_ctx = nullptr;
  void (*deleter)(DLManagedTensorVersioned*) = nullptr;
  std::uint64_t flags = 0;
  DLTensor dl_tensor;
};
enum : std::uint64_t { dl_read_only = 1, dl_is_copied = 2 };

inline DLDataType dl_type(DType dtype) {
  const auto bits = static_cast<std::uint8_t>(8 * itemsize(dtype));
  switch (kind(dtype)) {
    case Kind::boolean: return {dl_bool, bits, 1};
    case Kind::signed_integer: return {dl_int, bits, 1};
    case Kind::unsigned_integer: return {dl_uint, bits, 1};
    case Kind::real: return {dl_float, bits, 1};
    default: return {dl_complex, bits, 1};
  }
}
/// Throws DTypeError for what the Array API has no name for.
inline DType dtype_from_dl(DLDataType type) {
  if (type.lanes == 1)
    for (int k = 0; k < dtype_count; ++k) {
      const DLDataType own = dl_type(static_cast<DType>(k));
      if (own.code == type.code && own.bits == type.bits) return static_cast<DType>(k);
    }
  throw DTypeError("from_dlpack: elements of DLPack's type code " + std::to_string(type.code) +
                   " with " + std::to_string(type.bits) + " bits and " +
                   std::to_string(type.lanes) + " lanes have no dtype here");
}

inline DLDevice dl_device(const BaseBackend& backend) {
  const Device device = backend.device();
  switch (device.kind) {
    case Device::Kind::cpu: return {dl_cpu, 0};
    case Device::Kind::cuda: return {dl_cuda, device.index};
    default: return {dl_metal, device.index};
  }
}
/// The backend for memory of a device: the default one if it is there; throws DeviceError.
inline BaseBackend& backend_of(DLDevice device) {
  BaseBackend& chosen = default_backend();
  if (device.type == dl_cpu || device.type == dl_cuda_host)
    return chosen.device().is_host() ? chosen : get_backend("eigen");
  if (device.type == dl_cuda || device.type == dl_cuda_managed) {
    const Device wanted{Device::Kind::cuda, device.id};
    return chosen.device() == wanted ? chosen : get_backend("torch:" + to_string(wanted));
  }
  throw DeviceError("from_dlpack: no backend sees memory of DLPack's device type " +
                    std::to_string(device.type));
}

/// Share an array's memory as DLPack's structure, which the consumer deletes. Later writes to the
/// array copy first and are not seen; the consumer must not write: the structure of version 1 says
/// so unless `writable`, for memory that nobody else has.
template <class Managed>
Managed* to_dlpack(const UnifiedArray& array, bool writable = false) {
  struct Owner {
    UnifiedArray array;
    Dims shape, strides;
    Managed managed;
  };
  const View view = array.view();
  array.backend().synchronize();
  auto owner = std::make_unique<Owner>(Owner{array, view.layout.shape, view.layout.strides, {}});
  for (int k = 0; k < owner->shape.size(); ++k)
    if (owner->shape[k] <= 1) owner->strides[k] = 1;  // never read, and some check them
  DLTensor& tensor = owner->managed.dl_tensor;
  tensor.data = view.storage->data ? view.bytes() : nullptr;
  tensor.device = dl_device(array.backend());
  tensor.ndim = view.layout.rank();
  tensor.dtype = dl_type(view.dtype);
  tensor.shape = owner->shape.data();
  tensor.strides = owner->strides.data();
  if constexpr (requires(Managed m) { m.flags; })
    owner->managed.flags = writable ? dl_is_copied : dl_read_only;
  owner->managed.manager_ctx = owner.get();
  owner->managed.deleter = [](Managed* m) { delete static_cast<Owner*>(m->manager_ctx); };
  return &owner.release()->managed;
}

/// Use the memory of a tensor without a copy, on its device; `owner` keeps it alive. It must not be
/// written to while arrays use it. Throws ShapeError, DTypeError, DeviceError for what is malformed
/// or has no counterpart here.
inline UnifiedArray from_dlpack(const DLTensor& tensor, std::shared_ptr<void> owner,
                                BaseBackend* backend = nullptr) {
  if (tensor.ndim < 0 || tensor.ndim > Dims::max_rank || (tensor.ndim > 0 && !tensor.shape))
    throw ShapeError("from_dlpack: a tensor of rank " + std::to_string(tensor.ndim) +
                     " cannot be used");
  const auto rank = static_cast<std::size_t>(tensor.ndim);
  const Shape shape(std::span<const std::int64_t>(tensor.shape, rank));
  const std::int64_t count = element_count(shape);
  Layout layout(shape);
  if (tensor.strides) layout.strides = Strides(std::span<const std::int64_t>(tensor.strides, rank));
  const DType dtype = dtype_from_dl(tensor.dtype);
  if (!backend) backend = &backend_of(tensor.device);
  if (count == 0) return empty(shape, dtype, backend);
  if (!tensor.data)
    throw ShapeError("from_dlpack: a tensor of shape " + to_string(shape) + " has no memory");
  const auto [first, last] = layout.reach();
  const auto width = static_cast<std::int64_t>(itemsize(dtype));
  // Addresses as numbers, until it is known that they are some.
  std::uintptr_t begin = 0;
  std::int64_t below = 0, bytes = 0;
  if (__builtin_mul_overflow(first, width, &below) || __builtin_sub_overflow(last, first, &bytes) ||
      __builtin_add_overflow(bytes, 1, &bytes) || __builtin_mul_overflow(bytes, width, &bytes) ||
      __builtin_add_overflow(reinterpret_cast<std::uintptr_t>(tensor.data), tensor.byte_offset,
                             &begin) ||
      __builtin_add_overflow(begin, below, &begin))
    throw ShapeError("from_dlpack: shape " + to_string(shape) + " with strides " +
                     to_string(layout.strides) + " and byte offset " +
                     std::to_string(tensor.byte_offset) + " reaches beyond all memory");
  if (begin % static_cast<std::size_t>(std::min<std::int64_t>(width, 8)))
    throw ShapeError("from_dlpack: the elements do not lie on their boundaries; copy them first");
  layout.offset = -first;
  return from_memory(reinterpret_cast<void*>(begin), dtype, layout, static_cast<std::size_t>(bytes),
                     std::move(owner), *backend);
}

/// Take a tensor over: its deleter is called when no array uses its memory any more, and at once
/// should this throw. Throws as above, NotAvailable for another major version than 1.
template <class Managed>
UnifiedArray from_dlpack(Managed* managed, BaseBackend* backend = nullptr) {
  std::shared_ptr<void> owner(managed, [](void* p) {
    auto* m = static_cast<Managed*>(p);
    if (m->deleter) m->deleter(m);
  });
  if constexpr (requires(Managed m) { m.version; })
    if (managed->version.major != 1)
      throw NotAvailable("from_dlpack: a tensor of DLPack's version " +
                         std::to_string(managed->version.major) + "; this is version 1");
  return from_dlpack(managed->dl_tensor, std::move(owner), backend);
}

}  // namespace isofield::interop

namespace isofield {

// Tier 2 for tensors of others: what is new is an array on the tensor's device, or on `backend`.

inline UnifiedArray backend_aware_copy(const interop::DLTensor& tensor,
                                       BaseBackend* backend = nullptr) {
  return backend_aware_copy(Operand(interop::from_dlpack(tensor, nullptr)), backend);
}
inline UnifiedArray backend_aware_zeros_like(const interop::DLTensor& tensor,
                                             BaseBackend* backend = nullptr) {
  return backend_aware_zeros_like(Operand(interop::from_dlpack(tensor, nullptr)), backend);
}
/// Whether any element is not zero.
inline bool backend_aware_any(const interop::DLTensor& tensor, BaseBackend* = nullptr) {
  return backend_aware_any(Operand(interop::from_dlpack(tensor, nullptr)));
}
/// Whether any element is NaN or infinite.
inline bool has_nan_or_inf(const interop::DLTensor& tensor) {
  return has_nan_or_inf(Operand(interop::from_dlpack(tensor, nullptr)));
}
/// Write an array or a scalar, broadcast, into `target[indices]`. Throws DeviceError for a tensor
/// that is not on the host.
inline void backend_aware_assign(const interop::DLTensor& target,
                                 std::initializer_list<Index> indices, Operand value,
                                 BaseBackend* = nullptr) {
  const UnifiedArray elements = interop::from_dlpack(target, nullptr);  // which checks it
  if (!elements.device().is_host())
    throw DeviceError("backend_aware_assign: the tensor is on " + to_string(elements.device()) +
                      "; its own library writes to it there");
  Layout whole(elements.shape());
  if (target.strides)
    whole.strides = Strides(
        std::span<const std::int64_t>(target.strides, static_cast<std::size_t>(target.ndim)));
  visit_dtype(elements.dtype(), [&]<class T>(T) {
    auto* const first = static_cast<std::byte*>(target.data) + target.byte_offset;
    interop::assign(reinterpret_cast<T*>(first), whole, indices, value);
  });
}

}  // namespace isofield
