#pragma once

#include <isofield/array.hpp>

namespace isofield::linalg {

/// Multiply matrices, or stacks of them: (..., n, k) times (..., k, m) gives (..., n, m). Leading
/// axes broadcast; a rank 1 operand is a row (left) or a column (right). Throws ShapeError.
UnifiedArray matmul(Operand a, Operand b);

/// Solve tridiagonal systems along `axis`, batched over all other axes:
/// lower[i] x[i-1] + diag[i] x[i] + upper[i] x[i+1] = rhs[i]. lower[0] and upper[n-1] are ignored,
/// unless `periodic`, when they couple the two ends. All four have one shape (they broadcast) and
/// dtype float32 or float64. There is no pivoting: the systems should be diagonally dominant.
UnifiedArray tridiagonal_solve(Operand lower, Operand diag, Operand upper, Operand rhs, int axis,
                               bool periodic = false);

/// Sum of products of all elements of two arrays of one shape, rank 0.
UnifiedArray vecdot(Operand a, Operand b);

}  // namespace isofield::linalg
