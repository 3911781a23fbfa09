#pragma once

#include <isofield/mfg/hamiltonian.hpp>
#include <isofield/mfg/problem.hpp>
#include <isofield/mfg/stencil.hpp>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace isofield::mfg {

/// What the equations of some steps are told besides u and costs: each with a leading axis of
/// steps, or of one step without it. Absent where a population's equations do not depend on it.
struct Conditions {
  std::optional<UnifiedArray> t;  ///< where agents drift
  std::optional<UnifiedArray> m;  ///< the stage density, where there is congestion

  /// The part of one step.
  Conditions level(std::int64_t n) const;
  /// The part of steps [first, last).
  Conditions levels(std::int64_t first, std::int64_t last) const;
  /// All arrays, in a fixed order, for functions that take lists.
  void append_to(std::vector<UnifiedArray>& list) const;
};

/// What the HJB equation of one population is solved for.
struct HjbData {
  UnifiedArray running;   ///< F of steps 0..N-1
  UnifiedArray terminal;  ///< u^N
  Conditions at;          ///< of steps 0..N-1
};

/// The solution of a linear equation over all time levels.
struct Path {
  UnifiedArray levels;  ///< without the one it started from
  UnifiedArray stages;
};

/// One population of a problem on its grid. Fields over time have shape (N + 1, n_0[, n_1[, n_2]]).
/// With the stages of step n = 0..N-1
///
///     v^n = theta u^n + (1 - theta) u^(n+1)      p^n = (1 - theta) m^n + theta m^(n+1)
///
/// the equations are
///
///     (u^n - u^(n+1))/dt - nu L v^n + G(D v^n, p^n) + rho v^n = F(p^n)    u^N = G
///     (m^(n+1) - m^n)/dt + K(v^n, p^n)^T p^n = 0                          m^0 = m0
///
/// G has the drift's term in it, -b grad u; K is -nu L plus the derivative of G in u. The first is
/// the derivative of one functional by p, the second by v. theta = 1 and upwind slopes are the
/// implicit scheme of Achdou and Capuzzo-Dolcetta (2010), whose v^n is u^n and p^n is m^(n+1);
/// theta = 1/2 is the midpoint rule. A step is solved for its stage, which is one of backward Euler
/// of length theta dt, and leads on from there.
class DiscretePopulation {
 public:
  /// Throws SolverError for data that makes no sense: a negative or vanishing initial density, a
  /// NaN in it, no viscosity.
  DiscretePopulation(const Problem& problem, const Population& population, const Grid& grid);

  const std::string& name() const noexcept { return data_.name; }
  const Grid& grid() const noexcept { return grid_; }
  const Hamiltonian& hamiltonian() const noexcept { return hamiltonian_; }
  /// Absent where there is none.
  const std::optional<Congestion>& congestion() const noexcept { return congestion_; }
  DType dtype() const noexcept { return grid_.dtype(); }
  std::int64_t steps() const noexcept { return steps_; }
  double horizon() const noexcept { return horizon_; }
  double dt() const noexcept { return horizon_ / static_cast<double>(steps_); }
  double theta() const noexcept { return theta_; }
  /// theta dt, the length of a step up to its stage.
  double stage_dt() const noexcept { return theta_ * dt(); }
  /// Whether a density keeps its sign: a step is a solve with an M-matrix and nothing else.
  bool keeps_sign() const noexcept;
  double viscosity() const noexcept { return data_.viscosity; }
  double discount() const noexcept { return data_.discount; }
  double exit_value() const noexcept { return exit_value_; }
  /// m^0, scaled to its mass, 0 outside free cells.
  const UnifiedArray& initial_density() const noexcept { return initial_; }
  /// The initial density at every time level.
  UnifiedArray constant_density() const;

