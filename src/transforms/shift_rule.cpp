// How transforms see `shift`: linear, and its transpose exact for every rule at the edge, since
// schemes conserve mass by it.

#include <cstdlib>

#include "transforms/rules.hpp"

namespace isofield::detail {
namespace {

class Shift final : public LinearPrimitive {
 public:
  Shift(const Shape& shape, int axis, std::int64_t offset, Boundary boundary, Scalar fill)
      : n_(shape[axis]), axis_(axis), offset_(offset), boundary_(boundary), fill_(fill) {}

  std::string_view name() const noexcept override { return "shift"; }
  Arrays apply(std::span<Operand> in) const override {
    return {shift(std::move(in[0]), axis_, offset_, boundary_, fill_)};
  }
  std::vector<Maybe> push(const Application&, std::span<const Maybe> in) const override {
    return {shift(*in[0], axis_, offset_, boundary_, 0.0)};
  }
  Arrays batch(std::span<Operand> in, const std::vector<bool>&, std::int64_t) const override {
    return {shift(std::move(in[0]), axis_ + 1, offset_, boundary_, fill_)};
  }

  // y[i] = x[i + offset]: the element j of x went to y[j - offset], and one at an edge to what lies
  // beyond as well.
  UnifiedArray transpose(UnifiedArray ct) const override {
    if (boundary_ == Boundary::periodic) return shift(ct, axis_, -offset_, Boundary::periodic);
    const UnifiedArray inner = shift(ct, axis_, -offset_, Boundary::constant, 0.0);
    if (boundary_ == Boundary::constant) return inner;
    if (boundary_ == Boundary::reflect && std::abs(offset_) > 1) {
      // What lies beyond is mirrored: y[i] = x[2 n - 1 - i - offset], or x[-1 - i - offset].
      const std::int64_t back = offset_ > 0 ? offset_ - n_ : offset_ + n_;
      return inner + shift(flip(ct, axis_), axis_, back, Boundary::constant, 0.0);
    }
    return inner + where(edge(ct), beyond(ct), 0.0);
  }

 private:
  /// True where an element is repeated beyond the edge.
  UnifiedArray edge(const UnifiedArray& ct) const {
    Shape shape(ct.ndim(), 1);
    shape[axis_] = n_;
    UnifiedArray mask = zeros(shape, DType::bool_, &ct.backend());
    std::vector<Index> place(static_cast<std::size_t>(axis_), Index(all_of));
    place.emplace_back(offset_ > 0 ? n_ - 1 : 0);
    mask.assign(place, Scalar(true));
    return mask;
  }
  /// The sum of the cotangents of what lies beyond the edge.
  UnifiedArray beyond(const UnifiedArray& ct) const {
    if (std::abs(offset_) == 1) return ct;
    std::vector<Index> part(static_cast<std::size_t>(axis_), Index(all_of));
    part.emplace_back(offset_ > 0 ? from(n_ - offset_) : upto(-offset_));
    return sum(ct.index(part), {axis_}, true);
  }

  std::int64_t n_;
  int axis_;
  std::int64_t offset_;
  Boundary boundary_;
  Scalar fill_;
};

}  // namespace

UnifiedArray transformed_shift(Operand x, int axis, std::int64_t offset, Boundary boundary,
                               Scalar fill) {
  return transformed(std::make_shared<Shift>(x.node()->shape, axis, offset, boundary, fill),
                     std::move(x));
}

}  // namespace isofield::detail
