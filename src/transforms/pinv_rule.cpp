// How transforms see pseudo-inverses and least squares. Singular vectors would do where singular
// values differ; these rules need a rank only that does not change (Golub and Pereyra, The
// differentiation of pseudo-inverses and nonlinear least squares problems whose variables separate,
// 1973).

#include "transforms/matrix_rules.hpp"

namespace isofield::detail {
namespace {

using linalg::matmul;

/// y less a x y: what of y a x does not have.
UnifiedArray rest(const UnifiedArray& y, const UnifiedArray& a, const UnifiedArray& x) {
  return y - matmul(a, matmul(x, y));
}

// With p = pinv(a), dp = -p da p + p p' da' (1 - a p) + (1 - p a) da' p' p.

UnifiedArray pull_pinv(const UnifiedArray& a, const UnifiedArray& p, const UnifiedArray& ct) {
  const UnifiedArray q = adjoint(p), back = adjoint(ct);
  const UnifiedArray from_left = rest(matmul(back, matmul(p, q)), a, p);
  const UnifiedArray from_right = rest(adjoint(matmul(matmul(q, p), back)), p, a);
  return from_left + adjoint(from_right - matmul(matmul(p, back), p));
}

UnifiedArray push_pinv(const UnifiedArray& a, const UnifiedArray& p, const UnifiedArray& da) {
  const UnifiedArray q = adjoint(p), back = adjoint(da);
  const UnifiedArray left = matmul(matmul(p, q), back);
  return left - matmul(matmul(left, a), p) + rest(matmul(back, matmul(q, p)), p, a) -
         matmul(matmul(p, da), p);
}

using Tolerance = std::optional<Operand>;

/// The tolerance as an operand of a batch whose matrices have `stack` axes before them.
Tolerance batched_tolerance(const Tolerance& rtol, bool batched, int stack) {
  if (!batched) return rtol;
  Shape wider = rtol->node()->shape;
  while (wider.size() < stack) wider.insert(1, 1);
  return Operand(reshape(*rtol, wider), rtol->where());
}

/// What both have in common: the tolerance, if there is one, is the last operand.
class OfPinv : public Primitive {
 public:
  OfPinv(std::size_t arrays, const std::source_location& where) : arrays_(arrays), where_(where) {}
  bool depends_on(std::size_t k) const noexcept override { return k < arrays_; }

 protected:
  Tolerance tolerance(std::span<const Operand> in) const {
    return in.size() > arrays_ ? Tolerance(in[arrays_]) : std::nullopt;
  }
  UnifiedArray pinv_of(const Application& call) const {
    return linalg::pinv({call.in[0].array(), where_}, tolerance(call.in));
  }
  UnifiedArray with_stack(std::span<const Operand> in, const std::vector<bool>& batched,
                          std::int64_t n, std::size_t k) const {
    return with_batch(in[k], batched[k], n, DType::float64);
  }
  Tolerance tolerance(std::span<const Operand> in, const std::vector<bool>& batched,
                      const UnifiedArray& a) const {
    if (in.size() == arrays_) return std::nullopt;
    return batched_tolerance(in[arrays_], batched[arrays_], a.ndim() - 2);
  }
  std::size_t arrays_;
  std::source_location where_;
};

class Pinv final : public OfPinv {
 public:
  explicit Pinv(const std::source_location& where) : OfPinv(1, where) {}
  std::string_view name() const noexcept override { return "pinv"; }
  bool reads(std::size_t k) const noexcept override { return k == 0; }
  Arrays apply(std::span<Operand> in) const override {
    return {linalg::pinv({in[0].array(), where_}, tolerance(in))};
  }
  void pull(Pull& pull) const override {
    pull.add(0, pull_pinv(pull.call.in[0].array(), pull.call.out[0], pull.cotangents[0]));
  }
  std::vector<Maybe> push(const Application& call, std::span<const Maybe> in) const override {
    return {push_pinv(call.in[0].array(), call.out[0], *in[0])};
  }
  Arrays batch(std::span<Operand> in, const std::vector<bool>& batched,
               std::int64_t n) const override {
    const UnifiedArray a = with_stack(in, batched, n, 0);
    return {linalg::pinv({a, where_}, tolerance(in, batched, a))};
  }
};

/// x = pinv(a) b.
class LeastSquares final : public OfPinv {
 public:
  explicit LeastSquares(const std::source_location& where) : OfPinv(2, where) {}
  std::string_view name() const noexcept override { return "lstsq"; }
  bool reads_results() const noexcept override { return false; }
  Arrays apply(std::span<Operand> in) const override {
    return {linalg::lstsq({in[0].array(), where_}, in[1].array(), tolerance(in)).x};
  }
  void pull(Pull& pull) const override {
    const UnifiedArray a = pull.call.in[0].array(), b = pull.call.in[1].array();
    const UnifiedArray p = pinv_of(pull.call), &ct = pull.cotangents[0];
    if (pull.wants(1)) pull.add(1, matmul(adjoint(p), ct));
    if (pull.wants(0)) pull.add(0, pull_pinv(a, p, matmul(ct, adjoint(b))));
  }
  std::vector<Maybe> push(const Application& call, std::span<const Maybe> in) const override {
    const UnifiedArray a = call.in[0].array(), b = call.in[1].array(), p = pinv_of(call);
    if (!in[0]) return {matmul(p, *in[1])};
    const UnifiedArray by_a = matmul(push_pinv(a, p, *in[0]), b);
    return {in[1] ? by_a + matmul(p, *in[1]) : by_a};
  }
  Arrays batch(std::span<Operand> in, const std::vector<bool>& batched,
               std::int64_t n) const override {
    Operand operands[] = {in[0], in[1]};
    align_batch(operands, {batched[0], batched[1]});
    const UnifiedArray a =
        in.size() > 2 && batched[2] ? with_stack(operands, batched, n, 0) : operands[0].array();
    return {linalg::lstsq({a, where_}, operands[1], tolerance(in, batched, a)).x};
  }
};

template <class R>
UnifiedArray handed_over(std::vector<Operand> operands, const Tolerance& rtol,
                         const std::source_location& where) {
  if (rtol) operands.push_back(*rtol);
  return std::move(transformed(std::make_shared<R>(where), operands)[0]);
}

}  // namespace

UnifiedArray transformed_pinv(const UnifiedArray& x, const Tolerance& rtol,
                              const std::source_location& where) {
  return handed_over<Pinv>({{x, where}}, rtol, where);
}

UnifiedArray transformed_lstsq(const UnifiedArray& a, const UnifiedArray& b, const Tolerance& rtol,
                               const std::source_location& where) {
  return handed_over<LeastSquares>({{a, where}, {b, where}}, rtol, where);
}

}  // namespace isofield::detail
