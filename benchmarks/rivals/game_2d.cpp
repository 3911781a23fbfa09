// A mean-field game on a square by hand: inexact Newton in each HJB step, BiCGStab for the systems,
// preconditioned by fast diagonalisation with dense cosine transforms. Fields are padded with zeros
// to rows of one pitch, so that every loop is flat. Compiled once for each instruction set.

#include <cmath>
#include <initializer_list>

#include "rivals/games.hpp"

namespace rivals::RIVALS_ISA {

SweepCounts sweep_line(const Game& game, const double* m, const double* guess, double* u,
                       double* m_out, double tolerance, double relative, double* scratch);
SweepCounts sweep_square(const Game& game, const double* m, const double* guess, double* u,
                         double* m_out, double tolerance, double relative, double* scratch);

namespace {

using Int = std::int64_t;

#if defined(__AVX512F__)
constexpr int width = 8;
#elif defined(__AVX__)
constexpr int width = 4;
#else
constexpr int width = 2;
#endif
using Vector = double __attribute__((vector_size(width * 8), aligned(8)));

/// c = a b, all n x n with rows of `pitch` numbers, the padding of b being zero. Tiles of 4 rows by
/// three vectors stay in registers.
void multiply(const double* a, const double* b, double* c, Int n, Int pitch) {
  constexpr int columns = 3 * width;
  for (Int j = 0; j < pitch; j += columns) {
    Int i = 0;
    for (; i + 4 <= n; i += 4) {
      Vector sum[4][3] = {};
      for (Int k = 0; k < n; ++k) {
        const auto* row = reinterpret_cast<const Vector*>(b + k * pitch + j);
        const Vector b0 = row[0], b1 = row[1], b2 = row[2];
#pragma GCC unroll 4
        for (int r = 0; r < 4; ++r) {
          const double x = a[(i + r) * pitch + k];
          sum[r][0] += x * b0;
          sum[r][1] += x * b1;
          sum[r][2] += x * b2;
        }
      }
#pragma GCC unroll 4
      for (int r = 0; r < 4; ++r) {
        auto* out = reinterpret_cast<Vector*>(c + (i + r) * pitch + j);
        out[0] = sum[r][0];
        out[1] = sum[r][1];
        out[2] = sum[r][2];
      }
    }
    for (; i < n; ++i) {
      Vector sum[3] = {};
      for (Int k = 0; k < n; ++k) {
        const auto* row = reinterpret_cast<const Vector*>(b + k * pitch + j);
        const double x = a[i * pitch + k];
        sum[0] += x * row[0];
        sum[1] += x * row[1];
        sum[2] += x * row[2];
      }
      auto* out = reinterpret_cast<Vector*>(c + i * pitch + j);
      out[0] = sum[0];
      out[1] = sum[1];
      out[2] = sum[2];
    }
  }
}

/// Sums over a padded field, with enough accumulators to be bound by memory.
template <class F>
inline __attribute__((always_inline)) double accumulate(Int size, F term) {
  constexpr int lanes = 4 * width;
  double partial[lanes] = {};
  for (Int i = 0; i < size; i += lanes)
    for (int k = 0; k < lanes; ++k) partial[k] += term(i + k);
  double total = 0.0;
  for (double p : partial) total += p;
  return total;
}

double dot(const double* __restrict a, const double* __restrict b, Int size) {
  return accumulate(size, [=](Int i) { return a[i] * b[i]; });
}

/// The five entries of each row of a matrix: south and north are neighbours along the first axis.
struct Matrix {
  double *south, *north, *west, *east, *diag;
};

class Square {
 public:
  Square(const Game& game, double* scratch)
      : g_(game),
        n_(game.cells),
        pitch_(square_pitch(game.cells)),
        size_((n_ * pitch_ + 63) / 64 * 64),
        next_(scratch) {
    for (double** p : {&a_.south, &a_.north,    &a_.west, &a_.east,    &a_.diag,    &t_.south,
                       &t_.north, &t_.west,     &t_.east, &u_,         &last_,      &cost_,
                       &r_,       &shadow_,     &p_,      &v_,         &s_,         &y_,
                       &z_,       &w_,          &x_,      &rhs_,       &symbol_,    &work_,
                       &vectors_, &transposed_, &lambda_, &open_west_, &open_east_, &inside_})
      *p = take();
    t_.diag = a_.diag;
    for (Int j = 0; j < n_; ++j) {
      inside_[j] = 1.0;
      open_west_[j] = j > 0;
      open_east_[j] = j < n_ - 1;
    }
    eigenvectors();
  }

