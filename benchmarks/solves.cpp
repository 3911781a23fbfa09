// Whole solves of problem P by the solver library. Their peers run in other processes:
// benchmarks/peers.

#include <isofield/mfg/solve.hpp>

#include "compare.hpp"
#include "problem_p.hpp"

namespace {

using isofield::mfg::Solution;
using isofield::mfg::SolveOptions;
using Int = std::int64_t;

struct Case {
  const char* name;
  int axes;
  Int intervals, steps;
  SolveOptions options;
  /// u at time 0 on the node (0.3, ...), and at which node; 0 where none is published.
  double reference = 0.0;
};

SolveOptions picard() {
  SolveOptions o;
  o.coupling = isofield::mfg::Coupling::picard;
  o.damping = 0.2;
  o.tolerance = 1e-6;
  o.stop = isofield::mfg::StopRule::change;
  o.initial_guess = isofield::mfg::InitialGuess::zero;
  return o;
}

SolveOptions automatic() {
  SolveOptions o;
  o.tolerance = 1e-8;
  return o;
}

void run(benchmark::State& state, const Case& c, const std::string& spelling) {
  const isofield::ScopedBackend scope(bench::backend(spelling, 1));
  const auto problem = bench::problem_p(c.axes, c.intervals, c.steps);
  const auto once = [&] {
    Solution s = solve(problem, c.options);
    s.u.eval();
    return s;
  };
  const Solution first = once();
  if (first.report.status != isofield::mfg::Status::converged) {
    state.SkipWithError(("the solve ended " + to_string(first.report.status)).c_str());
    return;
  }
  const Int node = (3 * c.intervals + 5) / 10;
  const auto u = first.u(0).to_vector<double>();
  const Int at = c.axes == 1 ? node : node * (c.intervals + 1) + node;
  const double value = u[static_cast<std::size_t>(at)];
  if (c.reference != 0.0 && !bench::agrees(state, {&c.reference, 1}, {&value, 1}, 1e-6)) return;
  std::vector<double> times;
  const int most = bench::settings().smoke ? 0 : bench::settings().rounds;
  for (auto _ : state) {
    double total = 0.0;
    for (int r = 0; r < most && (r < 1 || total < bench::settings().budget_seconds); ++r) {
      const double start = bench::now(1);
      benchmark::DoNotOptimize(once());
      times.push_back(bench::now(1) - start);
      total += times.back();
    }
    state.SetIterationTime(times.empty() ? 1e-9 : bench::median(times));
  }
  if (times.empty()) return;
  state.counters["ours_ns"] = bench::median(times) * 1e9;
  state.counters["outer_iterations"] = first.report.iterations;
  state.counters["newton"] = static_cast<double>(first.report.newton_updates);
  state.counters["krylov"] = static_cast<double>(first.report.krylov);
  state.counters["gmres"] = static_cast<double>(first.report.gmres);
}

}  // namespace

void register_benchmarks() {
  std::vector<Case> cases;
  if (bench::settings().smoke)
    cases = {{"picard_1d", 1, 20, 20, picard()}, {"automatic_2d", 2, 8, 8, automatic()}};
  else
    cases = {{"picard_1d", 1, 100, 100, picard(), 1.4150957330},
             {"automatic_1d", 1, 100, 100, automatic(), 1.4150957330},
             {"automatic_2d", 2, 32, 32, automatic(), 1.826146847},
             {"automatic_2d", 2, 64, 64, automatic()}};
  for (const auto& c : cases)
    for (const auto& spelling : bench::host_backends())
      bench::one_iteration(std::string(c.name) + "/" + spelling + "/" +
                               std::to_string(c.intervals) + "x" + std::to_string(c.steps) +
                               "/threads:1",
                           [=](benchmark::State& state) { run(state, c, spelling); });
}
