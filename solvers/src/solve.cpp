#include "isofield/mfg/solve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <isofield/error.hpp>

#include "isofield/mfg/breakdown.hpp"
#include "isofield/mfg/memory.hpp"
#include "outer.hpp"

namespace isofield::mfg {

std::string to_string(Status status) {
  switch (status) {
    case Status::converged: return "converged";
    case Status::not_converged: return "not_converged";
    case Status::breakdown: return "failed";
    case Status::interrupted: return "interrupted";
  }
  return "failed";
}

namespace {

// The scaled residual that rounding leaves.
double rounding_floor(const DiscreteProblem& problem) {
  double floor = 0.0;
  for (std::size_t p = 0; p < problem.size(); ++p) {
    const DiscretePopulation& one = problem.population(p);
    const StepTolerances least = StepTolerances::within(one, 0.0, 1.0);
    const bool iterative = problem.grid().axes() > 1 || one.congestion();
    const double density =
        iterative ? 2.0 * least.fokker_planck * StepTolerances::density_scale(one) : 0.0;
    floor = std::max({floor, 5.0 * least.hjb * one.horizon(), density});
  }
  return floor;
}

}  // namespace

std::string Nesting::words() const {
  std::string text;
  if (coarsening > 0) text = fmt::format("grid {} times coarser", 1 << coarsening);
  if (implicit) text += text.empty() ? "implicit scheme" : ", implicit scheme";
  return text;
}

Outer::Outer(DiscreteProblem& discrete, const SolveOptions& solve_options, Nesting nested)
    : problem(discrete),
      options(solve_options),
      nesting(nested),
      tolerance(std::max(solve_options.tolerance, rounding_floor(discrete))) {
  for (std::size_t p = 0; p < discrete.size(); ++p)
    sweeps.emplace_back(discrete.population(p), solve_options.should_stop);
  if (tolerance > solve_options.tolerance && !nesting.is_start())
    notes.push_back(fmt::format("{} and this grid allow a residual of {:.1e}, not {:.1e}",
                                name(discrete.dtype()), tolerance, solve_options.tolerance));
}

void Outer::note(const std::string& text) {
  if (std::find(notes.begin(), notes.end(), text) == notes.end()) notes.push_back(text);
}

double Outer::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

WholeGame::WholeGame(DiscreteProblem& problem) : problem_(problem), strength_(problem.coupling()) {
  problem_.set_coupling(1.0);
}

WholeGame::~WholeGame() { problem_.set_coupling(strength_); }

double Outer::exploitability() {
  const double none = std::numeric_limits<double>::quiet_NaN();
  if (problem.problem().control) return none;
  const PhaseTimer timer(phases, "exploitability");
  const WholeGame game(problem);
  const std::vector<HjbData> data = problem.hjb_data(m);
  double gain = 0.0;
  try {
    for (std::size_t p = 0; p < size(); ++p) {
      const DiscretePopulation& one = problem.population(p);
      const Grid& grid = problem.grid();
      const double largest = max(abs(u[p])).item<double>();
      const HjbResidual left = hjb_residual(one, u[p], data[p]);
      const double size = left.largest(one), scaled = size * residual_scale(one, u[p]);
      // The gain is of second order in the residual: to a percent of it will do.
      const double exactness = std::max(StepTolerances::within(one, tolerance, largest).hjb,
                                        1e-4 * size * std::min(scaled, 1.0));
      const UnifiedArray best = sweeps[p].hjb(data[p], &u[p], exactness);
      gain += grid.inner(u[p](0) - best(0), m[p](0));
      // What u promises, corrected for what it leaves of its equation, is what its policy costs.
      if (one.discount() == 0.0) {
        // The Fokker-Planck matrix is the transpose of the linearised HJB matrix.
        gain -= problem.dt() * grid.inner(left.levels, one.stage_densities(m[p])) +
                grid.inner(grid.density(left.terminal), m[p](problem.steps()));
      } else {
        const UnifiedArray last = (-left.terminal).eval();
        const Path correction = one.path_backward(
            sweeps[p].linear_backward(sweeps[p].matrices(u[p], data[p].at),
                                      left.levels * -one.stage_dt(), last, {0.0, 1e-6}),
            last);
        gain += grid.inner(correction.levels(0), m[p](0));
      }
    }
  } catch (const Breakdown&) {
    return none;
  }
  return gain;
}

bool Outer::record(Iteration iteration) {
  iteration.number = iterations() + 1;
  if (options.exploitability && !nesting.is_start()) iteration.exploitability = exploitability();
  iteration.seconds = seconds();
  history.push_back(std::move(iteration));
  const bool kept = options.keep_state && !nesting.is_start();
  if (kept) remember();
  return !options.on_iteration ||
         options.on_iteration({history.back(), u, m, nesting.words(), kept ? &state : nullptr});
}

int Outer::begin_of(const char* algorithm) const {
  return resumed ? resumed->count(algorithm) : iterations();
}

namespace {

// Newton's method again and again as long as it gets on: a Hamiltonian that is not twice
// differentiable takes many iterations.
Outcome newton_rounds(Outer& outer, int limit) {
  constexpr int newton_steps = 25;
  int begin = outer.begin_of("newton_rounds");
  const Keeper keeper(outer, [&](SolverState& state) {
    state.numbers["newton_rounds"] = {static_cast<double>(begin)};
  });
  const auto residual = [&](int iteration) {
    return iteration > 0 ? outer.history.at(static_cast<std::size_t>(iteration) - 1).residual
                         : std::numeric_limits<double>::infinity();
  };
  while (true) {
    const Outcome o = newton(outer, std::min(newton_steps, limit - begin), outer.tolerance);
    if (o != Outcome::limit || limit <= outer.iterations()) return o;
    if (residual(outer.iterations()) > 0.1 * residual(begin)) return o;
    begin = outer.iterations();
  }
}

// What the automatic choice does one after the other, until something converges: Newton's method;
// where it does not get on, damped Picard sweeps, a path from weaker couplings, and sweeps again.
enum class Stage : std::uint8_t { first_sweeps, newton, sweeps, newton_again, path, last_sweeps };

Outcome run_stage(Outer& outer, Stage stage, int limit, int left) {
  constexpr int first_sweeps = 4, sweeps_between = 8;
  const auto sweeps = [&](double damping, int most) {
    return picard(outer, damping, std::min(most, left), outer.tolerance);
  };
  switch (stage) {
    case Stage::first_sweeps: return sweeps(0.5, first_sweeps);
    case Stage::sweeps: return sweeps(outer.options.damping, sweeps_between);
    case Stage::path: return continuation(outer, left);
    case Stage::last_sweeps: return sweeps(0.5 * outer.options.damping, left);
    case Stage::newton:
    case Stage::newton_again: break;
  }
  return newton_rounds(outer, limit);
}

// What the report says when a stage begins.
void announce(Outer& outer, Stage stage) {
  if (stage == Stage::sweeps) outer.note("Newton's method did not get on at first");
  if (stage == Stage::path) outer.note("a path from weaker couplings was tried");
  if (stage == Stage::last_sweeps) outer.note("Picard sweeps took over");
}

// The stages up to the last of them, from the one that the solve was in.
Outcome run_stages(Outer& outer, Stage last, int limit) {
  auto stage = outer.has_state ? Stage::newton : Stage::first_sweeps;
  if (outer.resumed) stage = static_cast<Stage>(std::min(outer.resumed->count("stage", 1), 5));
  for (Stage passed = Stage::sweeps; passed < stage;
       passed = static_cast<Stage>(static_cast<int>(passed) + 1))
    announce(outer, passed);
  while (true) {
    announce(outer, stage);
    const int begin = outer.begin_of("stage");
    const Keeper keeper(outer, [&](SolverState& state) {
      state.numbers["stage"] = {static_cast<double>(begin), static_cast<double>(stage)};
    });
    const Outcome outcome = run_stage(outer, stage, limit, limit - begin);
    const bool ended = outcome == Outcome::converged || outcome == Outcome::interrupted ||
                       limit <= outer.iterations();
    if (ended || stage == last) return outcome;
    stage = static_cast<Stage>(static_cast<int>(stage) + 1);
  }
}

Outcome first_state(Outer& outer) {
  if (outer.options.initial_guess == InitialGuess::coarse) {
    const Outcome outcome = coarse_start(outer);
    return outcome == Outcome::stalled ? implicit_start(outer) : outcome;
  }
  if (outer.options.initial_guess != InitialGuess::given || outer.nesting.is_start())
    return Outcome::stalled;
  const Fields& given = outer.options.initial_u;
  if (given.size() != outer.size())
    throw SolverError(
        fmt::format("solve: {} initial guesses for {} populations", given.size(), outer.size()));
  Fields u, m;
  for (std::size_t p = 0; p < given.size(); ++p) {
    const DiscretePopulation& one = outer.problem.population(p);
    const Shape expected = one.constant_density().shape();
    if (given[p].shape() != expected)
      throw ShapeError(fmt::format("solve: the initial guess has shape {}, {} is needed",
                                   to_string(given[p].shape()), to_string(expected)));
    u.push_back(given[p].astype(outer.problem.dtype()).copy());
    const auto exactness = StepTolerances::within(one, outer.tolerance, 1.0);
    m.push_back(outer.sweeps[p].fokker_planck(u[p], nullptr, exactness.fokker_planck).m);
  }
  outer.u = std::move(u);
  outer.m = std::move(m);
  outer.has_state = true;
  return Outcome::converged;
}

// Newton's method, after some sweeps where there is nothing to start from.
Outcome sweeps_and_newton(Outer& outer) {
  const int limit = outer.options.max_iterations;
  const bool newton_before = outer.resumed && outer.resumed->numbers.contains("newton");
  if (outer.resumed ? !newton_before : !outer.has_state) {
    const Outcome start = picard(outer, 0.5, std::min(4, limit), outer.tolerance);
    if (start != Outcome::limit) return start;
  }
  const int begin = outer.begin_of("newton_alone");
  const Keeper keeper(outer, [&](SolverState& state) {
    state.numbers["newton_alone"] = {static_cast<double>(begin)};
  });
  return newton(outer, limit - begin, outer.tolerance);
}

Outcome run(Outer& outer) {
  const SolveOptions& o = outer.options;
  if (!o.state.empty() && !outer.nesting.is_start())
    outer.go_on_from(o.state);
  else if (first_state(outer) == Outcome::interrupted)
    return Outcome::interrupted;
  switch (o.coupling) {
    case Coupling::automatic: return run_stages(outer, Stage::last_sweeps, o.max_iterations);
    case Coupling::picard: return picard(outer, o.damping, o.max_iterations, outer.tolerance);
    case Coupling::fictitious_play:
      return iterate(outer, {"fictitious_play", fictitious_play()}, o.max_iterations,
                     outer.tolerance);
    case Coupling::anderson:
      return iterate(outer, {"anderson", anderson(5)}, o.max_iterations, outer.tolerance);
    case Coupling::policy:
      return iterate(outer, {"policy", damped(o.damping), false}, o.max_iterations,
                     outer.tolerance);
    case Coupling::newton: return sweeps_and_newton(outer);
    default:
      throw SolverError("solve: coupling " + to_string(o.coupling) + " is not supported yet");
  }
}

void check(const SolveOptions& o) {
  if (!(o.tolerance > 0.0)) throw SolverError("solve: the tolerance must be positive");
  if (o.max_iterations < 1) throw SolverError("solve: at least one iteration is needed");
  if (!(o.damping > 0.0) || o.damping > 1.0)
    throw SolverError(fmt::format("solve: damping {} is not in (0, 1]", o.damping));
  if (!is_floating(o.dtype)) throw DTypeError("solve: needs float32 or float64");
}

// What a history says about why it did not converge.
std::string advice(const Outer& outer) {
  if (outer.history.size() < 4) return "";
  const auto& h = outer.history;
  const std::string& method = h.back().method;
  if (method == "newton" || method == "continuation") return "";
  const double now = h.back().residual, before = h[h.size() / 2].residual;
  if (now > 0.9 * before) {
    switch (outer.options.coupling) {
      case Coupling::automatic:
        return "the residual does not fall: start from the solution of a game with a weaker "
               "coupling or more viscosity";
      case Coupling::picard:
      case Coupling::policy:
        return "the residual does not fall: the coupling is too strong for this damping; use "
               "coupling \"newton\" or \"auto\", or less damping weight";
      default: return "the residual does not fall: use coupling \"newton\" or \"auto\"";
    }
  }
  return "the residual still falls: allow more iterations";
}

void finish(Outer& outer, Solution& solution) {
  SolveReport& r = solution.report;
  if (outer.has_state) {
    solution.u = outer.u;
    solution.m = outer.m;
    const Residuals left = residuals(outer.problem, outer.u, outer.m);
    r.hjb_residual = left.hjb;
    r.fp_residual = left.fokker_planck;
    r.residual = left.largest();
  } else {
    for (const UnifiedArray& m : outer.problem.constant_densities()) {
      solution.m.push_back(m.copy());
      solution.u.push_back(zeros_like(m));
    }
  }
  r.history = std::move(outer.history);
  r.iterations = static_cast<int>(r.history.size());
  for (const auto& [name, phase] : outer.phases) r.phases.push_back(phase);
  const StepCounts counts = outer.counts();
  r.hjb_steps = counts.hjb_steps;
  r.newton_updates = counts.newton;
  r.linear_solves = counts.linear_solves;
  r.krylov = counts.krylov;
  r.gmres = outer.gmres;
  for (const std::string& note : outer.notes) r.message += (r.message.empty() ? "" : "; ") + note;
  r.tolerance = outer.tolerance;
  r.seconds = outer.seconds();
}

}  // namespace

Solution solve_on(const Problem& problem, const SolveOptions& options, Nesting nesting) {
  DiscreteProblem discrete(problem, options.dtype);
  Outer outer(discrete, options, nesting);
  Solution solution;
  SolveReport& report = solution.report;
  try {
    switch (run(outer)) {
      case Outcome::converged: report.status = Status::converged; break;
      case Outcome::interrupted: report.status = Status::interrupted; break;
      case Outcome::limit:
      case Outcome::stalled:
        report.status = Status::not_converged;
        if (const std::string text = advice(outer); !text.empty()) outer.note(text);
        break;
    }
  } catch (const Interrupted&) {
    report.status = Status::interrupted;
  } catch (const Breakdown& e) {
    report.status = Status::breakdown;
    report.breakdown = e.what();
    outer.notes.insert(outer.notes.begin(), e.what());
  }
  // What is to be gone on from is the last iteration, also where the next one was begun.
  if (report.status == Status::interrupted && !outer.state.empty()) {
    outer.u = outer.state.field("u");
    outer.m = outer.state.field("m");
  }
  finish(outer, solution);
  solution.state = std::move(outer.state);
  return solution;
}

Solution solve(const Problem& problem, const SolveOptions& options) {
  check(options);
  check_memory(problem, options.dtype);
  if (problem.is_planning()) return solve_planning(problem, options);
  return problem.ergodic ? solve_ergodic(problem, options) : solve_on(problem, options, {});
}

SolveOptions make_options(const Config& config) {
  SolveOptions o;
  o.coupling = config.solver.coupling;
  o.tolerance = config.solver.tolerance;
  o.max_iterations = static_cast<int>(config.solver.max_iterations);
  o.damping = config.solver.damping;
  o.initial_guess =
      config.solver.initial_guess == "zero" ? InitialGuess::zero : InitialGuess::coarse;
  o.dtype = dtype_from_name(config.backend.dtype);
  return o;
}

}  // namespace isofield::mfg
