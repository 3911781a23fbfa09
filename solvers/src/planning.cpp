// Planning: the final density m_T is prescribed, and what u(T) must be for it is sought. By the
// method of multipliers (Hestenes, 1969; Powell, 1969): a game with the terminal cost
//
//     phi + (m - m_T)/epsilon,
//
// which repels where there are too many, is solved, phi takes that cost's values, and so on from
// there. Each turn brings m(T) closer by a factor that falls with epsilon; phi tends to u(T). The
// costs are monotone, so that each game is better posed than the problem itself, whose
// linearisation is singular where nobody wants to move.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <isofield/error.hpp>
#include <limits>

#include "norms.hpp"
#include "outer.hpp"

namespace isofield::mfg {

namespace {

constexpr int most_turns = 60;
constexpr std::size_t memory = 20;
constexpr double slow = 0.2;
const std::string mark = "planning_";  // of what turns remember

void check(const Problem& problem, const DiscreteProblem& discrete) {
  if (problem.ergodic) throw SolverError("an ergodic game has no final density to prescribe");
  if (!discrete.grid().is_closed())
    throw SolverError("a final density cannot be prescribed where people leave by exits");
  for (const Population& p : problem.populations)
    if (p.target_density && p.terminal)
      throw SolverError("a population has a target density or a terminal cost, not both");
}

class PlanningSolver {
 public:
  PlanningSolver(const Problem& problem, const SolveOptions& options)
      : problem_(problem), options_(options), discrete_(problem, options.dtype) {
    check(problem, discrete_);
    for (std::size_t p = 0; p < discrete_.size(); ++p) {
      const Field& target = problem.populations[p].target_density;
      if (!target) {
        targets_.emplace_back();
        continue;
      }
      const UnifiedArray& start = discrete_.population(p).initial_density();
      targets_.push_back(density_on(discrete_.grid(), target, "target density",
                                    discrete_.grid().integral(start).item<double>()));
    }
    epsilon_ = first_epsilon();
  }

  Solution solve() {
    SolveOptions options = options_;
    options.stop = StopRule::residual;
    if (!options_.state.empty()) options.state = go_on_from(options_.state);
    Solution best;
    for (; turn_ < most_turns; ++turn_) {
      // No turn is solved much more exactly than the last one has come.
      options.tolerance = std::max(options_.tolerance, std::min(1e-3, 1e-2 * miss_before_));
      const bool exactly = options.tolerance == options_.tolerance;
      options.max_iterations = options_.max_iterations - begin_of_turn_;
      if (options.max_iterations < 1) break;
      options.on_iteration = [&](const Progress& seen) { return watch(seen); };
      Solution s = solve_on(penalised(), options, {});
      add(s.report);
      options.state = {};
      begin_of_turn_ = iterations();
      if (best.u.empty() || s.report.status == Status::converged) best = s;
      report_.tolerance = std::max(options_.tolerance, s.report.tolerance);
      if (s.report.status == Status::interrupted) return finish(s, Status::interrupted);
      if (s.report.status != Status::converged) {
        // Too steep a penalty; more turns with a milder one do as well.
        if (s.report.status == Status::breakdown) report_.breakdown = s.report.breakdown;
        epsilon_ *= 30.0;
        if (++failures_ > 4) return finish(best, s.report.status);
        continue;
      }
      const double miss = largest_miss(s.m);
      if (miss <= report_.tolerance && exactly) return finish(s, Status::converged);
      if (miss > slow * miss_before_) epsilon_ *= failures_ > 0 ? 0.7 : 0.2;
      correct(s);
      options.initial_guess = InitialGuess::given;
      options.initial_u = s.u;
      miss_before_ = miss;
    }
    report_.message = fmt::format("the final density is not reached in {} turns or {} iterations",
                                  most_turns, options_.max_iterations);
    return finish(best, Status::not_converged);
  }

