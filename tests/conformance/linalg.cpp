// Decompositions, systems, products and norms: what defines them, closed forms, and what cannot be.
#include <numbers>

#include "reference.hpp"

using namespace isofield;
using namespace isofield::testing;
using namespace isofield::linalg;

namespace {

template <class T>
constexpr bool is_single = real_dtype(dtype_of<T>) == float32;
/// Some roundings, for residuals of matrices up to a hundred rows.
template <class T>
constexpr double rounding = is_single<T> ? 1e-4 : 1e-12;

/// The largest difference of elements, relative to the larger of 1 and the largest of b.
double error(const UnifiedArray& a, const UnifiedArray& b) {
  BOOST_TEST_REQUIRE(to_string(a.shape()) == to_string(b.shape()));
  if (a.size() == 0) return 0.0;
  const double scale = std::max(1.0, max(abs(b)).item<double>());
  const double most = max(abs(a - b)).item<double>();
  return std::isnan(most) ? most : most / scale;
}

template <class T>
UnifiedArray numbers(const Shape& shape, unsigned seed = 1) {
  return noise<T>(shape, seed, -1, 1).array();
}

Shape with(Shape stack, std::int64_t n, std::int64_t m) {
  stack.push_back(n);
  stack.push_back(m);
  return stack;
}

/// Matrices that are far from singular.
template <class T>
UnifiedArray regular(const Shape& stack, std::int64_t n, unsigned seed = 1) {
  return numbers<T>(with(stack, n, n), seed) / std::sqrt(static_cast<double>(n)) +
         2.0 * eye(n, dtype_of<T>);
}

UnifiedArray adjoint(const UnifiedArray& x) { return conj(matrix_transpose(x)); }

/// x x^H and a bit more: positive definite.
template <class T>
UnifiedArray positive(const Shape& stack, std::int64_t n) {
  const UnifiedArray x = numbers<T>(with(stack, n, n), 7);
  return matmul(x, adjoint(x)) + eye(n, dtype_of<T>);
}

UnifiedArray identity_like(const UnifiedArray& x) {
  return broadcast_to(eye(x.shape().back(), x.dtype()), x.shape());
}

const Shape stacks[] = {{}, {3}, {2, 1, 2}};
constexpr std::int64_t sizes[] = {1, 2, 3, 4, 5, 16, 65};

}  // namespace

BACKEND_DTYPE_TEST_CASE(solutions_satisfy_their_systems, float, double, std::complex<float>,
                        std::complex<double>) {
  for (const Shape& stack : stacks)
    for (const std::int64_t n : sizes) {
      const UnifiedArray a = regular<T>(stack, n);
      for (const std::int64_t k : {1, 2, 7}) {
        const UnifiedArray b = numbers<T>(with(stack, n, k), 2);
        BOOST_TEST(error(matmul(a, solve(a, b)), b) < rounding<T>);
      }
      const UnifiedArray v = numbers<T>({n}, 3);
      const UnifiedArray x = solve(a, v);  // one right side for all matrices of the stack
      BOOST_TEST(x.ndim() == stack.size() + 1);
      BOOST_TEST(error(squeeze(matmul(a, expand_dims(x, -1)), -1), broadcast_to(v, x.shape())) <
                 rounding<T>);
      BOOST_TEST(error(matmul(a, inv(a)), identity_like(a)) < rounding<T>);
    }
}

BACKEND_DTYPE_TEST_CASE(stacks_of_systems_broadcast, float, double, std::complex<float>,
                        std::complex<double>) {
  const UnifiedArray a = regular<T>({4, 1}, 3), b = numbers<T>({5, 3, 2}, 2);
  const UnifiedArray x = solve(a, b);
  BOOST_TEST(to_string(x.shape()) == "(4, 5, 3, 2)");
  BOOST_TEST(error(matmul(a, x), broadcast_to(b, {4, 5, 3, 2})) < rounding<T>);
}

BACKEND_DTYPE_TEST_CASE(triangles_are_solved_without_looking_at_the_rest, float, double,
                        std::complex<float>, std::complex<double>) {
  for (const std::int64_t n : sizes)
    for (const bool upper : {false, true})
      for (const bool unit : {false, true}) {
        const Plain<T> full = noise<T>({2, n, n}, 4, -0.3, 0.3);
        Plain<T> triangle = full, given = full;
        each_index(full.shape, [&](const std::vector<std::int64_t>& at) {
          const bool diagonal = at[1] == at[2], outside = upper ? at[2] < at[1] : at[1] < at[2];
          if (outside) {
            triangle[at] = 0;
            given[at] = T(std::numeric_limits<float>::quiet_NaN());
          }
          if (!diagonal) return;
          triangle[at] = unit ? T(1) : T(2);
          given[at] = unit ? T(std::numeric_limits<float>::quiet_NaN()) : T(2);
        });
        const UnifiedArray b = numbers<T>({2, n, 3}, 5);
        const UnifiedArray x = solve_triangular(given.array(), b, upper, unit);
        BOOST_TEST(error(matmul(triangle.array(), x), b) < rounding<T>);
      }
}

