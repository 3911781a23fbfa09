#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>

#include "backends/torch/replay.hpp"
#include "backends/torch/tensors.hpp"

namespace isofield::torch_backend {
namespace {

/// x[i - s] along the last axis, `fill` where there is none.
at::Tensor before(const at::Tensor& x, std::int64_t s, double fill) {
  return at::constant_pad_nd(x.narrow(-1, 0, x.size(-1) - s), {s, 0}, fill);
}
/// x[i + s] along the last axis, `fill` where there is none.
at::Tensor after(const at::Tensor& x, std::int64_t s, double fill) {
  return at::constant_pad_nd(x.narrow(-1, s, x.size(-1) - s), {0, s}, fill);
}
at::Tensor first(const at::Tensor& x) { return x.narrow(-1, 0, 1); }
at::Tensor last(const at::Tensor& x) { return x.narrow(-1, x.size(-1) - 1, 1); }

/// Solve along the last axis; a[..., 0] and c[..., n-1] are zero, d may have leading axes more.
at::Tensor cyclic_reduction(at::Tensor a, at::Tensor b, at::Tensor c, at::Tensor d) {
  const std::int64_t n = b.size(-1);
  for (std::int64_t s = 1; s < n; s *= 2) {
    // Row i loses x[i-s] and x[i+s] to the rows that are solved for them.
    const at::Tensor low = a.div(before(b, s, 1)).neg();
    const at::Tensor high = c.div(after(b, s, 1)).neg();
    b = b.add(low.mul(before(c, s, 0))).add(high.mul(after(a, s, 0)));
    d = d.add(low.mul(before(d, s, 0))).add(high.mul(after(d, s, 0)));
    a = low.mul(before(a, s, 0));
    c = high.mul(after(c, s, 0));
  }
  return d.div(b);
}

/// A = T + u v^T, where u and v hold the two corners: A^-1 d from T^-1 d and T^-1 u.
at::Tensor solve_periodic(at::Tensor a, at::Tensor b, at::Tensor c, const at::Tensor& d) {
  if (b.size(-1) == 1) return d.div(a.add(b).add(c));
  const at::Tensor corner_a = first(a).clone(), corner_c = last(c).clone();
  const at::Tensor gamma = first(b).neg();
  first(b).sub_(gamma);
  last(b).sub_(corner_a.mul(corner_c).div(gamma));
  first(a).zero_();
  last(c).zero_();
  at::Tensor u = at::zeros_like(b);
  first(u).copy_(gamma);
  last(u).copy_(corner_c);
  const at::Tensor both = cyclic_reduction(a, b, c, at::stack({d, u}));
  const at::Tensor y = both.select(0, 0), q = both.select(0, 1);
  const at::Tensor ratio = corner_a.div(gamma);
  const at::Tensor vy = first(y).add(ratio.mul(last(y)));
  const at::Tensor vq = first(q).add(ratio.mul(last(q)));
  return y.sub(q.mul(vy.div(vq.add(1))));
}

}  // namespace

void replay_tridiagonal_solve(const View& lower, const View& diag, const View& upper,
                              const View& rhs, const View& out, int axis, bool periodic) {
  const at::AutoDispatchBelowADInplaceOrView no_autograd;
  if (element_count(rhs.layout.shape) == 0) return;
  // Copies: the corners are changed.
  const auto line = [axis](const View& view) {
    return read(view).movedim(axis, -1).clone(at::MemoryFormat::Contiguous);
  };
  at::Tensor a = line(lower), b = line(diag), c = line(upper);
  const at::Tensor d = line(rhs);
  at::Tensor x;
  if (periodic) {
    x = solve_periodic(a, b, c, d);
  } else {
    first(a).zero_();
    last(c).zero_();
    x = cyclic_reduction(a, b, c, d);
  }
  write(out, x.movedim(-1, axis));
}

}  // namespace isofield::torch_backend
