#pragma once

#include <Eigen/Core>
#include <isofield/compat.hpp>
#include <isofield/interop/strided.hpp>

/// Eigen's matrices and arrays beside ours, without copies. Opt-in: nothing else includes Eigen.
namespace isofield {

/// A host array as Eigen sees it: read only, with any strides.
template <class T>
using EigenMap = Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>,
                            Eigen::Unaligned, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>;

/// Look at an array of rank 2, or of rank 1 as a column, without a copy. Valid while `array` lives
/// and is not written to; a temporary is refused. Throws ShapeError, DTypeError, DeviceError.
template <class T>
EigenMap<T> eigen_map(const UnifiedArray& array) {
  const View view = interop::host_view(array, dtype_of<T>, "eigen_map");
  const Layout& l = view.layout;
  if (l.rank() < 1 || l.rank() > 2)
    throw ShapeError("eigen_map: shape " + to_string(l.shape) +
                     " is neither a vector nor a matrix");
  const bool matrix = l.rank() == 2;
  return EigenMap<T>(view.data<T>(), l.shape[0], matrix ? l.shape[1] : 1,
                     Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(
                         matrix ? l.strides[1] : l.shape[0] * l.strides[0], l.strides[0]));
}
template <class T>
EigenMap<T> eigen_map(UnifiedArray&&) = delete;

/// Copy an array of rank 1 or 2 into an Eigen matrix or array of one's own.
template <class Plain = Eigen::MatrixXd>
Plain to_eigen(const UnifiedArray& array) {
  return Plain(eigen_map<typename Plain::Scalar>(array).template cast<typename Plain::Scalar>());
}

namespace interop {

/// Where the elements of an Eigen object lie; vectors have rank 1.
template <class Derived>
Layout layout_of(const Eigen::DenseBase<Derived>& x) {
  const Derived& d = x.derived();
  if constexpr (Derived::IsVectorAtCompileTime) {
    return Layout(Shape{d.size()}, Strides{d.innerStride()}, 0);
  } else {
    const auto inner = d.innerStride(), outer = d.outerStride();
    return Layout(Shape{d.rows(), d.cols()},
                  Derived::IsRowMajor ? Strides{outer, inner} : Strides{inner, outer}, 0);
  }
}

}  // namespace interop

/// Use the elements of an Eigen matrix, array, map or block without a copy; `data` shares ownership
/// and must not be written to while arrays use it. A vector has rank 1.
template <class Dense>
UnifiedArray from_eigen(std::shared_ptr<Dense> data,
                        BaseBackend& backend = interop::host_backend()) {
  using T = typename Dense::Scalar;
  const Layout layout = interop::layout_of(*data);
  T* first = const_cast<T*>(data->data());
  return from_memory(first, dtype_of<T>, layout, interop::span_bytes(layout, dtype_of<T>),
                     std::move(data), backend);
}

/// Take over an Eigen matrix or array, without a copy of its elements.
template <class Derived>
UnifiedArray from_eigen(Eigen::PlainObjectBase<Derived>&& matrix,
                        BaseBackend& backend = interop::host_backend()) {
  return from_eigen(std::make_shared<Derived>(std::move(matrix.derived())), backend);
}

/// Copy any Eigen expression into an array.
template <class Derived>
UnifiedArray from_eigen(const Eigen::DenseBase<Derived>& expression,
                        BaseBackend& backend = interop::host_backend()) {
  return from_eigen(std::make_shared<typename Derived::PlainObject>(expression.derived()), backend);
}

// Tier 2 for Eigen: its data stays its own, whatever backend is in force.

/// A matrix or array with memory of its own.
template <class Derived>
typename Derived::PlainObject backend_aware_copy(const Eigen::DenseBase<Derived>& x,
                                                 BaseBackend* = nullptr) {
  return x.derived();
}

/// Zeros of the same size.
template <class Derived>
typename Derived::PlainObject backend_aware_zeros_like(const Eigen::DenseBase<Derived>& x,
                                                       BaseBackend* = nullptr) {
  return Derived::PlainObject::Zero(x.rows(), x.cols());
}

/// Whether any element is not zero.
template <class Derived>
bool backend_aware_any(const Eigen::DenseBase<Derived>& x, BaseBackend* = nullptr) {
  return x.derived().unaryExpr([](auto v) { return v != decltype(v)(0); }).any();
}

/// Whether any element is NaN or infinite.
template <class Derived>
bool has_nan_or_inf(const Eigen::DenseBase<Derived>& x) {
  return !x.derived().allFinite();
}

/// Write an array or a scalar, broadcast, into `target[indices]`.
template <class Derived>
void backend_aware_assign(Eigen::DenseBase<Derived>& target, std::initializer_list<Index> indices,
                          Operand value, BaseBackend* = nullptr) {
  interop::assign(target.derived().data(), interop::layout_of(target), indices, value);
}

/// Write another Eigen object, broadcast, into `target[indices]`.
template <class Derived, class Value>
void backend_aware_assign(Eigen::DenseBase<Derived>& target, std::initializer_list<Index> indices,
                          const Eigen::DenseBase<Value>& value, BaseBackend* = nullptr) {
  const typename Value::PlainObject plain = value.derived();
  const UnifiedArray array = interop::borrow(plain.data(), interop::layout_of(plain));
  backend_aware_assign(target, indices, array);
}

}  // namespace isofield
