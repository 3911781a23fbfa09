#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/complex.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/fft_fft.h>
#include <ATen/ops/fft_hfft.h>
#include <ATen/ops/fft_ifft.h>
#include <ATen/ops/fft_irfft.h>
#include <ATen/ops/fft_rfft.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/imag.h>
#include <ATen/ops/real.h>
#include <ATen/ops/zeros_like.h>

#include <numbers>

#include "backends/torch/replay.hpp"
#include "backends/torch/tensors.hpp"

namespace isofield::torch_backend {
namespace {

using Kind = FourierTransform::Kind;
using at::Tensor;

// All act along the last axis, of n elements.

std::int64_t length(const Tensor& x) { return x.size(-1); }
Tensor part(const Tensor& x, std::int64_t begin, std::int64_t end) {
  return x.narrow(-1, begin, end - begin);
}
Tensor reversed(const Tensor& x) { return at::flip(x, {-1}); }
Tensor every_second(const Tensor& x, std::int64_t begin) {
  return x.slice(-1, begin, length(x), 2);
}

/// x times a number, at one place only.
Tensor scaled_at(const Tensor& x, std::int64_t place, double factor) {
  Tensor y = x.clone();
  y.select(-1, place).mul_(factor);
  return y;
}
/// x with the sign of every second element changed.
Tensor alternated(const Tensor& x) {
  Tensor y = x.clone();
  y.slice(-1, 1, length(x), 2).neg_();
  return y;
}

/// e^(i pi (first + step k) / denominator) for k < n.
Tensor rotation(const Tensor& x, std::int64_t n, double first, double step, double denominator) {
  // Angles in float64, where the device has it: in float32 they would lose digits of long lines.
  const bool exact = x.device().type() != at::DeviceType::MPS;
  const Tensor k = at::arange(n, x.options().dtype(exact ? at::kDouble : at::kFloat));
  const Tensor angle = k.mul(step).add(first).mul(std::numbers::pi / denominator);
  return at::complex(angle.cos().to(x.scalar_type()), angle.sin().to(x.scalar_type()));
}

Tensor dct2(const Tensor& x) {
  const std::int64_t n = length(x);
  const Tensor v = at::cat({every_second(x, 0), reversed(every_second(x, 1))}, -1);
  return at::real(at::fft_fft(v).mul(rotation(x, n, 0, -1, 2.0 * static_cast<double>(n)))).mul(2);
}

/// Where x is dct2 of some y: 2 n y.
Tensor dct3(const Tensor& x) {
  const std::int64_t n = length(x), half = (n + 1) / 2;
  const Tensor back =
      at::constant_pad_nd(reversed(part(x, 1, n)), {1, 0}, 0);  // x[n - k], 0 for k = 0
  const Tensor v =
      at::complex(x, back.neg()).mul(rotation(x, n, 0, 1, 2.0 * static_cast<double>(n)));
  const Tensor u = at::real(at::fft_ifft(v)).mul(static_cast<double>(n));
  Tensor y = at::empty_like(x, at::MemoryFormat::Contiguous);
  every_second(y, 0).copy_(part(u, 0, half));
  every_second(y, 1).copy_(reversed(part(u, half, n)));
  return y;
}

Tensor dct1(const Tensor& x) {
  const std::int64_t n = length(x);
  const Tensor even = at::cat({x, reversed(part(x, 1, n - 1))}, -1);
  return part(at::real(at::fft_fft(even)), 0, n);
}

Tensor dst1(const Tensor& x) {
  const std::int64_t n = length(x);
  const Tensor zero = at::zeros_like(part(x, 0, 1));
  const Tensor odd = at::cat({zero, x, zero, reversed(x).neg()}, -1);
  return part(at::imag(at::fft_fft(odd)), 1, n + 1).neg();
}

Tensor dct4(const Tensor& x) {
  const std::int64_t n = length(x);
  const auto length = static_cast<double>(n);
  const Tensor v = at::complex(x, at::zeros_like(x)).mul(rotation(x, n, 0, -1, 2 * length));
  const Tensor u = part(at::fft_fft(v, 2 * n), 0, n);
  return at::real(u.mul(rotation(x, n, -1, -2, 4 * length))).mul(2);
}

Tensor hartley(const Tensor& x) {
  const Tensor v = at::fft_fft(x);
  return at::real(v).sub(at::imag(v));
}

Tensor transformed(Kind kind, const Tensor& x, std::int64_t n) {
  switch (kind) {
    // The sums themselves: "forward" is the norm under which an inverse divides by nothing.
    case Kind::fft: return at::fft_fft(x, n, -1, "backward");
    case Kind::ifft: return at::fft_ifft(x, n, -1, "forward");
    case Kind::rfft: return at::fft_rfft(x, n, -1, "backward");
    case Kind::ihfft: return at::fft_rfft(x, n, -1, "backward").conj();
    case Kind::hfft: return at::fft_hfft(x, n, -1, "backward");
    case Kind::irfft: return at::fft_irfft(x, n, -1, "forward");
    case Kind::dct1: return dct1(x);
    case Kind::dct2: return dct2(x);
    case Kind::dct3: return dct3(x);
    case Kind::dct4: return dct4(x);
    case Kind::dst1: return dst1(x);
    case Kind::dst2: return reversed(dct2(alternated(x)));
    case Kind::dst3: return alternated(dct3(reversed(x)));
    case Kind::dst4: return alternated(dct4(reversed(x)));
    case Kind::hartley: break;
  }
  return hartley(x);
}

/// Scale the terms at the ends before the transform or after it, as the orthogonal matrix asks.
Tensor ends_scaled(Kind kind, const Tensor& x, bool before) {
  const std::int64_t last = length(x) - 1;
  const double root = before ? std::numbers::sqrt2 : 1 / std::numbers::sqrt2;
  switch (kind) {
    case Kind::dct1: return scaled_at(scaled_at(x, 0, root), last, root);
    case Kind::dct2: return before ? x : scaled_at(x, 0, root);
    case Kind::dct3: return before ? scaled_at(x, 0, root) : x;
    case Kind::dst2: return before ? x : scaled_at(x, last, root);
    case Kind::dst3: return before ? scaled_at(x, last, root) : x;
    default: return x;
  }
}

}  // namespace

void replay_fourier_transform(const View& in, const View& out, const FourierTransform& transform) {
  const at::AutoDispatchBelowADInplaceOrView no_autograd;
  Tensor x = read(in);
  for (std::size_t k = 0; k < transform.axes.size(); ++k) {
    const int axis = transform.axes[k];
    x = x.movedim(axis, -1);
    if (transform.orthogonal) x = ends_scaled(transform.kind, x, true);
    x = transformed(transform.kind, x, transform.lengths[k]);
    if (transform.orthogonal) x = ends_scaled(transform.kind, x, false);
    x = x.movedim(-1, axis);
  }
  write(out, transform.factor == 1.0 ? x : x.mul(transform.factor));
}

}  // namespace isofield::torch_backend