 private:
  // A penalty of the size of what it costs to cross the box.
  double first_epsilon() {
    double longest = 0.0;
    for (const Axis& a : problem_.axes) longest = std::max(longest, a.upper - a.lower);
    double largest = 0.0;
    for (std::size_t p = 0; p < discrete_.size(); ++p) {
      multipliers_.push_back(zeros_like(discrete_.population(p).initial_density()));
      if (problem_.populations[p].target_density)
        largest = std::max(largest, largest_of(targets_[p]));
    }
    return largest * problem_.horizon / (longest * longest);
  }

  // m(T) is a function of u(T), whatever penalty it was found by: of all u(T) so far, take the
  // combination at which what is missed cancels best.
  void correct(const Solution& s) {
    Fields last = multipliers_, shifted = multipliers_;
    for (std::size_t p = 0; p < discrete_.size(); ++p) {
      if (!problem_.populations[p].target_density) continue;
      last[p] = s.u[p](discrete_.steps()).copy();
      shifted[p] = (last[p] - (s.m[p](discrete_.steps()) - targets_[p])).eval();
    }
    multipliers_ = mixing_->next(shifted, last);
  }

  Problem penalised() const {
    Problem p = problem_;
    for (std::size_t i = 0; i < p.populations.size(); ++i) {
      Population& one = p.populations[i];
      if (!one.target_density) continue;
      const Field target = one.target_density;
      const Population data = problem_.populations[i];
      one.target_density = nullptr;
      // A planner is told the cost whose derivative by the density is the penalty.
      const double share = problem_.control ? 0.5 : 1.0;
      const DiscretePopulation* whole = &discrete_.population(i);
      one.terminal = [=, phi = multipliers_[i], exact = targets_[i],
                      epsilon = epsilon_](const CostInput& in) {
        const bool same = in.grid.shape() == whole->grid().shape();
        // On coarser grids, for a start, the multipliers are not known.
        const UnifiedArray wanted = same ? exact : on_grid(in.grid, data, target);
        const UnifiedArray excess = (share * in.m - wanted) * (1.0 / epsilon);
        return same ? phi + excess : excess;
      };
    }
    return p;
  }

  // The target on a coarser grid.
  static UnifiedArray on_grid(const Grid& grid, const Population& data, const Field& target) {
    const UnifiedArray start = density_on(grid, data.initial_density, "initial density", data.mass);
    return density_on(grid, target, "target density", grid.integral(start).item<double>());
  }

  // How far final densities are from their targets, over the largest wanted density.
  double largest_miss(const Fields& m) const {
    double worst = 0.0;
    for (std::size_t p = 0; p < m.size(); ++p)
      if (problem_.populations[p].target_density)
        worst = larger(worst,
                       largest_of(m[p](discrete_.steps()) - targets_[p]) / largest_of(targets_[p]));
    return worst;
  }

  bool watch(const Progress& seen) {
    if (!seen.start.empty()) return !options_.on_iteration || options_.on_iteration(seen);
    Iteration now = seen.iteration;
    now.number = iterations() + 1;
    now.residual = larger(now.residual, largest_miss(seen.m));
    now.seconds = seconds();
    history_.push_back(now);
    if (seen.state) remember(*seen.state);
    return !options_.on_iteration ||
           options_.on_iteration({now, seen.u, seen.m, "", seen.state ? &state_ : nullptr});
  }

  // What a turn needs to go on, and what turns do.
  void remember(const SolverState& of_turn) {
    SolverState own;
    own.fields["multiplier"] = multipliers_;
    mixing_->save(own);
    state_ = of_turn;
    for (const auto& [name, fields] : own.fields) state_.fields[mark + name] = fields;
    for (const auto& [name, numbers] : own.numbers) state_.numbers[mark + name] = numbers;
    state_.numbers[mark + "turn"] = {static_cast<double>(turn_), epsilon_, miss_before_,
                                     static_cast<double>(failures_),
                                     static_cast<double>(begin_of_turn_)};
    state_.numbers[mark + "history"] = to_numbers(history_);
    for (const std::int64_t x : {report_.hjb_steps, report_.newton_updates, report_.linear_solves,
                                 report_.krylov, report_.gmres})
      state_.numbers[mark + "counts"].push_back(static_cast<double>(x));
    state_.numbers[mark + "seconds"] = {seconds()};
  }

