#pragma once

#include <isofield/array.hpp>

/// Elements in order. NaN is above all numbers; complex numbers have no order: DTypeError. Sorting
/// is always stable.
namespace isofield {

/// Elements in ascending, or descending, order along an axis.
UnifiedArray sort(Operand x, int axis = -1, bool descending = false, bool stable = true);
/// The places that elements in that order come from, int64.
UnifiedArray argsort(Operand x, int axis = -1, bool descending = false, bool stable = true);

}  // namespace isofield