BACKEND_DTYPE_TEST_CASE(determinants_are_those_of_closed_forms, float, double, std::complex<float>,
                        std::complex<double>) {
  const double t = is_single<T> ? 1e-5 : 1e-13;
  const UnifiedArray two = Plain<T>({2, 2}, {1, 2, 3, 4}).array();
  BOOST_TEST(std::abs(det(two).template item<T>() + T(2)) < t);
  BOOST_TEST(det(two).ndim() == 0);
  // Vandermonde's is the product of differences: of 1, 2, 3, 4 it is 12.
  const UnifiedArray v =
      Plain<T>({4, 4}, {1, 1, 1, 1, 1, 2, 4, 8, 1, 3, 9, 27, 1, 4, 16, 64}).array();
  BOOST_TEST(std::abs(det(v).template item<T>() - T(12)) < 100 * t);
  BOOST_TEST(close<T>(det(stack({v, -v, 2.0 * v, flip(v, 0)})), {{4}, {12, 12, 192, 12}}, 100 * t));
  BOOST_TEST(same<T>(det(zeros({2, 3, 3}, dtype_of<T>)), {{2}, {0, 0}}));
  for (const std::int64_t n : sizes) {
    const UnifiedArray a = regular<T>({3}, n);
    const SlogdetResult r = slogdet(a);
    BOOST_TEST(error(r.sign * exp(r.logabsdet), det(a)) < 100 * t);
    BOOST_TEST((r.logabsdet.dtype() == real_dtype(dtype_of<T>)));
    BOOST_TEST(error(abs(r.sign), ones({3}, r.logabsdet.dtype())) < t);
  }
}

BACKEND_TEST_CASE(logarithms_of_determinants_do_not_overflow) {
  const UnifiedArray a = 1e200 * eye(4) * asarray({1.0, 1.0, -1.0, 1.0});
  const SlogdetResult r = slogdet(a);
  BOOST_TEST(r.sign.item<double>() == -1);
  BOOST_TEST(std::abs(r.logabsdet.item<double>() - 800 * std::numbers::ln10) < 1e-10);
  const SlogdetResult none = slogdet(ones({3, 3}));
  BOOST_TEST(none.sign.item<double>() == 0);
  BOOST_TEST(none.logabsdet.item<double>() == -std::numeric_limits<double>::infinity());
}

BACKEND_DTYPE_TEST_CASE(cholesky_factors_give_the_matrix_back, float, double, std::complex<float>,
                        std::complex<double>) {
  for (const Shape& stack : stacks)
    for (const std::int64_t n : sizes) {
      const UnifiedArray a = positive<T>(stack, n);
      const UnifiedArray l = cholesky(a), u = cholesky(a, true);
      BOOST_TEST(error(matmul(l, adjoint(l)), a) < rounding<T>);
      BOOST_TEST(error(matmul(adjoint(u), u), a) < rounding<T>);
      BOOST_TEST(error(adjoint(u), l) < rounding<T>);
      BOOST_TEST(!any(real(diagonal(l)) <= 0.0).item<bool>());
    }
  const UnifiedArray lower = Plain<T>({2, 2}, {4, 99, 2, 2}).array();  // one triangle is read
  BOOST_TEST(same<T>(cholesky(lower), {{2, 2}, {2, 0, 1, 1}}));
  BOOST_TEST(close<T>(cholesky(lower.T(), true), {{2, 2}, {2, 1, 0, 1}}, 0));
}

BACKEND_DTYPE_TEST_CASE(orthogonal_and_triangular_factors_multiply_to_the_matrix, float, double,
                        std::complex<float>, std::complex<double>) {
  for (const Shape& stack : stacks)
    for (const auto& [m, n] : {std::pair{1, 1}, {3, 3}, {7, 4}, {4, 7}, {1, 5}, {5, 1}, {70, 40}})
      for (const QrMode mode : {QrMode::reduced, QrMode::complete}) {
        const UnifiedArray a = numbers<T>(with(stack, m, n));
        const auto [q, r] = qr(a, mode);
        const std::int64_t p = mode == QrMode::complete ? m : std::min(m, n);
        BOOST_TEST(to_string(q.shape()) == to_string(with(stack, m, p)));
        BOOST_TEST(to_string(r.shape()) == to_string(with(stack, p, n)));
        BOOST_TEST(error(matmul(q, r), a) < rounding<T>);
        const UnifiedArray unit = matmul(adjoint(q), q);
        BOOST_TEST(error(unit, identity_like(unit)) < rounding<T>);
        for (int k = 1; k < p; ++k) BOOST_TEST(!any(diagonal(r, -k) != 0.0).item<bool>());
      }
}

