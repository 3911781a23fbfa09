#pragma once

#include <isofield/mfg/discrete_problem.hpp>
#include <isofield/mfg/krylov.hpp>
#include <isofield/transforms.hpp>
#include <optional>
#include <utility>

namespace isofield::mfg {

/// How exactly time steps are solved.
struct StepTolerances {
  /// Largest residual of an HJB step, in units of u over time.
  double hjb = 1e-10;
  /// Residual of a Fokker-Planck step, relative to its right-hand side.
  double fokker_planck = 1e-12;

  /// Tolerances that leave an outer `tolerance`, as in SolveOptions, undisturbed, for values u of
  /// the size `u_size`, and that rounding in this dtype allows.
  static StepTolerances within(const DiscreteProblem& problem, double tolerance, double u_size);
  /// About what a density step's relative residual in 2-norm is to the scaled residual in max norm:
  /// over dt, times the horizon, and ten for the ratio of the norms of a density.
  static double density_scale(const DiscreteProblem& problem);
};

/// What steps have cost so far.
struct StepCounts {
  std::int64_t hjb_steps = 0;      ///< nonlinear HJB steps
  std::int64_t newton = 0;         ///< Newton updates in them (policy iterations)
  std::int64_t linear_solves = 0;  ///< linear systems, those of Newton updates included
  std::int64_t krylov = 0;         ///< BiCGStab iterations in them
};

/// How exactly a linear system is solved: the 2-norm of its residual, at most the larger of both.
struct LinearTolerance {
  double absolute = 0.0;
  double relative = 0.0;  ///< to the right-hand side
};

/// Solves the linear system of one step: directly in one dimension, by BiCGStab in more.
class LinearStep {
 public:
  explicit LinearStep(const DiscreteProblem& problem);

  bool is_direct() const noexcept { return !iterative_; }
  /// Complete a stencil, of one level or many, with what `solve` needs.
  Stencil prepared(Stencil a) const;
  /// The x with a x = b, `guess` being near it, and the 2-norm of the residual: 0 if direct.
  std::pair<UnifiedArray, double> solve(const Stencil& a, const UnifiedArray& b,
                                        const UnifiedArray& guess, LinearTolerance tolerance);
  StepCounts& counts() noexcept { return counts_; }
  const StepCounts& counts() const noexcept { return counts_; }

 private:
  using Traced = isofield::detail::TracedFunction;
  std::optional<BiCGStab> iterative_;
  Traced solve_;
  StepCounts counts_;
};

/// Newton updates of the HJB equation, which for a convex Hamiltonian are policy iteration: at one
/// level, or at all levels at once.
class HjbNewton {
 public:
  HjbNewton(const DiscreteProblem& problem, const LinearStep& linear);

  /// The equation linearised at u.
  struct Linearisation {
    UnifiedArray right_side;  ///< -dt times the residual
    double residual = 0.0;    ///< its largest absolute value, in units of u over time
    Stencil matrix;
  };
  Linearisation linearise(const UnifiedArray& u, const UnifiedArray& u_next,
                          const UnifiedArray& cost) const;
  /// u + x, and a bound of the residual there, infinite where the Hamiltonian is not quadratic; the
  /// linear system's own residual comes on top.
  std::pair<UnifiedArray, double> update(const UnifiedArray& u, const UnifiedArray& x) const;
  /// In one dimension, an update in one go: the new u and how far it can be from a solution.
  std::pair<UnifiedArray, double> direct_update(const UnifiedArray& u, const UnifiedArray& u_next,
                                                const UnifiedArray& cost) const;
  /// How exactly to solve for an update at a residual, in 2-norm of the step's linear system;
  /// learns from one call to the next how fast residuals fall.
  double linear_tolerance(double residual, double tolerance, bool first);

 private:
  using Traced = isofield::detail::TracedFunction;
  const DiscreteProblem& problem_;
  Traced direct_, linearise_, update_;
  double last_residual_ = 0.0;
  double quadratic_ = 0.0;  ///< residual after an update over its square before, as last seen
};

/// One backward step of the HJB equation by Newton's method.
class HjbStep {
 public:
  HjbStep(const DiscreteProblem& problem, LinearStep& linear, HjbNewton& newton);

