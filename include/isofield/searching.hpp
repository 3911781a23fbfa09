#pragma once

#include <isofield/array.hpp>
#include <optional>
#include <vector>

/// Where elements are. Places are int64.
namespace isofield {

/// The first place of the largest, or smallest, element along an axis, or in C order; NaN is found
/// before all. Throws ShapeError for an empty axis, DTypeError for complex numbers.
UnifiedArray argmax(Operand x, std::optional<int> axis = {}, bool keepdims = false);
UnifiedArray argmin(Operand x, std::optional<int> axis = {}, bool keepdims = false);
/// How many elements are not zero, of all or along axes.
UnifiedArray count_nonzero(Operand x);
UnifiedArray count_nonzero(Operand x, const std::vector<int>& axes, bool keepdims = false);
/// The places of elements that are not zero, in C order: an array for each axis.
std::vector<UnifiedArray> nonzero(Operand x);

/// The end of equal elements that a place is at.
enum class Side : std::uint8_t { left, right };
/// The places at which elements of `x2` go into `x1`, of one axis and in ascending order, taken in
/// the order of `sorter` if there is one. NaN comes last.
UnifiedArray searchsorted(Operand x1, Operand x2, Side side = Side::left,
                          const std::optional<UnifiedArray>& sorter = {});

}  // namespace isofield
