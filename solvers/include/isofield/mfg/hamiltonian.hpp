#pragma once

#include <isofield/mfg/grid.hpp>
#include <vector>

namespace isofield::mfg {

/// One quantity for each face of each cell: an array per axis and side.
struct FaceField {
  std::vector<UnifiedArray> forward, backward;
};

/// Sum over faces of the products, at each cell.
UnifiedArray product(const FaceField& a, const FaceField& b);
/// The upwind slopes of u that the numerical Hamiltonian sees: min(D+ u, 0) and max(D- u, 0).
FaceField upwind_slopes(const Grid& grid, const UnifiedArray& u, double exit_value);
/// Both one-sided differences along every axis.
FaceField differences(const Grid& grid, const UnifiedArray& u, double exit_value = 0.0);

/// H(x, q) = c(x) |q|^beta and its monotone, convex, upwind discretisation
/// G = c s^(beta/2), s the sum of the squared upwind slopes (Achdou and Capuzzo-Dolcetta, 2010).
class Hamiltonian {
 public:
  /// `scale` is c > 0, of rank 0 or of a grid's shape; throws SolverError unless `exponent` > 1.
  Hamiltonian(UnifiedArray scale, double exponent);

  /// The same with c(x) times a weight > 0, an array that broadcasts with fields of many levels.
  Hamiltonian weighted(const UnifiedArray& weight) const;

  double exponent() const noexcept { return exponent_; }
  bool is_quadratic() const noexcept { return exponent_ == 2.0; }

  /// G.
  UnifiedArray value(const FaceField& q) const;
  /// G_q, one entry a slope; 0 where the slope is.
  FaceField gradient(const FaceField& q) const;
  /// G_qq applied to the differences `d` of a direction, on the active slopes (those that are not
  /// 0).
  FaceField curvature(const FaceField& q, const FaceField& d) const;
  /// q G_q - G, the Lagrangian at the optimal control.
  UnifiedArray lagrangian(const FaceField& q) const;
  /// An upper bound, for exponent 2, of G(u + d) - G(u) - G_q D d, which is never negative.
  UnifiedArray remainder(const FaceField& d) const;

 private:
  UnifiedArray times_scale(const UnifiedArray& x, double factor) const;

  UnifiedArray scale_;
  bool constant_ = false;
  double constant_scale_ = 0.0;
  double exponent_;
};

/// What congestion makes of a Hamiltonian H(x, q) at density m: factors of H and its derivatives,
/// of w(m) = (m + mu)^-alpha. A planner counts that who joins a crowd slows it down: the factor of
/// H is d(m w)/dm then.
class Congestion {
 public:
  /// Throws SolverError for alpha < 0, mu <= 0, and alpha > 1 for a planner, whose problem has no
  /// convex Hamiltonian then.
  Congestion(double exponent, double offset, bool control);

  /// w, the factor of H_q in the Fokker-Planck equation.
  UnifiedArray speed(const UnifiedArray& m) const;
  /// d(m w)/dm.
  UnifiedArray flux_derivative(const UnifiedArray& m) const;
  /// The factor of H in the HJB equation.
  UnifiedArray value(const UnifiedArray& m) const;
  /// Its derivative.
  UnifiedArray value_derivative(const UnifiedArray& m) const;

 private:
  double exponent_, offset_;
  bool control_;
};

}  // namespace isofield::mfg
