#pragma once

#include <functional>
#include <isofield/mfg/config.hpp>
#include <isofield/mfg/problem.hpp>
#include <isofield/mfg/solver_state.hpp>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace isofield::mfg {

/// How a solve ended.
enum class Status : std::uint8_t {
  converged,
  not_converged,  ///< the limit of iterations, or no way to go on
  breakdown,      ///< NaN, infinity or a failing step; the last good state is kept
  interrupted,    ///< by the caller
};
/// "converged", "not_converged", "failed", "interrupted", as result files say.
std::string to_string(Status status);

/// One outer iteration.
struct Iteration {
  int number = 0;  ///< from 1
  /// "picard", "fictitious_play", "anderson", "policy", "newton", or "continuation": Newton's
  /// method on the way to the game, see DiscreteProblem::set_coupling.
  std::string method;
  double residual = 0;  ///< of the discrete system: the larger of the two below
  double hjb_residual = 0;
  double fp_residual = 0;
  double change_u = 0;  ///< max |u - last u|
  double change_m = 0;  ///< max |m - the m that u was computed for|
  int krylov = 0;       ///< GMRES iterations
  double seconds = 0;   ///< since the start
  /// What the best response to m would gain over u's policy; NaN unless asked for.
  double exploitability = std::numeric_limits<double>::quiet_NaN();
};

/// What a caller sees during a solve.
struct Progress {
  const Iteration& iteration;
  const Fields& u;  ///< of each population, shape (N + 1, n_0[, n_1[, n_2]])
  const Fields& m;
  /// What is solved for a start, "grid 2 times coarser" or "implicit scheme"; empty: the problem
  /// itself.
  std::string start;
  /// What a solve that is to go on from here must be given; absent unless it was asked for.
  const SolverState* state = nullptr;
};

/// When an iteration counts as converged.
enum class StopRule : std::uint8_t {
  residual,  ///< residual of the discrete system, scaled, at most the tolerance
  change,    ///< max|dm| and max|du| of an iteration below the tolerance, as other codes do
};

/// Where an iteration starts from.
enum class InitialGuess : std::uint8_t {
  zero,    ///< the initial density at all times
  coarse,  ///< the solution on coarser grids
  given,   ///< `SolveOptions::initial_u`
};

/// How to solve. The residual is the max norm of what is left of each equation, times the horizon,
/// over max |u| and max |m|.
struct SolveOptions {
  Coupling coupling = Coupling::automatic;
  double tolerance = 1e-8;
  int max_iterations = 200;
  double damping = 0.5;  ///< Picard, policy iteration: weight of the new density, in (0, 1]
  StopRule stop = StopRule::residual;
  InitialGuess initial_guess = InitialGuess::coarse;
  Fields initial_u;  ///< of each population, shape (N + 1, n_0[, n_1[, n_2]])
  /// Where an earlier solve of the same problem with the same options was; it goes on there.
  SolverState state;
  /// Tell what a solve needs to go on, at each iteration and in the end. A few more fields are kept
  /// meanwhile.
  bool keep_state = false;
  DType dtype = float64;
  /// Compute for each iteration what its crowds pay in all under the policies of u, less the cost
  /// of the best responses to m; to a percent, at the price of an HJB solve. Not for a planner.
  bool exploitability = false;
  /// Called after each outer iteration; giving false ends the solve.
  std::function<bool(const Progress&)> on_iteration;
  /// Asked between time steps, too, where they are long; giving true ends the solve with what the
  /// last outer iteration left.
  std::function<bool()> should_stop;
};

/// Where time went.
struct Phase {
  std::string name;
  std::int64_t calls = 0;
  double seconds = 0.0;
};

/// What a solve did.
struct SolveReport {
  Status status = Status::not_converged;
  std::string message;     ///< why it ended so, and what was tried
  std::string breakdown;   ///< what broke down, where and when; empty if nothing did
  double tolerance = 0.0;  ///< the options', or what the dtype allows on this grid
  int iterations = 0;
  double residual = std::numeric_limits<double>::infinity();
  double hjb_residual = std::numeric_limits<double>::infinity();
  double fp_residual = std::numeric_limits<double>::infinity();
  std::vector<Iteration> history;
  double seconds = 0.0;
  std::vector<Phase> phases;
  std::int64_t hjb_steps = 0;       ///< nonlinear steps
  std::int64_t newton_updates = 0;  ///< Newton updates in them
  std::int64_t linear_solves = 0;
  std::int64_t krylov = 0;  ///< BiCGStab iterations in all linear solves
  std::int64_t gmres = 0;   ///< GMRES iterations on the coupled system
};

/// A solution: each population's value and density at all time levels, shape
/// (N + 1, n_0[, n_1[, n_2]]); of an ergodic game one level, and lambda.
struct Solution {
  Fields u, m;
  std::vector<double> lambda;  ///< of each population of an ergodic game; else empty
  SolverState state;           ///< where it was at the last iteration, if that was asked for
  SolveReport report;
};

/// Solve a mean-field game, or a problem of mean-field control, on the default backend. Bad data
/// throw SolverError or ShapeError; an iteration that does not converge or breaks down is told by
/// the report's status. What the machine has not the memory for throws OutOfMemory beforehand.
Solution solve(const Problem& problem, const SolveOptions& options = {});

/// Options as a configuration states them.
SolveOptions make_options(const Config& config);

}  // namespace isofield::mfg
