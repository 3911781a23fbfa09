// How transforms see cumulative sums, products and extremes.

#include <isofield/indexing.hpp>
#include <isofield/manipulation.hpp>
#include <isofield/numerical.hpp>

#include "transforms/indexing_rules.hpp"
#include "transforms/rules.hpp"

namespace isofield::detail {
namespace {

class Running final : public Primitive {
 public:
  Running(Reduce op, int axis, DType dtype, bool include_initial)
      : op_(op), axis_(axis), dtype_(dtype), include_initial_(include_initial) {}
  std::string_view name() const noexcept override {
    switch (op_) {
      case Reduce::sum: return "cumulative_sum";
      case Reduce::prod: return "cumulative_prod";
      case Reduce::min: return "cumulative_min";
      default: return "cumulative_max";
    }
  }
  bool depends_on(std::size_t) const noexcept override { return is_inexact(dtype_); }
  bool reads(std::size_t) const noexcept override { return op_ != Reduce::sum; }
  bool reads_results() const noexcept override { return op_ != Reduce::sum; }
  Arrays apply(std::span<Operand> in) const override { return {applied(std::move(in[0]), axis_)}; }

  void pull(Pull& pull) const override {
    const UnifiedArray& ct = pull.cotangents[0];
    if (op_ == Reduce::sum) return pull.add(0, sums_from(ct));
    const UnifiedArray x = pull.call.in[0].array();
    if (op_ == Reduce::prod) {  // each partial product over each of its factors
      return pull.add(0, sums_from(ct * conjugated(pull.call.out[0])) / conjugated(x));
    }
    pull.add(0, scatter_along_axis(zeros_like(x), holders(x, pull.call.out[0]), ct, axis_,
                                   Scatter::add));
  }
  std::vector<Maybe> push(const Application& call, std::span<const Maybe> in) const override {
    const UnifiedArray& t = *in[0];
    if (op_ == Reduce::sum) return {applied(t, axis_)};
    const UnifiedArray x = call.in[0].array();
    if (op_ == Reduce::prod)
      return {call.out[0] * cumulative_sum(t / x, axis_, std::nullopt, include_initial_)};
    return {take_along_axis(t, holders(x, call.out[0]), axis_)};
  }
  Arrays batch(std::span<Operand> in, const std::vector<bool>&, std::int64_t) const override {
    return {applied(std::move(in[0]), axis_ + 1)};
  }

 private:
  UnifiedArray applied(Operand x, int axis) const {
    switch (op_) {
      case Reduce::sum: return cumulative_sum(std::move(x), axis, dtype_, include_initial_);
      case Reduce::prod: return cumulative_prod(std::move(x), axis, dtype_, include_initial_);
      case Reduce::min: return cumulative_min(std::move(x), axis);
      default: return cumulative_max(std::move(x), axis);
    }
  }
  /// Sums from each element to the end; the initial one stands before the first.
  UnifiedArray sums_from(const UnifiedArray& x) const {
    const UnifiedArray sums = flip(cumulative_sum(flip(x, axis_), axis_), axis_);
    if (!include_initial_) return sums;
    std::vector<Index> rest(static_cast<std::size_t>(axis_), Index(all_of));
    rest.emplace_back(from(1));
    return sums.index(rest);
  }
  /// Where the extreme so far stands: the last place that is equal to it.
  UnifiedArray holders(const UnifiedArray& x, const UnifiedArray& y) const {
    Shape line(x.ndim(), 1);
    line[axis_] = x.shape()[axis_];
    const UnifiedArray here =
        reshape(arange(0.0, static_cast<double>(line[axis_]), 1.0, int64, &x.backend()), line);
    return cumulative_max(where(x == y, here, 0), axis_);
  }

  Reduce op_;
  int axis_;
  DType dtype_;
  bool include_initial_;
};

}  // namespace

UnifiedArray transformed_running(Reduce op, Operand x, int axis, DType dtype,
                                 bool include_initial) {
  return transformed(std::make_shared<Running>(op, axis, dtype, include_initial), std::move(x));
}

}  // namespace isofield::detail