BACKEND_DTYPE_TEST_CASE(qr_takes_elements_whose_squares_overflow_or_vanish, float, double,
                        std::complex<float>, std::complex<double>) {
  using Limits = std::numeric_limits<decltype(std::abs(T()))>;
  const UnifiedArray a = numbers<T>({5, 3}, 3);
  const auto expected = qr(a);
  for (const double size :
       {std::ldexp(1.0, Limits::max_exponent - 8), std::ldexp(1.0, Limits::min_exponent + 8)}) {
    const auto [q, r] = qr(a * size);
    BOOST_TEST(error(q, expected.Q) < rounding<T>);
    BOOST_TEST(error(r * (1 / size), expected.R) < rounding<T>);
  }
}

BACKEND_DTYPE_TEST_CASE(singular_values_and_vectors_give_the_matrix_back, float, double,
                        std::complex<float>, std::complex<double>) {
  for (const Shape& stack : stacks)
    for (const auto& [m, n] : {std::pair{1, 1}, {3, 3}, {7, 4}, {4, 7}, {1, 5}, {5, 1}, {40, 33}})
      for (const bool full : {false, true}) {
        const UnifiedArray a = numbers<T>(with(stack, m, n));
        const auto [u, s, vh] = svd(a, full);
        const int p = std::min(m, n);
        BOOST_TEST(u.shape().back() == (full ? m : p));
        BOOST_TEST(vh.shape()[vh.ndim() - 2] == (full ? n : p));
        const UnifiedArray left = u.index({ellipsis, slice(0, p)}) * expand_dims(s, -2);
        BOOST_TEST(error(matmul(left, vh.index({ellipsis, slice(0, p), all_of})), a) < rounding<T>);
        for (const UnifiedArray& unit : {matmul(adjoint(u), u), matmul(vh, adjoint(vh))})
          BOOST_TEST(error(unit, identity_like(unit)) < rounding<T>);
        BOOST_TEST(!any(s < 0.0).item<bool>());
        const UnifiedArray before = s.index({ellipsis, upto(-1)}),
                           after = s.index({ellipsis, from(1)});
        BOOST_TEST(!any(before < after).item<bool>());
        BOOST_TEST(error(svdvals(a), s) < rounding<T>);
      }
  const UnifiedArray known = Plain<T>({2, 3}, {0, 0, 4, -3, 0, 0}).array();
  BOOST_TEST(error(svdvals(known), asarray({4.0, 3.0}).astype(real_dtype(dtype_of<T>))) < 1e-6);
}

BACKEND_DTYPE_TEST_CASE(eigenvalues_of_symmetric_matrices_are_real_and_ascend, float, double,
                        std::complex<float>, std::complex<double>) {
  for (const Shape& stack : stacks)
    for (const std::int64_t n : sizes) {
      const UnifiedArray x = numbers<T>(with(stack, n, n)), a = x + adjoint(x);
      const auto [w, v] = eigh(a);
      BOOST_TEST(error(matmul(a, v), v * expand_dims(w, -2)) < rounding<T>);
      const UnifiedArray unit = matmul(adjoint(v), v);
      BOOST_TEST(error(unit, identity_like(unit)) < rounding<T>);
      BOOST_TEST(!any(w.index({ellipsis, upto(-1)}) > w.index({ellipsis, from(1)})).item<bool>());
      BOOST_TEST(error(eigvalsh(a), w) < rounding<T>);
    }
}

BACKEND_DTYPE_TEST_CASE(eigenvectors_are_only_stretched, float, double, std::complex<float>,
                        std::complex<double>) {
  for (const Shape& stack : stacks)
    for (const std::int64_t n : {1, 2, 3, 5, 20}) {
      const UnifiedArray a = numbers<T>(with(stack, n, n));
      const auto [w, v] = eig(a);
      BOOST_TEST((w.dtype() == complex_dtype(dtype_of<T>)));
      const UnifiedArray c = a.astype(w.dtype());
      BOOST_TEST(error(matmul(c, v), v * expand_dims(w, -2)) < rounding<T>);
      BOOST_TEST(error(vector_norm(v, std::vector{-2}), ones(w.shape(), real_dtype(w.dtype()))) <
                 rounding<T>);
      BOOST_TEST(error(sum(w, {-1}), trace(c)) < rounding<T>);
      BOOST_TEST(error(prod(eigvals(a), {-1}), det(c)) < rounding<T>);
    }
}

