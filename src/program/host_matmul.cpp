#include <algorithm>
#include <isofield/host.hpp>

#include "program/host_pieces.hpp"
#include "program/kernels/kernel_table.hpp"
#include "program/thresholds.hpp"

namespace isofield::host {

void matmul(const View& a, const View& b, const View& out, Executor& executor) {
  const int rank = out.layout.rank();
  const std::int64_t n = out.layout.shape[rank - 2], m = out.layout.shape[rank - 1];
  const std::int64_t k = a.layout.shape[rank - 1];
  std::int64_t stack = 1;
  for (int i = 0; i < rank - 2; ++i) stack *= out.layout.shape[i];
  const auto size = static_cast<std::int64_t>(itemsize(out.dtype));
  const GemmKernel gemm = kernels().gemm(out.dtype);
  // Bands of rows, so that one large product spreads over threads as well as a stack does.
  const std::int64_t band = n >= 128 ? 64 : std::max<std::int64_t>(n, 1);
  const std::int64_t bands = (n + band - 1) / band;
  const bool parallel = stack * n * k * m >= threshold::matmul;
  for_pieces(stack * bands, parallel, executor, [&](std::int64_t p) {
    const std::int64_t s = p / bands, i = p % bands * band;
    gemm(a.bytes() + (s * n + i) * k * size, k, b.bytes() + s * k * m * size, m,
         out.bytes() + (s * n + i) * m * size, m, std::min(band, n - i), k, m);
  });
}

}  // namespace isofield::host
