#pragma once

#include <isofield/mfg/sweeps.hpp>

namespace isofield::mfg {

/// What is left of both equations: max norms, times the horizon, over max |u| and max |m|.
struct Residuals {
  double hjb = 0.0, fokker_planck = 0.0;
  double largest() const { return hjb > fokker_planck ? hjb : fokker_planck; }
};

/// A residual's factor: horizon over the largest value, which is not 0.
double residual_scale(const DiscreteProblem& problem, const UnifiedArray& field);

/// Residual of the HJB equation: levels 0..N-1, and u^N - G.
struct HjbResidual {
  UnifiedArray levels, terminal;
  /// Largest absolute value.
  double largest(const DiscreteProblem& problem) const;
};
HjbResidual hjb_residual(const DiscreteProblem& problem, const UnifiedArray& u,
                         const UnifiedArray& m);

/// Residual of the Fokker-Planck equation, scaled: of the density m, given I + dt K(u)^T.
double fokker_planck_residual(const DiscreteProblem& problem, const Stencil& transposed,
                              const UnifiedArray& m);

/// Residuals of u and m, whatever they came from.
Residuals residuals(const DiscreteProblem& problem, const Sweeps& sweeps, const UnifiedArray& u,
                    const UnifiedArray& m);

}  // namespace isofield::mfg