  SweepCounts run(const double* m, const double* guess, double* u, double* m_out, double tolerance,
                  double relative) {
    const Int cells = n_ * n_;
    for (Int i = 0; i < cells; ++i) u[g_.steps * cells + i] = g_.terminal[i];
    for (Int k = g_.steps - 1; k >= 0; --k) {
      load(u + (k + 1) * cells, last_);
      load(guess ? guess + k * cells : u + (k + 1) * cells, u_);
      load(m + (k + 1) * cells, cost_);
      hjb_step(tolerance);
      store(u_, u + k * cells);
    }
    for (Int i = 0; i < cells; ++i) m_out[i] = g_.initial[i];
    load(g_.initial, last_);
    for (Int k = 0; k < g_.steps; ++k) {
      load(u + k * cells, u_);
      linearise();
      set_symbol();
      transpose();
      load(m + (k + 1) * cells, x_);
      fokker_planck_step(relative);
      store(last_, m_out + (k + 1) * cells);
    }
    return counts_;
  }

 private:
  // A zeroed field with a row of zeros before and after it.
  double* take() {
    const Int total = size_ + 2 * pitch_ + 64;
    for (Int i = 0; i < total; ++i) next_[i] = 0.0;
    double* field = next_ + pitch_;
    next_ += total;
    return field;
  }
  void load(const double* from, double* to) const {
    for (Int i = 0; i < n_; ++i)
      for (Int j = 0; j < n_; ++j) to[i * pitch_ + j] = from[i * n_ + j];
  }
  void store(const double* from, double* to) const {
    for (Int i = 0; i < n_; ++i)
      for (Int j = 0; j < n_; ++j) to[i * n_ + j] = from[i * pitch_ + j];
  }

  /// cos(pi j (i + 1/2) / n), normalised, and the eigenvalues of minus the second difference.
  void eigenvectors() {
    const double pi = 3.14159265358979323846;
    for (Int j = 0; j < n_; ++j) {
      const double angle = pi * static_cast<double>(j) / static_cast<double>(n_);
      const double half = std::sin(0.5 * angle) / g_.h;
      lambda_[j] = 4.0 * half * half;
      const double norm = std::sqrt((j == 0 ? 1.0 : 2.0) / static_cast<double>(n_));
      for (Int i = 0; i < n_; ++i) {
        const double value = norm * std::cos((static_cast<double>(i) + 0.5) * angle);
        vectors_[i * pitch_ + j] = value;
        transposed_[j * pitch_ + i] = value;
      }
    }
  }

  /// The matrix I/dt + K at u_; with `residual`, minus the residual of the HJB step into r_.
  void linearise(bool residual = false) {
    const double c = g_.nu / (g_.h * g_.h), ih = 1.0 / g_.h, rate = 1.0 / g_.dt;
    for (Int i = 0; i < n_; ++i) {
      const double below = i > 0, above = i < n_ - 1;
      const Int at = i * pitch_, pitch = pitch_;
      const double* __restrict u = u_ + at, * __restrict in = inside_, * __restrict ow = open_west_, * __restrict oe = open_east_;
      double* __restrict ms = a_.south + at, * __restrict mn = a_.north + at, * __restrict mw = a_.west + at, * __restrict me = a_.east + at, * __restrict md = a_.diag + at, * __restrict h = w_ + at;
      for (Int j = 0; j < n_; ++j) {
        const double v = u[j];
        const double bs = below * in[j], bn = above * in[j];
        const double ds = (v - u[j - pitch]) * ih * bs, dn = (u[j + pitch] - v) * ih * bn;
        const double dw = (v - u[j - 1]) * ih * ow[j], de = (u[j + 1] - v) * ih * oe[j];
        const double qs = ds > 0.0 ? ds : 0.0, qn = dn < 0.0 ? dn : 0.0;
        const double qw = dw > 0.0 ? dw : 0.0, qe = de < 0.0 ? de : 0.0;
        ms[j] = -(c * bs + qs * ih);
        mn[j] = -(c * bn - qn * ih);
        mw[j] = -(c * ow[j] + qw * ih);
        me[j] = -(c * oe[j] - qe * ih);
        md[j] = rate - ms[j] - mn[j] - mw[j] - me[j];
        h[j] = 0.5 * (qs * qs + qn * qn + qw * qw + qe * qe) - g_.nu * ih * (dn - ds + de - dw);
      }
      if (!residual) continue;
      const double* __restrict last = last_ + at, * __restrict cost = cost_ + at;
      double* __restrict r = rhs_ + at;
      for (Int j = 0; j < n_; ++j) r[j] = g_.kappa * cost[j] - h[j] - (u[j] - last[j]) * rate;
    }
  }

