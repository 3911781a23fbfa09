#pragma once

#include <optional>

#include "ops/matrices.hpp"
#include "transforms/rules.hpp"

/// What rules of operations on matrices share. The last two axes of an array are a matrix.
namespace isofield::detail {

/// Hand a factorization over to the transforms that wrap its operands.
Arrays transformed_factorization(std::string_view operation, const Factorization& factorization,
                                 std::span<const NodePtr> in, std::span<const Result> results,
                                 const Place& place, bool tolerant);
/// The same for pseudo-inverses, and for solutions of least squares, stacks of matrices.
UnifiedArray transformed_pinv(const UnifiedArray& x, const std::optional<Operand>& rtol,
                              const std::source_location& where);
UnifiedArray transformed_lstsq(const UnifiedArray& a, const UnifiedArray& b,
                               const std::optional<Operand>& rtol,
                               const std::source_location& where);

UnifiedArray adjoint(const UnifiedArray& x);
/// A stack of vectors as columns, or as rows.
UnifiedArray column(const UnifiedArray& x);
UnifiedArray row(const UnifiedArray& x);
UnifiedArray real_part(const UnifiedArray& x);
/// (x + x^H) / 2.
UnifiedArray hermitian(const UnifiedArray& x);
/// 1 / x, and 0 where x is 0.
UnifiedArray inverted_or_zero(const UnifiedArray& x);
/// 1 / (x_j - x_i) in row i and column j, and 0 where both are equal.
UnifiedArray differences_inverted(const UnifiedArray& x);

/// The derivatives of a decomposition x -> y: from cotangents `ct` of y to that of x, and from a
/// change of x to changes of y.
struct Decomposed {
  const UnifiedArray& x;
  const Arrays& y;
};
UnifiedArray pull_qr(const Decomposed& d, const Arrays& ct);
Arrays push_qr(const Decomposed& d, const UnifiedArray& dx);
UnifiedArray pull_svd(const Decomposed& d, const Arrays& ct);
Arrays push_svd(const Decomposed& d, const UnifiedArray& dx);
UnifiedArray pull_eigh(const Decomposed& d, const Arrays& ct);
Arrays push_eigh(const Decomposed& d, const UnifiedArray& dx);
UnifiedArray pull_eig(const Decomposed& d, const Arrays& ct);
Arrays push_eig(const Decomposed& d, const UnifiedArray& dx);

}  // namespace isofield::detail
