#pragma once

#include <isofield/array.hpp>
#include <span>

namespace isofield::detail {

/// The derivative of a pointwise operation by one operand: a number that needs no multiplication,
/// or an array or scalar to multiply by.
struct Partial {
  enum class Kind { zero, one, minus_one, factor } kind = Kind::zero;
  Operand factor = Operand(Scalar(0.0));
};

/// The derivative of `op` by operand k, as a row of ops.def says it, at these operands.
Partial partial(Op op, std::size_t k, std::span<const Operand> in, const UnifiedArray& out);
/// The same where the row has a literal for each operand.
Partial literal_partial(Op op, std::size_t k);
/// Whether a row's derivative by operand k is 0.
bool is_constant(Op op, std::size_t k) noexcept;
/// Whether some derivative of the row is an expression.
bool has_factors(Op op) noexcept;

}  // namespace isofield::detail
