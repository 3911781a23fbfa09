// Derivatives of decompositions of matrices. Formulas: Giles, Collected matrix derivative results
// for forward and reverse mode (2008); Seeger et al., Auto-differentiating linear algebra (2017);
// Roberts and Roberts, QR and LQ decomposition matrix backpropagation (2020); Boeddeker et al., On
// the computation of complex-valued gradients (2017).
//
// Vectors are determined up to a factor of absolute value 1, and those of equal values up to a
// rotation. Rules leave out how they turn so: functions that depend on it have no derivative.

#include <isofield/manipulation.hpp>

#include "transforms/matrix_rules.hpp"

namespace isofield::detail {
namespace {

using linalg::diagonal;
using linalg::matmul;

/// A vector as the diagonal of a matrix.
UnifiedArray on_diagonal(const UnifiedArray& x) {
  const UnifiedArray unit = eye(x.shape().back(), DType::float64, &x.backend()) == 1.0;
  return where(unit, row(x), 0.0);
}
UnifiedArray difference(const UnifiedArray& x) { return x - adjoint(x); }
/// i Im(x), of a vector; of a real one 0.
UnifiedArray imaginary(const UnifiedArray& x) { return x - real(x); }
/// Add to the diagonal.
UnifiedArray with_diagonal(const UnifiedArray& x, const UnifiedArray& elements) {
  return x + on_diagonal(elements);
}

/// The first columns of a stack of matrices, or all others.
UnifiedArray first_columns(const UnifiedArray& x, std::int64_t n) {
  return x.index({ellipsis, upto(n)});
}
UnifiedArray other_columns(const UnifiedArray& x, std::int64_t n) {
  return x.index({ellipsis, from(n)});
}

UnifiedArray pull_tall_qr(const UnifiedArray& q, const UnifiedArray& r, const UnifiedArray& ct_q,
                          const UnifiedArray& ct_r) {
  const UnifiedArray m = matmul(r, adjoint(ct_r)) - matmul(adjoint(ct_q), q);
  const UnifiedArray lower = tril(m, -1);
  const UnifiedArray both = with_diagonal(lower + adjoint(lower), real_part(diagonal(m)));
  return adjoint(linalg::solve_triangular(r, adjoint(ct_q + matmul(q, both)), true));
}

Arrays push_tall_qr(const UnifiedArray& q, const UnifiedArray& r, const UnifiedArray& dx) {
  const UnifiedArray c = adjoint(linalg::solve_triangular(adjoint(r), adjoint(dx)));  // dx inv(r)
  const UnifiedArray inner = matmul(adjoint(q), c);
  UnifiedArray turn = difference(tril(inner, -1));
  // The diagonal of R is real.
  if (is_complex(q.dtype())) turn = with_diagonal(turn, imaginary(diagonal(inner)));
  const UnifiedArray stretch = inner - turn;
  return {c - matmul(q, stretch), matmul(stretch, r)};
}

/// What of y leaves the space that the orthonormal columns of x span.
UnifiedArray outside(const UnifiedArray& x, const UnifiedArray& y) {
  return y - matmul(x, matmul(adjoint(x), y));
}

}  // namespace

UnifiedArray adjoint(const UnifiedArray& x) {
  return matrix_transpose(is_complex(x.dtype()) ? conj(x) : x);
}
UnifiedArray column(const UnifiedArray& x) { return expand_dims(x, -1); }
UnifiedArray row(const UnifiedArray& x) { return expand_dims(x, -2); }
UnifiedArray real_part(const UnifiedArray& x) { return is_complex(x.dtype()) ? real(x) : x; }
UnifiedArray hermitian(const UnifiedArray& x) { return (x + adjoint(x)) * 0.5; }

UnifiedArray inverted_or_zero(const UnifiedArray& x) {
  const UnifiedArray none = x == 0.0;
  return where(none, 0.0, reciprocal(where(none, 1.0, x)));
}

UnifiedArray differences_inverted(const UnifiedArray& x) {
  return inverted_or_zero(row(x) - column(x));
}

// A wide matrix (X, Y) with a square X = Q R has the triangle (R, Q^H Y).

UnifiedArray pull_qr(const Decomposed& d, const Arrays& ct) {
  const UnifiedArray &q = d.y[0], &r = d.y[1];
  const std::int64_t p = q.shape().back();
  if (r.shape().back() == p) return pull_tall_qr(q, r, ct[0], ct[1]);
  const UnifiedArray ct_rest = other_columns(ct[1], p);
  const UnifiedArray ct_q = ct[0] + matmul(other_columns(d.x, p), adjoint(ct_rest));
  return concat(
      {pull_tall_qr(q, first_columns(r, p), ct_q, first_columns(ct[1], p)), matmul(q, ct_rest)},
      -1);
}

Arrays push_qr(const Decomposed& d, const UnifiedArray& dx) {
  const UnifiedArray &q = d.y[0], &r = d.y[1];
  const std::int64_t p = q.shape().back();
  if (r.shape().back() == p) return push_tall_qr(q, r, dx);
  const Arrays dy = push_tall_qr(q, first_columns(r, p), first_columns(dx, p));
  const UnifiedArray rest =
      matmul(adjoint(dy[0]), other_columns(d.x, p)) + matmul(adjoint(q), other_columns(dx, p));
  return {dy[0], concat({dy[1], rest}, -1)};
}

UnifiedArray pull_svd(const Decomposed& d, const Arrays& ct) {
  const UnifiedArray &u = d.y[0], &s = d.y[1], v = adjoint(d.y[2]), ct_v = adjoint(ct[2]);
  const UnifiedArray e = differences_inverted(square(s)), inverse = inverted_or_zero(s);
  const UnifiedArray in_u = difference(matmul(adjoint(u), ct[0])),
                     in_v = difference(matmul(adjoint(v), ct_v));
  UnifiedArray of_diagonal = ct[1];
  if (is_complex(u.dtype())) of_diagonal = of_diagonal + diagonal(in_u - in_v) * (inverse * 0.25);
  const UnifiedArray inner = (in_u * e) * row(s) + column(s) * (in_v * e);
  return matmul(matmul(u, with_diagonal(inner, of_diagonal)) + outside(u, ct[0] * row(inverse)),
                d.y[2]) +
         matmul(u, adjoint(outside(v, ct_v * row(inverse))));
}

Arrays push_svd(const Decomposed& d, const UnifiedArray& dx) {
  const UnifiedArray &u = d.y[0], &s = d.y[1], v = adjoint(d.y[2]);
  const UnifiedArray e = differences_inverted(square(s)), inverse = inverted_or_zero(s);
  const UnifiedArray p = matmul(matmul(adjoint(u), dx), v);
  const UnifiedArray ps = p * row(s), sp = column(s) * p;
  UnifiedArray turn_u = e * (ps + adjoint(ps)), turn_v = e * (sp + adjoint(sp));
  if (is_complex(u.dtype())) {
    const UnifiedArray phase = imaginary(diagonal(p)) * (inverse * 0.5);
    turn_u = with_diagonal(turn_u, phase);
    turn_v = with_diagonal(turn_v, -phase);
  }
  const UnifiedArray du = matmul(u, turn_u) + outside(u, matmul(dx, v) * row(inverse));
  const UnifiedArray dv = matmul(v, turn_v) + outside(v, matmul(adjoint(dx), u) * row(inverse));
  return {du, real_part(diagonal(p)), adjoint(dv)};
}

UnifiedArray pull_eigh(const Decomposed& d, const Arrays& ct) {
  const UnifiedArray& v = d.y[1];
  const UnifiedArray inner = matmul(adjoint(v), ct[1]) * differences_inverted(d.y[0]);
  return hermitian(matmul(matmul(v, with_diagonal(inner, ct[0])), adjoint(v)));
}

Arrays push_eigh(const Decomposed& d, const UnifiedArray& dx) {
  const UnifiedArray& v = d.y[1];
  const UnifiedArray inner = matmul(matmul(adjoint(v), hermitian(dx)), v);
  return {real_part(diagonal(inner)), matmul(v, inner * differences_inverted(d.y[0]))};
}

// Vectors keep their length 1.

UnifiedArray pull_eig(const Decomposed& d, const Arrays& ct) {
  const UnifiedArray &v = d.y[1], back = adjoint(v);
  const UnifiedArray inner = matmul(back, ct[1]);
  const UnifiedArray kept = inner - matmul(back, v * row(real(diagonal(inner))));
  const UnifiedArray all = with_diagonal(kept * conj(differences_inverted(d.y[0])), ct[0]);
  return linalg::solve(back, matmul(all, back));
}

Arrays push_eig(const Decomposed& d, const UnifiedArray& dx) {
  const UnifiedArray& v = d.y[1];
  const UnifiedArray inner = linalg::solve(v, matmul(dx, v));
  const UnifiedArray dv = matmul(v, inner * differences_inverted(d.y[0]));
  const UnifiedArray stretch = real(sum(conj(v) * dv, {-2}));
  return {diagonal(inner), dv - v * row(stretch)};
}

}  // namespace isofield::detail
