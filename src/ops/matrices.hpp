#pragma once

#include <isofield/array.hpp>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/emit.hpp"
#include "core/node.hpp"

/// What functions of matrices share.
namespace isofield::detail {

/// The stack's axes: all but the last two.
Shape leading(const Shape& shape);
Shape with_matrix(Shape stack, std::int64_t n, std::int64_t m);
/// The node broadcast and laid out in C order, as kernels of whole arrays want it.
NodePtr packed(const NodePtr& node, const Shape& shape);

/// An array with conjugate elements: itself where they are real.
UnifiedArray conj_if_complex(Operand x);

/// The dtype that operands promote to; throws DTypeError unless it is real or complex floating.
DType inexact_type(std::string_view operation, std::span<const Operand> operands);
/// The same for any dtype but bool.
DType numeric_type(std::string_view operation, std::span<const Operand> operands);

/// A stack of matrices that somebody gave.
struct Matrices {
  NodePtr node;
  Place place;
  Shape stack;
  std::int64_t m, n;
};
/// Check that an operand has a real or complex floating-point dtype and two axes at least, of one
/// length if `square`. Throws DTypeError, ShapeError.
Matrices matrices(std::string_view operation, Operand x, bool square);
/// Throws ShapeError unless the last two axes have one length.
void check_square(std::string_view operation, const Shape& shape, const Place& place);

/// A result of a factorization.
struct Result {
  Shape shape;
  DType dtype;
};
/// Factorize matrices of one stack; results of matrices without elements are those of the identity.
/// `tolerant`: a matrix without a result is no error, its results are NaN. Operands are in C order,
/// or wrapped by a transform.
std::vector<UnifiedArray> factorized(std::string_view operation, const Factorization& factorization,
                                     std::span<const NodePtr> in, std::span<const Result> results,
                                     const Place& place, bool tolerant = false);

/// Write 1 into the diagonals of a leaf in C order, and 0 beside them.
void fill_identity(const NodePtr& matrices);

/// The elements [..., i, i + offset] of a layout.
Layout diagonal_of(const Layout& layout, std::int64_t offset);

}  // namespace isofield::detail
