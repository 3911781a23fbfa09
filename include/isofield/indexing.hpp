#pragma once

#include <isofield/array.hpp>
#include <optional>

/// Elements named by arrays of indices, as functions. Indices are integers of any dtype; negative
/// ones count from the end, and one beyond its axis is an IndexError that names it and its place.
/// Indexing itself is part of UnifiedArray: `x(mask)`, `x(indices, all_of)`.
namespace isofield {

/// Take the slices of `x` that `indices`, of any shape, name along `axis`; its shape stands in the
/// axis' place. No axis: `x` has one. Throws IndexError, ShapeError, DTypeError.
UnifiedArray take(Operand x, Operand indices, std::optional<int> axis = {});
/// Take the element of each line along `axis` that `indices` names; both have one rank and
/// broadcast off the axis.
UnifiedArray take_along_axis(Operand x, Operand indices, int axis = -1);

/// What becomes of an element that is written to.
enum class Scatter : std::uint8_t { set, add, multiply, min, max };
/// `x` with `values`, which broadcast to the shape of `take(x, indices, axis)`, put where `indices`
/// name slices along `axis`, one after the other: what is named twice is written to twice. The
/// result has the dtype of `x`.
UnifiedArray scatter(Operand x, Operand indices, Operand values, int axis = 0,
                     Scatter how = Scatter::set);
/// `x` with `values`, which broadcast to the shape of `indices`, put where `indices` name elements
/// of lines along `axis`.
UnifiedArray scatter_along_axis(Operand x, Operand indices, Operand values, int axis = -1,
                                Scatter how = Scatter::set);
/// One axis more, the last one, of length `count`: 1 where `indices` names the place, 0 elsewhere.
/// An index that is not in [0, count) gives zeros only.
UnifiedArray one_hot(Operand indices, std::int64_t count, DType dtype = float64);

}  // namespace isofield
