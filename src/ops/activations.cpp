#include <isofield/activations.hpp>
#include <isofield/ops.hpp>

#include "core/emit.hpp"

namespace isofield {
namespace {

/// The operand as an array; throws DTypeError unless it holds real floats.
UnifiedArray floating(std::string_view operation, const Operand& x) {
  detail::located(x,
                  [&] { detail::check_domain(operation, Domain::floating, detail::dtype_of(x)); });
  return x.is_scalar() ? asarray(x.scalar()) : x.array();
}

/// The largest element along axes, which an operation takes off first.
UnifiedArray largest(std::string_view operation, const UnifiedArray& x,
                     const std::vector<int>& axes, Operand::Where place) {
  return detail::as_part_of(operation, [&] { return max({x, place}, axes, true); });
}

}  // namespace

UnifiedArray softplus(Operand x) {
  const UnifiedArray a = floating("softplus", x);
  return logaddexp(a, 0.0);
}
UnifiedArray gelu(Operand x) {
  const UnifiedArray a = floating("gelu", x);
  return 0.5 * a * (1.0 + erf(a * 0.7071067811865476));
}
UnifiedArray silu(Operand x) {
  const UnifiedArray a = floating("silu", x);
  return a * sigmoid(a);
}
UnifiedArray leaky_relu(Operand x, double slope) {
  const UnifiedArray a = floating("leaky_relu", x);
  return where(a > 0.0, a, slope * a);
}
UnifiedArray elu(Operand x, double alpha) {
  const UnifiedArray a = floating("elu", x);
  return where(a > 0.0, a, alpha * expm1(minimum(a, 0.0)));
}

UnifiedArray softmax(Operand x, int axis) {
  const UnifiedArray a = floating("softmax", x);
  const UnifiedArray powers = exp(a - largest("softmax", a, {axis}, x.where()));
  return powers / sum(powers, {axis}, true);
}
UnifiedArray log_softmax(Operand x, int axis) {
  const UnifiedArray a = floating("log_softmax", x);
  const UnifiedArray below = a - largest("log_softmax", a, {axis}, x.where());
  return below - log(sum(exp(below), {axis}, true));
}
UnifiedArray logsumexp(Operand x, const std::vector<int>& axes, bool keepdims) {
  const UnifiedArray a = floating("logsumexp", x);
  const UnifiedArray most = largest("logsumexp", a, axes, x.where());
  // Where it is infinite nothing is taken off: that would change the result.
  const UnifiedArray off = where(isfinite(most), most, 0.0);
  const UnifiedArray total = log(sum(exp(a - off), axes, true)) + off;
  return keepdims ? total : sum(total, axes);
}

}  // namespace isofield
