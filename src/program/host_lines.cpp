#include <algorithm>
#include <cstring>
#include <isofield/error.hpp>
#include <isofield/host.hpp>
#include <vector>

#include "program/host_pieces.hpp"
#include "program/kernels/kernel_table.hpp"

namespace isofield::host {
namespace {

/// Tridiagonal systems as (outer, n, inner) arrays, the lines along the middle axis.
struct Lines {
  const std::byte *lower, *diag, *upper, *rhs;
  std::byte* out;
  std::int64_t outer = 1, n = 1, inner = 1;
  DType dtype = DType::float64;
  std::int64_t size = 8;
};

/// Systems that one sweep takes side by side.
constexpr std::int64_t panel = 32;
/// Rows that are transposed at a time when lines lie along the contiguous axis.
constexpr std::int64_t block = 32;

std::byte* scratch(std::size_t bytes) {
  thread_local std::vector<std::byte> memory;
  if (memory.size() < bytes + 64) memory.resize(bytes + 64);
  auto address = reinterpret_cast<std::uintptr_t>(memory.data());
  return memory.data() + (64 - address % 64) % 64;
}

// Lines along an outer axis: their systems already lie side by side.
void sweep_strided(const Lines& l, std::int64_t outer, std::int64_t from, std::int64_t width) {
  const std::int64_t start = (outer * l.n * l.inner + from) * l.size;
  LineSweep s{};
  s.lower = l.lower + start;
  s.diag = l.diag + start;
  s.upper = l.upper + start;
  s.rhs = l.rhs + start;
  s.out = l.out + start;
  s.stride = s.out_stride = l.inner;
  s.factor = scratch(static_cast<std::size_t>(l.n * width * l.size));
  s.factor_stride = width;
  s.rows = l.n;
  s.width = width;
  kernels().line_forward(l.dtype)(s);
  kernels().line_backward(l.dtype)(s);
}

// Lines along the contiguous axis: blocks of rows are transposed into the order the sweep wants.
void sweep_contiguous(const Lines& l, std::int64_t first, std::int64_t width) {
  const auto transpose = kernels().transpose(l.dtype);
  const std::int64_t column = width * l.size;
  std::byte* memory = scratch(static_cast<std::size_t>((2 * l.n + 4 * block) * column));
  std::byte *factor = memory, *out = factor + l.n * column, *tiles = out + l.n * column;
  const std::byte* operands[4] = {l.lower, l.diag, l.upper, l.rhs};
  LineSweep s{};
  s.stride = s.factor_stride = s.out_stride = s.width = width;
  for (std::int64_t i = 0; i < l.n; i += block) {
    s.rows = std::min(block, l.n - i);
    const void* tile[4];
    for (int k = 0; k < 4; ++k) {
      std::byte* to = tiles + k * block * column;
      transpose(operands[k] + (first * l.n + i) * l.size, l.n, to, width, width, s.rows);
      tile[k] = to;
    }
    s.lower = tile[0], s.diag = tile[1], s.upper = tile[2], s.rhs = tile[3];
    s.factor = factor + i * column;
    s.out = out + i * column;
    kernels().line_forward(l.dtype)(s);
    s.factor_before = factor + (i + s.rows - 1) * column;
    s.out_before = out + (i + s.rows - 1) * column;
  }
  s.factor = factor;
  s.out = out;
  s.rows = l.n;
  kernels().line_backward(l.dtype)(s);
  transpose(out, width, l.out + first * l.n * l.size, l.n, l.n, width);
}

void sweep_alone(const Lines& l, std::int64_t line) {
  const std::int64_t start = line * l.n * l.size;
  LineSweep s{l.lower + start,
              l.diag + start,
              l.upper + start,
              l.rhs + start,
              1,
              scratch(static_cast<std::size_t>(l.n * l.size)),
              l.out + start,
              1,
              1,
              nullptr,
              nullptr,
              l.n,
              1};
  kernels().line_forward(l.dtype)(s);
  kernels().line_backward(l.dtype)(s);
}

void solve(const Lines& l, Executor& executor) {
  if (l.outer * l.n * l.inner == 0) return;
  const bool parallel = l.outer * l.n * l.inner >= (1 << 15);
  if (l.inner > 1) {
    const std::int64_t panels = (l.inner + panel - 1) / panel;
    for_pieces(l.outer * panels, parallel, executor, [&](std::int64_t p) {
      const std::int64_t from = p % panels * panel;
      sweep_strided(l, p / panels, from, std::min(panel, l.inner - from));
    });
  } else if (l.outer < 4) {
    for (std::int64_t i = 0; i < l.outer; ++i) sweep_alone(l, i);
  } else {
    const std::int64_t width = std::min<std::int64_t>(16, l.outer);
    for_pieces((l.outer + width - 1) / width, parallel, executor, [&](std::int64_t p) {
      sweep_contiguous(l, p * width, std::min(width, l.outer - p * width));
    });
  }
}

/// Cyclic systems by Sherman and Morrison's formula: the corners are a rank-one change of a
/// tridiagonal matrix T, so that x = y - z (v.y) / (1 + v.z) with T y = rhs, T z = w.
/// (Press et al., Numerical Recipes, section 2.7.)
template <class T>
class Cyclic {
 public:
  Cyclic(const Lines& lines, Executor& executor) : l_(lines), executor_(executor) {}

