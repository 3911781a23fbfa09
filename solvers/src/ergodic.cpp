// The ergodic game: constants lambda, values u of mean 0 and densities m that do not change,
//
//     -nu L u + G(D u, m) + lambda = F(x, m)        K(u, m)^T m = 0
//
// With P the mean over free cells, u + lambda dt is one unknown w: P w = lambda dt, and the HJB
// equation is a step of length dt from w - P w. So is the Fokker-Planck equation from the mean
// density. Newton's method is that of newton.cpp; its linear systems dt K + P are those of steps,
// I + dt K, but for what is small where dt is long: GMRES, preconditioned by a step, needs a few
// iterations.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "isofield/mfg/breakdown.hpp"
#include "norms.hpp"
#include "outer.hpp"
#include "stationary.hpp"

namespace isofield::mfg::stationary {

namespace {

// A stationary state that knows nothing of the step's length: what continuation hands on.
struct Start {
  Fields u, m;
  std::vector<double> lambda;
};

// The length of a step by which everything but the mean has settled.
double long_step(const Problem& problem) {
  double longest = 0.0, least = std::numeric_limits<double>::infinity();
  for (const Axis& a : problem.axes) longest = std::max(longest, a.upper - a.lower);
  for (const Population& p : problem.populations) least = std::min(least, p.viscosity);
  return 10.0 * longest * longest / least;
}

void check(const Problem& problem, const DiscreteProblem& discrete) {
  if (!discrete.grid().is_closed())
    throw SolverError("an ergodic game has no exits: those who leave do not come back");
  for (const Population& p : problem.populations)
    if (p.discount != 0.0) throw SolverError("an ergodic game has no discounting");
}

class ErgodicSolver {
 public:
  ErgodicSolver(const Problem& problem, const SolveOptions& options)
      : problem_(problem),
        options_(options),
        starts_from_given_(options.initial_guess == InitialGuess::given),
        tolerance_(std::max(options.tolerance, options.dtype == float32 ? 1e-4 : 1e-11)) {}

  Solution solve() {
    go_on();
    if (resumed_ && path_) return along_a_path();
    if (at(1.0, std::nullopt) || stopped_) return finish();
    return along_a_path();
  }

 private:
  // From a hundred times the viscosity down, by shares that adapt.
  struct Path {
    double factor = 100.0, share = 0.3;
    std::optional<Start> near;  // the last one that was solved, with that factor
  };

  Solution along_a_path() {
    notes_ = "Newton's method did not get on at first; a path from more viscosity was tried";
    if (!path_) path_.emplace();
    if (!path_->near) path_->near = at(path_->factor, std::nullopt);
    while (path_->near && path_->factor > 1.0 && !stopped_ &&
           (resumed_ || iterations() < options_.max_iterations)) {
      const double next = std::max(1.0, path_->factor * path_->share);
      if (std::optional<Start> found = at(next, path_->near)) {
        path_->near = std::move(found);
        path_->factor = next;
        path_->share = std::max(0.1, path_->share * path_->share);
      } else {
        path_->share = std::sqrt(path_->share);
        if (path_->share > 0.97) break;
      }
    }
    return finish();
  }

  // What a solve remembers: w beside u, whose lambda is in it, the path, and what is to be given
  // where it leads nowhere.
  void remember(const State& now, Fields u, Fields m) {
    state_ = {};
    state_.fields["u"] = std::move(u);
    state_.fields["m"] = std::move(m);
    state_.fields["w"] = with_level(now.w);
    state_.numbers["history"] = to_numbers(history_);
    state_.numbers["seconds"] = {seconds()};
    state_.numbers["counts"] = {static_cast<double>(counts_.hjb_steps),
                                static_cast<double>(counts_.newton),
                                static_cast<double>(counts_.linear_solves),
                                static_cast<double>(counts_.krylov), static_cast<double>(gmres_)};
    if (path_) state_.numbers["path"] = {path_->factor, path_->share};
    if (path_ && path_->near) keep("near", *path_->near);
    if (last_) keep("last", *last_);
    if (last_)
      state_.numbers["last_residuals"] = {last_residuals_.hjb, last_residuals_.fokker_planck};
  }
  void keep(const std::string& name, const Start& start) {
    state_.fields[name + "_u"] = with_level(start.u);
    state_.fields[name + "_m"] = with_level(start.m);
    state_.numbers[name + "_lambda"] = start.lambda;
  }
  static Fields with_level(const Fields& fields) {
    Fields list;
    for (const UnifiedArray& x : fields) list.push_back(as_level(x).eval());
    return list;
  }
  static Fields without_level(const Fields& fields) {
    Fields list;
    for (const UnifiedArray& x : fields) list.push_back(x(0).copy());
    return list;
  }

