// Whole solves of problem P by the solver library. Their peers run in other processes:
// benchmarks/peers.

#include <array>
#include <isofield/mfg/solve.hpp>
#include <map>

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
  /// u at time 0 on the node (0.3, ...), as peers have it at the end of the same iteration; 0 if
  /// unknown.
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

/// Largest difference of u and of m, in units of their largest values, to what the first backend
/// made of the same case.
double difference_between_backends(const std::string& name, const Solution& s) {
  using Values = std::array<std::vector<double>, 2>;
  static std::map<std::string, Values> first;
  const Values found{s.u[0].to_vector<double>(), s.m[0].to_vector<double>()};
  const auto [at, is_new] = first.emplace(name, found);
  if (is_new) return 0.0;
  return std::max(bench::disagreement(at->second[0], found[0]),
                  bench::disagreement(at->second[1], found[1]));
}

void run(benchmark::State& state, const Case& c, const std::string& spelling) {
  const isofield::ScopedBackend scope(bench::backend(spelling, 1));
  const auto problem = bench::problem_p(c.axes, c.intervals, c.steps);
  const auto once = [&] {
    Solution s = solve(problem, c.options);
    s.u[0].eval();
    return s;
  };
  const double start_of_first = bench::now(1);
  const Solution first = once();
  const double first_time = bench::now(1) - start_of_first;
  if (first.report.status != isofield::mfg::Status::converged) {
    state.SkipWithError(("the solve ended " + to_string(first.report.status)).c_str());
    return;
  }
  const Int node = (3 * c.intervals + 5) / 10;
  const auto u = first.u[0](0).to_vector<double>();
  const Int at = c.axes == 1 ? node : node * (c.intervals + 1) + node;
  const double value = u[static_cast<std::size_t>(at)];
  if (c.reference != 0.0 && !bench::agrees(state, {&c.reference, 1}, {&value, 1}, 1e-9)) return;
  state.counters["between_backends"] = difference_between_backends(
      std::string(c.name) + std::to_string(c.intervals) + "x" + std::to_string(c.steps), first);
  // Where the first solve alone takes half of the time there is, what it took to start is nothing.
  std::vector<double> times;
  if (first_time > 0.5 * bench::settings().budget_seconds) times.push_back(first_time);
  const int most = bench::settings().smoke || !times.empty() ? 0 : bench::settings().rounds;
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
  state.counters["ms_per_iteration"] =
      bench::median(times) * 1e3 / static_cast<double>(first.report.iterations);
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
    cases = {{"picard_1d", 1, 100, 100, picard(), 1.4150957313},
             {"picard_1d", 1, 400, 400, picard(), 1.4306482748},
             {"picard_2d", 2, 32, 32, picard(), 1.8261468454},
             {"picard_2d", 2, 64, 64, picard(), 1.9163157673},
             {"automatic_1d", 1, 100, 100, automatic(), 1.4150957330},
             {"automatic_2d", 2, 32, 32, automatic(), 1.826146847},
             {"automatic_2d", 2, 64, 64, automatic(), 1.916315768}};
  for (const auto& c : cases)
    for (const auto& spelling : bench::host_backends())
      bench::one_iteration(std::string(c.name) + "/" + spelling + "/" +
                               std::to_string(c.intervals) + "x" + std::to_string(c.steps) +
                               "/threads:1",
                           [=](benchmark::State& state) { run(state, c, spelling); });
}
