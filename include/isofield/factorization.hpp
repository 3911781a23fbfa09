#pragma once

#include <cstdint>
#include <string_view>

namespace isofield {

/// What is computed of each matrix of a stack: the last two axes are a matrix, those before it the
/// stack's, equal in all operands and results. All lie in C order; none is empty.
struct Factorization {
  enum class Kind : std::uint8_t {
    cholesky,          ///< a (n, n) to L (n, n), or U where `upper`, whose triangle alone is read
    solve,             ///< a (n, n), b (n, k) to x (n, k)
    solve_triangular,  ///< the same, with the lower triangle of a, or the upper one where `upper`
    inverse,           ///< a (n, n) to (n, n)
    determinant,       ///< a (n, n) to ()
    log_determinant,   ///< a (n, n) to the sign () and the logarithm () of the determinant
    qr,                ///< a (m, n) to Q (m, p), R (p, n): p = m where `full`, else min(m, n)
    svd,               ///< a (m, n) to S (min(m, n)), or to U, S, Vh, square where `full`
    eigh,              ///< a (n, n), of which the lower triangle is read, to w (n), or to w, V
    eig,               ///< a (n, n) to w (n), or to w, V (n, n), which are complex
    exponential,       ///< a (n, n) to e^a
  };
  Kind kind;
  bool upper = false;
  bool full = false;
  bool unit_diagonal = false;  ///< `solve_triangular`: the diagonal is not read
};
/// "Cholesky decomposition", "solution of linear systems".
std::string_view name(Factorization::Kind kind) noexcept;

}  // namespace isofield
