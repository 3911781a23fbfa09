#pragma once

#include <cstddef>
#include <cstdint>
#include <isofield/backend.hpp>
#include <memory>

/// Fourier transforms of lines by pocketfft, compiled once for each instruction set. As many lines
/// as a vector has elements go side by side, each in the order of operations that it would have
/// alone, so that all sets give the same bits.
namespace isofield::host {

/// Lines to transform and multiply by a factor: element i of line j at in + j * in_next + i *
/// in_stride. Input and output are apart or the same. What misses of the input is zero.
struct FourierLines {
  const void* in;
  std::int64_t in_stride, in_next, in_length;
  void* out;
  std::int64_t out_stride, out_next;
  std::int64_t lines;
  double factor;
};

/// What is computed once for a length.
using FourierPlan = std::shared_ptr<const void>;

struct FourierKernels {
  int width;  ///< lines that go side by side
  FourierPlan (*plan)(FourierTransform::Kind kind, std::int64_t n);
  /// Transform lines of n elements. `memory`: n real elements for each line, of which there are as
  /// if their number were a multiple of `width`; twice as many for `hartley`, `fft` and `ifft`.
  void (*run)(const FourierTransform& transform, const void* plan, std::int64_t n,
              const FourierLines& lines, void* memory);
};

/// Memory of this thread for what a transform needs on the way, aligned to 64 bytes. What was taken
/// last is given back first.
void* take_fourier_memory(std::size_t bytes);
void give_fourier_memory(void* memory, std::size_t bytes) noexcept;

/// The kernels for this processor, and for real numbers that are float32 or float64.
const FourierKernels& fourier_kernels(DType dtype);

const FourierKernels& baseline_fourier(DType dtype);
const FourierKernels& avx2_fourier(DType dtype);    // only where ISOFIELD_AVX2_KERNELS is defined
const FourierKernels& avx512_fourier(DType dtype);  // only where ISOFIELD_AVX512_KERNELS is defined

}  // namespace isofield::host
