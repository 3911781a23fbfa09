// How transforms see reductions.

#include "transforms/rules.hpp"

namespace isofield::detail {
namespace {

std::vector<int> axes_of(std::uint32_t mask) {
  std::vector<int> axes;
  for (int k = 0; k < 32; ++k)
    if ((mask >> k) & 1) axes.push_back(k);
  return axes;
}

UnifiedArray reduced(Reduce op, Operand x, const std::vector<int>& axes, bool keepdims) {
  switch (op) {
    case Reduce::sum: return sum(std::move(x), axes, keepdims);
    case Reduce::prod: return prod(std::move(x), axes, keepdims);
    case Reduce::min: return min(std::move(x), axes, keepdims);
    case Reduce::max: return max(std::move(x), axes, keepdims);
    case Reduce::any: return any(std::move(x), axes, keepdims);
    case Reduce::all: break;
  }
  return all(std::move(x), axes, keepdims);
}

class ReductionRule final : public Primitive {
 public:
  ReductionRule(Reduce op, const Shape& shape, std::uint32_t mask, bool keepdims)
      : op_(op), shape_(shape), kept_shape_(shape), axes_(axes_of(mask)), keepdims_(keepdims) {
    for (const int axis : axes_) kept_shape_[axis] = 1;
  }
  std::string_view name() const noexcept override { return isofield::name(op_); }
  Arrays apply(std::span<Operand> in) const override {
    return {reduced(op_, std::move(in[0]), axes_, keepdims_)};
  }
  bool depends_on(std::size_t) const noexcept override {
    return op_ != Reduce::any && op_ != Reduce::all;
  }
  bool reads(std::size_t) const noexcept override { return op_ != Reduce::sum; }
  bool reads_results() const noexcept override { return op_ == Reduce::min || op_ == Reduce::max; }

  void pull(Pull& pull) const override {
    const UnifiedArray ct = reshape(pull.cotangents[0], kept_shape_);
    if (op_ == Reduce::sum) return pull.add(0, broadcast_to(ct, shape_));
    pull.add(0, ct * conjugated(weights(pull.call)));
  }
  std::vector<Maybe> push(const Application& call, std::span<const Maybe> in) const override {
    if (op_ == Reduce::sum) return {sum(*in[0], axes_, keepdims_)};
    return {sum(*in[0] * weights(call), axes_, keepdims_)};
  }
  Arrays batch(std::span<Operand> in, const std::vector<bool>&, std::int64_t) const override {
    std::vector<int> axes;
    for (const int axis : axes_) axes.push_back(axis + 1);
    return {reduced(op_, std::move(in[0]), axes, keepdims_)};
  }

 private:
  /// The derivative of the result by each element.
  UnifiedArray weights(const Application& call) const {
    return op_ == Reduce::prod ? products_of_others(call.in[0].array())
                               : shares(call.in[0].array(), call.out);
  }
  /// Extreme elements share alike.
  UnifiedArray shares(const UnifiedArray& x, std::span<const UnifiedArray> out) const {
    const UnifiedArray extreme = (x == reshape(out[0], kept_shape_)).astype(x.dtype());
    return extreme / sum(extreme, axes_, true);
  }
  /// Also where there are zeros, which cannot be divided by.
  UnifiedArray products_of_others(const UnifiedArray& x) const {
    const UnifiedArray zero = x == 0;
    const UnifiedArray zeros_there = sum(zero.astype(x.dtype()), axes_, true);
    const UnifiedArray rest = where(zero, 1, x);
    const UnifiedArray product = prod(rest, axes_, true);
    return where(zero, where(zeros_there == 1, product, 0),
                 where(zeros_there == 0, product / rest, 0));
  }

  Reduce op_;
  Shape shape_, kept_shape_;
  std::vector<int> axes_;
  bool keepdims_;
};

}  // namespace

UnifiedArray transformed_reduction(Reduce op, Operand x, std::uint32_t axes, bool keepdims) {
  return transformed(std::make_shared<ReductionRule>(op, x.node()->shape, axes, keepdims),
                     std::move(x));
}

}  // namespace isofield::detail
