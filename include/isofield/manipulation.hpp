#pragma once

#include <isofield/array.hpp>
#include <optional>
#include <utility>
#include <vector>

/// Functions that rearrange whole arrays, beside those of ops.hpp. What the layout can say is not
/// copied.
namespace isofield {

/// The shape all shapes broadcast to; throws ShapeError.
Shape broadcast_shapes(const std::vector<Shape>& shapes);
/// Arrays broadcast to each other's shape.
std::vector<UnifiedArray> broadcast_arrays(
    const std::vector<UnifiedArray>& arrays,
    std::source_location where = std::source_location::current());
/// Axes of length 1 where `axes` says that the result has them.
UnifiedArray expand_dims(Operand x, const std::vector<int>& axes);
/// Without axes of length 1.
UnifiedArray squeeze(Operand x, const std::vector<int>& axes);
/// Axes run backwards: all of them, or some.
UnifiedArray flip(Operand x);
UnifiedArray flip(Operand x, const std::vector<int>& axes);
/// Axes moved to other positions; the others keep their order.
UnifiedArray moveaxis(Operand x, const std::vector<int>& source,
                      const std::vector<int>& destination);
inline UnifiedArray moveaxis(Operand x, int source, int destination) {
  return moveaxis(std::move(x), std::vector<int>{source}, std::vector<int>{destination});
}
/// Elements moved by `shift` places along an axis, or in C order over all axes; what leaves at the
/// end comes in at the beginning.
UnifiedArray roll(Operand x, std::int64_t shift, std::optional<int> axis = {});
/// The same along several axes, each by its own shift.
UnifiedArray roll(Operand x, const std::vector<std::int64_t>& shift, const std::vector<int>& axis);
/// Each element `repeats` times along an axis, or in C order.
UnifiedArray repeat(Operand x, std::int64_t repeats, std::optional<int> axis = {});
/// Element i repeats[i] times.
UnifiedArray repeat(Operand x, const UnifiedArray& repeats, std::optional<int> axis = {});
/// The whole array again and again along each axis.
UnifiedArray tile(Operand x, const std::vector<std::int64_t>& repetitions);
/// The slices along an axis.
std::vector<UnifiedArray> unstack(Operand x, int axis = 0);

/// What `pad` puts around an array.
enum class Pad : std::uint8_t {
  constant,   ///< a number
  edge,       ///< the outermost element
  reflect,    ///< mirrored at the outermost element: c b | a b c | b a
  symmetric,  ///< mirrored beyond it: b a | a b c | c b
  wrap,       ///< the opposite end
};
/// `x` with elements before and behind, for each axis; one pair is for all of them.
UnifiedArray pad(Operand x, const std::vector<std::pair<std::int64_t, std::int64_t>>& width,
                 Pad mode = Pad::constant, Scalar value = 0);

/// Coordinate arrays of a grid of one-dimensional ones. `xy`: the first two axes change places.
enum class Indexing : std::uint8_t { xy, ij };
std::vector<UnifiedArray> meshgrid(const std::vector<UnifiedArray>& arrays,
                                   Indexing indexing = Indexing::xy,
                                   std::source_location where = std::source_location::current());
/// Matrices with zeros above diagonal `k`, or below it.
UnifiedArray tril(Operand x, std::int64_t k = 0);
UnifiedArray triu(Operand x, std::int64_t k = 0);

}  // namespace isofield
