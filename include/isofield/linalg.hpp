#pragma once

#include <isofield/array.hpp>
#include <isofield/ops.hpp>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Linear algebra, with the names, parameters and results of the Python Array API standard 2025.12,
/// and some functions beyond it. The last two axes of an array are a matrix, those before them a
/// stack of such; stacks broadcast. Everything runs on every backend and is recorded by `jit`.
///
/// Functions throw ShapeError for fewer axes than they need, for matrices that are not square where
/// they must be and for shapes that do not fit together; DTypeError where a dtype is not a real or
/// complex floating-point one (products take integers, too); and LinAlgError, which names the
/// matrix of the stack, for a matrix that is singular or has no such decomposition, from the call
/// or from the replay under `jit`.
namespace isofield::linalg {

// Products.

/// Multiply matrices, or stacks of them: (..., n, k) times (..., k, m) gives (..., n, m). Leading
/// axes broadcast; a rank 1 operand is a row (left) or a column (right). Integers wrap around.
UnifiedArray matmul(Operand x1, Operand x2);
/// Sum of products of conj(x1) and x2 along an axis, which is gone after; others broadcast.
UnifiedArray vecdot(Operand x1, Operand x2, int axis = -1);
/// Sum products over the last `axes` axes of x1 and the first ones of x2.
UnifiedArray tensordot(Operand x1, Operand x2, int axes = 2);
/// Sum products over axes1[i] of x1 and axes2[i] of x2.
UnifiedArray tensordot(Operand x1, Operand x2, const std::vector<int>& axes1,
                       const std::vector<int>& axes2);
/// Products of all elements of two vectors: (n), (m) give (n, m).
UnifiedArray outer(Operand x1, Operand x2);
/// Products of all elements of two arrays, block by block (Kronecker).
UnifiedArray kron(Operand x1, Operand x2);
/// Cross products of vectors with three elements along an axis.
UnifiedArray cross(Operand x1, Operand x2, int axis = -1);
/// x times itself n times; the inverse's power where n is negative.
UnifiedArray matrix_power(Operand x, std::int64_t n);
/// e^x: sum over k of x^k / k!.
UnifiedArray expm(Operand x);

using isofield::matrix_transpose;
/// The elements x[..., i, i + offset], along a last axis. No copy is made.
UnifiedArray diagonal(Operand x, int offset = 0);
/// Sums of diagonals, in `dtype` or in that of `sum`.
UnifiedArray trace(Operand x, int offset = 0, std::optional<DType> dtype = std::nullopt);
/// The matrix with a vector on its diagonal; of a matrix, its diagonal.
UnifiedArray diag(Operand x, int offset = 0);

// Systems.

/// Solve x1 x = x2 by elimination with partial pivoting. x2 is a vector if it has one axis, else a
/// stack of matrices.
UnifiedArray solve(Operand x1, Operand x2);
/// The same where only one triangle of x1 is read, and with `unit_diagonal` not its diagonal.
UnifiedArray solve_triangular(Operand x1, Operand x2, bool upper = false,
                              bool unit_diagonal = false);
UnifiedArray inv(Operand x);
/// 1 for a matrix without rows.
UnifiedArray det(Operand x);
struct SlogdetResult {
  UnifiedArray sign, logabsdet;
};
/// The determinant as a sign, or a number of absolute value 1, and the logarithm of its absolute
/// value: 0 and -inf where it is 0.
SlogdetResult slogdet(Operand x);

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

// Decompositions.

/// The lower triangular L with x = L L^H, or the upper triangular U with x = U^H U, of Hermitian
/// positive definite matrices, of which that triangle alone is read.
UnifiedArray cholesky(Operand x, bool upper = false);
struct QrResult {
  UnifiedArray Q, R;
};
enum class QrMode { reduced, complete };
/// x = Q R with orthonormal columns in Q (m, p) and an upper triangular R (p, n): p is min(m, n),
/// or m where complete.
QrResult qr(Operand x, QrMode mode = QrMode::reduced);
struct SvdResult {
  UnifiedArray U, S, Vh;
};
/// x = U diag(S) Vh with S >= 0 in descending order; U and Vh are square, or as narrow as S is
/// long.
SvdResult svd(Operand x, bool full_matrices = true);
UnifiedArray svdvals(Operand x);
struct EigResult {
  UnifiedArray eigenvalues, eigenvectors;
};
/// Eigenvalues in ascending order and eigenvectors, the columns, of Hermitian matrices, of which
/// the lower triangle is read.
EigResult eigh(Operand x);
UnifiedArray eigvalsh(Operand x);
/// Eigenvalues, in no order, and eigenvectors of length 1, the columns; both complex.
EigResult eig(Operand x);
UnifiedArray eigvals(Operand x);

// Norms, ranks, least squares.

/// Which norm of a matrix: "fro", "nuc", or 1, 2, inf and their negatives.
class MatrixOrder {
 public:
  MatrixOrder(std::string_view name) : name_(name) {}  // NOLINT: implicit by design
  MatrixOrder(const char* name) : name_(name) {}       // NOLINT
  MatrixOrder(double value) : value_(value) {}         // NOLINT
  const std::string& name() const noexcept { return name_; }
  double value() const noexcept { return value_; }

