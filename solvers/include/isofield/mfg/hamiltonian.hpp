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
/// Both one-sided differences along every axis.
FaceField differences(const Grid& grid, const UnifiedArray& u, double exit_value = 0.0);

/// How a numerical Hamiltonian sees a gradient.
enum class Slopes : std::uint8_t {
  upwind,       ///< first order, monotone
  centred,      ///< second order; monotone where |H_q| h <= 2 nu
  exponential,  ///< second order and monotone; for beta = 2
};

/// H(x, q) = c(x) |q|^beta and its convex discretisation G, of the one-sided differences of u:
///
/// | slopes      | G                                                                            |
/// | ----------- | ---------------------------------------------------------------------------- |
/// | upwind      | c s^(beta/2), s the sum of min(D+ u, 0)^2 + max(D- u, 0)^2 (Achdou and       |
/// |             | Capuzzo-Dolcetta, 2010)                                                      |
/// | centred     | c s^(beta/2), s the sum of ((D+ u)^2 + (D- u)^2)/2                           |
/// | exponential | the sum of k (e^-z - 1 + z), z = (c/nu) (u_neighbour - u), k = nu^2/(c h^2), |
/// |             | with which -nu L u + G is a sum of k (e^-z - 1)                              |
///
/// The exponential one is the Hopf-Cole transform's: with phi = e^(-c u/nu), -nu L u + G is
/// -(nu^2/c) L phi/phi.
class Hamiltonian {
 public:
  /// `scale` is c > 0, of rank 0 or of a grid's shape; throws SolverError unless `exponent` > 1.
  Hamiltonian(UnifiedArray scale, double exponent, Slopes slopes = Slopes::upwind);
  /// One of exponential slopes, which depends on the grid and the viscosity.
  static Hamiltonian exponential(UnifiedArray scale, const Grid& grid, double viscosity);

  /// The same with c(x) times a weight > 0, an array that broadcasts with fields of many levels.
  Hamiltonian weighted(const UnifiedArray& weight) const;

  double exponent() const noexcept { return exponent_; }
  /// Whether G couples no two slopes.
  bool is_separable() const noexcept { return exponent_ == 2.0; }

  /// What G sees of one-sided differences; the functions below take these.
  FaceField seen(FaceField differences) const;
  /// G.
  UnifiedArray value(const FaceField& q) const;
  /// G_q, one entry a slope; 0 where the slope is.
  FaceField gradient(const FaceField& q) const;
  /// G_qq applied to the differences `d` of a direction; of upwind slopes on those that are not 0.
  FaceField curvature(const FaceField& q, const FaceField& d) const;
  /// q G_q - G, the Lagrangian at the optimal control.
  UnifiedArray lagrangian(const FaceField& q) const;
  /// An upper bound of G(u + d) - G(u) - G_q D d, which is never negative, if `has_remainder`.
  UnifiedArray remainder(const FaceField& d) const;
  bool has_remainder() const noexcept { return exponent_ == 2.0 && slopes_ != Slopes::exponential; }

 private:
  UnifiedArray times_scale(const UnifiedArray& x, double factor) const;
  UnifiedArray over_scale(const UnifiedArray& x, double factor) const;
  /// z of each face, of the sign with which the neighbour's value enters it.
  FaceField steepness(const FaceField& d) const;

  Slopes slopes_;
  double viscosity_ = 0.0;        ///< of exponential slopes
  std::vector<double> spacings_;  ///< the same
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
