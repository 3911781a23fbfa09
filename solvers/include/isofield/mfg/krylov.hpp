#pragma once

#include <functional>
#include <isofield/mfg/fast_diagonalisation.hpp>
#include <isofield/transforms.hpp>
#include <vector>

namespace isofield::mfg {

/// How an iterative solve ended.
struct KrylovReport {
  int iterations = 0;
  double residual = 0.0;  ///< 2-norm of b - A x
  bool converged = false;
};

/// Solve one step's linear system in two dimensions or more by BiCGStab (van der Vorst, 1992),
/// preconditioned from the right by fast diagonalisation.
class BiCGStab {
 public:
  explicit BiCGStab(const Grid& grid);

  const FastDiagonalisation& preconditioner() const noexcept { return preconditioner_; }

  /// Solve a x = b, from `x` on, until the 2-norm of the residual is at most
  /// max(absolute, relative |b|), or `max_iterations` are done. `a.symbol` must be set.
  KrylovReport solve(const Stencil& a, const UnifiedArray& b, UnifiedArray& x, double absolute,
                     double relative, int max_iterations = 500) const;

 private:
  using Traced = isofield::detail::TracedFunction;
  UnifiedArray zero_, one_;
  FastDiagonalisation preconditioner_;
  Traced start_, iterate_;
};

/// Solve A x = b by GMRES (Saad and Schultz, 1986) from x = 0, without restarts, until the residual
/// has fallen by `relative`; x is replaced. `apply` may be given inexactly.
KrylovReport gmres(const std::function<UnifiedArray(const UnifiedArray&)>& apply,
                   const UnifiedArray& b, UnifiedArray& x, double relative, int max_iterations);

}  // namespace isofield::mfg
