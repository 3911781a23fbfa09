#pragma once

#include <isofield/array.hpp>

namespace isofield::linalg {

/// Multiply matrices, or stacks of them: (..., n, k) times (..., k, m) gives (..., n, m). Leading
/// axes broadcast; a rank 1 operand is a row (left) or a column (right). Throws ShapeError.
UnifiedArray matmul(Operand a, Operand b);

/// Solve tridiagonal systems along `axis`, batched over all other axes:
/// lower[i] x[i-1] + diag[i] x[i] + upper[i] x[i+1] = rhs[i]. lower[0] and upper[n-1] are not read,
/// unless `periodic`, when they couple the two ends. All four have one shape (they broadcast) and
/// dtype float32 or float64.
///
/// There is no pivoting. Elimination is stable for systems that are diagonally dominant by rows or
/// by columns, symmetric positive definite, or M-matrices (Higham, Accuracy and Stability,
/// section 9.5). For M-matrices (lower, upper <= 0 < diag) a right side without negative elements
/// gives a solution without any, exactly. Throws SolverError with the line and the row where a
/// pivot is zero or not finite although the matrix is finite, from the call or from the replay
/// under `jit`; devices that work asynchronously give NaN there instead. What is NaN on entry is
/// NaN in its line's solution and is no error.
UnifiedArray tridiagonal_solve(Operand lower, Operand diag, Operand upper, Operand rhs, int axis,
                               bool periodic = false);

/// Sum of products of all elements of two arrays of one shape, rank 0.
UnifiedArray vecdot(Operand a, Operand b);

}  // namespace isofield::linalg
