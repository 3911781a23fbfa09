// How transforms see decompositions of matrices, their inverses and solutions of linear systems.

#include <complex>
#include <isofield/manipulation.hpp>

#include "transforms/matrix_rules.hpp"

namespace isofield::detail {
namespace {

using linalg::matmul;
using Kind = Factorization::Kind;

/// The lower triangle with half of the diagonal.
UnifiedArray half_lower(const UnifiedArray& x) { return (tril(x) + tril(x, -1)) * 0.5; }

/// Whether an array has elements that can be read: not while `jit` records, nor within a batch.
bool has_elements(const NodePtr& node) {
  NodePtr inner = node;
  while (inner->wrapped) {
    if (!inner->wrapped->transform->has_elements()) return false;
    inner = NodePtr(inner->wrapped->value);
  }
  return !inner->symbolic;
}

class FactorizationRule final : public Primitive {
 public:
  FactorizationRule(std::string_view operation, const Factorization& factorization,
                    std::span<const NodePtr> in, std::span<const Result> results,
                    const Place& place, bool tolerant)
      : operation_(operation),
        f_(factorization),
        asked_(results.begin(), results.end()),
        computed_(asked_),
        place_(place),
        tolerant_(tolerant) {
    for (const auto& node : in) shapes_.push_back(node->shape);
    // Derivatives of values take vectors.
    if (!only_values()) return;
    const Shape stack = leading(shapes_[0]);
    const std::int64_t m = shapes_[0][stack.size()], n = shapes_[0].back(), p = std::min(m, n);
    switch (f_.kind) {
      case Kind::svd:
        computed_.insert(computed_.begin(), {with_matrix(stack, m, p), place.dtype});
        computed_.push_back({with_matrix(stack, p, n), place.dtype});
        break;
      case Kind::eigh: computed_.push_back({shapes_[0], place.dtype}); break;
      default: computed_.push_back({shapes_[0], complex_dtype(place.dtype)});
    }
  }
  std::string_view name() const noexcept override { return operation_; }
  /// Which of the computed results was asked for first.
  std::size_t first() const noexcept { return f_.kind == Kind::svd && only_values() ? 1 : 0; }

  Arrays apply(std::span<Operand> in) const override {
    std::vector<NodePtr> nodes;
    for (std::size_t k = 0; k < in.size(); ++k) nodes.push_back(packed(in[k].take(), shapes_[k]));
    return factorized(operation_, f_, nodes, computed_, place_, tolerant_);
  }

  void pull(Pull& pull) const override {
    const UnifiedArray a = pull.call.in[0].array();
    const Arrays y = {pull.call.out.begin(), pull.call.out.end()};
    const Arrays& ct = pull.cotangents;
    switch (f_.kind) {
      case Kind::cholesky: {
        const UnifiedArray l = f_.upper ? y[0] : adjoint(y[0]);  // upper
        const UnifiedArray c = f_.upper ? adjoint(ct[0]) : ct[0];
        const UnifiedArray left = linalg::solve_triangular(l, half_lower(matmul(l, c)), true);
        return pull.add(0, hermitian(adjoint(linalg::solve_triangular(l, adjoint(left), true))));
      }
      case Kind::solve:
      case Kind::solve_triangular: {
        const UnifiedArray b = solved(adjoint(a), ct[0], !f_.upper);
        if (pull.wants(1)) pull.add(1, b);
        if (pull.wants(0)) pull.add(0, -triangle(matmul(b, adjoint(y[0]))));
        return;
      }
      case Kind::inverse: return pull.add(0, -matmul(matmul(adjoint(y[0]), ct[0]), adjoint(y[0])));
      case Kind::determinant: return pull.add(0, matrix(ct[0]) * adjoint(adjugate(a, y[0])));
      case Kind::log_determinant: {
        UnifiedArray c = ct[1];
        if (is_complex(a.dtype())) c = c - imag(conj(ct[0]) * y[0]) * std::complex<double>(0, 1);
        return pull.add(0, matrix(c) * adjoint(inverse(a)));
      }
      case Kind::qr: check_qr(); return pull.add(0, pull_qr({a, y}, ct));
      case Kind::svd:
        if (!pull.given[0] && !pull.given[2])
          return pull.add(0, matmul(narrow(y[0], -1) * row(ct[1]), narrow(y[2], -2)));
        check_svd();
        return pull.add(0, pull_svd({a, y}, ct));
      case Kind::eigh:
        if (!pull.given[1]) return pull.add(0, matmul(y[1] * row(ct[0]), adjoint(y[1])));
        return pull.add(0, pull_eigh({a, y}, ct));
      case Kind::eig: {
        if (pull.given[1]) return pull.add(0, pull_eig({a, y}, ct));
        const UnifiedArray back = adjoint(y[1]);
        return pull.add(0, solved_or_nan(back, column(ct[0]) * back));
      }
      case Kind::exponential: break;
    }
    pull.add(0, exponential_along(adjoint(a), ct[0]));
  }

