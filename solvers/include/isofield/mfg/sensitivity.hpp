#pragma once

#include <functional>
#include <isofield/mfg/solve.hpp>
#include <vector>

namespace isofield::mfg {

/// One number that a solution is judged by, an array of rank 0 made of operations on arrays: u and
/// m of each population, shape (N + 1, n_0[, n_1[, n_2]]).
using Functional = std::function<UnifiedArray(const Fields& u, const Fields& m)>;

/// How a functional of a solution changes with the problem's data, by implicit differentiation: one
/// linear system, the transpose of that of Newton's method, tells the derivatives by all data at
/// once, and no solve is repeated or recorded.
class Sensitivity {
 public:
  /// The derivatives at a converged solution; the linear system is solved until its residual has
  /// fallen by `relative`. Throws SolverError for an ergodic game and for planning, a solution that
  /// has not converged or is of another grid, and where the system cannot be solved.
  Sensitivity(const Problem& problem, const Solution& solution, const Functional& functional,
              double relative = 1e-9);

  /// The functional itself.
  double value() const noexcept { return value_; }
  /// Its derivative by the running cost F of each population in each cell and step, shape
  /// (N, n_0[, n_1[, n_2]]).
  const Fields& by_running_cost() const noexcept { return by_running_; }
  /// By the terminal cost in each cell.
  const Fields& by_terminal_cost() const noexcept { return by_terminal_; }
  /// By the initial density in each cell, once it has been scaled to its mass.
  const Fields& by_initial_density() const noexcept { return by_initial_; }
  /// Along a path of problems, d/ds at s = 0; the problem at s = 0 is the one that was solved. Its
  /// equations are evaluated at |s| up to `step`: errors are of order step^4.
  double along(const std::function<Problem(double s)>& path, double step = 1e-3) const;
  /// GMRES iterations that the linear system took.
  int iterations() const noexcept { return iterations_; }

 private:
  double weighted_equations(const Problem& problem) const;

  Fields u_, m_, by_running_, by_terminal_, by_initial_;
  double value_ = 0.0;
  int iterations_ = 0;
  std::vector<UnifiedArray> hjb_, fokker_planck_;  ///< multipliers of the equations of each step
};

/// Problems told apart by some numbers.
using Family = std::function<Problem(const std::vector<double>& parameters)>;

/// A functional at the solution of a member of a family, and its gradient by the parameters.
struct Gradient {
  double value = 0.0;
  std::vector<double> gradient;
  Solution solution;
};

/// Solve a member of a family, and differentiate a functional of its solution by the parameters:
/// what a calibration minimises. Throws SolverError where the solve does not converge.
Gradient value_and_gradient(const Family& family, const std::vector<double>& parameters,
                            const Functional& functional, const SolveOptions& options = {});

}  // namespace isofield::mfg