BACKEND_TEST_CASE(rotations_have_imaginary_eigenvalues) {
  using C = std::complex<double>;
  const UnifiedArray turn = asarray(std::vector{0.0, -2.0, 2.0, 0.0}, {2, 2});
  const std::vector<C> w = eigvals(turn).to_vector<C>();
  BOOST_TEST(std::abs(w[0] * w[1] - 4.0) < 1e-14);
  BOOST_TEST(std::abs(w[0] + w[1]) < 1e-14);
  // Pauli's second matrix is Hermitian, with eigenvalues -1 and 1.
  const UnifiedArray pauli = asarray(std::vector<C>{0.0, C(0, -1), C(0, 1), 0.0}, {2, 2});
  BOOST_TEST(close<double>(eigvalsh(pauli), {{2}, {-1, 1}}, 1e-15));
  BOOST_TEST(std::abs(det(pauli).item<C>() + 1.0) < 1e-15);
  // e^(i t y) = cos t + i y sin t.
  const UnifiedArray i_y = pauli * C(0, 0.5);
  BOOST_TEST(error(expm(i_y), eye(2, complex128) * std::cos(0.5) + i_y * (2 * std::sin(0.5))) <
             1e-15);
}

BACKEND_TEST_CASE(second_differences_have_the_eigenvalues_of_sines) {
  const std::int64_t n = 30;
  const UnifiedArray a = 2.0 * eye(n) - diag(ones({n - 1}), 1) - diag(ones({n - 1}), -1);
  const UnifiedArray k = arange(1.0, static_cast<double>(n) + 1.0);
  const UnifiedArray exact = 2.0 - 2.0 * cos(std::numbers::pi / (n + 1) * k);
  BOOST_TEST(error(eigvalsh(a), exact) < 1e-14);
  BOOST_TEST(error(flip(svdvals(a), 0), exact) < 1e-14);
  BOOST_TEST(std::abs(det(a).item<double>() - (n + 1)) < 1e-10);
  BOOST_TEST(error(asarray(cond(a).item<double>()), exact(-1) / exact(0)) < 1e-12);
}

BACKEND_TEST_CASE(matrices_may_lie_in_any_way_and_be_pending) {
  const UnifiedArray big = numbers<double>({9, 2, 8});
  const UnifiedArray views[] = {
      big(slice(8, 0, -2), 0, slice(0, 8, 2)),
      permute_dims(big, {1, 2, 0}).index({all_of, slice(0, 4), slice(0, 4)}),
      flip(flip(big, 0), 2).index({slice(0, 4), 1, slice(0, 4)}),
      broadcast_to(big.index({slice(0, 4), 0, slice(0, 4)}), {3, 4, 4})};
  for (const UnifiedArray& view : views) {
    const UnifiedArray a = view + 3.0 * eye(4);  // pending
    const UnifiedArray b = view.copy() + 3.0 * eye(4);
    for (const UnifiedArray& x : {inv(a), inv(b.copy()), inv(adjoint(adjoint(b).copy()))})
      BOOST_TEST(error(x, inv(b)) == 0.0);
    BOOST_TEST(error(svdvals(view), svdvals(view.copy())) == 0.0);
    BOOST_TEST(error(matmul(solve(a, view), view), matmul(solve(a, view.copy()), view)) < 1e-12);
  }
  Shape deep(30, 1);  // rank 32
  const UnifiedArray a = numbers<double>(with(deep, 3, 3));
  BOOST_TEST(error(matmul(a, inv(a)), identity_like(a)) < 1e-12);
}

BACKEND_DTYPE_TEST_CASE(matrices_and_stacks_may_be_empty, float, double) {
  const DType d = dtype_of<T>;
  BOOST_TEST(same<T>(det(zeros({2, 0, 0}, d)), {{2}, {1, 1}}));
  BOOST_TEST(same<T>(slogdet(zeros({0, 0}, d)).logabsdet, {{}, {0}}));
  BOOST_TEST(same<T>(slogdet(zeros({0, 0}, d)).sign, {{}, {1}}));
  for (const Shape& shape : {Shape{0, 3, 3}, Shape{2, 0, 0}}) {
    const UnifiedArray none = zeros(shape, d);
    for (const UnifiedArray& x : {inv(none), cholesky(none), expm(none), eigh(none).eigenvectors,
                                  solve(none, none), qr(none).Q, svd(none).U, pinv(none)})
      BOOST_TEST(to_string(x.shape()) == to_string(shape));
  }
  BOOST_TEST(to_string(solve(ones({2, 2}, d), zeros({2, 0}, d)).shape()) == "(2, 0)");
  BOOST_TEST(same<T>(qr(zeros({2, 0}, d), QrMode::complete).Q, {{2, 2}, {1, 0, 0, 1}}));
  BOOST_TEST(to_string(qr(zeros({2, 0}, d)).Q.shape()) == "(2, 0)");
  const SvdResult s = svd(zeros({0, 2}, d));
  BOOST_TEST(same<T>(s.Vh, {{2, 2}, {1, 0, 0, 1}}));
  BOOST_TEST(to_string(s.S.shape()) == "(0,)");
  BOOST_TEST(same<std::int64_t>(matrix_rank(zeros({2, 3, 0}, d)), {{2}, {0, 0}}));
  BOOST_TEST(to_string(pinv(zeros({3, 0}, d)).shape()) == "(0, 3)");
  BOOST_TEST(same<T>(matmul(zeros({2, 0}, d), zeros({0, 2}, d)), {{2, 2}, {0, 0, 0, 0}}));
}

