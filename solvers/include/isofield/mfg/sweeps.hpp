#pragma once

#include <functional>
#include <isofield/mfg/steps.hpp>

namespace isofield::mfg {

/// Thrown through a sweep that its caller wants to end. Not an error: nobody who tries another way
/// after an error is to catch it.
struct Interrupted {};

/// Passes over all time levels of one discrete population. Fields over time have shape
/// (N + 1, n_0[, n_1[, n_2]]), or (N, ...) where they are of steps, as stages are, or of levels
/// 0..N-1 (HJB) or 1..N (density).
class Sweeps {
 public:
  /// `should_stop`, where given, is asked before each time step of a sweep (in one dimension, where
  /// a sweep is short, before each sweep); if it says so, the sweep throws Interrupted.
  explicit Sweeps(const DiscretePopulation& population, std::function<bool()> should_stop = {});
  Sweeps(const Sweeps&) = delete;
  Sweeps& operator=(const Sweeps&) = delete;

  /// Solve the HJB equation backwards until its residual is at most `tolerance`, in units of u over
  /// time. Without a guess, level by level; from a guess, by Newton's method on all levels at once.
  /// Throws Breakdown.
  UnifiedArray hjb(const HjbData& data, const UnifiedArray* guess, double tolerance);
  /// Improve u by one update of Newton's method, which is one of policy iteration: the cost of the
  /// policy that u makes agents choose.
  UnifiedArray improved(const HjbData& data, const UnifiedArray& u);
  /// The matrices of the HJB equation linearised at u, of all steps, ready to be solved with.
  Stencil matrices(const UnifiedArray& u, const Conditions& at) const;
  /// Those of the Fokker-Planck equation, I + theta dt K^T.
  Stencil density_matrices(const UnifiedArray& u, const Conditions& at) const;
  /// Those of the Fokker-Planck equation linearised in m.
  Stencil density_jacobians(const UnifiedArray& u, const Conditions& at) const;
  /// Solve the Fokker-Planck equation forwards for the density that follows u. Throws Breakdown.
  Density fokker_planck(const UnifiedArray& u, const UnifiedArray* guess, double relative);

  /// Solve (I + theta dt K_n) x_n = x^(n+1) + source^n for the stages x_n of a path backwards from
  /// its level N. What is `added`, if anything, is added to the level that each step leads to.
  UnifiedArray linear_backward(const Stencil& matrices, const UnifiedArray& source,
                               const UnifiedArray& terminal, LinearTolerance tolerance,
                               const UnifiedArray* added = nullptr);
  /// Solve (I + theta dt K_n^T) y_n = y^n + source^n for the stages y_n of a path forwards from its
  /// level 0.
  UnifiedArray linear_forward(const Stencil& transposed, const UnifiedArray& source,
                              const UnifiedArray& start, LinearTolerance tolerance,
                              const UnifiedArray* added = nullptr);

  const StepCounts& counts() const noexcept { return linear_.counts(); }
  /// What sweeps have learned that later ones use.
  const HjbNewton::Memory& memory() const noexcept { return newton_.memory(); }
  void set_memory(const HjbNewton::Memory& memory) noexcept { newton_.set_memory(memory); }

 private:
  using Traced = isofield::detail::TracedFunction;
  Stencil made_by(const Traced& make, const UnifiedArray& u, const Conditions& at) const;
  std::optional<UnifiedArray> hjb_by_newton(const HjbData& data, UnifiedArray u, double tolerance);
  std::optional<UnifiedArray> hjb_by_line_sweeps(const HjbData& data, UnifiedArray u,
                                                 double tolerance);
  UnifiedArray march(const char* equation, const LineMarch& lines, const Stencil& matrices,
                     const UnifiedArray& source, const UnifiedArray& start,
                     LinearTolerance tolerance, const UnifiedArray* added);
  void fail_by_nan(const UnifiedArray& m) const;
  void ask_whether_to_go_on() const;

  const DiscretePopulation& population_;
  std::function<bool()> should_stop_;
  LinearStep linear_;
  HjbNewton newton_;
  HjbStep hjb_step_;
  FokkerPlanckStep fokker_planck_step_;
  std::optional<LineSweeps> lines_;  ///< in one dimension
  LineMarch backward_, forward_;
  Traced matrices_, density_matrices_, density_jacobians_;
};

}  // namespace isofield::mfg
