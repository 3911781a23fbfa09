#include "backends/torch/replay_ops.hpp"

#include <ATen/ops/abs.h>
#include <ATen/ops/acos.h>
#include <ATen/ops/acosh.h>
#include <ATen/ops/add.h>
#include <ATen/ops/all.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/any.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/asin.h>
#include <ATen/ops/asinh.h>
#include <ATen/ops/atan.h>
#include <ATen/ops/atan2.h>
#include <ATen/ops/atanh.h>
#include <ATen/ops/bitwise_and.h>
#include <ATen/ops/bitwise_left_shift.h>
#include <ATen/ops/bitwise_not.h>
#include <ATen/ops/bitwise_or.h>
#include <ATen/ops/bitwise_right_shift.h>
#include <ATen/ops/bitwise_xor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ceil.h>
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/complex.h>
#include <ATen/ops/conj_physical.h>
#include <ATen/ops/copysign.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/cosh.h>
#include <ATen/ops/div.h>
#include <ATen/ops/eq.h>
#include <ATen/ops/erf.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/expm1.h>
#include <ATen/ops/floor.h>
#include <ATen/ops/ge.h>
#include <ATen/ops/gt.h>
#include <ATen/ops/hypot.h>
#include <ATen/ops/imag.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/isinf.h>
#include <ATen/ops/le.h>
#include <ATen/ops/log.h>
#include <ATen/ops/log10.h>
#include <ATen/ops/log1p.h>
#include <ATen/ops/log2.h>
#include <ATen/ops/logaddexp.h>
#include <ATen/ops/logical_and.h>
#include <ATen/ops/logical_not.h>
#include <ATen/ops/logical_or.h>
#include <ATen/ops/logical_xor.h>
#include <ATen/ops/lt.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/ne.h>
#include <ATen/ops/neg.h>
#include <ATen/ops/nextafter.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/prod.h>
#include <ATen/ops/real.h>
#include <ATen/ops/reciprocal.h>
#include <ATen/ops/remainder.h>
#include <ATen/ops/roll.h>
#include <ATen/ops/round.h>
#include <ATen/ops/sgn.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sign.h>
#include <ATen/ops/signbit.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/sinh.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/tan.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/trunc.h>
#include <ATen/ops/view_as_real.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <numbers>

#include "backends/torch/tensors.hpp"

