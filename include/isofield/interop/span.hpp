#pragma once

#include <array>
#include <concepts>
#include <isofield/compat.hpp>
#include <isofield/interop/strided.hpp>
#include <span>
#include <utility>
#include <vector>

/// std::span, and std::mdspan or what has its interface (Kokkos' mdspan, CUDA's), beside our
/// arrays, without copies. Opt-in; needs the standard library alone.
namespace isofield {

namespace interop {

/// What std::mdspan offers, with elements that a pointer reaches.
template <class M>
concept MdSpan = requires(const M& m, std::size_t axis) {
  typename M::element_type;
  typename M::extents_type;
  typename M::mapping_type;
  { M::rank() } -> std::convertible_to<std::size_t>;
  { m.extent(axis) } -> std::convertible_to<std::int64_t>;
  { m.stride(axis) } -> std::convertible_to<std::int64_t>;
  { m.data_handle() } -> std::convertible_to<const typename M::element_type*>;
};

template <MdSpan M>
using ElementOf = std::remove_const_t<typename M::element_type>;

inline Layout layout_of(std::size_t length) {
  return Layout(Shape{static_cast<std::int64_t>(length)});
}

/// Where the elements of an mdspan lie.
template <MdSpan M>
Layout layout_of(const M& span) {
  Layout layout(Shape(static_cast<int>(M::rank()), 1));
  if constexpr (M::rank() > 0)
    for (std::size_t axis = 0; axis < M::rank(); ++axis) {
      layout.shape[static_cast<int>(axis)] = static_cast<std::int64_t>(span.extent(axis));
      layout.strides[static_cast<int>(axis)] = static_cast<std::int64_t>(span.stride(axis));
    }
  return layout;
}

/// Elements as an array for the time of a call.
template <class T, std::size_t n>
UnifiedArray borrow(std::span<T, n> values) {
  return borrow<std::remove_const_t<T>>(values.data(), layout_of(values.size()));
}
template <MdSpan M>
UnifiedArray borrow(const M& span) {
  return borrow<ElementOf<M>>(span.data_handle(), layout_of(span));
}

}  // namespace interop

/// Look at the elements of a host array, of any rank, in C order without a copy. Valid while
/// `array` lives and is not written to; a temporary is refused. Throws ShapeError for elements that
/// do not lie one after the other, DTypeError, DeviceError.
template <class T>
std::span<const T> std_span(const UnifiedArray& array) {
  const View view = interop::host_view(array, dtype_of<T>, "std_span");
  if (!view.layout.contiguous())
    throw ShapeError("std_span: shape " + to_string(view.layout.shape) + " with strides " +
                     to_string(view.layout.strides) +
                     " does not lie one element after the other; copy() the array first");
  return {view.data<T>(), static_cast<std::size_t>(array.size())};
}
template <class T>
std::span<const T> std_span(UnifiedArray&&) = delete;

/// Look at a host array as an mdspan of constant elements whose layout is layout_stride:
/// `std_mdspan<std::mdspan<const double, std::dextents<int, 2>, std::layout_stride>>(u)`. Valid
/// while `array` lives and is not written to; a temporary is refused. Throws ShapeError for another
/// rank or other static extents and for elements that are read more than once, DTypeError,
/// DeviceError.
template <interop::MdSpan M>
M std_mdspan(const UnifiedArray& array) {
  static_assert(std::is_const_v<typename M::element_type>,
                "std_mdspan: arrays are looked at, so say mdspan<const T, ...>");
  using T = interop::ElementOf<M>;
  using Place = typename M::index_type;
  constexpr std::size_t rank = M::rank();
  const View view = interop::host_view(array, dtype_of<T>, "std_mdspan");
  const Layout& l = view.layout;
  std::array<Place, rank> extents{}, strides{};
  bool fits = l.rank() == static_cast<int>(rank);
  for (std::size_t k = 0; fits && k < rank; ++k) {
    const std::int64_t length = l.shape[static_cast<int>(k)];
    const std::int64_t stride = l.strides[static_cast<int>(k)];
    fits = M::static_extent(k) == static_cast<std::size_t>(-1) ||
           static_cast<std::int64_t>(M::static_extent(k)) == length;
    if (!std::in_range<Place>(length) || !std::in_range<Place>(stride))
      throw ShapeError("std_mdspan: shape " + to_string(l.shape) + " with strides " +
                       to_string(l.strides) + " is beyond the mdspan's index type");
    if (stride == 0 && length > 1)
      throw ShapeError("std_mdspan: axis " + std::to_string(k) + " of shape " + to_string(l.shape) +
                       " repeats its elements; copy() the array first");
    extents[k] = static_cast<Place>(length);
    strides[k] = static_cast<Place>(length > 1 ? stride : 1);
  }
  if (!fits)
    throw ShapeError("std_mdspan: shape " + to_string(l.shape) +
                     " is not that of the mdspan, of rank " + std::to_string(rank));
  return M(view.data<T>(), typename M::mapping_type(typename M::extents_type(extents), strides));
}
template <interop::MdSpan M>
M std_mdspan(UnifiedArray&&) = delete;

/// Use elements one after the other as an array of rank 1 without a copy. `owner` keeps them
/// alive; without one they must outlive every array that uses them. They must not be written to
/// meanwhile.
template <class T, std::size_t n>
UnifiedArray from_span(std::span<T, n> values, std::shared_ptr<void> owner,
                       BaseBackend& backend = interop::host_backend()) {
  using Element = std::remove_const_t<T>;
  return from_memory(const_cast<Element*>(values.data()), dtype_of<Element>,
                     interop::layout_of(values.size()), values.size_bytes(), std::move(owner),
                     backend);
}

/// Take over a vector without a copy of its elements; bool's vector has none.
template <class T>
requires(!std::is_same_v<T, bool>) UnifiedArray
    from_vector(std::vector<T>&& values, BaseBackend& backend = interop::host_backend()) {
  auto owner = std::make_shared<std::vector<T>>(std::move(values));
  const std::span<T> elements(*owner);
  return from_span(elements, std::move(owner), backend);
}

/// Use the elements of an mdspan without a copy, under the same terms as a span's. Throws
/// ShapeError for an axis that runs backwards.
template <interop::MdSpan M>
UnifiedArray from_mdspan(const M& span, std::shared_ptr<void> owner,
                         BaseBackend& backend = interop::host_backend()) {
  using T = interop::ElementOf<M>;
  const Layout layout = interop::layout_of(span);
  return from_memory(const_cast<T*>(span.data_handle()), dtype_of<T>, layout,
                     interop::span_bytes(layout, dtype_of<T>), std::move(owner), backend);
}

// Tier 2 for spans: their data stays where it is, whatever backend is in force. A copy of a span is
// a vector; mdspans have no type that owns, so that theirs is an array.

template <class T, std::size_t n>
std::vector<std::remove_const_t<T>> backend_aware_copy(std::span<T, n> values,
                                                       BaseBackend* = nullptr) {
  return {values.begin(), values.end()};
}
template <interop::MdSpan M>
UnifiedArray backend_aware_copy(const M& span, BaseBackend* backend = nullptr) {
  return backend_aware_copy(Operand(interop::borrow(span)),
                            backend ? backend : &interop::host_backend());
}

/// Zeros of the same length, or shape.
template <class T, std::size_t n>
std::vector<std::remove_const_t<T>> backend_aware_zeros_like(std::span<T, n> values,
                                                             BaseBackend* = nullptr) {
  return std::vector<std::remove_const_t<T>>(values.size());
}
template <interop::MdSpan M>
UnifiedArray backend_aware_zeros_like(const M& span, BaseBackend* backend = nullptr) {
  return zeros(interop::layout_of(span).shape, dtype_of<interop::ElementOf<M>>,
               backend ? backend : &interop::host_backend());
}

/// Whether any element is not zero.
template <class T, std::size_t n>
bool backend_aware_any(std::span<T, n> values, BaseBackend* = nullptr) {
  return backend_aware_any(Operand(interop::borrow(values)));
}
template <interop::MdSpan M>
bool backend_aware_any(const M& span, BaseBackend* = nullptr) {
  return backend_aware_any(Operand(interop::borrow(span)));
}

/// Whether any element is NaN or infinite.
template <class T, std::size_t n>
bool has_nan_or_inf(std::span<T, n> values) {
  return has_nan_or_inf(Operand(interop::borrow(values)));
}
template <interop::MdSpan M>
bool has_nan_or_inf(const M& span) {
  return has_nan_or_inf(Operand(interop::borrow(span)));
}

/// Write an array or a scalar, broadcast, into `target[indices]`.
template <class T, std::size_t n>
requires(!std::is_const_v<T>) void backend_aware_assign(std::span<T, n> target,
                                                        std::initializer_list<Index> indices,
                                                        Operand value, BaseBackend* = nullptr) {
  interop::assign(target.data(), interop::layout_of(target.size()), indices, value);
}
template <interop::MdSpan M>
requires(!std::is_const_v<typename M::element_type>) void backend_aware_assign(
    const M& target, std::initializer_list<Index> indices, Operand value, BaseBackend* = nullptr) {
  interop::assign(target.data_handle(), interop::layout_of(target), indices, value);
}

}  // namespace isofield