  /// 1 / (1/dt + nu_0 lambda_0 + nu_1 lambda_1), nu_k being the mean viscosity along an axis.
  void set_symbol() {
    const double to_mean = -0.5 * g_.h * g_.h / static_cast<double>(n_ * n_);
    const Matrix a = a_;
    const double nu0 = to_mean * accumulate(size_, [=](Int i) { return a.south[i] + a.north[i]; });
    const double nu1 = to_mean * accumulate(size_, [=](Int i) { return a.west[i] + a.east[i]; });
    for (Int i = 0; i < n_; ++i)
      for (Int j = 0; j < n_; ++j)
        symbol_[i * pitch_ + j] = 1.0 / (1.0 / g_.dt + nu0 * lambda_[i] + nu1 * lambda_[j]);
  }

  /// Entry (i, i-1) of the transposed matrix is the other's (i-1, i).
  void transpose() {
    for (Int i = 0; i < n_ * pitch_; ++i) {
      t_.south[i] = a_.north[i - pitch_];
      t_.north[i] = a_.south[i + pitch_];
      t_.west[i] = a_.east[i - 1];
      t_.east[i] = a_.west[i + 1];
    }
  }

  void apply(const Matrix& a, const double* __restrict v, double* __restrict out) const {
    const double* __restrict s = a.south, * __restrict n = a.north, * __restrict w = a.west, * __restrict e = a.east, * __restrict d = a.diag;
    const Int pitch = pitch_;
    for (Int i = 0; i < n_ * pitch; ++i)
      out[i] = d[i] * v[i] + s[i] * v[i - pitch] + n[i] * v[i + pitch] + w[i] * v[i - 1] +
               e[i] * v[i + 1];
  }

  void precondition(const double* b, double* out) {
    multiply(transposed_, b, work_, n_, pitch_);
    multiply(work_, vectors_, out, n_, pitch_);
    for (Int i = 0; i < size_; ++i) out[i] *= symbol_[i];
    multiply(vectors_, out, work_, n_, pitch_);
    multiply(work_, transposed_, out, n_, pitch_);
  }

  /// BiCGStab, preconditioned from the right: a x = rhs_ from x_ on; returns the residual's 2-norm.
  double solve(const Matrix& a, double absolute, double relative) {
    apply(a, x_, v_);
    for (Int i = 0; i < size_; ++i) {
      r_[i] = shadow_[i] = rhs_[i] - v_[i];
      p_[i] = v_[i] = 0.0;
    }
    const double wanted = relative * std::sqrt(dot(rhs_, rhs_, size_));
    const double goal = absolute > wanted ? absolute : wanted;
    double rho = 1.0, alpha = 1.0, omega = 1.0, norm = std::sqrt(dot(r_, r_, size_));
    for (int k = 0; k < 500 && norm > goal; ++k) {
      const double next = dot(shadow_, r_, size_);
      const double beta = next / rho * (alpha / omega);
      rho = next;
      for (Int i = 0; i < size_; ++i) p_[i] = r_[i] + beta * (p_[i] - omega * v_[i]);
      precondition(p_, y_);
      apply(a, y_, v_);
      alpha = rho / dot(shadow_, v_, size_);
      for (Int i = 0; i < size_; ++i) s_[i] = r_[i] - alpha * v_[i];
      precondition(s_, z_);
      apply(a, z_, w_);
      omega = dot(w_, s_, size_) / dot(w_, w_, size_);
      for (Int i = 0; i < size_; ++i) {
        x_[i] += alpha * y_[i] + omega * z_[i];
        r_[i] = s_[i] - omega * w_[i];
      }
      norm = std::sqrt(dot(r_, r_, size_));
      ++counts_.krylov;
    }
    return norm;
  }