namespace isofield::torch_backend {
namespace {

/// The integer divisor with ones for 0 and -1: LibTorch stops at a division by zero, and the
/// processor at the smallest integer by -1.
at::Tensor safe_divisor(const at::Tensor& b) {
  return at::where(b.eq(0).logical_or_(b.eq(-1)), at::ones_like(b), b);
}

/// Shift bits by places that the processor knows; by more, all are gone.
at::Tensor shifted_bits(const at::Tensor& a, const at::Tensor& b, bool left) {
  const std::int64_t bits = 8 * static_cast<std::int64_t>(a.element_size());
  const at::Tensor inside = b.ge(0).logical_and_(b.lt(bits));
  const at::Tensor places = at::where(inside, b, at::zeros_like(b));
  const at::Tensor many = at::zeros_like(b).fill_(bits - 1);
  if (left) return at::where(inside, at::bitwise_left_shift(a, places), at::zeros_like(a));
  const bool has_sign = a.scalar_type() != at::kByte;
  const at::Tensor gone = has_sign ? at::bitwise_right_shift(a, many) : at::zeros_like(a);
  return at::where(inside, at::bitwise_right_shift(a, places), gone);
}

at::Tensor is_finite(const at::Tensor& x) { return x.abs().lt(infinity); }

/// exp(z), or exp(x + iy) - 1 = expm1(x) cos y - 2 sin^2(y / 2) + i exp(x) sin y, which keeps small
/// numbers. On the real axis and at infinity LibTorch's have NaN where C99 and the Array API do
/// not.
at::Tensor complex_exponential(const at::Tensor& z, bool minus_one) {
  const at::Tensor x = at::real(z), y = at::imag(z), on_axis = y.eq(0), half = at::sin(y.div(2));
  const at::Tensor size = at::exp(x), left = minus_one ? at::expm1(x) : size;
  at::Tensor re = left.mul(at::cos(y)), im = size.mul(at::sin(y));
  if (minus_one) re = re.sub(half.mul(half).mul(2));
  const at::Tensor edge = x.abs().eq(infinity).logical_and_(is_finite(y).logical_not_());
  const at::Tensor low = edge.logical_and(x.lt(0)), high = edge.logical_and(x.gt(0));
  re =
      at::where(on_axis, left, re).masked_fill(low, minus_one ? -1 : 0).masked_fill(high, infinity);
  im = at::where(on_axis, y, im).masked_fill(low, 0).masked_fill(high, not_a_number);
  if (minus_one) return at::complex(re.add(0), im);  // no zero is negative
  const at::Tensor ours = at::complex(re, im);
  return at::where(is_finite(x).logical_and_(is_finite(y)), at::exp(z), ours);
}
at::Tensor complex_exp(const at::Tensor& z) { return complex_exponential(z, false); }
at::Tensor complex_expm1(const at::Tensor& z) { return complex_exponential(z, true); }
/// asin(z) = -i asinh(iz): LibTorch's own asin has NaN at infinity.
at::Tensor complex_asin(const at::Tensor& z) {
  const at::Tensor turned = at::asinh(at::complex(at::imag(z).neg(), at::real(z)));
  return at::complex(at::imag(turned), at::real(turned).neg());
}
/// pi / 2 - asin(z) at infinity, NaN and 0, where LibTorch's own values are not C99's.
at::Tensor complex_acos(const at::Tensor& z) {
  const at::Tensor asin = complex_asin(z);
  const at::Tensor special =
      at::complex(at::real(asin).neg().add(std::numbers::pi / 2), at::imag(asin).neg());
  const at::Tensor plain = is_finite(at::real(z)).logical_and_(is_finite(at::imag(z)));
  return at::where(plain.logical_and_(z.ne(0)), at::acos(z), special);
}
/// At infinity the zero has the sign of the imaginary part, as the Array API asks.
at::Tensor complex_tanh(const at::Tensor& z) {
  const at::Tensor x = at::real(z), y = at::imag(z);
  const at::Tensor limit = at::complex(at::sgn(x), at::zeros_like(y).copysign(y));
  return at::where(x.abs().eq(infinity).logical_and_(is_finite(y)), limit, at::tanh(z));
}
/// |1 + z|^2 = 1 + x (2 + x) + y^2 where z is small.
at::Tensor complex_log1p(const at::Tensor& z) {
  const at::Tensor x = at::real(z), y = at::imag(z);
  const at::Tensor small =
      at::complex(at::log1p(x.mul(x.add(2)).add(y.mul(y))).div(2), at::atan2(y, x.add(1)));
  return at::where(z.abs().lt(0.5), small, at::log(z.add(1)));
}

/// At infinity the limit along an axis, where there is one.
at::Tensor complex_sign(const at::Tensor& z) {
  const at::Tensor x = at::real(z), y = at::imag(z);
  const at::Tensor along_x = at::isinf(x), along_y = at::isinf(y);
  const at::Tensor undefined = at::where(along_x.logical_and(along_y), NAN, at::zeros_like(x));
  const at::Tensor limit = at::complex(at::where(along_x, x.sgn(), 0).add(undefined),
                                       at::where(along_y, y.sgn(), 0).add(undefined));
  return at::where(along_x.logical_or(along_y), limit, at::sgn(z));
}

/// Over zero the parts over zero.
at::Tensor complex_quotient(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor zero = at::real(b).abs();
  const at::Tensor x = a.is_complex() ? at::real(a) : a;
  const at::Tensor y = a.is_complex() ? at::imag(a) : at::zeros_like(a);
  return at::where(b.eq(0), at::complex(x.div(zero), y.div(zero)), at::div(a, b));
}

/// at::'s own function of real numbers, ours of complex ones.
template <class Own, class Ours>
void either(at::Tensor& out, const at::Tensor& a, Own own, Ours ours) {
  if (a.is_complex())
    out.copy_(ours(a));
  else
    own(out, a);
}

/// Whether an operation that rounds has anything to do.
bool whole(const at::Tensor& a) { return !a.is_floating_point() && !a.is_complex(); }

}  // namespace

void apply(Op op, at::Tensor& out, const at::Tensor& a, const at::Tensor& b, const at::Tensor& c) {
  switch (op) {
    case Op::negative: at::neg_out(out, a); return;
    case Op::abs: at::abs_out(out, a); return;
    case Op::positive: out.copy_(a); return;
    case Op::sign:
      if (a.is_complex()) {
        out.copy_(complex_sign(a));
        return;
      }
      // LibTorch's sign of NaN is 0.
      if (a.is_floating_point())
        at::where_out(out, a.isnan(), a, a.sign().add(0));
      else
        at::sign_out(out, a);
      return;
    case Op::square: at::mul_out(out, a, a); return;
    case Op::relu: at::clamp_min_out(out, a, 0); return;
    case Op::reciprocal: at::reciprocal_out(out, a); return;
    case Op::sqrt: at::sqrt_out(out, a); return;
    case Op::floor:
      if (whole(a))
        out.copy_(a);
      else
        at::floor_out(out, a);
      return;
    case Op::ceil:
      if (whole(a))
        out.copy_(a);
      else
        at::ceil_out(out, a);
      return;
    case Op::trunc:
      if (whole(a))
        out.copy_(a);
      else
        at::trunc_out(out, a);
      return;
    case Op::round:
      if (whole(a)) {
        out.copy_(a);
      } else if (a.is_complex()) {
        at::Tensor parts = at::view_as_real(out);
        at::round_out(parts, at::view_as_real(a));
      } else {
        at::round_out(out, a);
      }
      return;
    case Op::exp: either(out, a, at::exp_out, complex_exp); return;
    case Op::expm1: either(out, a, at::expm1_out, complex_expm1); return;
    case Op::log: at::log_out(out, a); return;
    case Op::log1p: either(out, a, at::log1p_out, complex_log1p); return;
    case Op::sin: at::sin_out(out, a); return;
    case Op::cos: at::cos_out(out, a); return;
    case Op::tan: at::tan_out(out, a); return;
    case Op::asin: either(out, a, at::asin_out, complex_asin); return;
    case Op::acos: either(out, a, at::acos_out, complex_acos); return;
    case Op::atan: at::atan_out(out, a); return;
    case Op::sinh: at::sinh_out(out, a); return;
    case Op::cosh: at::cosh_out(out, a); return;
    case Op::tanh: either(out, a, at::tanh_out, complex_tanh); return;
    case Op::erf: at::erf_out(out, a); return;
    case Op::sigmoid: at::sigmoid_out(out, a); return;
    case Op::isnan: at::ne_out(out, a, a); return;
    case Op::isinf: at::eq_out(out, a.abs(), infinity); return;
    case Op::isfinite: at::lt_out(out, a.abs(), infinity); return;
    case Op::log2: at::log2_out(out, a); return;
    case Op::log10: at::log10_out(out, a); return;
    case Op::asinh: at::asinh_out(out, a); return;
    case Op::acosh: at::acosh_out(out, a); return;
    case Op::atanh: at::atanh_out(out, a); return;
    case Op::conj: at::conj_physical_out(out, a); return;
    case Op::real: out.copy_(at::real(a)); return;
    case Op::imag:
      if (a.is_complex())
        out.copy_(at::imag(a));
      else
        out.zero_();
      return;
    case Op::signbit: at::signbit_out(out, a); return;
    case Op::bitwise_invert: at::bitwise_not_out(out, a); return;
    case Op::logical_not: at::logical_not_out(out, a); return;
    case Op::add: at::add_out(out, a, b); return;
    case Op::subtract: at::sub_out(out, a, b); return;
    case Op::multiply: at::mul_out(out, a, b); return;
    case Op::divide:
      if (out.is_complex())
        out.copy_(complex_quotient(a, b));
      else
        at::div_out(out, a, b);
      return;
    case Op::maximum: at::maximum_out(out, a, b); return;
    case Op::minimum: at::minimum_out(out, a, b); return;
    case Op::power: at::pow_out(out, a, b); return;
    case Op::remainder:
      if (b.is_floating_point()) {
        // A zero has the divisor's sign, which LibTorch takes from the dividend.
        const at::Tensor rest = at::remainder(a, b);
        at::where_out(out, rest.eq(0), rest.copysign(b), rest);
      } else {
        at::remainder_out(out, a, safe_divisor(b));
      }
      return;
    case Op::floor_divide:
      if (b.is_floating_point())  // where either is infinite, the quotient as it is
        at::where_out(out, a.abs().eq(infinity).logical_or(b.abs().eq(infinity)), at::div(a, b),
                      at::div(a, b, "floor"));
      else
        // By 0 the quotient is 0, as on the host; by -1 the smallest integer is its own negative.
        at::mul_out(out, at::div(a, safe_divisor(b), "floor"),
                    b.ne(0).to(b.scalar_type()).masked_fill_(b.eq(-1), -1));
      return;
    case Op::atan2: at::atan2_out(out, a, b); return;
    case Op::hypot: at::hypot_out(out, a, b); return;
    case Op::logaddexp: at::logaddexp_out(out, a, b); return;
    case Op::copysign: at::copysign_out(out, a, b); return;
    case Op::nextafter: at::nextafter_out(out, a, b); return;
    case Op::bitwise_and: at::bitwise_and_out(out, a, b); return;
    case Op::bitwise_or: at::bitwise_or_out(out, a, b); return;
    case Op::bitwise_xor: at::bitwise_xor_out(out, a, b); return;
    case Op::bitwise_left_shift: out.copy_(shifted_bits(a, b, true)); return;
    case Op::bitwise_right_shift: out.copy_(shifted_bits(a, b, false)); return;
    case Op::equal: at::eq_out(out, a, b); return;
    case Op::not_equal: at::ne_out(out, a, b); return;
    case Op::less: at::lt_out(out, a, b); return;
    case Op::less_equal: at::le_out(out, a, b); return;
    case Op::greater: at::gt_out(out, a, b); return;
    case Op::greater_equal: at::ge_out(out, a, b); return;
    case Op::logical_and: at::logical_and_out(out, a, b); return;
    case Op::logical_or: at::logical_or_out(out, a, b); return;
    case Op::logical_xor: at::logical_xor_out(out, a, b); return;
    case Op::where: at::where_out(out, a, b, c); return;
    case Op::cast: out.copy_(a); return;
  }
}

at::Tensor shifted(const at::Tensor& x, const AxisShift& shift, const at::Tensor& fill) {
  const std::int64_t n = x.size(shift.axis), offset = shift.offset;
  if (n == 0 || offset == 0) return x;
  if (shift.boundary == Boundary::periodic) return at::roll(x, -offset, shift.axis);
  if (shift.boundary == Boundary::constant) {
    const std::int64_t outside = std::min(n, std::abs(offset)), inside = n - outside;
    std::vector<std::int64_t> sizes = x.sizes().vec();
    sizes[static_cast<std::size_t>(shift.axis)] = outside;
    const at::Tensor beyond = fill.expand(sizes);
    const at::Tensor kept = x.narrow(shift.axis, offset > 0 ? outside : 0, inside);
    if (offset > 0) return at::cat({kept, beyond}, shift.axis);
    return at::cat({beyond, kept}, shift.axis);
  }
  at::Tensor from = at::arange(offset, offset + n, x.options().dtype(at::kLong));
  if (shift.boundary == Boundary::reflect) {
    from = from.remainder(2 * n);
    from = at::minimum(from, from.neg().add(2 * n - 1));
  }
  return at::index_select(x, shift.axis, from.clamp(0, n - 1));
}

at::Tensor reduced(const at::Tensor& x, const Reduction& reduction) {
  std::vector<std::int64_t> axes;
  for (std::int64_t k = 0; k < x.dim(); ++k)
    if ((reduction.axes >> k) & 1) axes.push_back(k);
  if (axes.empty()) return x;  // LibTorch would take an empty list for all axes
  switch (reduction.op) {
    case Reduce::sum: return at::sum(x, axes, true, x.scalar_type());
    case Reduce::min: return at::amin(x, axes, true);
    case Reduce::max: return at::amax(x, axes, true);
    default: break;
  }
  // One axis at a time: the others take no list in every version.
  at::Tensor result = x;
  for (const std::int64_t k : axes)
    result = reduction.op == Reduce::prod  ? at::prod(result, k, true, result.scalar_type())
             : reduction.op == Reduce::any ? at::any(result, k, true)
                                           : at::all(result, k, true);
  return result;
}

}  // namespace isofield::torch_backend
