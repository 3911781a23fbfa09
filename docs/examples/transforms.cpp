// The snippets of docs/user/transforms.md.
#include <cmath>
#include <isofield/isofield.hpp>
#include <numbers>

#include "expect.hpp"

using namespace isofield;

namespace {

void round_trip() {
  const UnifiedArray x = reshape(linspace(0.0, 1.0, 48) * linspace(3.0, 1.0, 48), {6, 8});
  // [inverse]
  const UnifiedArray y = fft::dct(x, 2, {0, 1});                  // type 2 along both axes
  const UnifiedArray z = fft::idct(y, 2, {0, 1});                 // x again
  const UnifiedArray q = fft::dct(x, 2, {-1}, fft::Norm::ortho);  // the last axis: lines
  const UnifiedArray h = fft::hartley(fft::hartley(x), {-1}, fft::Norm::forward);  // x again
  // [end]
  expect(max(abs(z - x)).item<double>() < 1e-14 && max(abs(h - x)).item<double>() < 1e-14);
  expect(std::abs(sum(q * q - x * x).item<double>()) < 1e-12);
}

void complex_lines() {
  const UnifiedArray x = reshape(linspace(0.0, 1.0, 48) * linspace(3.0, 1.0, 48), {6, 8});
  // [complex]
  const UnifiedArray f = fft::fft(x);              // along the last axis; complex
  const UnifiedArray padded = fft::fft(x, 16, 0);  // the first axis, filled with zeros to 16
  const UnifiedArray half = fft::rfft(x);          // of real lines: 5 terms of 8
  const UnifiedArray back = fft::irfft(half, 8);   // x again
  const UnifiedArray plane = fft::fftn(x, {}, {}, fft::Norm::ortho);  // all axes
  const UnifiedArray centred = fft::fftshift(plane);                  // frequency 0 in the middle
  // [end]
  expect(max(abs(f(all_of, slice(0, 5)) - half)).item<double>() < 1e-14);
  expect(max(abs(back - x)).item<double>() < 1e-14 && padded.shape() == Shape{16, 8});
  expect(std::abs(sum(square(abs(centred))).item<double>() - sum(x * x).item<double>()) < 1e-12);
}

void poisson() {
  const std::int64_t n = 64;
  const UnifiedArray cell = (arange(0.0, 64.0) + 0.5) / 64.0;
  const UnifiedArray f = cos(2.0 * std::numbers::pi * cell) * expand_dims(cell - 0.5, 1);
  // [poisson]
  // u - (u_xx + u_yy) = f on n x n cells of the unit square between reflecting walls.
  const UnifiedArray half = arange(0.0, static_cast<double>(n)) * (std::numbers::pi / (2.0 * n));
  const UnifiedArray mode = square(2.0 * n * sin(half));  // of minus the second difference
  const auto solve = jit([&](const UnifiedArray& right) {
    return fft::idct(fft::dct(right, 2, {0, 1}) / (1.0 + mode + expand_dims(mode, 1)), 2, {0, 1});
  });
  const UnifiedArray u = solve(f);
  // [end]
  const double per_h2 = static_cast<double>(n * n);
  UnifiedArray left = u;
  for (const int axis : {0, 1})
    left = left - per_h2 * (shift(u, axis, 1, Boundary::clamp) - 2.0 * u +
                            shift(u, axis, -1, Boundary::clamp));
  expect(max(abs(left - f)).item<double>() < 1e-11);
}

}  // namespace

int main() {
  round_trip();
  complex_lines();
  poisson();
}
