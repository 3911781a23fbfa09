#pragma once

#include <isofield/array.hpp>
#include <isofield/linalg.hpp>
#include <isofield/ops.hpp>
#include <vector>

#include "core/emit.hpp"
#include "core/transform.hpp"

/// What rules of operations are written with.
namespace isofield::detail {

/// Whether arrays of this dtype have derivatives.
inline bool is_inexact(DType dtype) { return is_floating(dtype) || is_complex(dtype); }
/// An operand as an array, whatever it is.
UnifiedArray array_of(const Operand& operand, DType dtype);
/// Sum what broadcasting to a larger shape has repeated.
UnifiedArray summed_to(const UnifiedArray& x, const Shape& shape);
/// A cotangent in the shape and dtype of what it belongs to; of a complex one its real part, where
/// that is real.
UnifiedArray fitted(UnifiedArray cotangent, const Shape& shape, DType dtype);
/// The complex conjugate, of whatever has one.
Operand conjugated(const Operand& x);
/// Give batched operands of broadcasting operations axes of length 1 behind the first, so that
/// theirs meet those of the operand with most.
void align_batch(std::span<Operand> in, const std::vector<bool>& batched);
/// The operand with a batch axis, repeated where it has none.
UnifiedArray with_batch(const Operand& operand, bool batched, std::int64_t n, DType dtype);
/// The shape with a batch axis before it.
Shape batch_shape(std::int64_t n, const Shape& shape);

}  // namespace isofield::detail
