#pragma once

#include <cstddef>
#include <cstdint>

/// Mean-field games solved by hand: the implicit upwind scheme that the solver library uses, for
/// H = |q|^2 / 2, F = kappa m, no-flux ends, written as loops for this case alone.
namespace rivals {

/// The discrete problem on a box with equal spacing and numbers of cells along its axes.
struct Game {
  std::int64_t cells;  ///< along each axis
  std::int64_t steps;
  double h, dt, nu, kappa;
  const double* terminal;  ///< u at the horizon, a value for each cell
  const double* initial;   ///< m at time 0
};

/// Work done by a sweep.
struct SweepCounts {
  std::int64_t newton = 0, krylov = 0;
};

/// u from m backwards in time, then the density that follows u, both at all steps + 1 levels.
/// `guess`, if not null, is a u to start from. HJB steps are solved to `tolerance`, linear systems
/// of Fokker-Planck steps to `relative`. `scratch` holds `scratch_size` numbers, aligned to 64
/// bytes.
using Sweep = SweepCounts (*)(const Game& game, const double* m, const double* guess, double* u,
                              double* m_out, double tolerance, double relative, double* scratch);

struct Games {
  Sweep line;    ///< one axis: Newton's method, Thomas' algorithm
  Sweep square;  ///< two axes: inexact Newton, BiCGStab preconditioned by fast diagonalisation
};
const Games& games();

constexpr std::size_t line_scratch_size(std::int64_t n) {
  return static_cast<std::size_t>(8 * (n + 8));
}
/// Rows of two-dimensional fields are padded to a multiple of this many numbers.
inline constexpr std::int64_t square_padding = 24;
constexpr std::int64_t square_pitch(std::int64_t n) {
  return (n + 1 + square_padding - 1) / square_padding * square_padding;
}
constexpr std::size_t square_scratch_size(std::int64_t n) {
  return static_cast<std::size_t>(40 * (n + 4) * square_pitch(n));
}

}  // namespace rivals
