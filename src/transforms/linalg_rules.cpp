// How transforms see products of matrices and solutions of linear systems.

#include "transforms/rules.hpp"

namespace isofield::detail {
namespace {

using linalg::matmul;
using linalg::tridiagonal_solve;

class Matmul final : public Primitive {
 public:
  std::string_view name() const noexcept override { return "matmul"; }
  bool reads_results() const noexcept override { return false; }
  Arrays apply(std::span<Operand> in) const override {
    return {matmul(std::move(in[0]), std::move(in[1]))};
  }

  void pull(Pull& pull) const override {
    UnifiedArray a = conjugated(pull.call.in[0]).array(), b = conjugated(pull.call.in[1]).array();
    UnifiedArray ct = pull.cotangents[0];
    const bool row = a.ndim() == 1, column = b.ndim() == 1;
    if (row) a = expand_dims(a, 0);
    if (column) b = expand_dims(b, 1);
    if (column) ct = expand_dims(ct, -1);
    if (row) ct = expand_dims(ct, -2);
    if (pull.wants(0)) {
      const UnifiedArray c = summed_to(matmul(ct, matrix_transpose(b)), a.shape());
      pull.add(0, row ? squeeze(c, 0) : c);
    }
    if (pull.wants(1)) {
      const UnifiedArray c = summed_to(matmul(matrix_transpose(a), ct), b.shape());
      pull.add(1, column ? squeeze(c, 1) : c);
    }
  }

  std::vector<Maybe> push(const Application& call, std::span<const Maybe> in) const override {
    if (in[0] && in[1]) return {matmul(*in[0], call.in[1]) + matmul(call.in[0], *in[1])};
    return {in[0] ? matmul(*in[0], call.in[1]) : matmul(call.in[0], *in[1])};
  }

  // Stacks of matrices broadcast: a batch is one more leading axis. A batch of vectors is given
  // its second axis first.
  Arrays batch(std::span<Operand> in, const std::vector<bool>& batched,
               std::int64_t) const override {
    UnifiedArray a = in[0].array(), b = in[1].array();
    const int p = a.ndim() - batched[0], q = b.ndim() - batched[1];
    if (p == 1) a = expand_dims(a, -2);
    if (q == 1) b = expand_dims(b, -1);
    Operand operands[] = {a, b};
    align_batch(operands, batched);
    UnifiedArray c = matmul(operands[0], operands[1]);
    if (q == 1) c = squeeze(c, -1);
    if (p == 1) c = squeeze(c, q == 1 ? -1 : -2);
    return {std::move(c)};
  }
};

/// x with A x = r for a tridiagonal A. A change of A and r changes x by A dx = dr - dA x, and the
/// adjoint solves with the transposed matrix.
class TridiagonalSolve final : public Primitive {
 public:
  TridiagonalSolve(int axis, bool periodic) : axis_(axis), periodic_(periodic) {}
  std::string_view name() const noexcept override { return "tridiagonal_solve"; }
  bool reads(std::size_t k) const noexcept override { return k < 3; }
  Arrays apply(std::span<Operand> in) const override {
    return {tridiagonal_solve(std::move(in[0]), std::move(in[1]), std::move(in[2]),
                              std::move(in[3]), axis_, periodic_)};
  }

  void pull(Pull& pull) const override {
    const UnifiedArray& x = pull.call.out[0];
    const auto coefficients = [&](std::size_t k) {
      return broadcast_to(array_of(pull.call.in[k], x.dtype()), x.shape());
    };
    // Row i of the transposed matrix has upper[i-1], diag[i], lower[i+1].
    const UnifiedArray y = tridiagonal_solve(
        shift(coefficients(2), axis_, -1, Boundary::periodic), pull.call.in[1],
        shift(coefficients(0), axis_, 1, Boundary::periodic), pull.cotangents[0], axis_, periodic_);
    if (pull.wants(0)) pull.add(0, -(y * neighbour(x, -1)));
    if (pull.wants(1)) pull.add(1, -(y * x));
    if (pull.wants(2)) pull.add(2, -(y * neighbour(x, 1)));
    if (pull.wants(3)) pull.add(3, y);
  }

  std::vector<Maybe> push(const Application& call, std::span<const Maybe> in) const override {
    const UnifiedArray& x = call.out[0];
    UnifiedArray right = in[3] ? *in[3] : zeros_like(x);
    if (in[0]) right = right - *in[0] * neighbour(x, -1);
    if (in[1]) right = right - *in[1] * x;
    if (in[2]) right = right - *in[2] * neighbour(x, 1);
    return {tridiagonal_solve(call.in[0], call.in[1], call.in[2], right, axis_, periodic_)};
  }

  Arrays batch(std::span<Operand> in, const std::vector<bool>& batched,
               std::int64_t) const override {
    align_batch(in, batched);
    return {tridiagonal_solve(std::move(in[0]), std::move(in[1]), std::move(in[2]),
                              std::move(in[3]), axis_ < 0 ? axis_ : axis_ + 1, periodic_)};
  }

 private:
  /// What an off-diagonal coefficient is multiplied by; those beyond the ends are not read.
  UnifiedArray neighbour(const UnifiedArray& x, int offset) const {
    return shift(x, axis_, offset, periodic_ ? Boundary::periodic : Boundary::constant, 0.0);
  }
  int axis_;
  bool periodic_;
};

}  // namespace

UnifiedArray transformed_matmul(Operand a, Operand b) {
  Operand operands[] = {std::move(a), std::move(b)};
  return std::move(transformed(std::make_shared<Matmul>(), operands)[0]);
}

UnifiedArray transformed_tridiagonal_solve(std::span<Operand> in, int axis, bool periodic) {
  return std::move(transformed(std::make_shared<TridiagonalSolve>(axis, periodic), in)[0]);
}

}  // namespace isofield::detail
