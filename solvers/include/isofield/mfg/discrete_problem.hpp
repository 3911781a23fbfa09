#pragma once

#include <isofield/mfg/hamiltonian.hpp>
#include <isofield/mfg/problem.hpp>
#include <isofield/mfg/stencil.hpp>
#include <vector>

namespace isofield::mfg {

/// A problem on its grid: the implicit upwind scheme of Achdou and Capuzzo-Dolcetta, with u^n
/// paired to m^(n+1), n = 0..N-1. Fields over time have shape (N + 1, n_0[, n_1]).
///
///     (u^n - u^(n+1))/dt - nu L u^n + G(D u^n) = F(x, t_n, m^(n+1))     u^N = G(x, m^N)
///     (m^(n+1) - m^n)/dt + K(u^n)^T m^(n+1) = 0                         m^0 = m0
class DiscreteProblem {
 public:
  /// Lay the problem out on its grid, on the default backend. Throws SolverError for data that
  /// makes no sense: a negative or vanishing initial density, a NaN in it, no viscosity.
  explicit DiscreteProblem(Problem problem, DType dtype = float64);

  const Problem& problem() const noexcept { return problem_; }
  const Grid& grid() const noexcept { return grid_; }
  const Hamiltonian& hamiltonian() const noexcept { return hamiltonian_; }
  DType dtype() const noexcept { return grid_.dtype(); }
  std::int64_t steps() const noexcept { return problem_.steps; }
  double dt() const noexcept { return problem_.horizon / static_cast<double>(problem_.steps); }
  double viscosity() const noexcept { return problem_.viscosity; }
  double exit_value() const noexcept { return problem_.exit_cost; }
  /// t_0..t_N.
  std::vector<double> times() const;
  /// m^0, scaled to its mass, 0 outside free cells.
  const UnifiedArray& initial_density() const noexcept { return initial_; }
  /// The initial density at every time level.
  UnifiedArray constant_density() const;

  /// Let costs see reference + strength (m - reference) for m, a game that strength 0 makes a
  /// problem of control and strength 1 the game itself. The reference has all time levels.
  void set_coupling(double strength, const UnifiedArray& reference);
  /// The same with the reference of the last call.
  void set_coupling(double strength) { coupling_ = strength; }
  double coupling() const noexcept { return coupling_; }

  /// F at levels 0..N-1, of m at levels 1..N.
  UnifiedArray running_cost(const UnifiedArray& m) const;
  /// u^N = G(x, m^N), from m at all levels.
  UnifiedArray terminal_cost(const UnifiedArray& m) const;
  /// Derivative of `running_cost` in the direction `dm`, given at levels 1..N.
  UnifiedArray running_derivative(const UnifiedArray& m, const UnifiedArray& dm) const;
  /// Derivative of `terminal_cost` in the direction `dm` of m^N.
  UnifiedArray terminal_derivative(const UnifiedArray& m, const UnifiedArray& dm) const;

  /// I + dt K at u, for one level or many.
  Stencil linearise(const UnifiedArray& u) const;
  /// The left minus the right of the HJB equation at one level, or at many at once.
  UnifiedArray hjb_residual(const UnifiedArray& u, const UnifiedArray& u_next,
                            const UnifiedArray& cost) const;

 private:
  UnifiedArray seen(const UnifiedArray& m) const;
  UnifiedArray cost(const Cost& c, const UnifiedArray& t, const UnifiedArray& m) const;
  UnifiedArray derivative(const Cost& c, const UnifiedArray& t, const UnifiedArray& m,
                          const UnifiedArray& dm) const;

  Problem problem_;
  Grid grid_;
  Hamiltonian hamiltonian_;
  UnifiedArray initial_;
  double coupling_ = 1.0;
  UnifiedArray reference_;           // only where the coupling is not 1
  UnifiedArray times_, final_time_;  // shaped to broadcast with fields over time
};

}  // namespace isofield::mfg