  // Gives the state of the turn.
  SolverState go_on_from(const SolverState& from) {
    SolverState own, of_turn;
    for (const auto& [name, fields] : from.fields) {
      const bool is_own = name.starts_with(mark);
      (is_own ? own : of_turn).fields[is_own ? name.substr(mark.size()) : name] = fields;
    }
    for (const auto& [name, numbers] : from.numbers) {
      const bool is_own = name.starts_with(mark);
      (is_own ? own : of_turn).numbers[is_own ? name.substr(mark.size()) : name] = numbers;
    }
    for (const auto& [name, fields] : own.fields)
      check_shapes(fields, discrete_.size(), discrete_.grid().shape());
    multipliers_ = own.field("multiplier");
    if (own.numbers.contains("anderson")) mixing_->restore(own);
    turn_ = own.count("turn", 0);
    epsilon_ = own.number("turn", 5)[1];
    miss_before_ = own.number("turn", 5)[2];
    failures_ = own.count("turn", 3);
    begin_of_turn_ = own.count("turn", 4);
    history_ = history_in(own.number("history", 0));
    report_.hjb_steps = own.count("counts", 0);
    report_.newton_updates = own.count("counts", 1);
    report_.linear_solves = own.count("counts", 2);
    report_.krylov = own.count("counts", 3);
    report_.gmres = own.count("counts", 4);
    start_ -= std::chrono::duration_cast<std::chrono::steady_clock::duration>(
        std::chrono::duration<double>(own.number("seconds")[0]));
    state_ = from;
    return of_turn;
  }

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  int iterations() const { return static_cast<int>(history_.size()); }

  void add(const SolveReport& r) {
    report_.hjb_steps += r.hjb_steps;
    report_.newton_updates += r.newton_updates;
    report_.linear_solves += r.linear_solves;
    report_.krylov += r.krylov;
    report_.gmres += r.gmres;
    for (const Phase& phase : r.phases) {
      const auto same = [&](const Phase& x) { return x.name == phase.name; };
      const auto found = std::find_if(report_.phases.begin(), report_.phases.end(), same);
      if (found == report_.phases.end()) {
        report_.phases.push_back(phase);
      } else {
        found->calls += phase.calls;
        found->seconds += phase.seconds;
      }
    }
  }

  Solution finish(const Solution& s, Status status) {
    Solution result;
    result.u = s.u;
    result.m = s.m;
    if (status == Status::converged) report_.breakdown.clear();
    report_.status = status;
    report_.hjb_residual = s.report.hjb_residual;
    report_.fp_residual = s.report.fp_residual;
    report_.residual = larger(s.report.residual, largest_miss(s.m));
    report_.iterations = iterations();
    report_.history = std::move(history_);
    if (status != Status::converged && !s.report.message.empty())
      report_.message += (report_.message.empty() ? "" : "; ") + s.report.message;
    report_.seconds = seconds();
    result.state = std::move(state_);
    result.report = std::move(report_);
    return result;
  }

  const Problem& problem_;
  const SolveOptions& options_;
  DiscreteProblem discrete_;
  Fields targets_, multipliers_;
  std::unique_ptr<Mixing> mixing_ = anderson(memory, -std::numeric_limits<double>::infinity());
  double epsilon_ = 1.0;
  double miss_before_ = std::numeric_limits<double>::infinity();
  int turn_ = 0, failures_ = 0, begin_of_turn_ = 0;
  SolverState state_;
  std::vector<Iteration> history_;
  SolveReport report_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

Solution solve_planning(const Problem& problem, const SolveOptions& options) {
  return PlanningSolver(problem, options).solve();
}

}  // namespace isofield::mfg
