#pragma once

#include <cstdint>
#include <isofield/array.hpp>
#include <limits>
#include <optional>
#include <vector>

#include "core/choice.hpp"
#include "core/emit.hpp"
#include "core/node.hpp"
#include "core/step.hpp"

/// What operations that move, order or select elements share.
namespace isofield::detail {

/// A sum or product of lengths; where 64 bits do not hold it the largest number, which no memory
/// holds.
constexpr std::int64_t length_sum(std::int64_t a, std::int64_t b) noexcept {
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::int64_t>::max() : sum;
}
constexpr std::int64_t length_product(std::int64_t a, std::int64_t b) noexcept {
  std::int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<std::int64_t>::max()
                                                : product;
}

/// An operand as a leaf, and what messages say of it.
struct Arranged {
  Arranged(std::string_view operation, const Operand& x);
  int rank() const noexcept { return node->shape.size(); }
  const Shape& shape() const noexcept { return node->shape; }
  DType dtype() const noexcept { return node->dtype; }
  std::string context() const { return detail::context(place); }
  int axis(std::int64_t axis) const;
  /// The axis, or that of the elements in C order where none is given; then it becomes such a line.
  int axis_or_flat(std::optional<int> axis);
  /// Throws DTypeError for complex numbers, which have no order.
  void check_ordered() const;
  /// Throws ShapeError where 64 bits do not hold the bytes of a result of this shape.
  void check_size(const Shape& shape) const;
  /// A step on this operand.
  Step step(Arrangement::Kind kind) const;

  std::string_view operation;
  BaseBackend& backend;
  Place place;
  NodePtr node;
};

/// A view or layout with one axis moved to the end.
Layout axis_last(const Layout& layout, int axis);
View axis_last(View view, int axis);
/// The operand as a node of integers that are indices; throws DTypeError, BackendError.
NodePtr checked_indices(std::string_view operation, const Operand& x, const Operand& indices);
/// The place of a new axis in a result of `rank`; throws IndexError.
int new_axis(std::int64_t axis, int rank, std::string_view operation);
/// 0, 1, ..., n - 1 as int64.
UnifiedArray iota(std::int64_t n, BaseBackend& backend);
UnifiedArray int64s(const std::vector<std::int64_t>& values, BaseBackend& backend);
/// Zero of a dtype.
Scalar zero_of(DType dtype);
/// Numbers with fractions: integers become float64. Throws DTypeError for bool.
UnifiedArray inexact(std::string_view operation, const Operand& x);
/// `x` flat, in C order.
UnifiedArray flat(const UnifiedArray& x);
/// Elements in order along an axis, and the places they come from.
struct Sorted {
  UnifiedArray values, places;
};
Sorted sorted(std::string_view operation, Operand x, int axis, bool descending, bool values,
              bool places);

}  // namespace isofield::detail
