#include <isofield/linalg.hpp>

#include "ops/matrices.hpp"

namespace isofield::linalg {
namespace {

using detail::Matrices;
using detail::NodePtr;
using detail::Result;
using detail::with_matrix;
using Kind = Factorization::Kind;

std::vector<UnifiedArray> factorized(std::string_view operation, const Factorization& factorization,
                                     const Matrices& a, std::vector<Result> results) {
  const NodePtr in = detail::contiguous(a.node);
  return detail::factorized(operation, factorization, {&in, 1}, results, a.place);
}

Shape with_vector(Shape stack, std::int64_t n) {
  stack.push_back(n);
  return stack;
}

/// Solve with a full matrix or a triangle of it.
UnifiedArray solved(std::string_view operation, const Factorization& factorization, Operand x1,
                    Operand x2) {
  const Operand operands[] = {x1, x2};
  const DType dtype = detail::inexact_type(operation, operands);
  (void)detail::common_backend(operation, operands);
  Matrices a = detail::matrices(operation, std::move(x1), true);
  a.place.dtype = dtype;
  if (x2.is_scalar() || x2.node()->shape.empty())
    throw ShapeError(std::string(operation) + ": the right side must be a vector or a matrix" +
                     detail::context(a.place));
  const Shape given = x2.node()->shape;
  const bool vector = given.size() == 1;
  NodePtr b = detail::cast(x2.take(), dtype);
  if (vector) b = expand_dims({UnifiedArray(std::move(b)), a.place.where}, -1).node();
  const std::int64_t rows = b->shape[b->shape.size() - 2], k = b->shape.back();
  if (rows != a.n)
    throw ShapeError(std::string(operation) + ": shapes " + to_string(a.node->shape) + " and " +
                     to_string(given) + " do not fit: " + std::to_string(a.n) +
                     " != " + std::to_string(rows) + detail::context(a.place));
  const Shape stack = detail::located(
      a.place, [&] { return broadcast_shapes(a.stack, detail::leading(b->shape), operation); });
  const NodePtr in[] = {detail::packed(detail::cast(a.node, dtype), with_matrix(stack, a.n, a.n)),
                        detail::packed(b, with_matrix(stack, a.n, k))};
  const Result result[] = {{with_matrix(stack, a.n, k), dtype}};
  UnifiedArray x = detail::factorized(operation, factorization, in, result, a.place)[0];
  return vector ? squeeze(std::move(x), -1) : x;
}

/// Eigenvalues, and vectors if asked.
std::vector<UnifiedArray> eigen(std::string_view operation, Kind kind, Operand x, bool vectors) {
  const Matrices a = detail::matrices(operation, std::move(x), true);
  const bool hermitian = kind == Kind::eigh;
  const DType dtype = a.place.dtype;
  std::vector<Result> results = {
      {with_vector(a.stack, a.n), hermitian ? real_dtype(dtype) : complex_dtype(dtype)}};
  if (vectors)
    results.push_back({with_matrix(a.stack, a.n, a.n), hermitian ? dtype : complex_dtype(dtype)});
  return factorized(operation, {kind}, a, std::move(results));
}

}  // namespace

UnifiedArray solve(Operand x1, Operand x2) {
  return solved("solve", {Kind::solve}, std::move(x1), std::move(x2));
}

UnifiedArray solve_triangular(Operand x1, Operand x2, bool upper, bool unit_diagonal) {
  return solved("solve_triangular", {Kind::solve_triangular, upper, false, unit_diagonal},
                std::move(x1), std::move(x2));
}

UnifiedArray inv(Operand x) {
  const Matrices a = detail::matrices("inv", std::move(x), true);
  return factorized("inv", {Kind::inverse}, a, {{a.node->shape, a.place.dtype}})[0];
}

UnifiedArray det(Operand x) {
  const Matrices a = detail::matrices("det", std::move(x), true);
  return factorized("det", {Kind::determinant}, a, {{a.stack, a.place.dtype}})[0];
}

SlogdetResult slogdet(Operand x) {
  const Matrices a = detail::matrices("slogdet", std::move(x), true);
  const DType dtype = a.place.dtype;
  auto result = factorized("slogdet", {Kind::log_determinant}, a,
                           {{a.stack, dtype}, {a.stack, real_dtype(dtype)}});
  return {std::move(result[0]), std::move(result[1])};
}

UnifiedArray expm(Operand x) {
  const Matrices a = detail::matrices("expm", std::move(x), true);
  return factorized("expm", {Kind::exponential}, a, {{a.node->shape, a.place.dtype}})[0];
}

UnifiedArray cholesky(Operand x, bool upper) {
  const Matrices a = detail::matrices("cholesky", std::move(x), true);
  return factorized("cholesky", {Kind::cholesky, upper}, a, {{a.node->shape, a.place.dtype}})[0];
}

QrResult qr(Operand x, QrMode mode) {
  const Matrices a = detail::matrices("qr", std::move(x), false);
  const bool full = mode == QrMode::complete;
  const std::int64_t p = full ? a.m : std::min(a.m, a.n);
  const DType dtype = a.place.dtype;
  auto result =
      factorized("qr", {Kind::qr, false, full}, a,
                 {{with_matrix(a.stack, a.m, p), dtype}, {with_matrix(a.stack, p, a.n), dtype}});
  return {std::move(result[0]), std::move(result[1])};
}

SvdResult svd(Operand x, bool full_matrices) {
  const Matrices a = detail::matrices("svd", std::move(x), false);
  const std::int64_t p = std::min(a.m, a.n);
  const std::int64_t u = full_matrices ? a.m : p, v = full_matrices ? a.n : p;
  const DType dtype = a.place.dtype;
  auto result = factorized("svd", {Kind::svd, false, full_matrices}, a,
                           {{with_matrix(a.stack, a.m, u), dtype},
                            {with_vector(a.stack, p), real_dtype(dtype)},
                            {with_matrix(a.stack, v, a.n), dtype}});
  return {std::move(result[0]), std::move(result[1]), std::move(result[2])};
}

UnifiedArray svdvals(Operand x) {
  const Matrices a = detail::matrices("svdvals", std::move(x), false);
  return factorized("svdvals", {Kind::svd}, a,
                    {{with_vector(a.stack, std::min(a.m, a.n)), real_dtype(a.place.dtype)}})[0];
}

EigResult eigh(Operand x) {
  auto result = eigen("eigh", Kind::eigh, std::move(x), true);
  return {std::move(result[0]), std::move(result[1])};
}

UnifiedArray eigvalsh(Operand x) { return eigen("eigvalsh", Kind::eigh, std::move(x), false)[0]; }

EigResult eig(Operand x) {
  auto result = eigen("eig", Kind::eig, std::move(x), true);
  return {std::move(result[0]), std::move(result[1])};
}

UnifiedArray eigvals(Operand x) { return eigen("eigvals", Kind::eig, std::move(x), false)[0]; }

}  // namespace isofield::linalg
