// Pointwise loops and reductions. Compiled once for each instruction set: RIVALS_ISA names it.

#include <cmath>

#include "rivals/rivals.hpp"

namespace rivals::RIVALS_ISA {
namespace {

using Int = std::int64_t;
using In = const double* __restrict;
using Out = double* __restrict;

inline double positive(double x) { return x > 0.0 ? x : 0.0; }
inline double square(double x) { return x * x; }

void expression(Out z, In x, In y, In w, Int begin, Int end) {
  for (Int i = begin; i < end; ++i) z[i] = x[i] * y[i] + 0.5 * (x[i] - y[i]) * w[i];
}

void update(Out z, In x, In y, In w, double inverse_h, double inverse_dt, Int n) {
#pragma GCC ivdep
  for (Int i = 0; i < n; ++i) {
    const double left = positive((x[i] - y[i]) * inverse_h);
    const double right = positive((x[i] - w[i]) * inverse_h);
    const double known = x[i] * inverse_dt + 0.5 * (left * left + right * right);
    const double rest = y[i] + w[i] - 2.0 * x[i];
    z[i] = (known + rest) / ((left + right) * inverse_h + inverse_dt);
  }
}

void add(Out z, In x, In y, Int begin, Int end) {
  for (Int i = begin; i < end; ++i) z[i] = x[i] + y[i];
}

void triad(Out z, In x, In y, Int begin, Int end) {
  for (Int i = begin; i < end; ++i) z[i] = x[i] + 3.0 * y[i];
}

/// Index of the neighbour before (-1) or after (+1) position i of n.
template <Edge E>
Int neighbour(Int i, Int step, Int n) {
  const Int j = i + step;
  if (j >= 0 && j < n) return j;
  return E == Edge::clamp ? i : (j < 0 ? n - 1 : 0);
}

/// Call cell(j, before, after) along a row of n: the ends apart, the interior vectorised.
template <Edge E, class Cell>
inline __attribute__((always_inline)) void along_row(Int n, Cell cell) {
  cell(0, neighbour<E>(0, -1, n), neighbour<E>(0, 1, n));
#pragma GCC ivdep
  for (Int j = 1; j < n - 1; ++j) cell(j, j - 1, j + 1);
  if (n > 1) cell(n - 1, n - 2, neighbour<E>(n - 1, 1, n));
}

template <Edge E>
void hamiltonian_rows(double* h, const double* u, Int n0, Int n1, double inverse_h, Int row_begin,
                      Int row_end) {
  // The common factor of the four squares is taken out of them.
  const double factor = 0.5 * inverse_h * inverse_h;
  for (Int i = row_begin; i < row_end; ++i) {
    In c = u + i * n1, a = u + neighbour<E>(i, -1, n0) * n1, b = u + neighbour<E>(i, 1, n0) * n1;
    Out o = h + i * n1;
    along_row<E>(n1, [=](Int j, Int l, Int r) {
      const double v = c[j];
      o[j] = factor * (square(positive(v - a[j])) + square(positive(v - b[j])) +
                       square(positive(v - c[l])) + square(positive(v - c[r])));
    });
  }
}

void hamiltonian(double* h, const double* u, Int n0, Int n1, double inverse_h, Edge edge,
                 Int row_begin, Int row_end) {
  (edge == Edge::periodic
       ? hamiltonian_rows<Edge::periodic>
       : hamiltonian_rows<Edge::clamp>)(h, u, n0, n1, inverse_h, row_begin, row_end);
}

void laplacian(double* l, const double* u, Int n0, Int n1, double inverse_h2, Int row_begin,
               Int row_end) {
  constexpr Edge E = Edge::periodic;
  for (Int i = row_begin; i < row_end; ++i) {
    In c = u + i * n1, a = u + neighbour<E>(i, -1, n0) * n1, b = u + neighbour<E>(i, 1, n0) * n1;
    Out o = l + i * n1;
    along_row<E>(n1, [=](Int j, Int west, Int east) {
      o[j] = (a[j] + b[j] + c[west] + c[east] - 4.0 * c[j]) * inverse_h2;
    });
  }
}

/// Mass that goes from a cell to the next one, per unit of time, where the value falls from u0 to
/// u1.
inline double flux(double u0, double u1, double m0, double m1, double inverse_h) {
  const double speed = (u0 - u1) * inverse_h;
  return positive(speed) * m0 - positive(-speed) * m1;
}

void fokker_planck(double* out, const double* m, const double* u, Int n0, Int n1, double inverse_h,
                   double dt, double nu, Int row_begin, Int row_end) {
  constexpr Edge E = Edge::periodic;
  const double diffusion = dt * nu * inverse_h * inverse_h, transport = dt * inverse_h;
  for (Int i = row_begin; i < row_end; ++i) {
    const Int before = neighbour<E>(i, -1, n0) * n1, after = neighbour<E>(i, 1, n0) * n1;
    In uc = u + i * n1, ua = u + before, ub = u + after;
    In mc = m + i * n1, ma = m + before, mb = m + after;
    Out o = out + i * n1;
    along_row<E>(n1, [=](Int j, Int w, Int e) {
      const double divergence = flux(uc[j], ub[j], mc[j], mb[j], inverse_h) -
                                flux(ua[j], uc[j], ma[j], mc[j], inverse_h) +
                                flux(uc[j], uc[e], mc[j], mc[e], inverse_h) -
                                flux(uc[w], uc[j], mc[w], mc[j], inverse_h);
      const double neighbours = ma[j] + mb[j] + mc[w] + mc[e] - 4.0 * mc[j];
      o[j] = mc[j] - transport * divergence + diffusion * neighbours;
    });
  }
}

// Reductions with the freedom to reorder that `omp simd` gives, and enough accumulators to keep the
// adders busy.
double sum(const double* x, Int begin, Int end) {
  constexpr Int lanes = 32;
  double partial[lanes] = {};
  Int i = begin;
  for (; i + lanes <= end; i += lanes)
    for (Int k = 0; k < lanes; ++k) partial[k] += x[i + k];
  double total = 0.0;
  for (Int k = 0; k < lanes; ++k) total += partial[k];
  for (; i < end; ++i) total += x[i];
  return total;
}

double max_abs_difference(const double* x, const double* y, Int begin, Int end) {
  constexpr Int lanes = 32;
  double partial[lanes] = {};
  Int i = begin;
  for (; i + lanes <= end; i += lanes)
    for (Int k = 0; k < lanes; ++k) {
      const double d = std::fabs(x[i + k] - y[i + k]);
      partial[k] = d > partial[k] ? d : partial[k];
    }
  double total = 0.0;
  for (Int k = 0; k < lanes; ++k) total = partial[k] > total ? partial[k] : total;
  for (; i < end; ++i) {
    const double d = std::fabs(x[i] - y[i]);
    total = d > total ? d : total;
  }
  return total;
}

}  // namespace

#define RIVALS_TEXT(x) #x
#define RIVALS_NAME(x) RIVALS_TEXT(x)
extern const Loops table;
const Loops table = {RIVALS_NAME(RIVALS_ISA),
                     expression,
                     hamiltonian,
                     laplacian,
                     fokker_planck,
                     update,
                     add,
                     triad,
                     sum,
                     max_abs_difference};

}  // namespace rivals::RIVALS_ISA