BACKEND_DTYPE_TEST_CASE(ranks_pseudo_inverses_and_least_squares_agree, float, double,
                        std::complex<float>, std::complex<double>) {
  for (const auto& [m, n, r] : {std::tuple{6, 4, 4}, {4, 6, 4}, {7, 5, 2}, {5, 5, 1}}) {
    const UnifiedArray a = matmul(numbers<T>({2, m, r}, 1), numbers<T>({2, r, n}, 2));  // of rank r
    BOOST_TEST(same<std::int64_t>(matrix_rank(a), {{2}, {r, r}}));
    const UnifiedArray p = pinv(a);
    const UnifiedArray pa = matmul(p, a), ap = matmul(a, p);  // Penrose's four equations
    BOOST_TEST(error(matmul(a, pa), a) < 10 * rounding<T>);
    BOOST_TEST(error(matmul(pa, p), p) < 10 * rounding<T>);
    BOOST_TEST(error(adjoint(pa), pa) < 10 * rounding<T>);
    BOOST_TEST(error(adjoint(ap), ap) < 10 * rounding<T>);
    const UnifiedArray b = numbers<T>({2, m, 3}, 3);
    const LstsqResult fit = lstsq(a, b);
    BOOST_TEST(error(fit.x, matmul(p, b)) < 10 * rounding<T>);
    BOOST_TEST(same<std::int64_t>(fit.rank, {{2}, {r, r}}));
    BOOST_TEST(error(fit.S, svdvals(a)) < rounding<T>);
    const UnifiedArray rest = b - matmul(a, fit.x);
    BOOST_TEST(error(matmul(adjoint(a), rest), zeros({2, n, 3}, dtype_of<T>)) < 10 * rounding<T>);
    BOOST_TEST(error(fit.residuals, sum(square(abs(rest)), {-2})) < 10 * rounding<T>);
  }
  const UnifiedArray line = Plain<T>({4, 2}, {0, 1, 1, 1, 2, 1, 3, 1}).array();  // 2 x - 1
  BOOST_TEST(close<T>(lstsq(line, Plain<T>({4}, {-1, 1, 3, 5}).array()).x, {{2}, {2, -1}}, 1e-5));
  const UnifiedArray near = Plain<T>({2, 2}, {1, 0, 0, T(1e-3f)}).array();
  BOOST_TEST(matrix_rank(near).template item<int>() == 2);
  BOOST_TEST(matrix_rank(near, 1e-2).template item<int>() == 1);
  BOOST_TEST(same<std::int64_t>(
      matrix_rank(stack({near, near}), asarray({1e-2, 1e-4}).astype(real_dtype(dtype_of<T>))),
      {{2}, {1, 2}}));
}

