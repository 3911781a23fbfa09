#pragma once

#include <isofield/array.hpp>
#include <vector>

/// Activation functions, of real-valued floating-point arrays. They are made of pointwise
/// operations and reductions, so they fuse and differentiate; `relu`, `sigmoid` and `tanh` are rows
/// of the table in ops.hpp.
namespace isofield {

/// log(1 + exp(x)), without overflow.
UnifiedArray softplus(Operand x);
/// x times the normal distribution's function: x (1 + erf(x / sqrt 2)) / 2 (Hendrycks and Gimpel,
/// arXiv:1606.08415).
UnifiedArray gelu(Operand x);
/// x sigmoid(x), also called swish.
UnifiedArray silu(Operand x);
/// x where it is positive, `slope` times x elsewhere.
UnifiedArray leaky_relu(Operand x, double slope = 0.01);
/// x where it is positive, `alpha` (exp(x) - 1) elsewhere (Clevert et al., arXiv:1511.07289).
UnifiedArray elu(Operand x, double alpha = 1.0);
/// exp(x) over its sum along `axis`. The largest element is taken off first: nothing overflows.
UnifiedArray softmax(Operand x, int axis = -1);
/// log(softmax(x)).
UnifiedArray log_softmax(Operand x, int axis = -1);
/// log(sum(exp(x))) along `axes`.
UnifiedArray logsumexp(Operand x, const std::vector<int>& axes, bool keepdims = false);

}  // namespace isofield
