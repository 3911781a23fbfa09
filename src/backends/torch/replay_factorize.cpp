#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/complex.h>
#include <ATen/ops/imag.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/linalg_cholesky_ex.h>
#include <ATen/ops/linalg_det.h>
#include <ATen/ops/linalg_eig.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linalg_eigvals.h>
#include <ATen/ops/linalg_eigvalsh.h>
#include <ATen/ops/linalg_inv_ex.h>
#include <ATen/ops/linalg_matrix_exp.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/linalg_slogdet.h>
#include <ATen/ops/linalg_solve_ex.h>
#include <ATen/ops/linalg_solve_triangular.h>
#include <ATen/ops/linalg_svd.h>
#include <ATen/ops/linalg_svdvals.h>
#include <ATen/ops/nonzero.h>
#include <ATen/ops/real.h>

#include <limits>

#include "backends/torch/replay.hpp"
#include "backends/torch/tensors.hpp"

namespace isofield::torch_backend {
namespace {

using Decomposition = Factorization::Kind;
using at::Tensor;

/// The first matrix of a stack for which `flags` is true.
std::optional<std::int64_t> first_true(const Tensor& flags) {
  const Tensor where = at::nonzero(flags.reshape({-1}));
  if (where.size(0) == 0) return std::nullopt;
  return where.select(0, 0).item<std::int64_t>();
}

/// Write results that some matrices do not have.
std::optional<std::int64_t> write_some(const View& out, const Tensor& value,
                                       const Tensor& missing) {
  const std::optional<std::int64_t> failed = first_true(missing);
  if (!failed) {
    write(out, value);
  } else {
    const Tensor flags = missing.reshape(value.sizes().slice(0, value.dim() - 2)).unsqueeze(-1);
    write(out, value.masked_fill(flags.unsqueeze(-1), not_a_number));
  }
  return failed;
}

/// LibTorch 1.13 mistakes the norms of complex matrices, and so the degree: those are made real
/// ones of twice the size, x + i y as [[x, -y], [y, x]].
Tensor exponential(const Tensor& a) {
  if (!a.is_complex()) return at::linalg_matrix_exp(a);
  const std::int64_t n = a.size(-1);
  const Tensor x = at::real(a), y = at::imag(a);
  const Tensor twice = at::cat({at::cat({x, y.neg()}, -1), at::cat({y, x}, -1)}, -2);
  const Tensor left = at::linalg_matrix_exp(twice).narrow(-1, 0, n);
  return at::complex(left.narrow(-2, 0, n), left.narrow(-2, n, n));
}

/// The results of iterations, of values and perhaps vectors.
std::vector<Tensor> iterated(const Factorization& f, const Tensor& a, bool vectors) {
  if (f.kind == Decomposition::svd && vectors) {
    const auto [u, s, vh] = at::linalg_svd(a, f.full);
    return {u, s, vh};
  }
  if (f.kind == Decomposition::svd) return {at::linalg_svdvals(a)};
  if (f.kind == Decomposition::eigh && !vectors) return {at::linalg_eigvalsh(a)};
  if (!vectors) return {at::linalg_eigvals(a)};
  const auto [w, v] = f.kind == Decomposition::eigh ? at::linalg_eigh(a) : at::linalg_eig(a);
  return {w, v};
}

/// Iterate on the matrices that are finite. Of iterations that do not end LibTorch does not say
/// which: then there are no results, and the first matrix is named.
std::optional<std::int64_t> iterate(const Factorization& f, std::span<const View> in,
                                    std::span<const View> out) {
  Tensor a = read(in[0]);
  if (f.kind == Decomposition::eigh) a = a.tril();
  const Tensor missing = at::isfinite(a).flatten(-2).all(-1).logical_not();
  const std::optional<std::int64_t> failed = first_true(missing);
  if (failed) a = a.masked_fill(missing.unsqueeze(-1).unsqueeze(-1), 0);
  try {
    std::size_t i = 0;
    for (Tensor result : iterated(f, a, out.size() > 1)) {
      Tensor flags = missing;
      while (flags.dim() < result.dim()) flags = flags.unsqueeze(-1);
      write(out[i++], failed ? result.masked_fill(flags, not_a_number) : result);
    }
    return failed;
  } catch (const c10::LinAlgError&) {
    for (const View& view : out) share(view).tensor.fill_(not_a_number);
    return failed.value_or(0);
  }
}

}  // namespace

std::optional<std::int64_t> replay_factorize(const Factorization& f, std::span<const View> in,
                                             std::span<const View> out) {
  const at::AutoDispatchBelowADInplaceOrView no_autograd;
  const Tensor a = read(in[0]);
  switch (f.kind) {
    case Decomposition::cholesky: {
      const auto [l, info] = at::linalg_cholesky_ex(f.upper ? a.mH() : a);
      return write_some(out[0], f.upper ? l.mH() : l, info.ne(0));
    }
    case Decomposition::solve: {
      const auto [x, info] = at::linalg_solve_ex(a, read(in[1]));
      return write_some(out[0], x, info.ne(0));
    }
    case Decomposition::solve_triangular: {
      const Tensor x = at::linalg_solve_triangular(a, read(in[1]), f.upper, true, f.unit_diagonal);
      if (!f.unit_diagonal) return write_some(out[0], x, a.diagonal(0, -2, -1).eq(0).any(-1));
      write(out[0], x);
      return std::nullopt;
    }
    case Decomposition::inverse: {
      const auto [inverse, info] = at::linalg_inv_ex(a);
      return write_some(out[0], inverse, info.ne(0));
    }
    case Decomposition::determinant: write(out[0], at::linalg_det(a)); return std::nullopt;
    case Decomposition::log_determinant: {
      const auto [sign, logarithm] = at::linalg_slogdet(a);
      write(out[0], sign);
      write(out[1], logarithm);
      return std::nullopt;
    }
    case Decomposition::qr: {
      const auto [q, r] = at::linalg_qr(a, f.full ? "complete" : "reduced");
      write(out[0], q);
      write(out[1], r);
      return std::nullopt;
    }
    case Decomposition::exponential: write(out[0], exponential(a)); return std::nullopt;
    default: return iterate(f, in, out);
  }
}

}  // namespace isofield::torch_backend