  std::vector<Maybe> push(const Application& call, std::span<const Maybe> in) const override {
    const UnifiedArray a = call.in[0].array();
    const Arrays y = {call.out.begin(), call.out.end()};
    const auto all = [](const Arrays& x) { return std::vector<Maybe>(x.begin(), x.end()); };
    if (f_.kind == Kind::solve || f_.kind == Kind::solve_triangular) {
      if (!in[0]) return {solved(a, *in[1], f_.upper)};
      const UnifiedArray change = matmul(triangle(*in[0]), y[0]);
      return {solved(a, in[1] ? *in[1] - change : -change, f_.upper)};
    }
    const UnifiedArray& da = *in[0];
    switch (f_.kind) {
      case Kind::cholesky: {
        const UnifiedArray l = f_.upper ? adjoint(y[0]) : y[0];
        const UnifiedArray left = linalg::solve_triangular(l, hermitian(da));
        const UnifiedArray both = adjoint(linalg::solve_triangular(l, adjoint(left)));
        const UnifiedArray dl = matmul(l, half_lower(both));
        return {f_.upper ? adjoint(dl) : dl};
      }
      case Kind::inverse: return {-matmul(matmul(y[0], da), y[0])};
      case Kind::determinant: return {trace_of_product(adjugate(a, y[0]), da)};
      case Kind::log_determinant: {
        const UnifiedArray change = trace_of_product(inverse(a), da);
        if (!is_complex(a.dtype())) return {zeros_like(y[0]), change};
        return {y[0] * (change - real(change)), real(change)};
      }
      case Kind::qr: check_qr(); return all(push_qr({a, y}, da));
      case Kind::svd: {
        if (!only_values()) {
          check_svd();
          return all(push_svd({a, y}, da));
        }
        const UnifiedArray turned = matmul(matmul(adjoint(y[0]), da), adjoint(y[2]));
        return {std::nullopt, real_part(linalg::diagonal(turned)), std::nullopt};
      }
      case Kind::eigh: {
        if (!only_values()) return all(push_eigh({a, y}, da));
        const UnifiedArray turned = matmul(matmul(adjoint(y[1]), hermitian(da)), y[1]);
        return {real_part(linalg::diagonal(turned)), std::nullopt};
      }
      case Kind::eig:
        if (!only_values()) return all(push_eig({a, y}, da));
        return {linalg::diagonal(solved_or_nan(y[1], matmul(da, y[1]))), std::nullopt};
      default: break;
    }
    return {exponential_along(a, da)};
  }

  // Stacks of matrices: a batch is one more axis, and one of right sides more columns.
  Arrays batch(std::span<Operand> in, const std::vector<bool>& batched,
               std::int64_t n) const override {
    if (in.size() == 2 && !batched[0]) return {with_more_columns(in[0].array(), in[1].array(), n)};
    std::vector<NodePtr> nodes;
    for (std::size_t k = 0; k < in.size(); ++k)
      nodes.push_back(packed(in[k].take(), batch_shape(n, shapes_[k])));
    std::vector<Result> results = asked_;
    for (auto& r : results) r.shape = batch_shape(n, r.shape);
    return factorized(operation_, f_, nodes, results, place_, tolerant_);
  }

 private:
  bool only_values() const noexcept {
    return asked_.size() == 1 &&
           (f_.kind == Kind::svd || f_.kind == Kind::eigh || f_.kind == Kind::eig);
  }
  [[noreturn]] void refuse(const std::string& what) const {
    throw NotAvailable(std::string(operation_) + ": " + what + context(place_));
  }
  void check_qr() const {
    if (computed_[0].shape.back() > shapes_[0].back())
      refuse(
          "there is no derivative of complete decompositions of matrices with more rows than "
          "columns, shape " +
          to_string(shapes_[0]) + "; ask for the reduced one");
  }
  void check_svd() const {
    if (f_.full && shapes_[0][shapes_[0].size() - 2] != shapes_[0].back())
      refuse("there is no derivative of the vectors of full decompositions of shape " +
             to_string(shapes_[0]) + "; say full_matrices = false");
  }

