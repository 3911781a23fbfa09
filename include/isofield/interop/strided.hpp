#pragma once

#include <isofield/ops.hpp>
#include <isofield/registry.hpp>
#include <memory>
#include <string>

/// What the interop headers share. Nothing here needs another library.
namespace isofield::interop {

/// The evaluated elements of an array as another library is to see them; throws DeviceError off the
/// host, DTypeError for another dtype, ShapeError for an axis that runs backwards.
inline View host_view(const UnifiedArray& array, DType dtype, std::string_view caller) {
  const std::string prefix = std::string(caller) + ": ";
  if (!array.device().is_host())
    throw DeviceError(prefix + "the array is on " + array.backend().spelling() +
                      "; bring it to the host first with to_backend");
  if (array.dtype() != dtype)
    throw DTypeError(prefix + "the array is " + std::string(name(array.dtype())) + ", not " +
                     std::string(name(dtype)) + "; cast it first with astype");
  const View view = array.view();
  for (int k = 0; k < view.layout.rank(); ++k)
    if (view.layout.strides[k] < 0 && view.layout.shape[k] > 1)
      throw ShapeError(prefix + "axis " + std::to_string(k) + " of shape " +
                       to_string(view.layout.shape) + " runs backwards; copy() the array first");
  return view;
}

/// The backend that host memory of other libraries goes to unless one is named.
inline BaseBackend& host_backend() {
  BaseBackend& chosen = default_backend();
  return chosen.device().is_host() ? chosen : get_backend("eigen");
}

/// Bytes from the first element of a layout without offset to the end of its last one; throws
/// ShapeError for an axis that runs backwards.
inline std::size_t span_bytes(const Layout& layout, DType dtype) {
  if (element_count(layout.shape) == 0) return 0;
  const auto [first, last] = layout.reach();
  if (first < 0)
    throw ShapeError("shape " + to_string(layout.shape) + " with strides " +
                     to_string(layout.strides) + " runs backwards; copy it first");
  return static_cast<std::size_t>(last + 1) * itemsize(dtype);
}

/// Use strided host memory as an array, without a copy, for the time of a call.
template <class T>
UnifiedArray borrow(const T* data, const Layout& layout) {
  return from_memory(const_cast<T*>(data), dtype_of<T>, layout, span_bytes(layout, dtype_of<T>),
                     nullptr, get_backend("eigen"));
}

/// Write `value`, broadcast and cast within its kind, into the part of strided host memory that
/// `indices` select; throws IndexError or ShapeError.
template <class T>
void assign(T* data, const Layout& whole, std::initializer_list<Index> indices,
            const Operand& value) {
  const Layout part = whole.index(std::span<const Index>(indices.begin(), indices.size()));
  const auto count = static_cast<std::size_t>(element_count(part.shape));
  // The array's own assignment knows what may be cast and how shapes broadcast.
  UnifiedArray packed = empty(part.shape, dtype_of<T>, &get_backend("eigen"));
  const Index everything = ellipsis;
  if (value.is_scalar())
    packed.assign({&everything, 1}, value);
  else
    packed.assign({&everything, 1}, value.array().to_backend("eigen"));
  const auto values = std::make_unique<T[]>(count);
  packed.copy_to(values.get(), count * sizeof(T), dtype_of<T>);
  const int rank = part.rank();
  Dims at(rank, 0);
  for (std::size_t i = 0; i < count; ++i) {
    std::int64_t offset = part.offset;
    for (int k = 0; k < rank; ++k) offset += at[k] * part.strides[k];
    data[offset] = values[i];
    for (int k = rank - 1; k >= 0 && ++at[k] == part.shape[k]; --k) at[k] = 0;
  }
}

}  // namespace isofield::interop