BACKEND_TEST_CASE(norms_are_those_of_their_definitions) {
  const double inf = std::numeric_limits<double>::infinity();
  const UnifiedArray v = asarray({3.0, -4.0, 0.0}),
                     m = asarray(std::vector{1.0, -2.0, 3.0, 4.0}, {2, 2});
  BOOST_TEST(vector_norm(v).item<double>() == 5);
  BOOST_TEST(vector_norm(v, {}, false, 1).item<double>() == 7);
  BOOST_TEST(vector_norm(v, {}, false, 0).item<double>() == 2);
  BOOST_TEST(vector_norm(v, {}, false, inf).item<double>() == 4);
  BOOST_TEST(vector_norm(v, {}, false, -inf).item<double>() == 0);
  BOOST_TEST(std::abs(vector_norm(v, {}, false, 3).item<double>() - std::cbrt(91.0)) < 1e-14);
  BOOST_TEST(same<double>(vector_norm(m, std::vector{0}, true, 1), {{1, 2}, {4, 6}}));
  BOOST_TEST(to_string(vector_norm(ones({2, 3, 4}), {}, true).shape()) == "(1, 1, 1)");
  BOOST_TEST(to_string(vector_norm(ones({2, 3, 4}), std::vector{0, -1}).shape()) == "(3,)");
  BOOST_TEST(std::abs(matrix_norm(m).item<double>() - std::sqrt(30.0)) < 1e-14);
  BOOST_TEST(matrix_norm(m, false, 1).item<double>() == 6);
  BOOST_TEST(matrix_norm(m, false, -1).item<double>() == 4);
  BOOST_TEST(matrix_norm(m, false, inf).item<double>() == 7);
  BOOST_TEST(matrix_norm(m, false, -inf).item<double>() == 3);
  // Singular values of m: their squares have the sum 30 and the product 100.
  const double large = std::sqrt(15 + std::sqrt(125.0)), small = std::sqrt(15 - std::sqrt(125.0));
  BOOST_TEST(std::abs(matrix_norm(m, false, 2).item<double>() - large) < 1e-14);
  BOOST_TEST(std::abs(matrix_norm(m, false, -2).item<double>() - small) < 1e-14);
  BOOST_TEST(std::abs(matrix_norm(m, false, "nuc").item<double>() - large - small) < 1e-14);
  BOOST_TEST(std::abs(cond(m).item<double>() - large / small) < 1e-13);
  BOOST_TEST(std::abs(cond(m, 1).item<double>() - 6 * 0.7) < 1e-14);
  BOOST_TEST(close<double>(cond(stack({eye(2), ones({2, 2})}), "fro"), {{2}, {2, inf}}, 1e-15));
  for (const MatrixOrder& ord :
       {MatrixOrder("fro"), MatrixOrder("nuc"), MatrixOrder(2), MatrixOrder(-inf)})
    BOOST_TEST(to_string(matrix_norm(ones({3, 2, 2}), true, ord).shape()) == "(3, 1, 1)");
  BOOST_TEST(linalg::norm(m).item<double>() == matrix_norm(m).item<double>());
  BOOST_TEST(std::abs(linalg::norm(ones({2, 3, 4})).item<double>() - std::sqrt(24.0)) < 1e-14);
  BOOST_TEST(same<double>(linalg::norm(m, inf, std::vector{1}), {{2}, {2, 4}}));
  const UnifiedArray deep = numbers<double>({2, 3, 4});
  BOOST_TEST(error(linalg::norm(deep, 1, std::vector{2, 0}),
                   matrix_norm(permute_dims(deep, {1, 2, 0}), false, 1)) == 0.0);
  BOOST_TEST(to_string(linalg::norm(deep, "nuc", std::vector{2, 0}, true).shape()) == "(1, 3, 1)");
}

BACKEND_DTYPE_TEST_CASE(exponentials_are_those_of_closed_forms, float, double) {
  const double t = 0.7, tolerance = is_single<T> ? 1e-6 : 1e-15;
  const T c = static_cast<T>(std::cos(t)), s = static_cast<T>(std::sin(t)), x = static_cast<T>(t);
  BOOST_TEST(
      close<T>(expm(Plain<T>({2, 2}, {0, -x, x, 0}).array()), {{2, 2}, {c, -s, s, c}}, tolerance));
  BOOST_TEST(close<T>(expm(Plain<T>({3, 3}, {0, 2, 3, 0, 0, 4, 0, 0, 0}).array()),
                      {{3, 3}, {1, 2, 7, 0, 1, 4, 0, 0, 1}}, 4 * tolerance));
  const UnifiedArray a = 3.0 * numbers<T>({4, 6, 6});
  BOOST_TEST(error(matmul(expm(a), expm(-a)), identity_like(a)) < 1e3 * rounding<T>);
  BOOST_TEST(error(log(det(expm(a))), trace(a)) < 1e2 * rounding<T>);
}

BACKEND_TEST_CASE(diagonals_are_views_of_any_offset) {
  const UnifiedArray a = counting<double>({2, 3, 4}).array();
  BOOST_TEST(same<double>(diagonal(a), {{2, 3}, {0, 5, 10, 12, 17, 22}}));
  BOOST_TEST(same<double>(diagonal(a, 2), {{2, 2}, {2, 7, 14, 19}}));
  BOOST_TEST(same<double>(diagonal(a, -2), {{2, 1}, {8, 20}}));
  BOOST_TEST(to_string(diagonal(a, 4).shape()) == "(2, 0)");
  BOOST_TEST(to_string(diagonal(a, -9).shape()) == "(2, 0)");
  BOOST_TEST(same<double>(trace(a), {{2}, {15, 51}}));
  BOOST_TEST(same<double>(trace(a, 3), {{2}, {3, 15}}));
  BOOST_TEST(same<double>(diag(asarray({1.0, 2.0}), -1), {{3, 3}, {0, 0, 0, 1, 0, 0, 0, 2, 0}}));
  BOOST_TEST(same<double>(diag(a(0), 1), {{3}, {1, 6, 11}}));
  UnifiedArray b = counting<double>({3, 3}).array();
  UnifiedArray d = diagonal(b);
  d(0) = 100.0;  // a copy is written to
  BOOST_TEST(b(0, 0).item<double>() == 0);
}