  UnifiedArray solved(const UnifiedArray& a, const UnifiedArray& b, bool upper) const {
    return f_.kind == Kind::solve ? linalg::solve(a, b)
                                  : linalg::solve_triangular(a, b, upper, f_.unit_diagonal);
  }
  /// What of a matrix the operation reads.
  UnifiedArray triangle(const UnifiedArray& x) const {
    if (f_.kind == Kind::solve) return x;
    const int k = f_.unit_diagonal ? 1 : 0;
    return f_.upper ? triu(x, k) : tril(x, -k);
  }
  /// The vectors that belong to singular values.
  UnifiedArray narrow(const UnifiedArray& vectors, int axis) const {
    const std::int64_t p = std::min(shapes_[0][shapes_[0].size() - 2], shapes_[0].back());
    if (axis == -1) return vectors.index({ellipsis, upto(p)});
    return vectors.index({ellipsis, upto(p), all_of});
  }

  UnifiedArray computed(Kind kind, const UnifiedArray& a, const UnifiedArray* b) const {
    std::vector<NodePtr> nodes{packed(a.node(), a.shape())};
    if (b) nodes.push_back(packed(b->node(), b->shape()));
    const Result result[] = {{b ? b->shape() : a.shape(), a.dtype()}};
    return factorized(operation_, {kind}, nodes, result, place_, true)[0];
  }
  /// NaN where a matrix is singular.
  UnifiedArray inverse(const UnifiedArray& a) const { return computed(Kind::inverse, a, nullptr); }
  UnifiedArray solved_or_nan(const UnifiedArray& a, const UnifiedArray& b) const {
    return computed(Kind::solve, a, &b);
  }
  /// det(a) inv(a), which singular matrices have, too: the products of all singular values but one.
  UnifiedArray adjugate(const UnifiedArray& a, const UnifiedArray& determinant) const {
    const UnifiedArray singular = matrix(determinant) == 0.0;
    // Singular values take many times as long as an inverse.
    if (has_elements(determinant.node()) && !any(singular).item<bool>())
      return matrix(determinant) * inverse(a);
    const UnifiedArray unit = eye(a.shape().back(), DType::float64, &a.backend()) == 1.0;
    const UnifiedArray regular = where(singular, unit.astype(a.dtype()), a);
    const auto [u, s, v] = linalg::svd(a);
    const UnifiedArray others = prod(where(unit, 1.0, row(s)), {-1});
    const UnifiedArray turn = linalg::det(u) * linalg::det(v);
    const UnifiedArray general = matmul(adjoint(v) * row(others), adjoint(u)) * matrix(turn);
    return where(singular, general, matrix(determinant) * inverse(regular));
  }
  static UnifiedArray trace_of_product(const UnifiedArray& a, const UnifiedArray& b) {
    return sum(a * matrix_transpose(b), {-2, -1});
  }
  /// A number for each matrix, to multiply by.
  static UnifiedArray matrix(const UnifiedArray& x) { return column(column(x)); }

  /// The derivative of e^a along da: e^(a da; 0 a) has it in its corner (Higham, Functions of
  /// Matrices, section 10.6).
  UnifiedArray exponential_along(const UnifiedArray& a, const UnifiedArray& da) const {
    const std::int64_t n = a.shape().back();
    const UnifiedArray both = concat({concat({a, da}, -1), concat({zeros_like(a), a}, -1)}, -2);
    return linalg::expm(both).index({ellipsis, upto(n), from(n)});
  }

  UnifiedArray with_more_columns(const UnifiedArray& a, const UnifiedArray& b,
                                 std::int64_t n) const {
    Shape apart = shapes_[1], wide = shapes_[1];
    const int last = apart.size() - 1;
    apart.insert(last, n);
    wide[last] *= n;
    const UnifiedArray columns = reshape(moveaxis(b, 0, -2), wide);
    const NodePtr nodes[] = {packed(a.node(), shapes_[0]), packed(columns.node(), wide)};
    const Result result[] = {{wide, asked_[0].dtype}};
    const UnifiedArray x = factorized(operation_, f_, nodes, result, place_, tolerant_)[0];
    return moveaxis(reshape(x, apart), -2, 0);
  }

  std::string_view operation_;
  Factorization f_;
  std::vector<Result> asked_, computed_;
  Place place_;
  bool tolerant_;
  std::vector<Shape> shapes_;
};

}  // namespace

Arrays transformed_factorization(std::string_view operation, const Factorization& factorization,
                                 std::span<const NodePtr> in, std::span<const Result> results,
                                 const Place& place, bool tolerant) {
  const auto rule =
      std::make_shared<FactorizationRule>(operation, factorization, in, results, place, tolerant);
  std::vector<Operand> operands;
  for (const auto& node : in) operands.emplace_back(UnifiedArray(node), place.where);
  Arrays all = transformed(rule, operands);
  if (all.size() > results.size()) all = {all[rule->first()]};
  return all;
}

}  // namespace isofield::detail