  /// The u at a level, from the next level's and the running cost, starting at `guess`. Throws
  /// Breakdown, naming `level`.
  UnifiedArray operator()(const UnifiedArray& u_next, const UnifiedArray& cost,
                          const UnifiedArray& guess, double tolerance, std::int64_t level);

 private:
  UnifiedArray direct(const UnifiedArray& u_next, const UnifiedArray& cost, UnifiedArray u,
                      double tolerance, std::int64_t level);
  UnifiedArray iterative(const UnifiedArray& u_next, const UnifiedArray& cost, UnifiedArray u,
                         double tolerance, std::int64_t level);
  [[noreturn]] void fail(std::int64_t level, double residual, double tolerance) const;
  [[noreturn]] void fail_by_nan(std::int64_t level, const UnifiedArray& u_next,
                                const UnifiedArray& cost) const;

  const DiscreteProblem& problem_;
  LinearStep& linear_;
  HjbNewton& newton_;
};

/// A solution of the Fokker-Planck equation at levels 0..N, with its largest residual.
struct Density {
  UnifiedArray m;
  double residual = 0.0;  ///< in units of m over time
};

/// Make a density of an approximate solution of a Fokker-Planck step: an iterative solution is a
/// little negative where m is about 0, and loses a little mass. The solution is not negative, so
/// that cutting moves towards it; and the balance of mass, sum A m = sum m_last, whatever leaves
/// included, fixes a factor.
UnifiedArray repaired_density(const Grid& grid, const Stencil& transposed, const UnifiedArray& m,
                              const UnifiedArray& m_last);

/// One forward step of the Fokker-Planck equation in more than one dimension: the exact transpose
/// of the linearised HJB step.
class FokkerPlanckStep {
 public:
  FokkerPlanckStep(const DiscreteProblem& problem, LinearStep& linear);

  /// The m at a level, from u and m at the last level. Mass and sign are exact to
  /// rounding, however exactly the linear system is solved. The residual is an array of one number.
  struct Level {
    UnifiedArray m, residual;
  };
  Level operator()(const UnifiedArray& u_last, const UnifiedArray& m_last,
                   const UnifiedArray& guess, double relative);

 private:
  using Traced = isofield::detail::TracedFunction;
  const DiscreteProblem& problem_;
  LinearStep& linear_;
  Traced matrix_, repair_;
};

/// Marches through time levels in one dimension, where each step is one tridiagonal solve: many
/// levels are one recorded function, replayed without building anything.
class LineMarch {
 public:
  enum class Kind : std::uint8_t {
    backward,  ///< x^n from x^(n+1) and a source
    forward,   ///< y^(n+1) from y^n and a source
  };
  LineMarch(const DiscreteProblem& problem, Kind kind);

  /// The levels, from a matrix and a source for each, and what to start from.
  UnifiedArray operator()(const Stencil& matrices, const UnifiedArray& source,
                          const UnifiedArray& start) const;

 private:
  using Traced = isofield::detail::TracedFunction;
  static constexpr std::int64_t chunk = 64;  ///< levels of one recorded function
  Kind kind_;
  Traced march_;
};

/// Sweeps over all levels in one dimension, some levels at a time: what they need besides u and m
/// is made when it is needed and never leaves the cache.
class LineSweeps {
 public:
  explicit LineSweeps(const DiscreteProblem& problem);

  struct NewtonUpdate {
    UnifiedArray u;      ///< at levels 0..N
    double error = 0.0;  ///< largest residual of u, or more, in units of u over time
  };
  /// Update u at all levels by Newton's method; u^N becomes `terminal`.
  NewtonUpdate newton_update(const UnifiedArray& u, const UnifiedArray& terminal,
                             const UnifiedArray& cost) const;
  /// The density that follows u.
  Density density(const UnifiedArray& u) const;

 private:
  using Traced = isofield::detail::TracedFunction;
  /// The first level of part p.
  std::int64_t begin_of_part(std::int64_t p) const;

  const DiscreteProblem& problem_;
  Traced newton_, density_;
  std::int64_t parts_ = 1;
};

}  // namespace isofield::mfg