BACKEND_TEST_CASE(products_of_arrays_are_sums_over_their_axes) {
  const UnifiedArray a = numbers<double>({2, 3, 4}, 1), b = numbers<double>({4, 3, 5}, 2);
  const Plain<double> x = plain<double>(a), y = plain<double>(b);
  Plain<double> two({2, 5}), one({2, 3, 3, 5});
  each_index({2, 3, 4, 3, 5}, [&](const std::vector<std::int64_t>& i) {
    const double term = x[{i[0], i[1], i[2]}] * y[{i[2], i[3], i[4]}];
    one[{i[0], i[1], i[3], i[4]}] += term;
    if (i[1] == i[3]) two[{i[0], i[4]}] += term;
  });
  BOOST_TEST(close<double>(tensordot(a, b, 1), one, 1e-14));
  BOOST_TEST(close<double>(tensordot(a, b, {1, -1}, {-2, 0}), two, 1e-14));
  BOOST_TEST(close<double>(tensordot(a, b, {2, 1}, {0, 1}), two, 1e-14));
  BOOST_TEST(to_string(tensordot(a, b, 0).shape()) == "(2, 3, 4, 4, 3, 5)");
  BOOST_TEST(close<double>(einsum("ijk,kjl->il", {a, b}), two, 1e-14));
  BOOST_TEST(close<double>(einsum("ijk,klm", {a, b}), one, 1e-14));
  const UnifiedArray u = asarray({1.0, 2.0}), v = asarray({3.0, 4.0, 5.0});
  BOOST_TEST(same<double>(outer(u, v), {{2, 3}, {3, 4, 5, 6, 8, 10}}));
  BOOST_TEST(same<double>(kron(u, v), {{6}, {3, 4, 5, 6, 8, 10}}));
  BOOST_TEST(same<double>(kron(eye(2), asarray(std::vector{1.0, 2.0}, {1, 2})),
                          {{2, 4}, {1, 2, 0, 0, 0, 0, 1, 2}}));
  BOOST_TEST(same<double>(cross(v, asarray({1.0, 0.0, 2.0})), {{3}, {8, -1, -4}}));
  BOOST_TEST(
      close<double>(cross(eye(3), flip(eye(3), 0), 0), {{3, 3}, {0, 0, 0, -1, 0, 1, 0, 0, 0}}, 0));
  BOOST_TEST(to_string(cross(ones({4, 1, 3}), ones({5, 3})).shape()) == "(4, 5, 3)");
  BOOST_TEST(same<double>(vecdot(eye(3), v), {{3}, {3, 4, 5}}));
  BOOST_TEST(same<double>(vecdot(ones({3, 2}), expand_dims(v, 1), -2), {{2}, {12, 12}}));
  const UnifiedArray m = asarray(std::vector{1.0, 1.0, 0.0, 1.0}, {2, 2});
  BOOST_TEST(same<double>(matrix_power(m, 10), {{2, 2}, {1, 10, 0, 1}}));
  BOOST_TEST(same<double>(matrix_power(m, -3), {{2, 2}, {1, -3, 0, 1}}));
  BOOST_TEST(same<double>(matrix_power(stack({m, m}), 0), {{2, 2, 2}, {1, 0, 0, 1, 1, 0, 0, 1}}));
}

BACKEND_DTYPE_TEST_CASE(products_of_integers_are_exact_and_wrap_around, std::int8_t, std::int16_t,
                        std::int32_t, std::int64_t, std::uint8_t, std::uint16_t, std::uint32_t,
                        std::uint64_t) {
  const auto& known = default_backend().capabilities().dtypes;
  if (std::find(known.begin(), known.end(), dtype_of<T>) == known.end()) return;
  for (const auto& [n, k, m] : {std::tuple{1, 1, 1}, {3, 4, 2}, {33, 70, 129}, {2, 3, 1500}}) {
    const Plain<T> a = noise<T>({n, k}, 1, -100, 100), b = noise<T>({k, m}, 2, -100, 100);
    Plain<T> c({n, m});
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < m; ++j) {
        std::uint64_t total = 0;
        for (std::int64_t l = 0; l < k; ++l)
          total += static_cast<std::uint64_t>(a[{i, l}]) * static_cast<std::uint64_t>(b[{l, j}]);
        c[{i, j}] = static_cast<T>(total);
      }
    BOOST_TEST(same<T>(matmul(a.array(), b.array()), c));
    BOOST_TEST(same<T>(einsum("ij,jk->ki", {a.array(), b.array()}), plain<T>(c.array().T())));
  }
}

