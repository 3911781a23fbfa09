#pragma once

#include <isofield/mfg/discrete_problem.hpp>
#include <isofield/mfg/krylov.hpp>
#include <isofield/transforms.hpp>
#include <memory>

namespace isofield::mfg {

/// How exactly time steps are solved.
struct StepTolerances {
  /// Largest residual of an HJB step; in units of u over time.
  double hjb = 1e-10;
  /// Residual of a Fokker-Planck step, relative to its right-hand side.
  double fokker_planck = 1e-12;

  /// Tolerances that leave an outer `tolerance`, as in SolveOptions, undisturbed, for values u of
  /// the size `u_size`, and that rounding in this dtype allows.
  static StepTolerances within(const DiscreteProblem& problem, double tolerance, double u_size);
};

/// What steps have cost so far.
struct StepCounts {
  std::int64_t hjb_steps = 0;      ///< nonlinear HJB steps
  std::int64_t newton = 0;         ///< Newton updates in them (policy iterations)
  std::int64_t linear_solves = 0;  ///< linear systems, those of Newton updates included
  std::int64_t krylov = 0;         ///< BiCGStab iterations in them
};

/// Solves the linear system of one step: directly in one dimension, by BiCGStab in more.
class LinearStep {
 public:
  explicit LinearStep(const DiscreteProblem& problem);

  /// Complete a stencil, of one level or many, with what `solve` needs.
  Stencil prepared(Stencil a) const;
  /// The x with a x = b, `guess` being near it. Returns the 2-norm of the residual too: 0 if
  /// direct.
  std::pair<UnifiedArray, double> solve(const Stencil& a, const UnifiedArray& b,
                                        const UnifiedArray& guess, double absolute,
                                        double relative);
  /// previous/dt + source as right-hand side.
  std::pair<UnifiedArray, double> advance(const Stencil& a, const UnifiedArray& previous,
                                          const UnifiedArray* source, const UnifiedArray& guess,
                                          double relative);
  StepCounts& counts() noexcept { return counts_; }
  const StepCounts& counts() const noexcept { return counts_; }

 private:
  using Traced = isofield::detail::TracedFunction;
  bool direct_;
  std::optional<BiCGStab> iterative_;
  Traced solve_, advance_, advance_with_source_, right_side_, right_side_with_source_;
  StepCounts counts_;
};

/// One backward step of the HJB equation, by Newton's method, which for a convex Hamiltonian is
/// policy iteration.
class HjbStep {
 public:
  HjbStep(const DiscreteProblem& problem, LinearStep& linear);

  /// The u at a level, from the next level's and the running cost, starting at `guess`. Throws
  /// Breakdown, naming `level`.
  UnifiedArray operator()(const UnifiedArray& u_next, const UnifiedArray& cost,
                          const UnifiedArray& guess, double tolerance, std::int64_t level);

 private:
  using Traced = isofield::detail::TracedFunction;
  UnifiedArray direct(const UnifiedArray& u_next, const UnifiedArray& cost, UnifiedArray u,
                      double tolerance, std::int64_t level);
  UnifiedArray iterative(const UnifiedArray& u_next, const UnifiedArray& cost, UnifiedArray u,
                         double tolerance, std::int64_t level);
  [[noreturn]] void fail(std::int64_t level, double residual, double tolerance) const;

  const DiscreteProblem& problem_;
  LinearStep& linear_;
  Traced newton_, coefficients_, update_;
  double quadratic_ = 0.0;  ///< residual after a Newton update over its square before, last seen
};

/// One forward step of the Fokker-Planck equation: the exact transpose of the linearised HJB step.
class FokkerPlanckStep {
 public:
  FokkerPlanckStep(const DiscreteProblem& problem, LinearStep& linear);

  /// The m at a level, from the last level's and the transposed stencil. Mass and sign are exact to
  /// rounding, however exactly the linear system is solved.
  UnifiedArray operator()(const Stencil& transposed, const UnifiedArray& m_last,
                          const UnifiedArray& guess, double relative);

 private:
  using Traced = isofield::detail::TracedFunction;
  bool exact_;
  LinearStep& linear_;
  Traced repair_;
};

}  // namespace isofield::mfg
