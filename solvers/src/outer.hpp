#pragma once

#include <chrono>
#include <deque>
#include <isofield/mfg/residual.hpp>
#include <isofield/mfg/solve.hpp>
#include <isofield/mfg/sweeps.hpp>
#include <map>
#include <memory>

namespace isofield::mfg {

/// Adds the time it lives, as a call, to an entry of a table.
class PhaseTimer {
 public:
  PhaseTimer(std::map<std::string, Phase>& table, const char* name)
      : phase_(table[name]), start_(std::chrono::steady_clock::now()) {
    phase_.name = name;
    ++phase_.calls;
  }
  ~PhaseTimer() {
    phase_.seconds +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  PhaseTimer(const PhaseTimer&) = delete;
  PhaseTimer& operator=(const PhaseTimer&) = delete;

 private:
  Phase& phase_;
  std::chrono::steady_clock::time_point start_;
};

/// Lets the costs see the density of the game itself while it lives.
class WholeGame {
 public:
  explicit WholeGame(DiscreteProblem& problem);
  ~WholeGame();
  WholeGame(const WholeGame&) = delete;
  WholeGame& operator=(const WholeGame&) = delete;

 private:
  DiscreteProblem& problem_;
  double strength_;
};

/// How one of the outer algorithms ended.
enum class Outcome : std::uint8_t {
  converged,
  limit,        ///< iterations used up
  stalled,      ///< no progress is possible this way
  interrupted,  ///< by the caller
};

/// Which problem is solved, seen from the one that was asked for.
struct Nesting {
  int coarsening = 0;     ///< how often cells and steps were halved
  bool implicit = false;  ///< whether the implicit scheme takes another's place

  bool is_start() const { return coarsening > 0 || implicit; }
  /// "grid 2 times coarser", "implicit scheme", both or nothing.
  std::string words() const;
};

/// What the outer algorithms share: a discrete problem, its sweeps, the state and the record.
struct Outer {
  Outer(DiscreteProblem& discrete, const SolveOptions& solve_options, Nesting nested);

  /// Put an iteration on record; false if the caller wants to stop.
  bool record(Iteration iteration);
  /// Put something on record that the report's message will say, once.
  void note(const std::string& text);
  std::size_t size() const { return problem.size(); }
  /// What the crowds of the state would gain by best responses, in the game itself.
  double exploitability();
  double seconds() const;
  int iterations() const { return static_cast<int>(history.size()); }
  /// All steps, those before a solve went on included.
  StepCounts counts() const;

  /// The iterations before an algorithm began, which it keeps as its first number.
  int begin_of(const char* algorithm) const;
  /// Note where the solve is.
  void remember();
  /// Go on from there: algorithms that start find in `resumed` what they kept, until the innermost
  /// of them has found its place.
  void go_on_from(const SolverState& from);

  DiscreteProblem& problem;
  const SolveOptions& options;
  Nesting nesting;
  std::deque<Sweeps> sweeps;  ///< of each population
  double tolerance;           ///< the options', or what the dtype allows
  Fields u, m;                ///< the last good state; m solves the Fokker-Planck equation for u
  bool has_state = false;
  std::vector<Iteration> history;
  std::vector<std::string> notes;
  std::map<std::string, Phase> phases;
  std::int64_t gmres = 0;
  std::vector<std::function<void(SolverState&)>> keepers;  ///< of the algorithms that run
  SolverState state;                                       ///< as it was remembered last
  const SolverState* resumed = nullptr;
  StepCounts earlier;  ///< before the solve went on
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};

/// Adds to what a solve remembers, while it lives: what an algorithm needs to go on.
class Keeper {
 public:
  Keeper(Outer& outer, std::function<void(SolverState&)> save);
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

 private:
  Outer& outer_;
};

/// A history as numbers, and back.
std::vector<double> to_numbers(const std::vector<Iteration>& history);
std::vector<Iteration> history_in(const std::vector<double>& numbers);
/// Throw StateError unless there are so many fields of this shape.
void check_shapes(const Fields& fields, std::size_t count, const Shape& shape);

/// The densities of all populations that come next.
class Mixing {
 public:
  Mixing() = default;
  Mixing(const Mixing&) = delete;
  Mixing& operator=(const Mixing&) = delete;
  virtual ~Mixing() = default;
  /// From those an iteration began with and those it found.
  virtual Fields next(const Fields& density, const Fields& found) = 0;
  /// What it remembers, and back.
  virtual void save(SolverState&) const {}
  virtual void restore(const SolverState&) {}
};
/// density + damping (found - density)
std::unique_ptr<Mixing> damped(double damping);
/// The mean of all densities found so far: damping 1/(k + 1) in iteration k.
std::unique_ptr<Mixing> fictitious_play();
/// Anderson's (1965): the mixture of the last `memory` iterations whose changes cancel best.
/// Values below the lowest that there can be are cut.
std::unique_ptr<Mixing> anderson(std::size_t memory, double lowest = 0.0);

/// How densities and values are brought to agree by turns.
struct FixedPoint {
  const char* method;  ///< as Iteration::method has it
  std::unique_ptr<Mixing> mix;
  /// Whether u is a best response to the density, or improved by one update (policy iteration).
  bool best_response = true;
};
/// Iterate density -> u -> m -> density: up to `most` more iterations, until converged to
/// `tolerance`. Starts from the state if there is one, else from the initial density.
Outcome iterate(Outer& outer, const FixedPoint& how, int most, double tolerance);
/// The same by damped best responses.
Outcome picard(Outer& outer, double damping, int most, double tolerance);
/// Newton's method on the coupled system, reduced to u, from the state.
Outcome newton(Outer& outer, int most, double tolerance);
/// Newton's method along a path of games, from one whose costs do not see the density to the whole.
Outcome continuation(Outer& outer, int most);
/// Set the state by solving on a coarser grid: `converged` if it could, `stalled` if it could not.
Outcome coarse_start(Outer& outer);
/// Set the state by the implicit scheme's solution on the same grid, in the same words.
Outcome implicit_start(Outer& outer);
/// Solve an ergodic game, by Newton's method, where it must be along a path from more viscosity.
Solution solve_ergodic(const Problem& problem, const SolveOptions& options);
/// Solve a problem whose final density is prescribed.
Solution solve_planning(const Problem& problem, const SolveOptions& options);
/// Solve on one grid, from what the options ask for.
Solution solve_on(const Problem& problem, const SolveOptions& options, Nesting nesting);

}  // namespace isofield::mfg
