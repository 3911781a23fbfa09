#pragma once

#include <isofield/ops.hpp>
#include <isofield/registry.hpp>

/// Tier 2: helpers for code that holds an optional backend. Without one, the array's own is used.
/// The opt-in headers under interop/ overload them for spans, DLPack's tensors, Eigen matrices,
/// Kokkos views and torch tensors.
namespace isofield {

/// A copy with memory of its own, on `backend` if one is given.
UnifiedArray backend_aware_copy(Operand array, BaseBackend* backend = nullptr);
/// Write `value` into `target[indices]`, bringing it to the target's backend first.
void backend_aware_assign(UnifiedArray& target, std::initializer_list<Index> indices, Operand value,
                          BaseBackend* backend = nullptr);
/// Whether any element is true (bool) or not zero.
bool backend_aware_any(Operand array, BaseBackend* backend = nullptr);
/// Zeros of the shape, dtype and device of `array`, or on `backend`.
UnifiedArray backend_aware_zeros_like(Operand array, BaseBackend* backend = nullptr);

/// The array on another device of its library: "cpu", "cuda", "cuda:1", "mps"; itself where it is
/// there. Throws DeviceError for a device of no such name, NotAvailable for one that its backend
/// cannot use.
UnifiedArray to_device(Operand array, std::string_view device);

/// The backend that all given arrays live on; throws BackendError that names `to_backend` if they
/// differ. Scalars fit any backend; without arrays it is the default backend.
BaseBackend& array_backend(std::initializer_list<Operand> operands);

}  // namespace isofield
