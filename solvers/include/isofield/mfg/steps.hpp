#pragma once

#include <isofield/mfg/discrete_population.hpp>
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
  static StepTolerances within(const DiscretePopulation& population, double tolerance,
                               double u_size);
  /// About what a density step's relative residual in 2-norm is to the scaled residual in max norm:
  /// over dt, times the horizon, and ten for the ratio of the norms of a density.
  static double density_scale(const DiscretePopulation& population);
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
  explicit LinearStep(const DiscretePopulation& population);

  bool is_direct() const noexcept { return !iterative_; }
  /// Complete a stencil, of one level or many, with what `solve` needs; its rows sum to
  /// `constant`.
  Stencil prepared(Stencil a, double constant = 1.0) const;
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
  HjbNewton(const DiscretePopulation& population, const LinearStep& linear);

  /// The equation linearised at stages v.
  struct Linearisation {
    UnifiedArray right_side;  ///< -theta dt times the residual
    double residual = 0.0;    ///< its largest absolute value, in units of u over time
    Stencil matrix;
  };
  Linearisation linearise(const UnifiedArray& v, const UnifiedArray& u_next,
                          const UnifiedArray& cost, const Conditions& at) const;
  /// u + x, and a bound of the residual there, infinite where the Hamiltonian is not quadratic; the
  /// linear system's own residual comes on top.
  std::pair<UnifiedArray, double> update(const UnifiedArray& u, const Path& x,
                                         const Conditions& at) const;
  /// In one dimension, an update in one go: the new stage and how far it can be from a solution.
  std::pair<UnifiedArray, double> direct_update(const UnifiedArray& v, const UnifiedArray& u_next,
                                                const UnifiedArray& cost,
                                                const Conditions& at) const;
  /// What it has learned.
  struct Memory {
    double last_residual = 0.0;
    double quadratic = 0.0;  ///< residual after an update over its square before, as last seen
  };
  const Memory& memory() const noexcept { return memory_; }
  void set_memory(const Memory& memory) noexcept { memory_ = memory; }
  /// How exactly to solve for an update at a residual, in 2-norm of the step's linear system;
  /// learns from one call to the next how fast residuals fall.
  double linear_tolerance(double residual, double tolerance, bool first);

 private:
  using Traced = isofield::detail::TracedFunction;
  const DiscretePopulation& population_;
  Traced direct_, linearise_, update_;
  Memory memory_;
};

/// One backward step of the HJB equation by Newton's method.
class HjbStep {
 public:
  HjbStep(const DiscretePopulation& population, LinearStep& linear, HjbNewton& newton);

  /// What one step is solved for.
  struct Data {
    UnifiedArray u_next, cost;
    Conditions at;
    std::int64_t level = 0;
  };
  /// The stage of a step, from the next level's u and the running cost, starting at `guess`. Throws
  /// Breakdown, naming the level.
  UnifiedArray operator()(const Data& data, const UnifiedArray& guess, double tolerance);

 private:
  UnifiedArray direct(const Data& data, UnifiedArray u, double tolerance);
  UnifiedArray iterative(const Data& data, UnifiedArray u, double tolerance);
  [[noreturn]] void fail(std::int64_t level, double residual, double tolerance) const;
  [[noreturn]] void fail_by_nan(const Data& data) const;

  const DiscretePopulation& population_;
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
/// The same where a density need not keep its sign: the balance of mass alone.
UnifiedArray balanced_density(const Grid& grid, const Stencil& transposed, const UnifiedArray& m,
                              const UnifiedArray& m_last);

/// One forward step of the Fokker-Planck equation: the exact transpose of the linearised HJB step.
/// Where there is congestion the step is an equation in m that is not linear: Newton's method
/// solves it, or, where that would make a density negative, repeated steps at the last speed.
class FokkerPlanckStep {
 public:
  FokkerPlanckStep(const DiscretePopulation& population, LinearStep& linear);

  /// What one step is solved for: its stage value, m at the last level, whose number it is, and the
  /// conditions, whose density is not looked at.
  struct Data {
    UnifiedArray v, m;
    Conditions at;
    std::int64_t level = 0;
  };
  /// The stage density. Its mass, and its sign where the scheme keeps it, are exact to rounding,
  /// however exactly the linear system is solved. The residual is an array of one number.
  struct Stage {
    UnifiedArray p, residual;
  };
  /// Throws Breakdown, naming the level.
  Stage operator()(const Data& data, const UnifiedArray& guess, double relative);

 private:
  using Traced = isofield::detail::TracedFunction;
  Stencil made_by(const Traced& make, const Data& data, const UnifiedArray& p) const;
  Stage repaired(const Stencil& a, const UnifiedArray& p, const UnifiedArray& m_last) const;
  Stage linear(const Data& data, const UnifiedArray& guess, double relative);
  Stage congested(const Data& data, const UnifiedArray& guess, double relative);
  const DiscretePopulation& population_;
  LinearStep& linear_;
  Traced matrix_, jacobian_, repair_;
};

/// Marches through time levels in one dimension, where each step is one tridiagonal solve: many
/// levels are one recorded function, replayed without building anything.
class LineMarch {
 public:
  enum class Kind : std::uint8_t {
    backward,  ///< x^n from x^(n+1) and a source
    forward,   ///< y^(n+1) from y^n and a source
  };
  LineMarch(const DiscretePopulation& population, Kind kind);

  /// The stages of all steps, from a matrix and a source for each, and what to start from. What is
  /// `added`, if anything, is added to the level that each step leads to.
  UnifiedArray operator()(const Stencil& matrices, const UnifiedArray& source,
                          const UnifiedArray& start, const UnifiedArray* added = nullptr) const;

 private:
  using Traced = isofield::detail::TracedFunction;
  static constexpr std::int64_t chunk = 64;  ///< levels of one recorded function
  const DiscretePopulation& population_;
  Kind kind_;
  Traced march_;
};

/// Sweeps over all levels in one dimension, some levels at a time: what they need besides u and m
/// is made when it is needed and never leaves the cache.
class LineSweeps {
 public:
  explicit LineSweeps(const DiscretePopulation& population);

  struct NewtonUpdate {
    UnifiedArray u;      ///< at levels 0..N
    double error = 0.0;  ///< largest residual of u, or more, in units of u over time
  };
  /// Update u at all levels by Newton's method; u^N becomes `terminal`.
  NewtonUpdate newton_update(const UnifiedArray& u, const HjbData& data) const;
  /// The density that follows u, where there is no congestion.
  Density density(const UnifiedArray& u) const;

 private:
  using Traced = isofield::detail::TracedFunction;
  /// The first level of part p.
  std::int64_t begin_of_part(std::int64_t p) const;

  const DiscretePopulation& population_;
  Traced newton_, density_;
  std::int64_t parts_ = 1;
};

}  // namespace isofield::mfg
