// How transforms see pointwise operations: one rule for all rows of ops.def, and those of `where`
// and of casts, whose operands differ in dtype.

#include <complex>
#include <isofield/ops.hpp>

#include "core/emit.hpp"
#include "transforms/derivative.hpp"
#include "transforms/rules.hpp"

namespace isofield::detail {
namespace {

/// `x` times a derivative; `back`: its conjugate, which takes cotangents.
UnifiedArray times(const UnifiedArray& x, const Partial& partial, bool back) {
  switch (partial.kind) {
    case Partial::Kind::zero: return zeros_like(x);
    case Partial::Kind::one: return x;
    case Partial::Kind::minus_one: return negative(x);
    case Partial::Kind::factor: break;
  }
  return multiply(x, back ? conjugated(partial.factor) : partial.factor);
}

class Pointwise final : public Primitive {
 public:
  explicit Pointwise(Op op) : op_(op) {}

  std::string_view name() const noexcept override { return info(op_).name; }
  Arrays apply(std::span<Operand> in) const override { return {emit(op_, in)}; }
  bool depends_on(std::size_t k) const noexcept override { return !is_constant(op_, k); }
  bool reads(std::size_t) const noexcept override { return has_factors(op_); }
  bool reads_results() const noexcept override { return has_factors(op_); }

  void pull(Pull& pull) const override {
    for (std::size_t k = 0; k < static_cast<std::size_t>(info(op_).arity); ++k)
      if (pull.wants(k) && depends_on(k))
        pull.add(k, times(pull.cotangents[0], derivative(pull.call, k), true));
  }

  std::vector<Maybe> push(const Application& call, std::span<const Maybe> in) const override {
    Maybe sum;
    for (std::size_t k = 0; k < in.size(); ++k) {
      if (!in[k] || !depends_on(k)) continue;
      UnifiedArray term = times(*in[k], derivative(call, k), false);
      sum = sum ? *sum + term : term;
    }
    return {std::move(sum)};
  }

  Arrays batch(std::span<Operand> in, const std::vector<bool>& batched,
               std::int64_t) const override {
    align_batch(in, batched);
    return {emit(op_, in)};
  }

 private:
  Partial derivative(const Application& call, std::size_t k) const {
    return call.out.empty() ? literal_partial(op_, k) : partial(op_, k, call.in, call.out[0]);
  }

  Op op_;
};

/// Functions of one complex number that have no complex derivative; as maps of the plane they are
/// differentiable where they are not 0.
class PlaneMap final : public Primitive {
 public:
  explicit PlaneMap(Op op) : op_(op) {}
  static bool is(Op op) {
    return op == Op::abs || op == Op::sign || op == Op::conj || op == Op::real || op == Op::imag;
  }
  std::string_view name() const noexcept override { return info(op_).name; }
  Arrays apply(std::span<Operand> in) const override { return {emit(op_, in)}; }
  bool reads(std::size_t) const noexcept override { return op_ == Op::abs || op_ == Op::sign; }
  bool reads_results() const noexcept override { return op_ == Op::sign; }

  // With <a, b> = Re(conj(a) b), cotangents of the plane are transposed derivatives.
  void pull(Pull& pull) const override {
    const UnifiedArray& ct = pull.cotangents[0];
    switch (op_) {
      case Op::real: return pull.add(0, ct);
      case Op::imag: return pull.add(0, multiply(ct, std::complex<double>(0.0, 1.0)));
      case Op::abs: return pull.add(0, multiply(ct, sign(pull.call.in[0])));
      default: return pull.add(0, changed(pull.call, ct));
    }
  }
  std::vector<Maybe> push(const Application& call, std::span<const Maybe> in) const override {
    if (op_ == Op::abs) return {real(conj(sign(call.in[0])) * *in[0])};
    if (op_ == Op::real) return {real(*in[0])};
    if (op_ == Op::imag) return {imag(*in[0])};
    return {changed(call, *in[0])};
  }
  Arrays batch(std::span<Operand> in, const std::vector<bool>&, std::int64_t) const override {
    return {emit(op_, in)};
  }

 private:
  /// The derivative of `conj` or `sign` along t; both are symmetric.
  UnifiedArray changed(const Application& call, const UnifiedArray& t) const {
    if (op_ == Op::conj) return conj(t);
    const UnifiedArray size = abs(call.in[0]), &y = call.out[0];
    return (t - y * real(conj(y) * t)) / where(size == 0, 1, size);
  }
  Op op_;
};

/// Its derivatives select, so that what was not taken cannot spoil them.
class Where final : public Primitive {
 public:
  std::string_view name() const noexcept override { return "where"; }
  Arrays apply(std::span<Operand> in) const override { return {emit(Op::where, in)}; }
  bool depends_on(std::size_t k) const noexcept override { return k > 0; }
  bool reads(std::size_t k) const noexcept override { return k == 0; }
  bool reads_results() const noexcept override { return false; }

  void pull(Pull& pull) const override {
    const UnifiedArray& ct = pull.cotangents[0];
    if (pull.wants(1)) pull.add(1, where(pull.call.in[0], ct, 0));
    if (pull.wants(2)) pull.add(2, where(pull.call.in[0], 0, ct));
  }
  std::vector<Maybe> push(const Application& call, std::span<const Maybe> in) const override {
    if (!in[1] && !in[2]) return {std::nullopt};
    const auto tangent = [&](std::size_t k) -> Operand {
      return in[k] ? Operand(*in[k]) : Operand(0);
    };
    return {where(call.in[0], tangent(1), tangent(2))};
  }
  Arrays batch(std::span<Operand> in, const std::vector<bool>& batched,
               std::int64_t) const override {
    align_batch(in, batched);
    return {emit(Op::where, in)};
  }
};

}  // namespace

UnifiedArray transformed_pointwise(Op op, std::span<Operand> operands) {
  Rule rule;
  if (op == Op::where)
    rule = std::make_shared<Where>();
  else if (PlaneMap::is(op) && is_complex(dtype_of(operands[0])))
    rule = std::make_shared<PlaneMap>(op);
  else
    rule = std::make_shared<Pointwise>(op);
  return std::move(transformed(rule, operands)[0]);
}

}  // namespace isofield::detail
