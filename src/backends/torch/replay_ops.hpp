#pragma once

#include <ATen/core/Tensor.h>

#include <isofield/program.hpp>

namespace isofield::torch_backend {

/// Compute one operation into `out`, which has the broadcast shape of the operands and the result's
/// dtype, with the values that the host kernels give. Unused operands are undefined tensors.
void apply(Op op, at::Tensor& out, const at::Tensor& a, const at::Tensor& b, const at::Tensor& c);

/// Read `x` shifted along an axis; `fill` (rank 0) lies outside where the boundary is constant.
at::Tensor shifted(const at::Tensor& x, const AxisShift& shift, const at::Tensor& fill);

/// Reduce the axes whose bits are set; they keep length 1.
at::Tensor reduced(const at::Tensor& x, const Reduction& reduction);

}  // namespace isofield::torch_backend