  // Take up what an earlier solve remembers.
  void go_on() {
    const SolverState& from = options_.state;
    if (from.empty()) return;
    Shape shape{1};
    for (const Axis& axis : problem_.axes) shape.insert(shape.size(), axis.cells);
    for (const auto& [name, fields] : from.fields)
      check_shapes(fields, problem_.populations.size(), shape);
    static_cast<void>(from.field("w"));
    history_ = history_in(from.number("history", 0));
    start_ -= std::chrono::duration_cast<std::chrono::steady_clock::duration>(
        std::chrono::duration<double>(from.number("seconds")[0]));
    counts_ = {.hjb_steps = from.count("counts", 0),
               .newton = from.count("counts", 1),
               .linear_solves = from.count("counts", 2),
               .krylov = from.count("counts", 3)};
    gmres_ = from.count("counts", 4);
    if (from.numbers.contains("path"))
      path_ = Path{from.number("path", 2)[0], from.number("path", 2)[1], kept(from, "near")};
    last_ = kept(from, "last");
    if (last_)
      last_residuals_ = {from.number("last_residuals", 2)[0], from.number("last_residuals", 2)[1]};
    state_ = from;
    resumed_ = true;
  }
  std::optional<Start> kept(const SolverState& from, const std::string& name) const {
    if (!from.fields.contains(name + "_u")) return std::nullopt;
    return Start{without_level(from.field(name + "_u")), without_level(from.field(name + "_m")),
                 from.number(name + "_lambda", problem_.populations.size())};
  }

  // Solve with all viscosities multiplied by a factor; nothing where it did not converge.
  std::optional<Start> at(double factor, const std::optional<Start>& from) {
    Problem step = problem_;
    step.steps = 1;
    for (Population& p : step.populations) p.viscosity *= factor;
    step.horizon = long_step(step);
    const DiscreteProblem discrete(step, options_.dtype);
    check(problem_, discrete);
    Parts parts;
    for (std::size_t p = 0; p < discrete.size(); ++p)
      parts.emplace_back(discrete.population(p), options_.should_stop);
    // Those on the way need not be exact.
    const double tolerance = factor == 1.0 ? tolerance_ : std::max(1e-3, tolerance_);
    State state;
    double size = std::numeric_limits<double>::infinity();
    try {
      state = resumed_ ? state_of(discrete, parts, without_level(options_.state.field("w")),
                                  without_level(options_.state.field("m")))
              : from   ? near(discrete, parts, *from)
              : starts_from_given_ ? at_given(discrete, parts)
                                   : at_best_response(discrete, parts);
      starts_from_given_ = resumed_ = false;
      size = newton(discrete, parts, state, tolerance, options_.max_iterations - iterations(),
                    [&](const State& now, int krylov) {
                      return record(discrete, parts, now, factor, krylov);
                    });
    } catch (const Breakdown& e) {
      breakdown_ = e.what();
    } catch (const Interrupted&) {
      stopped_ = true;
    }
    for (const StationaryPopulation& part : parts) add(part.counts());
    const bool converged = size <= tolerance;
    if (state.w.empty()) return std::nullopt;
    Start reached{{}, state.m, {}};
    for (std::size_t p = 0; p < parts.size(); ++p) {
      reached.u.push_back((state.w[p] - parts[p].mean(state.w[p])).eval());
      reached.lambda.push_back(parts[p].rate(state.w[p]));
    }
    if (factor == 1.0) {
      last_ = reached;
      last_residuals_ = {state.size, fokker_planck_residual(parts, state)};
      converged_ = converged;
    }
    return converged ? std::optional(std::move(reached)) : std::nullopt;
  }

  // A start from what is left of a game with other viscosities.
  static State near(const DiscreteProblem& discrete, Parts& parts, const Start& from) {
    Fields w;
    for (std::size_t p = 0; p < parts.size(); ++p) {
      const double mean = from.lambda[p] * discrete.population(p).dt();
      w.push_back(discrete.grid().density(from.u[p] + mean).eval());
    }
    return evaluate(discrete, parts, std::move(w), from.m);
  }

  static Fields even_densities(const DiscreteProblem& discrete, const Parts& parts) {
    Fields even;
    for (std::size_t p = 0; p < parts.size(); ++p)
      even.push_back(parts[p].scaled(parts[p].mean(discrete.population(p).initial_density())));
    return even;
  }

  // A start from the best responses to crowds that are everywhere the same.
  static State at_best_response(const DiscreteProblem& discrete, Parts& parts) {
    const Fields guess = even_densities(discrete, parts), f = costs(discrete, guess);
    Fields w;
    for (std::size_t p = 0; p < parts.size(); ++p) {
      const UnifiedArray zero = zeros_like(guess[p]);
      const double goal = 1e-3 * term_size(discrete.population(p), zero, f[p]);
      w.push_back(parts[p].best_response(zero, f[p], parts[p].conditions(guess[p]), goal));
    }
    return evaluate(discrete, parts, std::move(w), guess);
  }

