#pragma once

#include <initializer_list>
#include <isofield/backend.hpp>
#include <source_location>
#include <span>
#include <utility>
#include <vector>

namespace isofield {

namespace detail {
class Choice;
[[noreturn]] void throw_moved_from(const std::source_location& where);
}  // namespace detail

class Selection;

/// An argument of an operation: an array or a scalar, with the caller's place for error messages. A
/// temporary array is taken over, so that nothing but the expression it goes into holds it.
class Operand {
 public:
  using Where = std::source_location;
  /// Throws Error for an array that was moved from.
  Operand(const UnifiedArray& array, Where where = Where::current());  // NOLINT: implicit
  Operand(UnifiedArray&& array, Where where = Where::current());       // NOLINT: implicit
  // clang-format off
  template <class T>
    requires(std::is_arithmetic_v<T> || is_complex_type<T>)
  Operand(T value, Where where = Where::current()) noexcept  // NOLINT: implicit by design
      : scalar_(value), where_(where) {}
  // clang-format on
  Operand(Scalar value, Where where = Where::current()) noexcept  // NOLINT: implicit by design
      : scalar_(value), where_(where) {}

  bool is_scalar() const noexcept { return !node_; }
  UnifiedArray array() const;
  Scalar scalar() const noexcept { return scalar_; }
  const Where& where() const noexcept { return where_; }

  const detail::NodePtr& node() const noexcept { return node_; }
  /// Hand the array over; the operand is empty after.
  detail::NodePtr take() noexcept { return std::move(node_); }

 private:
  detail::NodePtr node_;
  Scalar scalar_;
  Where where_;
};

/// Tier 3: an n-dimensional array on any backend, with the semantics of a value. Copying is O(1);
/// a write to shared memory copies first. Pointwise operations are lazy and run fused when their
/// value is needed: read, reduced, assigned, handed to another kind of operation. An array that was
/// moved from can only be assigned to or destroyed.
class UnifiedArray {
 public:
  /// An array of rank 0 that holds 0.0, on the default backend.
  UnifiedArray();
  explicit UnifiedArray(detail::NodePtr node) noexcept : node_(std::move(node)) {}

  const Shape& shape() const noexcept;
  int ndim() const noexcept { return shape().size(); }
  /// Number of elements.
  std::int64_t size() const;
  DType dtype() const noexcept;
  BaseBackend& backend() const noexcept;
  Device device() const noexcept { return backend().device(); }

  /// Read a part: integers drop an axis, slices keep it, arrays of integers and masks select by
  /// NumPy's rules. On a non-const array the result can be assigned to: `u(n) = step(u(n + 1));`,
  /// `u(u < 0.0) = 0.0;`. An element that is written twice keeps what comes last. Throws
  /// IndexError.
  UnifiedArray operator()(Index i) const { return index({i}); }
  UnifiedArray operator()(Index i, Index j) const { return index({i, j}); }
  UnifiedArray operator()(Index i, Index j, Index k) const { return index({i, j, k}); }
  UnifiedArray operator()(Index i, Index j, Index k, Index l) const { return index({i, j, k, l}); }
  Selection operator()(Index i);
  Selection operator()(Index i, Index j);
  Selection operator()(Index i, Index j, Index k);
  Selection operator()(Index i, Index j, Index k, Index l);
  /// The same with any number of entries.
  UnifiedArray index(std::initializer_list<Index> indices) const {
    return index(std::span<const Index>(indices.begin(), indices.size()));
  }
  UnifiedArray index(std::span<const Index> indices) const;
  /// Write `value`, broadcast and cast within its kind, into a part of this array.
  void assign(std::span<const Index> indices, const Operand& value);

  /// Transpose: reverse all axes.
  UnifiedArray T() const;
  /// The elements in another dtype. Throws DTypeError for complex numbers in a real one: say
  /// `real`, `imag` or `abs`.
  UnifiedArray astype(DType dtype,
                      std::source_location where = std::source_location::current()) const;
  /// An array with memory of its own.
  UnifiedArray copy() const;
  /// Compute a pending value now; returns this array.
  const UnifiedArray& eval() const;
  /// Whether the value is still an unevaluated expression.
  bool pending() const noexcept;

  /// The only element as a C++ number; throws ShapeError if there are more or none.
  template <class T>
  T item(std::source_location where = std::source_location::current()) const {
    return item_scalar(where).template to<T>();
  }
  Scalar item_scalar(std::source_location where = std::source_location::current()) const;
  /// All elements in C order, cast to `T`.
  template <class T>
  std::vector<T> to_vector(std::source_location where = std::source_location::current()) const;
  /// Copy all elements in C order to host memory of dtype `dtype`; `bytes` must fit exactly.
  void copy_to(void* destination, std::size_t bytes, DType dtype,
               std::source_location where = std::source_location::current()) const;
  /// Bring this array to another backend; on one device memory is shared where layout allows.
  UnifiedArray to_backend(BaseBackend& backend,
                          std::source_location where = std::source_location::current()) const;
  UnifiedArray to_backend(std::string_view spelling,
                          std::source_location where = std::source_location::current()) const;

  /// The evaluated elements as a backend sees them. Valid while this array lives and is not
  /// written to. The memory must not be written through it.
  View view(std::source_location where = std::source_location::current()) const;
  /// The storage that holds the evaluated elements.
  StoragePtr storage(std::source_location where = std::source_location::current()) const;

