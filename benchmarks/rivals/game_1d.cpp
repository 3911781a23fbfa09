// A mean-field game on a line by hand: Newton's method in each HJB step, Thomas' algorithm for the
// systems. Compiled once for each instruction set.

#include <cmath>

#include "rivals/games.hpp"

namespace rivals::RIVALS_ISA {

SweepCounts sweep_line(const Game& game, const double* m, const double* guess, double* u,
                       double* m_out, double tolerance, double relative, double* scratch);

namespace {

using Int = std::int64_t;

struct Line {
  Int n;
  double *lower, *diag, *upper, *rhs, *factor, *x;
};

/// I/dt + K(u), and rhs = K-linearised right side: u_next/dt + F + (left^2 + right^2)/2, for x =
/// new u.
void linearise(const Line& s, const Game& g, const double* __restrict u,
               const double* __restrict next, const double* __restrict m) {
  const double c = g.nu / (g.h * g.h), ih = 1.0 / g.h, rate = 1.0 / g.dt;
  const auto row = [&](Int i, double left, double right, double open_left, double open_right) {
    s.lower[i] = -(c * open_left + left * ih);
    s.upper[i] = -(c * open_right - right * ih);
    s.diag[i] = rate - s.lower[i] - s.upper[i];
    s.rhs[i] = next[i] * rate + g.kappa * m[i] + 0.5 * (left * left + right * right);
  };
  const auto left = [&](Int i) {
    const double d = (u[i] - u[i - 1]) * ih;
    return d > 0.0 ? d : 0.0;
  };
  const auto right = [&](Int i) {
    const double d = (u[i + 1] - u[i]) * ih;
    return d < 0.0 ? d : 0.0;
  };
  row(0, 0.0, right(0), 0.0, 1.0);
#pragma GCC ivdep
  for (Int i = 1; i < s.n - 1; ++i) row(i, left(i), right(i), 1.0, 1.0);
  row(s.n - 1, left(s.n - 1), 0.0, 1.0, 0.0);
}

void thomas(const Line& s, const double* __restrict a, const double* __restrict b,
            const double* __restrict c, const double* __restrict d, double* __restrict x) {
  double* __restrict f = s.factor;
  double inverse = 1.0 / b[0], fi = c[0] * inverse, xi = d[0] * inverse;
  f[0] = fi;
  x[0] = xi;
  for (Int i = 1; i < s.n; ++i) {
    inverse = 1.0 / (b[i] - a[i] * fi);
    xi = (d[i] - a[i] * xi) * inverse;
    fi = c[i] * inverse;
    f[i] = fi;
    x[i] = xi;
  }
  for (Int i = s.n - 2; i >= 0; --i) {
    xi = x[i] - f[i] * xi;
    x[i] = xi;
  }
}

/// How far the residual at u + d can be from 0: half the sum of the squared slopes of d, at its
/// largest.
double remainder(const Line& s, const Game& g, const double* u, const double* x) {
  double worst = 0.0;
  for (Int i = 1; i < s.n; ++i) {
    const double slope = ((x[i] - u[i]) - (x[i - 1] - u[i - 1])) / g.h;
    worst = slope * slope > worst ? slope * slope : worst;
  }
  return worst;
}

}  // namespace

SweepCounts sweep_line(const Game& g, const double* m, const double* guess, double* u,
                       double* m_out, double tolerance, double, double* scratch) {
  const Int n = g.cells, pitch = n + 8;
  const Line s{n,
               scratch,
               scratch + pitch,
               scratch + 2 * pitch,
               scratch + 3 * pitch,
               scratch + 4 * pitch,
               scratch + 5 * pitch};
  SweepCounts counts;
  for (Int i = 0; i < n; ++i) u[g.steps * n + i] = g.terminal[i];
  for (Int k = g.steps - 1; k >= 0; --k) {
    double* now = u + k * n;
    const double* next = now + n;
    const double* start = guess ? guess + k * n : next;
    for (Int i = 0; i < n; ++i) now[i] = start[i];
    for (int update = 0; update < 60; ++update) {
      linearise(s, g, now, next, m + (k + 1) * n);
      thomas(s, s.lower, s.diag, s.upper, s.rhs, s.x);
      ++counts.newton;
      const double error = remainder(s, g, now, s.x);
      for (Int i = 0; i < n; ++i) now[i] = s.x[i];
      if (error <= tolerance) break;
    }
  }
  for (Int i = 0; i < n; ++i) m_out[i] = g.initial[i];
  for (Int k = 0; k < g.steps; ++k) {
    linearise(s, g, u + k * n, m_out + k * n, m_out + k * n);
    // The transposed matrix: its entry (i, i-1) is the other's (i-1, i).
    double* rhs = s.rhs;
    for (Int i = 0; i < n; ++i) rhs[i] = m_out[k * n + i] / g.dt;
    thomas(s, s.upper - 1, s.diag, s.lower + 1, rhs, m_out + (k + 1) * n);
  }
  return counts;
}

}  // namespace rivals::RIVALS_ISA