  // A start from the caller's u, with the lambda that its crowd pays.
  State at_given(const DiscreteProblem& discrete, Parts& parts) const {
    const Fields& given = options_.initial_u;
    if (given.size() != parts.size())
      throw SolverError(
          fmt::format("solve: {} initial guesses for {} populations", given.size(), parts.size()));
    Fields w;
    for (std::size_t p = 0; p < parts.size(); ++p) {
      const Shape expected = as_level(discrete.population(p).initial_density()).shape();
      if (given[p].shape() != expected)
        throw ShapeError(fmt::format("solve: the initial guess has shape {}, {} is needed",
                                     to_string(given[p].shape()), to_string(expected)));
      const UnifiedArray u = discrete.grid().density(given[p](0).astype(discrete.dtype()));
      w.push_back((u - parts[p].mean(u)).eval());
    }
    State state = evaluate(discrete, parts, std::move(w), even_densities(discrete, parts));
    for (std::size_t p = 0; p < parts.size(); ++p) {
      const double paid =
          -sum(state.residual[p] * state.m[p]).item<double>() / sum(state.m[p]).item<double>();
      state.w[p] = discrete.grid().density(state.w[p] + paid).eval();
    }
    return state_of(discrete, parts, std::move(state.w), std::move(state.m));
  }

  void add(const StepCounts& counts) {
    counts_.hjb_steps += counts.hjb_steps;
    counts_.newton += counts.newton;
    counts_.linear_solves += counts.linear_solves;
    counts_.krylov += counts.krylov;
  }

  int iterations() const { return static_cast<int>(history_.size()); }

  bool record(const DiscreteProblem& discrete, Parts& parts, const State& now, double factor,
              int krylov) {
    Iteration i;
    i.number = iterations() + 1;
    i.method = factor == 1.0 ? "newton" : "continuation";
    i.krylov = krylov;
    i.hjb_residual = now.size;
    i.fp_residual = fokker_planck_residual(parts, now);
    i.residual = larger(i.hjb_residual, i.fp_residual);
    if (options_.exploitability && factor == 1.0)
      i.exploitability = exploitability(discrete, parts, now);
    i.seconds = seconds();
    history_.push_back(i);
    gmres_ += krylov;
    bool go_on = !(options_.should_stop && options_.should_stop());
    Fields u;
    const Fields m = with_level(now.m);
    for (std::size_t p = 0; p < parts.size(); ++p)
      u.push_back(as_level(now.w[p] - parts[p].mean(now.w[p])).eval());
    if (options_.keep_state) remember(now, u, m);
    if (options_.on_iteration) {
      go_on = options_.on_iteration(
                  {history_.back(), u, m, {}, options_.keep_state ? &state_ : nullptr}) &&
              go_on;
    }
    stopped_ = stopped_ || !go_on;
    return go_on;
  }

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  Solution finish() {
    Solution s;
    SolveReport& r = s.report;
    if (last_) {
      for (std::size_t p = 0; p < last_->u.size(); ++p) {
        s.u.push_back(as_level(last_->u[p]).copy());
        s.m.push_back(as_level(last_->m[p]).copy());
      }
      s.lambda = last_->lambda;
    } else {
      const DiscreteProblem discrete(problem_, options_.dtype);
      for (std::size_t p = 0; p < discrete.size(); ++p) {
        s.m.push_back(as_level(discrete.population(p).initial_density()).copy());
        s.u.push_back(zeros_like(s.m.back()));
        s.lambda.push_back(std::numeric_limits<double>::quiet_NaN());
      }
    }
    r.status = converged_ ? Status::converged
               : stopped_ ? Status::interrupted
               : last_    ? Status::not_converged
                          : Status::breakdown;
    if (r.status == Status::breakdown) r.breakdown = breakdown_;
    r.message = notes_;
    if (!breakdown_.empty() && !converged_) r.message = breakdown_;
    r.iterations = iterations();
    if (last_) {
      r.hjb_residual = last_residuals_.hjb;
      r.fp_residual = last_residuals_.fokker_planck;
      r.residual = last_residuals_.largest();
    }
    r.tolerance = tolerance_;
    r.hjb_steps = counts_.hjb_steps;
    r.newton_updates = counts_.newton;
    r.linear_solves = counts_.linear_solves;
    r.krylov = counts_.krylov;
    r.gmres = gmres_;
    r.seconds = seconds();
    r.history = std::move(history_);
    s.state = std::move(state_);
    return s;
  }

  const Problem& problem_;
  const SolveOptions& options_;
  std::vector<Iteration> history_;
  std::optional<Path> path_;
  SolverState state_;     // as it was remembered last
  bool resumed_ = false;  // until the place is found that an earlier solve was at
  std::optional<Start> last_;
  Residuals last_residuals_;
  bool starts_from_given_, converged_ = false, stopped_ = false;
  double tolerance_;  // the options', or what the dtype allows
  StepCounts counts_;
  std::int64_t gmres_ = 0;
  std::string notes_, breakdown_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

}  // namespace isofield::mfg::stationary

namespace isofield::mfg {

Solution solve_ergodic(const Problem& problem, const SolveOptions& options) {
  return stationary::ErgodicSolver(problem, options).solve();
}

}  // namespace isofield::mfg
