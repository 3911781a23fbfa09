#pragma once

#include <isofield/mfg/hamiltonian.hpp>
#include <isofield/mfg/problem.hpp>
#include <isofield/mfg/stencil.hpp>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace isofield::mfg {

/// What the equations of some time levels are told besides u and costs: each with a leading axis of
/// levels, or of one level without it. Absent where a population's equations do not depend on it.
struct Conditions {
  std::optional<UnifiedArray> t;  ///< where agents drift
  std::optional<UnifiedArray> m;  ///< the density, where there is congestion

  /// The part of one level.
  Conditions level(std::int64_t n) const;
  /// The part of levels [first, last).
  Conditions levels(std::int64_t first, std::int64_t last) const;
  /// All arrays, in a fixed order, for functions that take lists.
  void append_to(std::vector<UnifiedArray>& list) const;
};

/// What the HJB equation of one population is solved for.
struct HjbData {
  UnifiedArray running;   ///< F at levels 0..N-1
  UnifiedArray terminal;  ///< u^N
  Conditions at;          ///< of levels 0..N-1
};

/// One population of a problem on its grid: the implicit upwind scheme of Achdou and Capuzzo-
/// Dolcetta (2010), with u^n paired to m^(n+1), n = 0..N-1. Fields over time have shape
/// (N + 1, n_0[, n_1[, n_2]]).
///
///     (u^n - u^(n+1))/dt - nu L u^n + G(D u^n, m^(n+1)) + rho u^n = F     u^N = G
///     (m^(n+1) - m^n)/dt + K(u^n, m^(n+1))^T m^(n+1) = 0                  m^0 = m0
///
/// G has the drift's term in it, -b grad u, upwind; K is -nu L plus the derivative of G in u.
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
  double viscosity() const noexcept { return data_.viscosity; }
  double discount() const noexcept { return data_.discount; }
  double exit_value() const noexcept { return exit_value_; }
  /// m^0, scaled to its mass, 0 outside free cells.
  const UnifiedArray& initial_density() const noexcept { return initial_; }
  /// The initial density at every time level.
  UnifiedArray constant_density() const;

  /// The conditions of levels 0..N-1, from m at levels 1..N.
  Conditions conditions(const UnifiedArray& m) const;
  /// The conditions that `Conditions::append_to` left in a list, from position `first` on.
  Conditions conditions_in(std::span<const UnifiedArray> list, std::size_t first) const;

  /// The left minus the right of the HJB equation at one level, or at many at once.
  UnifiedArray hjb_residual(const UnifiedArray& u, const UnifiedArray& u_next,
                            const UnifiedArray& cost, const Conditions& at) const;
  /// dt times that, and the matrix I + dt (K + rho) of the equation linearised in u.
  std::pair<UnifiedArray, Stencil> hjb_linearisation(const UnifiedArray& u,
                                                     const UnifiedArray& u_next,
                                                     const UnifiedArray& cost,
                                                     const Conditions& at) const;
  /// What the rows of that matrix sum to: 1 + dt rho.
  double hjb_constant() const noexcept { return 1.0 + dt() * discount(); }
  /// The matrix alone.
  Stencil hjb_matrix(const UnifiedArray& u, const Conditions& at) const;
  /// The derivative of the HJB equation's left side in m, times `dm`; only where there is
  /// congestion.
  UnifiedArray hjb_change(const UnifiedArray& u, const Conditions& at,
                          const UnifiedArray& dm) const;
  /// I + dt K(u, m), whose transpose the Fokker-Planck equation has.
  Stencil density_matrix(const UnifiedArray& u, const Conditions& at) const;
  /// The transpose of the derivative of (I + dt K(u, m)^T) m in m: the same where there is no
  /// congestion.
  Stencil density_jacobian(const UnifiedArray& u, const Conditions& at) const;

  /// q G_q - G, what agents pay for the control that u makes them choose.
  UnifiedArray lagrangian(const UnifiedArray& u, const Conditions& at) const;
  /// The largest of G(u + x) - G(u) - G_q D x, or more, if `has_remainder`: the residual that an
  /// exact update x leaves.
  UnifiedArray remainder(const UnifiedArray& x, const Conditions& at) const;
  bool has_remainder() const noexcept { return hamiltonian_.is_quadratic(); }

 private:
  /// The Hamiltonians of the HJB and of the Fokker-Planck equation.
  Hamiltonian value_hamiltonian(const Conditions& at) const;
  Hamiltonian transport_hamiltonian(const Conditions& at) const;
  std::optional<FaceField> drift(const Conditions& at) const;
  /// I + dt (K + discount) with G_q of `h`.
  Stencil matrix(const Hamiltonian& h, const UnifiedArray& u, const Conditions& at,
                 double discount = 0.0) const;

  Population data_;
  Grid grid_;
  Hamiltonian hamiltonian_;
  std::optional<Congestion> congestion_;
  double horizon_, exit_value_;
  std::int64_t steps_;
  UnifiedArray initial_, times_;
};

}  // namespace isofield::mfg