 private:
  std::string name_;  ///< empty: the value says it
  double value_ = 0;
};
/// Frobenius norm, sum of the singular values ("nuc"), largest (2) or smallest (-2) of them,
/// largest or smallest sum of absolute values of a column (1, -1) or a row (inf, -inf).
UnifiedArray matrix_norm(Operand x, bool keepdims = false, const MatrixOrder& ord = "fro");
/// (sum |x|^ord)^(1/ord) over some axes, or all; for inf and -inf the largest and the smallest
/// absolute value, for 0 the number of elements that are not zero.
UnifiedArray vector_norm(Operand x, const std::optional<std::vector<int>>& axis = std::nullopt,
                         bool keepdims = false, double ord = 2.0);
/// NumPy's norm: of all elements as one vector without an axis, of vectors along one axis, of
/// matrices along two. Without `ord`, the square root of the sum of squares.
UnifiedArray norm(Operand x, const std::optional<MatrixOrder>& ord = std::nullopt,
                  const std::optional<std::vector<int>>& axis = std::nullopt,
                  bool keepdims = false);
/// How much solutions feel errors of the right side: norm(x) norm(inv(x)), or the quotient of the
/// largest and the smallest singular value for 2 and of the inverse for -2; inf where x is
/// singular.
UnifiedArray cond(Operand x, const MatrixOrder& p = 2.0);
/// The number of singular values above rtol times the largest; rtol is max(m, n) times the dtype's
/// epsilon if none is given. int64.
UnifiedArray matrix_rank(Operand x, const std::optional<Operand>& rtol = std::nullopt);
/// The pseudo-inverse (Moore-Penrose), where singular values up to rtol times the largest count as
/// zero; rtol as in `matrix_rank`.
UnifiedArray pinv(Operand x, const std::optional<Operand>& rtol = std::nullopt);
struct LstsqResult {
  UnifiedArray x;          ///< the solution, of least norm where there are many
  UnifiedArray residuals;  ///< sums of |x2 - x1 x|^2, one for each right side
  UnifiedArray rank;       ///< of x1, int64
  UnifiedArray S;          ///< singular values of x1
};
/// Minimise |x2 - x1 x|^2 by singular values, of which those up to rtol times the largest count as
/// zero. x2 is a vector if it has one axis.
LstsqResult lstsq(Operand x1, Operand x2, const std::optional<Operand>& rtol = std::nullopt);

/// Sum products of elements as a formula says: "ij,jk->ik", "...ij->...ji", "ii". Letters that are
/// not behind the arrow are summed over; without an arrow, those that appear once are kept, in the
/// alphabet's order. Operands are contracted by twos, those first whose product is smallest.
UnifiedArray einsum(std::string_view subscripts, const std::vector<UnifiedArray>& operands,
                    std::source_location where = std::source_location::current());

}  // namespace isofield::linalg
