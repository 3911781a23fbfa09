#pragma once

#include <functional>
#include <isofield/indexing.hpp>

#include "core/transform.hpp"

/// Operations on places, handed over to transforms where their operands are wrapped.
namespace isofield::detail {

UnifiedArray transformed_take(Operand x, Operand indices, int axis);
UnifiedArray transformed_take_along(Operand x, Operand indices, int axis);
/// Operands: an array, places, values.
UnifiedArray transformed_scatter(std::span<Operand> in, int axis, bool along, Scatter how);
/// An operation without derivatives, for one and, where there is one, for a batch along first axes.
using PlacesFunction = std::function<UnifiedArray(std::span<Operand>)>;
UnifiedArray transformed_places(std::string_view name, std::span<Operand> in, PlacesFunction one,
                                PlacesFunction all);
/// What an index expression with arrays selects of a wrapped array, and an array with that
/// replaced.
UnifiedArray chosen_part(const UnifiedArray& x, std::span<const Index> indices);
UnifiedArray chosen_assigned(const UnifiedArray& x, std::span<const Index> indices,
                             const Operand& value);
/// cumulative_sum and its like.
UnifiedArray transformed_running(Reduce op, Operand x, int axis, DType dtype, bool include_initial);

}  // namespace isofield::detail