  /// Combine with `other`; this array keeps its shape and its dtype. Throws ShapeError, DTypeError.
  UnifiedArray& operator+=(Operand other) { return update(Op::add, std::move(other)); }
  UnifiedArray& operator-=(Operand other) { return update(Op::subtract, std::move(other)); }
  UnifiedArray& operator*=(Operand other) { return update(Op::multiply, std::move(other)); }
  UnifiedArray& operator/=(Operand other) { return update(Op::divide, std::move(other)); }

  friend UnifiedArray operator-(Operand x);
  friend UnifiedArray operator+(Operand a, Operand b);
  friend UnifiedArray operator-(Operand a, Operand b);
  friend UnifiedArray operator*(Operand a, Operand b);
  friend UnifiedArray operator/(Operand a, Operand b);
  friend UnifiedArray operator==(Operand a, Operand b);
  friend UnifiedArray operator!=(Operand a, Operand b);
  friend UnifiedArray operator<(Operand a, Operand b);
  friend UnifiedArray operator<=(Operand a, Operand b);
  friend UnifiedArray operator>(Operand a, Operand b);
  friend UnifiedArray operator>=(Operand a, Operand b);
  friend UnifiedArray operator&&(Operand a, Operand b);
  friend UnifiedArray operator||(Operand a, Operand b);
  friend UnifiedArray operator!(Operand x);
  friend UnifiedArray operator%(Operand a, Operand b);   ///< `remainder`
  friend UnifiedArray operator&(Operand a, Operand b);   ///< `bitwise_and`, of bool, too
  friend UnifiedArray operator|(Operand a, Operand b);   ///< `bitwise_or`
  friend UnifiedArray operator^(Operand a, Operand b);   ///< `bitwise_xor`
  friend UnifiedArray operator~(Operand x);              ///< `bitwise_invert`
  friend UnifiedArray operator<<(Operand a, Operand b);  ///< `bitwise_left_shift`
  friend UnifiedArray operator>>(Operand a, Operand b);  ///< `bitwise_right_shift`

  const detail::NodePtr& node() const noexcept { return node_; }

 private:
  friend class Operand;
  friend class Selection;
  UnifiedArray& update(Op op, Operand&& other);
  void assign_chosen(std::span<const Index> indices, const Operand& value);
  void assign_where(const detail::Choice& choice, const Operand& value, const UnifiedArray& part);
  bool update_masked(Op op, std::span<const Index> indices, const Operand& value);
  bool may_write_in_place(const Layout& target);
  detail::NodePtr node_;
};

inline Operand::Operand(const UnifiedArray& array, Where where)
    : node_(array.node()), where_(where) {
  if (!node_) detail::throw_moved_from(where_);
}
inline Operand::Operand(UnifiedArray&& array, Where where)
    : node_(std::move(array.node_)), where_(where) {
  if (!node_) detail::throw_moved_from(where_);
}
inline Index::Index(const UnifiedArray& array, Where where)
    : value_(newaxis), array_(array.node()), where_(where) {
  if (!array_) detail::throw_moved_from(where_);
}
inline UnifiedArray Operand::array() const { return UnifiedArray(node_); }

/// A part of an array that can be read as a value or, while it is a temporary, assigned to. It
/// cannot be copied: give what is to be kept a name of type UnifiedArray.
class Selection : public UnifiedArray {
 public:
  Selection(UnifiedArray& base, std::vector<Index> indices);
  ~Selection();
  Selection(const Selection&) = delete;
  void operator=(Operand value) && { write(value); }
  void operator=(const Selection& value) && { write({value, place()}); }
  void operator+=(Operand value) && { update(Op::add, std::move(value)); }
  void operator-=(Operand value) && { update(Op::subtract, std::move(value)); }
  void operator*=(Operand value) && { update(Op::multiply, std::move(value)); }
  void operator/=(Operand value) && { update(Op::divide, std::move(value)); }

 private:
  friend class UnifiedArray;
  void write(const Operand& value);
  void update(Op op, Operand&& value);
  // operator= takes no default argument: the first index knows the caller's place.
  std::source_location place() const {
    return indices_.empty() ? std::source_location{} : indices_[0].where();
  }

  UnifiedArray* base_;
  std::vector<Index> indices_;
  // This thread's selections that live, latest first.
  Selection *older_, *newer_ = nullptr;
};

inline Selection UnifiedArray::operator()(Index i) { return Selection(*this, {i}); }
inline Selection UnifiedArray::operator()(Index i, Index j) { return Selection(*this, {i, j}); }
inline Selection UnifiedArray::operator()(Index i, Index j, Index k) {
  return Selection(*this, {i, j, k});
}
inline Selection UnifiedArray::operator()(Index i, Index j, Index k, Index l) {
  return Selection(*this, {i, j, k, l});
}

/// Run pointwise operations at once instead of lazily, on this thread, for the scope's lifetime.
class ScopedEager {
 public:
  explicit ScopedEager(bool eager = true) noexcept;
  ~ScopedEager();
  ScopedEager(const ScopedEager&) = delete;
  ScopedEager& operator=(const ScopedEager&) = delete;

 private:
  bool previous_;
};

template <class T>
std::vector<T> UnifiedArray::to_vector(std::source_location where) const {
  const auto count = static_cast<std::size_t>(size());
  if constexpr (std::is_same_v<T, bool>) {  // std::vector<bool> has no memory to copy to
    const auto elements = std::make_unique<bool[]>(count);
    copy_to(elements.get(), count, DType::bool_, where);
    return std::vector<bool>(elements.get(), elements.get() + count);
  } else {
    std::vector<T> result(count);
    copy_to(result.data(), count * sizeof(T), dtype_of<T>, where);
    return result;
  }
}

}  // namespace isofield
