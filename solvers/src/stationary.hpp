#pragma once

#include <deque>
#include <functional>
#include <isofield/mfg/density_response.hpp>
#include <isofield/mfg/discrete_problem.hpp>
#include <isofield/mfg/steps.hpp>
#include <optional>
#include <utility>
#include <vector>

// The equations of an ergodic game, for the solver of it: see ergodic.cpp.
namespace isofield::mfg::stationary {

/// One level of a field, as fields over time are given.
UnifiedArray as_level(const UnifiedArray& x);

/// One population's stationary equations. Fields are of one level; w is u + lambda dt.
class StationaryPopulation {
 public:
  /// `should_stop` is asked before each linear solve, if there is one.
  StationaryPopulation(const DiscretePopulation& population, std::function<bool()> should_stop)
      : population_(population),
        should_stop_(std::move(should_stop)),
        linear_(population),
        response_(population) {}

  const DiscretePopulation& population() const noexcept { return population_; }
  const StepCounts& counts() const noexcept { return linear_.counts(); }

  /// P x, the mean over free cells, on free cells.
  UnifiedArray mean(const UnifiedArray& x) const;
  /// lambda.
  double rate(const UnifiedArray& w) const;
  /// Solve (a - I + P) x = b for a step's matrix a, ready to be solved with. Throws Breakdown where
  /// the matrix has entries that are no numbers.
  UnifiedArray solve(const Stencil& a, const UnifiedArray& b, double relative);

  /// The HJB equation's residual times dt, and its matrix.
  std::pair<UnifiedArray, Stencil> linearised(const UnifiedArray& w, const UnifiedArray& cost,
                                              const Conditions& at) const;
  Stencil transposed(const Stencil& a) const;
  /// The w that solves the HJB equation for a cost, by policy iteration. Throws Breakdown.
  UnifiedArray best_response(UnifiedArray w, const UnifiedArray& cost, const Conditions& at,
                             double tolerance);
  /// The same until a residual is left which has fallen to a `goal`, or is `small` and no longer
  /// falls, by rounding.
  UnifiedArray exact_response(UnifiedArray w, const UnifiedArray& cost, const Conditions& at,
                              double goal, double small);
  /// The density that u moves about without changing it, from a guess.
  UnifiedArray density(const UnifiedArray& u, UnifiedArray m);
  /// Scaled to the population's mass.
  UnifiedArray scaled(const UnifiedArray& m) const;
  Conditions conditions(const UnifiedArray& m) const;

  /// Keep the equations linearised at w and m for what follows; `matrix` is that of `linearised`.
  void linearise_at(const UnifiedArray& w, const UnifiedArray& m, const Stencil& matrix);
  UnifiedArray density_change(const UnifiedArray& x, double relative);
  UnifiedArray backward(UnifiedArray change_of_cost, const UnifiedArray& dm, double relative);
  /// What the HJB equation alone would correct for a residual.
  UnifiedArray correction(const UnifiedArray& residual, double relative);

 private:
  const DiscretePopulation& population_;
  std::function<bool()> should_stop_;
  LinearStep linear_;
  DensityResponse response_;
  UnifiedArray u_;
  Conditions at_;
  std::optional<Stencil> matrix_, jacobian_;
};

using Parts = std::deque<StationaryPopulation>;

/// F of each population at densities m of one level.
Fields costs(const DiscreteProblem& problem, const Fields& m);
/// What the HJB equation's residual is compared with: the largest of its terms.
double term_size(const DiscretePopulation& one, const UnifiedArray& w, const UnifiedArray& cost);

/// A state: w and the densities that u moves about.
struct State {
  Fields w, m, residual;
  std::vector<Stencil> matrices;
  double size = 0.0;  ///< of the largest residual of an HJB equation, over the size of its terms
};

/// The state of w and the densities m that w moves about.
State state_of(const DiscreteProblem& problem, Parts& parts, Fields w, Fields m);
/// The state of w, whose densities are near a guess.
State evaluate(const DiscreteProblem& problem, Parts& parts, Fields w, const Fields& guess);
/// The largest residual of a Fokker-Planck equation, over the size of its terms.
double fokker_planck_residual(const Parts& parts, const State& now);
/// What each population's crowd pays per unit of time under the policy of u, less what the best
/// response to the crowds would pay; summed. NaN where that cannot be found, and for a planner.
double exploitability(const DiscreteProblem& problem, Parts& parts, const State& now);
/// Newton's method from a state. The residual it ends with; `record` may end it by giving false.
double newton(const DiscreteProblem& problem, Parts& parts, State& state, double tolerance,
              int most, const std::function<bool(const State&, int krylov)>& record);

}  // namespace isofield::mfg::stationary
