#pragma once

#include <Kokkos_Core.hpp>
#include <isofield/compat.hpp>
#include <isofield/interop/strided.hpp>

/// Kokkos views beside our arrays, without copies. Opt-in: nothing else includes Kokkos. An
/// application that initialises Kokkos itself does so before the first use of the kokkos backend.
namespace isofield {

/// A host array as Kokkos sees it: read only, with any strides.
template <class DataType>
using KokkosMap =
    Kokkos::View<typename Kokkos::View<DataType>::const_data_type, Kokkos::LayoutStride,
                 Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

/// Look at an array without a copy: `kokkos_view<double**>(u)`. Valid while `array` lives and is
/// not written to; a temporary is refused. Throws ShapeError, DTypeError, DeviceError.
template <class DataType>
KokkosMap<DataType> kokkos_view(const UnifiedArray& array) {
  using T = typename Kokkos::View<DataType>::non_const_value_type;
  constexpr int rank = static_cast<int>(Kokkos::View<DataType>::rank);
  static_assert(rank == static_cast<int>(Kokkos::View<DataType>::rank_dynamic),
                "kokkos_view: write the extents as *, e.g. kokkos_view<double**>");
  const View view = interop::host_view(array, dtype_of<T>, "kokkos_view");
  if (view.layout.rank() != rank)
    throw ShapeError("kokkos_view: shape " + to_string(view.layout.shape) + " has rank " +
                     std::to_string(view.layout.rank()) + ", the view has rank " +
                     std::to_string(rank));
  Kokkos::LayoutStride layout;
  for (int k = 0; k < rank; ++k) {
    layout.dimension[k] = static_cast<std::size_t>(view.layout.shape[k]);
    layout.stride[k] = static_cast<std::size_t>(view.layout.strides[k]);
  }
  return KokkosMap<DataType>(view.data<T>(), layout);
}
template <class DataType>
KokkosMap<DataType> kokkos_view(UnifiedArray&&) = delete;

namespace interop {

/// Where the elements of a view lie.
template <class D, class... P>
Layout layout_of(const Kokkos::View<D, P...>& view) {
  constexpr int rank = static_cast<int>(Kokkos::View<D, P...>::rank);
  Layout layout(Shape(rank, 1));
  for (int k = 0; k < rank; ++k) {
    const auto axis = static_cast<std::size_t>(k);
    layout.shape[k] = static_cast<std::int64_t>(view.extent(axis));
    layout.strides[k] = static_cast<std::int64_t>(view.stride(axis));
  }
  return layout;
}

/// A view's elements as an array for the time of a call.
template <class D, class... P>
UnifiedArray borrow(const Kokkos::View<D, P...>& view) {
  return borrow<typename Kokkos::View<D, P...>::non_const_value_type>(view.data(), layout_of(view));
}

}  // namespace interop

/// Use the elements of a host view without a copy; the view is kept, so the array must go before
/// Kokkos::finalize, and its elements must not be written to while arrays use them.
template <class D, class... P>
UnifiedArray from_kokkos(const Kokkos::View<D, P...>& view,
                         BaseBackend& backend = get_backend("kokkos")) {
  using V = Kokkos::View<D, P...>;
  using T = typename V::non_const_value_type;
  static_assert(Kokkos::SpaceAccessibility<Kokkos::HostSpace, typename V::memory_space>::accessible,
                "from_kokkos: copy the view to the host first, with create_mirror_view_and_copy");
  const Layout layout = interop::layout_of(view);
  return from_memory(const_cast<T*>(view.data()), dtype_of<T>, layout,
                     interop::span_bytes(layout, dtype_of<T>), std::make_shared<V>(view), backend);
}

// Tier 2 for views: their data stays Kokkos' own, whatever backend is in force.

/// A view of the same extents with memory of its own.
template <class D, class... P>
auto backend_aware_copy(const Kokkos::View<D, P...>& view, BaseBackend* = nullptr) {
  using V = Kokkos::View<D, P...>;
  Kokkos::View<typename V::non_const_data_type, typename V::array_layout, typename V::memory_space>
      copy(view.label(), view.layout());
  Kokkos::deep_copy(copy, view);
  return copy;
}

/// Zeros of the same extents.
template <class D, class... P>
auto backend_aware_zeros_like(const Kokkos::View<D, P...>& view, BaseBackend* = nullptr) {
  using V = Kokkos::View<D, P...>;
  return Kokkos::View<typename V::non_const_data_type, typename V::array_layout,
                      typename V::memory_space>(view.label(), view.layout());
}

/// Whether any element is not zero.
template <class D, class... P>
bool backend_aware_any(const Kokkos::View<D, P...>& view, BaseBackend* = nullptr) {
  return backend_aware_any(Operand(interop::borrow(view)));
}

/// Whether any element is NaN or infinite.
template <class D, class... P>
bool has_nan_or_inf(const Kokkos::View<D, P...>& view) {
  return has_nan_or_inf(Operand(interop::borrow(view)));
}

/// Write an array or a scalar, broadcast, into `target[indices]`.
template <class D, class... P>
void backend_aware_assign(const Kokkos::View<D, P...>& target, std::initializer_list<Index> indices,
                          Operand value, BaseBackend* = nullptr) {
  interop::assign(target.data(), interop::layout_of(target), indices, value);
}

/// Write another view, broadcast, into `target[indices]`.
template <class D, class... P, class E, class... Q>
void backend_aware_assign(const Kokkos::View<D, P...>& target, std::initializer_list<Index> indices,
                          const Kokkos::View<E, Q...>& value, BaseBackend* = nullptr) {
  const UnifiedArray array = interop::borrow(value);
  backend_aware_assign(target, indices, array);
}

}  // namespace isofield
