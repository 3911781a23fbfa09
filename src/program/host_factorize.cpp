#include <algorithm>
#include <atomic>
#include <isofield/host.hpp>
#include <limits>

#include "program/dense/dense.hpp"
#include "program/host_pieces.hpp"
#include "program/thresholds.hpp"

namespace isofield::host {
namespace {

using Kind = Factorization::Kind;

/// Multiplications that one piece of work should hold at least.
constexpr std::int64_t piece = 1 << 16;

DenseType type_of(DType dtype) {
  switch (dtype) {
    case DType::float32: return DenseType::float32;
    case DType::complex64: return DenseType::complex64;
    case DType::complex128: return DenseType::complex128;
    default: return DenseType::float64;
  }
}

DenseKernel kernel_of(Kind kind, DenseType type) {
  switch (kind) {
    case Kind::cholesky: return cholesky_kernel(type);
    case Kind::solve:
    case Kind::inverse:
    case Kind::determinant:
    case Kind::log_determinant: return lu_kernel(type);
    case Kind::solve_triangular: return triangular_kernel(type);
    case Kind::qr: return qr_kernel(type);
    case Kind::svd: return svd_kernel(type);
    case Kind::eigh: return eigh_kernel(type);
    case Kind::eig: return eig_kernel(type);
    case Kind::exponential: break;
  }
  return exponential_kernel(type);
}

/// How many times a view's bytes there are for each matrix of the stack.
std::int64_t bytes_of_each(const View& view, std::int64_t stack) {
  return element_count(view.layout.shape) / stack * static_cast<std::int64_t>(itemsize(view.dtype));
}

}  // namespace

std::optional<std::int64_t> factorize(const Factorization& factorization, std::span<const View> in,
                                      std::span<const View> out, Executor& executor) {
  const Shape& shape = in[0].layout.shape;
  const int rank = shape.size();
  DenseMatrices all = {};
  all.count = 1;
  for (int i = 0; i < rank - 2; ++i) all.count *= shape[i];
  all.m = shape[rank - 2];
  all.n = shape[rank - 1];
  all.k = in.size() > 1 ? in[1].layout.shape.back() : 0;
  all.vectors = out.size() > 1;
  const DenseKernel kernel = kernel_of(factorization.kind, type_of(in[0].dtype));
  const std::int64_t each = all.m * all.n * (std::min(all.m, all.n) + all.k);
  const std::int64_t matrices = std::max<std::int64_t>(1, piece / each);
  const std::int64_t pieces = (all.count + matrices - 1) / matrices;
  const bool parallel = all.count > 1 && all.count * each >= threshold::matmul;
  constexpr std::int64_t none = std::numeric_limits<std::int64_t>::max();
  std::atomic<std::int64_t> failed = none;
  for_pieces(pieces, parallel, executor, [&](std::int64_t p) {
    const std::int64_t from = p * matrices;
    DenseMatrices some = all;
    some.count = std::min(matrices, all.count - from);
    for (std::size_t i = 0; i < in.size(); ++i)
      some.in[i] = in[i].bytes() + from * bytes_of_each(in[i], all.count);
    for (std::size_t i = 0; i < out.size(); ++i)
      some.out[i] = out[i].bytes() + from * bytes_of_each(out[i], all.count);
    const std::int64_t here = kernel(factorization, some);
    if (here < 0) return;
    std::int64_t before = failed;
    while (from + here < before && !failed.compare_exchange_weak(before, from + here)) {
    }
  });
  if (failed == none) return std::nullopt;
  return failed;
}

}  // namespace isofield::host
