#include <cmath>
#include <isofield/ops.hpp>

#include "isofield/mfg/krylov.hpp"

namespace isofield::mfg {

namespace {

/// Sum of the products of all elements.
UnifiedArray dot(const UnifiedArray& a, const UnifiedArray& b) { return sum(a * b); }

// A quotient that is 0 where both parts vanish, once the residual is exactly 0.
UnifiedArray quotient(const UnifiedArray& a, const UnifiedArray& b) {
  return where(b == 0.0, 0.0, a / b);
}

enum State : std::size_t { x_, r_, p_, v_, shadow_, rho_, alpha_, omega_, state_size };

}  // namespace

// Products with a matrix are stored before they are summed up: what is stored is computed in long
// runs, and put right at the ends of rows, which a sum cannot be.

BiCGStab::BiCGStab(const Grid& grid)
    : zero_(zeros(grid.shape(), grid.dtype())),
      one_(full(Shape{}, 1.0, grid.dtype())),
      preconditioner_(grid),
      // (b, x, a...) -> (r, |b|^2, |r|^2)
      start_([grid](std::span<const UnifiedArray> in) {
        const UnifiedArray r =
            (in[0] - apply(grid, Stencil::from_list(in, 2, grid.axes()), in[1])).eval();
        return std::vector<UnifiedArray>{r, dot(in[0], in[0]), dot(r, r)};
      }),
      // One iteration: the state and a... -> the next state and |r|^2. Scalars stay on the device.
      iterate_([grid, inverse = preconditioner_](std::span<const UnifiedArray> in) {
        const Stencil a = Stencil::from_list(in, state_size, grid.axes());
        const UnifiedArray rho = dot(in[shadow_], in[r_]);
        const UnifiedArray beta = quotient(rho, in[rho_]) * quotient(in[alpha_], in[omega_]);
        const UnifiedArray p = in[r_] + beta * (in[p_] - in[omega_] * in[v_]);
        const UnifiedArray y = inverse.apply(p, *a.symbol);
        const UnifiedArray v = apply(grid, a, y).eval();
        const UnifiedArray alpha = quotient(rho, dot(in[shadow_], v));
        const UnifiedArray s = in[r_] - alpha * v;
        const UnifiedArray z = inverse.apply(s, *a.symbol);
        const UnifiedArray t = apply(grid, a, z).eval();
        const UnifiedArray omega = quotient(dot(t, s), dot(t, t));
        const UnifiedArray x = in[x_] + alpha * y + omega * z;
        const UnifiedArray r = s - omega * t;
        return std::vector<UnifiedArray>{x, r, p, v, in[shadow_], rho, alpha, omega, dot(r, r)};
      }) {
  eval(zero_, one_);
}

KrylovReport BiCGStab::solve(const Stencil& a, const UnifiedArray& b, UnifiedArray& x,
                             double absolute, double relative, int max_iterations) const {
  std::vector<UnifiedArray> in{b, x};
  a.append_to(in);
  const std::vector<UnifiedArray> first = start_(in);
  const double goal = std::max(absolute, relative * std::sqrt(first[1].item<double>()));
  KrylovReport report{0, std::sqrt(first[2].item<double>()), false};

  UnifiedArray best = x;
  double best_residual = report.residual;
  int since_best = 0;
  constexpr int patience = 30;
  std::vector<UnifiedArray> state{x, first[0], zero_, zero_, first[0], one_, one_, one_};
  a.append_to(state);
  while (!(report.residual <= goal) && report.iterations < max_iterations) {
    const std::vector<UnifiedArray> next = iterate_(state);
    for (std::size_t i = 0; i < state_size; ++i) state[i] = next[i];
    report.residual = std::sqrt(next[state_size].item<double>());
    ++report.iterations;
    if (!std::isfinite(report.residual)) break;
    if (report.residual < best_residual) {
      best = state[x_];
      best_residual = report.residual;
      since_best = 0;
    } else if (++since_best > patience || state[omega_].item<double>() == 0.0 ||
               state[rho_].item<double>() == 0.0) {
      break;  // no direction is left
    }
  }
  x = best;
  report.residual = best_residual;
  report.converged = best_residual <= goal;
  return report;
}

}  // namespace isofield::mfg
