#pragma once

#include <isofield/mfg/discrete_problem.hpp>

namespace isofield::mfg {

/// What is left of both equations: max norms, times the horizon, over max |u| and max |m|; the
/// largest of all populations.
struct Residuals {
  double hjb = 0.0, fokker_planck = 0.0;
  double largest() const { return hjb > fokker_planck ? hjb : fokker_planck; }
};

/// A residual's factor: horizon over the largest value, which is not 0.
double residual_scale(const DiscretePopulation& population, const UnifiedArray& field);

/// Residual of one population's HJB equation: levels 0..N-1, and u^N - G.
struct HjbResidual {
  UnifiedArray levels, terminal;
  /// Largest absolute value.
  double largest(const DiscretePopulation& population) const;
};
HjbResidual hjb_residual(const DiscretePopulation& population, const UnifiedArray& u,
                         const HjbData& data);

/// Residual of one population's Fokker-Planck equation, scaled.
double fokker_planck_residual(const DiscretePopulation& population, const UnifiedArray& u,
                              const UnifiedArray& m);

/// Residuals of u and m, whatever they came from.
Residuals residuals(const DiscreteProblem& problem, const Fields& u, const Fields& m);

}  // namespace isofield::mfg
