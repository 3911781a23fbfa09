// How transforms such as `grad` see cosine, sine and Hartley transforms.

#include <algorithm>
#include <isofield/fft.hpp>

#include "transforms/rules.hpp"

namespace isofield::detail {
namespace {

using Kind = FourierTransform::Kind;
using fft::Norm;

UnifiedArray transform_of_kind(const UnifiedArray& x, Kind kind, const std::vector<int>& axes,
                               Norm norm) {
  if (kind == Kind::hartley) return fft::hartley(x, axes, norm);
  const int k = static_cast<int>(kind);
  if (kind >= Kind::dst1) return fft::dst(x, k - static_cast<int>(Kind::dst1) + 1, axes, norm);
  return fft::dct(x, k - static_cast<int>(Kind::dct1) + 1, axes, norm);
}

/// Types 2 and 3 are each other's inverse and, but for a weight, transpose.
Kind counterpart(Kind kind) {
  switch (kind) {
    case Kind::dct2: return Kind::dct3;
    case Kind::dct3: return Kind::dct2;
    case Kind::dst2: return Kind::dst3;
    case Kind::dst3: return Kind::dst2;
    default: return kind;
  }
}

class FourierRule final : public LinearPrimitive {
 public:
  FourierRule(Kind kind, const std::vector<int>& axes, Norm norm)
      : kind_(kind), axes_(axes), norm_(norm) {}
  std::string_view name() const noexcept override { return isofield::name(kind_); }
  Arrays apply(std::span<Operand> in) const override {
    return {transform_of_kind(in[0].array(), kind_, axes_, norm_)};
  }

  // The matrices are symmetric but for the terms at the ends of lines, which have half the weight
  // of others as inputs of types 1 and 3; under `ortho` the transpose is the inverse.
  UnifiedArray transpose(UnifiedArray ct) const override {
    const Kind back = counterpart(kind_);
    if (norm_ == Norm::ortho) return transform_of_kind(ct, back, axes_, norm_);
    if (kind_ == Kind::dct2 || kind_ == Kind::dst2) ct = weighted(ct, 2.0);
    if (kind_ == Kind::dct1) ct = weighted(ct, 2.0);
    UnifiedArray x = transform_of_kind(ct, back, axes_, norm_);
    if (kind_ == Kind::dct3 || kind_ == Kind::dst3 || kind_ == Kind::dct1) x = weighted(x, 0.5);
    return x;
  }

  Arrays batch(std::span<Operand> in, const std::vector<bool>&, std::int64_t) const override {
    std::vector<int> axes;
    for (const int axis : axes_) axes.push_back(axis + 1);
    return {transform_of_kind(in[0].array(), kind_, axes, norm_)};
  }

 private:
  /// Scale the terms at those ends of all lines that are different.
  UnifiedArray weighted(UnifiedArray x, double weight) const {
    const bool last = kind_ == Kind::dst2 || kind_ == Kind::dst3;
    for (const int axis : axes_) {
      Shape shape(x.ndim(), 1);
      shape[axis] = x.shape()[axis];
      UnifiedArray weights = ones(shape, x.dtype(), &x.backend());
      std::vector<Index> end(static_cast<std::size_t>(axis), Index(all_of));
      end.emplace_back(last ? -1 : 0);
      weights.assign(end, Scalar(weight));
      if (kind_ == Kind::dct1) {
        end.back() = Index(-1);
        weights.assign(end, Scalar(weight));
      }
      x = x * weights;
    }
    return x;
  }

  Kind kind_;
  std::vector<int> axes_;
  Norm norm_;
};

/// Transforms to, from or of complex numbers, of lines that are cut or filled with zeros to a
/// length. Real and imaginary parts are numbers of their own: a cotangent is multiplied by the
/// conjugate transpose, and of real operands the real part counts.
class Lines final : public LinearPrimitive {
 public:
  Lines(const FourierTransform& transform, const Shape& shape) : t_(transform), shape_(shape) {}
  std::string_view name() const noexcept override { return isofield::name(t_.kind); }
  Arrays apply(std::span<Operand> in) const override {
    return {transform_lines(std::move(in[0]), t_)};
  }
  UnifiedArray transpose(UnifiedArray ct) const override {
    FourierTransform back = t_;
    switch (t_.kind) {
      case Kind::fft: back.kind = Kind::ifft; break;
      case Kind::ifft: back.kind = Kind::fft; break;
      case Kind::rfft: back.kind = Kind::ifft; break;
      case Kind::ihfft: back.kind = Kind::fft; break;
      case Kind::irfft:
      case Kind::hfft: back.kind = Kind::rfft; break;
      default: break;
    }
    UnifiedArray x = transform_lines(std::move(ct), back);
    if (back.kind == Kind::rfft) x = x * of_half(x);
    if (t_.kind == Kind::hfft) x = conj(x);
    if (t_.kind == Kind::rfft || t_.kind == Kind::ihfft) x = real(x);
    for (const int axis : t_.axes) x = fitted_length(std::move(x), axis);
    return x;
  }
  Arrays batch(std::span<Operand> in, const std::vector<bool>&, std::int64_t) const override {
    FourierTransform all = t_;
    for (int& axis : all.axes) ++axis;
    return {transform_lines(std::move(in[0]), all)};
  }

 private:
  /// 2, but 1 for terms that are their own mirror images.
  UnifiedArray of_half(const UnifiedArray& x) const {
    const int axis = t_.axes[0];
    Shape shape(x.ndim(), 1);
    shape[axis] = x.shape()[axis];
    UnifiedArray weights = full(shape, 2.0, real_dtype(x.dtype()), &x.backend());
    std::vector<Index> end(static_cast<std::size_t>(axis), Index(all_of));
    end.emplace_back(0);
    weights.assign(end, Scalar(1.0));
    if (t_.lengths[0] % 2 == 0) {
      end.back() = Index(-1);
      weights.assign(end, Scalar(1.0));
    }
    return weights;
  }
  /// As many elements along an axis as the operand has, zeros where there are fewer.
  UnifiedArray fitted_length(UnifiedArray x, int axis) const {
    const std::int64_t have = x.shape()[axis], want = shape_[axis];
    if (have == want) return x;
    std::vector<Index> part(static_cast<std::size_t>(axis), Index(all_of));
    part.emplace_back(upto(std::min(have, want)));
    if (have > want) return x.index(part);
    Shape shape = x.shape();
    shape[axis] = want;
    UnifiedArray wide = zeros(shape, x.dtype(), &x.backend());
    wide.assign(part, x);
    return wide;
  }

  FourierTransform t_;
  Shape shape_;
};

}  // namespace

UnifiedArray transformed_lines(Operand x, const FourierTransform& transform) {
  return transformed(std::make_shared<Lines>(transform, x.node()->shape), std::move(x));
}

UnifiedArray transformed_fourier(Operand x, Kind kind, const std::vector<int>& axes, Norm norm) {
  return transformed(std::make_shared<FourierRule>(kind, axes, norm), std::move(x));
}

}  // namespace isofield::detail