BACKEND_DTYPE_TEST_CASE(products_of_complex_arrays_conjugate_where_they_should, std::complex<float>,
                        std::complex<double>) {
  const Plain<T> a = noise<T>({70, 40}, 1), b = noise<T>({40, 70}, 2);
  Plain<T> c({70, 70});
  each_index({70, 70, 40}, [&](const std::vector<std::int64_t>& i) {
    c[{i[0], i[1]}] += a[{i[0], i[2]}] * b[{i[2], i[1]}];
  });
  BOOST_TEST(close<T>(matmul(a.array(), b.array()), c, rounding<T>));
  const UnifiedArray v = a.array()(0), w = b.array()(all_of, 0);
  BOOST_TEST(std::abs(vecdot(v, w).template item<T>() - sum(conj(v) * w).template item<T>()) <
             rounding<T>);
  BOOST_TEST(std::abs(vecdot(v, v).template item<T>().imag()) < rounding<T>);
  BOOST_TEST((vector_norm(v).dtype() == real_dtype(dtype_of<T>)));
  BOOST_TEST((matrix_norm(a.array(), false, 1).dtype() == real_dtype(dtype_of<T>)));
}

BACKEND_TEST_CASE(formulas_say_which_axes_are_summed) {
  const UnifiedArray a = counting<double>({3, 3}).array(), v = asarray({1.0, 2.0, 3.0});
  const UnifiedArray deep = numbers<double>({2, 3, 4}), other = numbers<double>({5, 1, 4, 2}, 2);
  BOOST_TEST(einsum("ii", {a}).item<double>() == 12);
  BOOST_TEST(same<double>(einsum("ii->i", {a}), {{3}, {0, 4, 8}}));
  BOOST_TEST(same<double>(einsum("ij->ji", {a}), plain<double>(a.T())));
  BOOST_TEST(same<double>(einsum("ba", {a}), plain<double>(a.T())));
  BOOST_TEST(einsum("ij->", {a}).item<double>() == 36);
  BOOST_TEST(same<double>(einsum("ij,j->i", {a, v}), {{3}, {8, 26, 44}}));
  BOOST_TEST(same<double>(einsum(" i , i -> i ", {v, v}), {{3}, {1, 4, 9}}));
  BOOST_TEST(same<double>(einsum("i,j", {v, v}), plain<double>(outer(v, v))));
  BOOST_TEST(
      same<double>(einsum("...i->i...", {deep}), plain<double>(permute_dims(deep, {2, 0, 1}))));
  BOOST_TEST(close<double>(einsum("...ij,...jk->...ik", {deep, other}),
                           plain<double>(matmul(deep, other)), 1e-14));
  BOOST_TEST(close<double>(einsum("...ij,...jk", {deep, other}), plain<double>(matmul(deep, other)),
                           1e-14));
  // A chain, whose order matters for the work and not for the result.
  const UnifiedArray p = numbers<double>({2, 30}, 3), q = numbers<double>({30, 40}, 4),
                     r = numbers<double>({40, 1}, 5);
  BOOST_TEST(close<double>(einsum("ij,jk,kl->il", {p, q, r}),
                           plain<double>(matmul(matmul(p, q), r)), 1e-13));
  BOOST_TEST(
      close<double>(einsum("ij,jk,kl", {p, q, r}), plain<double>(matmul(matmul(p, q), r)), 1e-13));
  BOOST_TEST(std::abs(einsum("ij,ij,ij->", {a, a, a}).item<double>() -
                      sum(a * a * a).item<double>()) < 1e-10);
}

BACKEND_TEST_CASE(factorizations_are_recorded_with_their_errors) {
  const auto body = [](const UnifiedArray& a, const UnifiedArray& b) {
    const SvdResult s = svd(a);
    const SlogdetResult d = slogdet(a);
    return std::tuple{solve(a, b),
                      inv(a),
                      s.S,
                      d.logabsdet,
                      eigh(a + adjoint(a)).eigenvectors,
                      qr(a).R,
                      expm(a),
                      pinv(a),
                      einsum("ij,j,k->ki", {a, b, b}),
                      cond(a, 1)};
  };
  const auto f = jit(body);
  for (unsigned seed = 1; seed < 4; ++seed) {
    const UnifiedArray a = regular<double>({}, 4, seed), b = numbers<double>({4}, seed + 9);
    std::apply(
        [&](const auto&... replayed) {
          const auto check = [](const UnifiedArray& x, const UnifiedArray& y) {
            BOOST_TEST(same<double>(x, plain<double>(y)));
          };
          std::apply([&](const auto&... direct) { (check(replayed, direct), ...); }, body(a, b));
        },
        f(a, b));
  }
  BOOST_CHECK_THROW(f(ones({4, 4}), ones({4})), LinAlgError);
}
