// Batched tridiagonal elimination (Thomas' algorithm), blocked. Compiled once for each instruction
// set.

#include "rivals/rivals.hpp"

namespace rivals::RIVALS_ISA {
namespace {

using Int = std::int64_t;
using In = const double* __restrict;
using Out = double* __restrict;

/// Systems side by side: their factors for 1024 unknowns are half of a usual second-level cache.
constexpr Int panel = 32;
/// Rows that are transposed together, and columns at a time.
constexpr Int block = 16, tile = 16;

/// First row of elimination: factor = upper / diag, x = rhs / diag.
inline void first(Out f, Out x, In b, In c, In d, Int n) {
  for (Int j = 0; j < n; ++j) {
    const double inverse = 1.0 / b[j];
    f[j] = c[j] * inverse;
    x[j] = d[j] * inverse;
  }
}

/// Next row, given the row before.
inline void next(Out f, Out x, In f0, In x0, In a, In b, In c, In d, Int n) {
#pragma GCC ivdep
  for (Int j = 0; j < n; ++j) {
    const double inverse = 1.0 / (b[j] - a[j] * f0[j]);
    f[j] = c[j] * inverse;
    x[j] = (d[j] - a[j] * x0[j]) * inverse;
  }
}

/// x -= factor * (x of the row after).
inline void back(Out x, In x1, In f, Int n) {
#pragma GCC ivdep
  for (Int j = 0; j < n; ++j) x[j] -= f[j] * x1[j];
}

void outer(double* x, const double* lower, const double* diag, const double* upper,
           const double* rhs, Int n0, Int n1, Int begin, Int end, double* scratch) {
  for (Int s = begin; s < end; s += panel) {
    const Int w = end - s < panel ? end - s : panel;
    first(scratch, x + s, diag + s, upper + s, rhs + s, w);
    for (Int i = 1; i < n0; ++i) {
      const Int at = i * n1 + s;
      next(scratch + i * panel, x + at, scratch + (i - 1) * panel, x + at - n1, lower + at,
           diag + at, upper + at, rhs + at, w);
    }
    for (Int i = n0 - 2; i >= 0; --i)
      back(x + i * n1 + s, x + (i + 1) * n1 + s, scratch + i * panel, w);
  }
}

using Four = double __attribute__((vector_size(32), aligned(8)));

/// to[j * to_stride + i] = from[i * from_stride + j] for a 4 x 4 tile.
inline void transpose4(const double* from, Int from_stride, double* to, Int to_stride) {
  Four r[4];
  for (int i = 0; i < 4; ++i) r[i] = *reinterpret_cast<const Four*>(from + i * from_stride);
  const Four a = __builtin_shufflevector(r[0], r[1], 0, 4, 2, 6);
  const Four b = __builtin_shufflevector(r[0], r[1], 1, 5, 3, 7);
  const Four c = __builtin_shufflevector(r[2], r[3], 0, 4, 2, 6);
  const Four d = __builtin_shufflevector(r[2], r[3], 1, 5, 3, 7);
  *reinterpret_cast<Four*>(to) = __builtin_shufflevector(a, c, 0, 1, 4, 5);
  *reinterpret_cast<Four*>(to + to_stride) = __builtin_shufflevector(b, d, 0, 1, 4, 5);
  *reinterpret_cast<Four*>(to + 2 * to_stride) = __builtin_shufflevector(a, c, 2, 3, 6, 7);
  *reinterpret_cast<Four*>(to + 3 * to_stride) = __builtin_shufflevector(b, d, 2, 3, 6, 7);
}

/// to[j * to_stride + i] = from[i * from_stride + j], i < rows, j < columns.
void transpose(const double* from, Int from_stride, double* to, Int to_stride, Int rows,
               Int columns) {
  Int i = 0;
  for (; i + 4 <= rows; i += 4) {
    Int j = 0;
    for (; j + 4 <= columns; j += 4)
      transpose4(from + i * from_stride + j, from_stride, to + j * to_stride + i, to_stride);
    for (; j < columns; ++j)
      for (Int k = 0; k < 4; ++k) to[j * to_stride + i + k] = from[(i + k) * from_stride + j];
  }
  for (; i < rows; ++i)
    for (Int j = 0; j < columns; ++j) to[j * to_stride + i] = from[i * from_stride + j];
}

/// Eliminate columns [j0, j0 + columns) of `w` lines side by side, whose operands lie in `tiles`.
template <Int size>
void eliminate(double* factor, double* line, const double (&tiles)[4][size], Int j0, Int columns,
               Int w) {
  for (Int j = 0; j < columns; ++j) {
    double *f = factor + (j0 + j) * block, *o = line + (j0 + j) * block;
    const double *a = tiles[0] + j * block, *b = tiles[1] + j * block;
    const double *c = tiles[2] + j * block, *d = tiles[3] + j * block;
    if (j0 + j == 0)
      first(f, o, b, c, d, w);
    else if (w == block)
      next(f, o, f - block, o - block, a, b, c, d, block);
    else
      next(f, o, f - block, o - block, a, b, c, d, w);
  }
}

/// Substitute back; tiles are written to lines of n1 elements at x as soon as they are done.
void go_back(double* x, double* line, const double* factor, Int n1, Int w) {
  for (Int j1 = n1; j1 > 0;) {
    const Int j0 = (j1 - 1) / tile * tile;
    for (Int j = j1 - 1; j >= j0; --j) {
      double* o = line + j * block;
      if (j + 1 < n1) back(o, o + block, factor + j * block, w);
    }
    transpose(line + j0 * block, block, x + j0, n1, j1 - j0, w);
    j1 = j0;
  }
}

void inner(double* x, const double* lower, const double* diag, const double* upper,
           const double* rhs, Int, Int n1, Int begin, Int end, double* scratch) {
  double* factor = scratch;
  double* line = scratch + block * n1;
  double tiles[4][tile * block];
  const double* operands[4] = {lower, diag, upper, rhs};
  for (Int s = begin; s < end; s += block) {
    const Int w = end - s < block ? end - s : block;
    for (Int j0 = 0; j0 < n1; j0 += tile) {
      const Int columns = n1 - j0 < tile ? n1 - j0 : tile;
      for (int k = 0; k < 4; ++k)
        transpose(operands[k] + s * n1 + j0, n1, tiles[k], block, w, columns);
      eliminate(factor, line, tiles, j0, columns, w);
    }
    go_back(x + s * n1, line, factor, n1, w);
  }
}

void thomas(double* __restrict x, const double* __restrict lower, const double* __restrict diag,
            const double* __restrict upper, const double* __restrict rhs, Int n,
            double* __restrict factor) {
  double inverse = 1.0 / diag[0], f = upper[0] * inverse, o = rhs[0] * inverse;
  factor[0] = f;
  x[0] = o;
  for (Int i = 1; i < n; ++i) {
    inverse = 1.0 / (diag[i] - lower[i] * f);
    o = (rhs[i] - lower[i] * o) * inverse;
    f = upper[i] * inverse;
    factor[i] = f;
    x[i] = o;
  }
  for (Int i = n - 2; i >= 0; --i) {
    o = x[i] - factor[i] * o;
    x[i] = o;
  }
}

/// One row of the linearised equation, from the unknown and its neighbours.
struct Coefficients {
  explicit Coefficients(const ImplicitStep& s)
      : inverse(s.inverse_spacing),
        drift(s.dt * s.inverse_spacing),
        diffusion(s.dt * s.viscosity * s.inverse_spacing * s.inverse_spacing),
        dt(s.dt) {}
  inline void operator()(double before, double here, double after, double cost, double& a,
                         double& b, double& c, double& d) const {
    const double p = (here - before) * inverse > 0.0 ? (here - before) * inverse : 0.0;
    const double q = (after - here) * inverse < 0.0 ? (after - here) * inverse : 0.0;
    a = -(drift * p + diffusion);
    c = drift * q - diffusion;
    b = 1.0 - a - c;
    d = here + dt * cost + 0.5 * dt * (p * p + q * q);
  }
  double inverse, drift, diffusion, dt;
};

void implicit_outer(double* x, const double* u, const double* cost, Int n0, Int n1,
                    const ImplicitStep& step, double* scratch) {
  const Coefficients row(step);
  for (Int s = 0; s < n1; s += 2 * panel) {
    const Int w = n1 - s < 2 * panel ? n1 - s : 2 * panel;
    for (Int i = 0; i < n0; ++i) {
      const Int at = i * n1 + s;
      In here = u + at, before = i > 0 ? here - n1 : here, after = i + 1 < n0 ? here + n1 : here;
      In f0 = i > 0 ? scratch + (i - 1) * 2 * panel : scratch, x0 = i > 0 ? x + at - n1 : x + at;
      const double* c = cost + at;
      double* f = scratch + i * 2 * panel;
      double* o = x + at;
      const double coupled = i > 0 ? 1.0 : 0.0;
      if (i == 0)
        for (Int j = 0; j < w; ++j) f[j] = o[j] = 0.0;
#pragma GCC ivdep
      for (Int j = 0; j < w; ++j) {
        double lower, diag, upper, rhs;
        row(before[j], here[j], after[j], c[j], lower, diag, upper, rhs);
        lower *= coupled;
        const double inverse = 1.0 / (diag - lower * f0[j]);
        f[j] = upper * inverse;
        o[j] = (rhs - lower * x0[j]) * inverse;
      }
    }
    for (Int i = n0 - 2; i >= 0; --i)
      back(x + i * n1 + s, x + (i + 1) * n1 + s, scratch + i * 2 * panel, w);
  }
}

void implicit_inner(double* x, const double* u, const double* cost, Int n0, Int n1,
                    const ImplicitStep& step, double* scratch) {
  constexpr Int columns_at_once = 64;
  const Coefficients row(step);
  double* factor = scratch;
  double* line = scratch + block * n1;
  double values[4][block][columns_at_once], tiles[4][columns_at_once * block];
  for (Int s = 0; s < n0; s += block) {
    const Int w = n0 - s < block ? n0 - s : block;
    for (Int j0 = 0; j0 < n1; j0 += columns_at_once) {
      const Int columns = n1 - j0 < columns_at_once ? n1 - j0 : columns_at_once;
      for (Int r = 0; r < w; ++r) {
        const double *v = u + (s + r) * n1 + j0, *c = cost + (s + r) * n1 + j0;
        double *a = values[0][r], *b = values[1][r], *d = values[2][r], *e = values[3][r];
        const auto at = [&](Int j, Int before, Int after) {
          row(v[before], v[j], v[after], c[j], a[j], b[j], d[j], e[j]);
        };
        const Int first = j0 == 0 ? 1 : 0, last = j0 + columns == n1 ? columns - 1 : columns;
        if (first > 0) at(0, 0, n1 > 1 ? 1 : 0);
        if (last < columns && columns > first) at(last, last - 1, last);
#pragma GCC ivdep
        for (Int j = first; j < last; ++j)
          row(v[j - 1], v[j], v[j + 1], c[j], a[j], b[j], d[j], e[j]);
      }
      for (int k = 0; k < 4; ++k)
        transpose(values[k][0], columns_at_once, tiles[k], block, w, columns);
      eliminate(factor, line, tiles, j0, columns, w);
    }
    go_back(x + s * n1, line, factor, n1, w);
  }
}

}  // namespace

extern const Lines lines_table;
const Lines lines_table = {outer, inner, thomas};
extern const ImplicitLines implicit_lines_table;
const ImplicitLines implicit_lines_table = {implicit_outer, implicit_inner};

}  // namespace rivals::RIVALS_ISA