  void solve_cyclic() {
    const std::int64_t n = l_.n, total = l_.outer * n * l_.inner;
    const T *lower = as(l_.lower), *diag = as(l_.diag), *upper = as(l_.upper);
    if (n == 1) {
      for (std::int64_t i = 0; i < total; ++i)
        out()[i] = as(l_.rhs)[i] / (lower[i] + diag[i] + upper[i]);
      return;
    }
    std::vector<T> changed_diag(diag, diag + total);
    if (n == 2) return solve_pairs(total);
    std::vector<T> w(static_cast<std::size_t>(total), T(0)), z(w.size());
    each_line([&](std::int64_t first, std::int64_t last) {
      const T gamma = -diag[first];
      changed_diag[static_cast<std::size_t>(first)] -= gamma;
      changed_diag[static_cast<std::size_t>(last)] -= upper[last] * lower[first] / gamma;
      w[static_cast<std::size_t>(first)] = gamma;
      w[static_cast<std::size_t>(last)] = upper[last];
    });
    Lines y = l_;
    y.diag = reinterpret_cast<const std::byte*>(changed_diag.data());
    solve(y, executor_);
    Lines other = y;
    other.rhs = reinterpret_cast<const std::byte*>(w.data());
    other.out = reinterpret_cast<std::byte*>(z.data());
    solve(other, executor_);
    each_line([&](std::int64_t first, std::int64_t last) {
      const T ratio = lower[first] / -diag[first];
      const T scale =
          (out()[first] + ratio * out()[last]) /
          (T(1) + z[static_cast<std::size_t>(first)] + ratio * z[static_cast<std::size_t>(last)]);
      for (std::int64_t i = first; i <= last; i += l_.inner)
        out()[i] -= scale * z[static_cast<std::size_t>(i)];
    });
  }

 private:
  static const T* as(const std::byte* p) { return reinterpret_cast<const T*>(p); }
  T* out() const { return reinterpret_cast<T*>(l_.out); }

  template <class F>
  void each_line(F f) const {
    for (std::int64_t o = 0; o < l_.outer; ++o)
      for (std::int64_t j = 0; j < l_.inner; ++j) {
        const std::int64_t first = o * l_.n * l_.inner + j;
        f(first, first + (l_.n - 1) * l_.inner);
      }
  }

  // Two unknowns: both couplings of a row reach the same neighbour.
  void solve_pairs(std::int64_t total) {
    const auto count = static_cast<std::size_t>(total);
    std::vector<T> coupling(count);
    for (std::size_t i = 0; i < count; ++i) coupling[i] = as(l_.lower)[i] + as(l_.upper)[i];
    Lines pairs = l_;
    pairs.lower = pairs.upper = reinterpret_cast<const std::byte*>(coupling.data());
    solve(pairs, executor_);
  }

  Lines l_;
  Executor& executor_;
};

}  // namespace

void tridiagonal_solve(const View& lower, const View& diag, const View& upper, const View& rhs,
                       const View& out, int axis, bool periodic, Executor& executor) {
  Lines l{lower.bytes(), diag.bytes(), upper.bytes(), rhs.bytes(), out.bytes()};
  l.dtype = out.dtype;
  l.size = static_cast<std::int64_t>(itemsize(out.dtype));
  for (int k = 0; k < out.layout.rank(); ++k)
    (k < axis ? l.outer : k == axis ? l.n : l.inner) *= out.layout.shape[k];
  if (!periodic)
    solve(l, executor);
  else if (l.dtype == DType::float64)
    Cyclic<double>(l, executor).solve_cyclic();
  else
    Cyclic<float>(l, executor).solve_cyclic();
}

}  // namespace isofield::host