  /// The times of stages, t_n + (1 - theta) dt, shaped to broadcast with fields over time.
  const UnifiedArray& stage_times() const noexcept { return times_; }
  /// The v^n, from u at levels n and n + 1: of all steps from u at all levels.
  UnifiedArray stage_values(const UnifiedArray& u) const;
  UnifiedArray stage_values(const UnifiedArray& u, const UnifiedArray& u_next) const;
  /// The p^n, from m at levels n and n + 1.
  UnifiedArray stage_densities(const UnifiedArray& m) const;
  /// What a step from `start` by its stage leads to.
  UnifiedArray step_end(const UnifiedArray& start, const UnifiedArray& stage) const;
  /// The levels that steps by their stages lead to, backwards from the last level or forwards from
  /// the first. What is `added`, if anything, is added to the level that each step leads to.
  Path path_backward(const UnifiedArray& stages, const UnifiedArray& last,
                     const UnifiedArray* added = nullptr) const;
  Path path_forward(const UnifiedArray& stages, const UnifiedArray& first,
                    const UnifiedArray* added = nullptr) const;

  /// The conditions of steps 0..N-1, from their stage densities.
  Conditions conditions(const UnifiedArray& p) const;
  /// The conditions that `Conditions::append_to` left in a list, from position `first` on.
  Conditions conditions_in(std::span<const UnifiedArray> list, std::size_t first) const;

  // Functions of one step, or of many at once.

  /// The slopes of v that the Hamiltonian sees.
  FaceField slopes(const UnifiedArray& v) const;
  /// The left minus the right of the HJB equation, of u at a step's two levels.
  UnifiedArray hjb_residual(const UnifiedArray& u, const UnifiedArray& u_next,
                            const UnifiedArray& cost, const Conditions& at) const;
  /// theta dt times that, and the matrix I + theta dt (K + rho) of the equation linearised in v.
  std::pair<UnifiedArray, Stencil> hjb_linearisation(const UnifiedArray& v,
                                                     const UnifiedArray& u_next,
                                                     const UnifiedArray& cost,
                                                     const Conditions& at) const;
  /// What the rows of that matrix sum to: 1 + theta dt rho.
  double hjb_constant() const noexcept { return 1.0 + stage_dt() * discount(); }
  /// The matrix alone.
  Stencil hjb_matrix(const UnifiedArray& v, const Conditions& at) const;
  /// The derivative of the HJB equation's left side in p, times `dp`; only where there is
  /// congestion.
  UnifiedArray hjb_change(const UnifiedArray& v, const Conditions& at,
                          const UnifiedArray& dp) const;
  /// I + theta dt K(v, p), whose transpose the Fokker-Planck equation has.
  Stencil density_matrix(const UnifiedArray& v, const Conditions& at) const;
  /// The transpose of the derivative of (I + theta dt K(v, p)^T) p in p: the same where there is no
  /// congestion.
  Stencil density_jacobian(const UnifiedArray& v, const Conditions& at) const;

  /// q G_q - G, what agents pay for the control that v makes them choose.
  UnifiedArray lagrangian(const UnifiedArray& v, const Conditions& at) const;
  /// The largest of G(v + x) - G(v) - G_q D x, or more, if `has_remainder`: the residual that an
  /// exact update x leaves.
  UnifiedArray remainder(const UnifiedArray& x, const Conditions& at) const;
  bool has_remainder() const noexcept { return hamiltonian_.has_remainder(); }

 private:
  /// The Hamiltonians of the HJB and of the Fokker-Planck equation.
  Hamiltonian value_hamiltonian(const Conditions& at) const;
  Hamiltonian transport_hamiltonian(const Conditions& at) const;
  std::optional<FaceField> drift(const Conditions& at) const;
  Path path(bool backward, const UnifiedArray& stages, UnifiedArray level,
            const UnifiedArray* added) const;
  /// I + theta dt (K + discount) with G_q of `h`.
  Stencil matrix(const Hamiltonian& h, const UnifiedArray& v, const Conditions& at,
                 double discount = 0.0) const;

  Population data_;
  Grid grid_;
  Scheme scheme_;
  double theta_;
  Hamiltonian hamiltonian_;
  std::optional<Congestion> congestion_;
  double horizon_, exit_value_;
  std::int64_t steps_;
  UnifiedArray initial_, times_;
};

/// A density that a problem gives, on the free cells of a grid and scaled to `mass`, if that is
/// given. Throws SolverError, with the density's `name`, where it is NaN, infinite, negative, or 0
/// on every cell.
UnifiedArray density_on(const Grid& grid, const Field& density, const std::string& name,
                        std::optional<double> mass);

}  // namespace isofield::mfg