  void hjb_step(double tolerance) {
    double residual = 0.0, quadratic = 0.0;
    for (int k = 0; k < 60; ++k) {
      linearise(true);
      const double before = residual;
      residual = 0.0;
      for (Int i = 0; i < size_; ++i) {
        const double size = std::fabs(rhs_[i]);
        residual = size > residual ? size : residual;
      }
      if (residual <= tolerance) return;
      if (k > 0) quadratic = residual / (before * before);
      // As exact as the nonlinearity can use, which the last step's convergence tells.
      const double expected = 0.1 * quadratic * residual * residual;
      double goal = quadratic > 0.0 ? expected : 1e-3 * residual;
      goal = goal < 1e-2 * residual ? goal : 1e-2 * residual;
      goal = goal > 0.3 * tolerance ? goal : 0.3 * tolerance;
      for (Int i = 0; i < size_; ++i) x_[i] = 0.0;
      set_symbol();
      const double left = solve(a_, goal, 0.0);
      ++counts_.newton;
      for (Int i = 0; i < size_; ++i) u_[i] += x_[i];
      if (remainder() + left <= tolerance) return;
    }
  }

  /// How far the residual after u += x can be from 0 for an exact solve: the largest sum of squared
  /// slopes.
  double remainder() const {
    double worst = 0.0;
    for (Int i = 0; i < n_; ++i)
      for (Int j = 0; j < n_; ++j) {
        const double* x = x_ + i * pitch_ + j;
        const double s = i > 0 ? x[0] - x[-pitch_] : 0.0, n = i < n_ - 1 ? x[pitch_] - x[0] : 0.0;
        const double w = (x[0] - x[-1]) * open_west_[j], e = (x[1] - x[0]) * open_east_[j];
        const double size = s * s + n * n + w * w + e * e;
        worst = size > worst ? size : worst;
      }
    return 0.5 * worst / (g_.h * g_.h);
  }

  /// last_ <- the density after it, from the guess x_: cut at 0 and scaled to its mass.
  void fokker_planck_step(double relative) {
    for (Int i = 0; i < size_; ++i) rhs_[i] = last_[i] / g_.dt;
    solve(t_, 0.0, relative);
    for (Int i = 0; i < size_; ++i) x_[i] = x_[i] > 0.0 ? x_[i] : 0.0;
    const double *last = last_, *x = x_;
    const double before = accumulate(size_, [=](Int i) { return last[i]; });
    const double after = accumulate(size_, [=](Int i) { return x[i]; });
    for (Int i = 0; i < size_; ++i) last_[i] = x_[i] * (before / after);
  }

  const Game& g_;
  Int n_, pitch_, size_;
  double* next_;
  Matrix a_, t_;
  double *u_, *last_, *cost_, *r_, *shadow_, *p_, *v_, *s_, *y_, *z_, *w_, *x_, *rhs_, *symbol_,
      *work_, *vectors_, *transposed_, *lambda_, *open_west_, *open_east_, *inside_;
  SweepCounts counts_;
};

}  // namespace

SweepCounts sweep_square(const Game& game, const double* m, const double* guess, double* u,
                         double* m_out, double tolerance, double relative, double* scratch) {
  return Square(game, scratch).run(m, guess, u, m_out, tolerance, relative);
}

extern const Games games_table;
const Games games_table = {sweep_line, sweep_square};

}  // namespace rivals::RIVALS_ISA
