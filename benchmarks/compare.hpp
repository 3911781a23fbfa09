#pragma once

#include <benchmark/benchmark.h>

#include <time.h>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <isofield/isofield.hpp>
#include <span>
#include <string>
#include <vector>

/// What the benchmarks share: a candidate and its rival timed in turn, in one process, and the
/// check that both compute the same.
namespace bench {

struct Settings {
  int rounds = 21;               ///< how often each of the two is timed
  double sample_seconds = 2e-3;  ///< how long one timing should take
  double budget_seconds = 10;    ///< a benchmark stops after this long, having timed each thrice
  bool smoke = false;            ///< run everything once, for the check alone
};
Settings& settings();

/// A backend under test, with its threads set.
isofield::BaseBackend& backend(const std::string& spelling, int threads);
/// Spellings of the host backends that can be used here, in the order of the reports.
std::vector<std::string> host_backends();

/// Seconds of this thread's processor time, or of the clock on the wall where work has several
/// threads.
inline double now(int threads) {
  timespec t;
  clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

template <class F>
double seconds(F& f, std::int64_t calls, int threads) {
  const double start = now(threads);
  for (std::int64_t i = 0; i < calls; ++i) f();
  return now(threads) - start;
}

/// How many calls fill one sample.
template <class F>
std::int64_t calls_for_sample(F& f, int threads) {
  std::int64_t calls = 1;
  for (double t = seconds(f, calls, threads); t < 0.2 * settings().sample_seconds;
       t = seconds(f, calls, threads))
    calls *= t < 0.02 * settings().sample_seconds ? 8 : 2;
  const double each = seconds(f, calls, threads) / static_cast<double>(calls);
  return std::max<std::int64_t>(1, std::llround(settings().sample_seconds / std::max(each, 1e-10)));
}

inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Largest difference in units of the largest value, at least 1.
double disagreement(std::span<const double> expected, std::span<const double> found);

/// Time `rival` and `ours` in turn and leave in `state`: ours as the time, and the counters
/// `rival_ns`, `ours_ns` (medians), `ratio` (ours over the rival, of the medians) and `overhead_ns`
/// (the difference). The benchmark must have been registered with `one_iteration`.
template <class Rival, class Ours>
void compare(benchmark::State& state, int threads, Rival rival, Ours ours) {
  if (settings().smoke) {
    for (auto _ : state) {
      rival();
      ours();
      state.SetIterationTime(1e-9);
    }
    return;
  }
  rival();
  ours();
  const std::int64_t rival_calls = calls_for_sample(rival, threads);
  const std::int64_t our_calls = calls_for_sample(ours, threads);
  std::vector<double> rival_times, our_times;
  for (auto _ : state) {
    const double start = now(2);
    for (int r = 0; r < settings().rounds; ++r) {
      if (r >= 3 && now(2) - start > settings().budget_seconds) break;
      rival_times.push_back(seconds(rival, rival_calls, threads) /
                            static_cast<double>(rival_calls));
      our_times.push_back(seconds(ours, our_calls, threads) / static_cast<double>(our_calls));
    }
    state.SetIterationTime(median(our_times));
  }
  const double rival_time = median(rival_times), our_time = median(our_times);
  state.counters["rival_ns"] = rival_time * 1e9;
  state.counters["ours_ns"] = our_time * 1e9;
  state.counters["ratio"] = our_time / rival_time;
  state.counters["overhead_ns"] = (our_time - rival_time) * 1e9;
}

/// Check that the candidate agrees with its rival; if not the benchmark ends with an error.
inline bool agrees(benchmark::State& state, std::span<const double> expected,
                   std::span<const double> found, double tolerance = 1e-12) {
  const double error = disagreement(expected, found);
  state.counters["disagreement"] = error;
  if (error <= tolerance) return true;
  state.SkipWithError(("differs from its rival by " + std::to_string(error)).c_str());
  return false;
}

/// Check that `result()`, an array, agrees with what `rival()` leaves in `expected`, and time both.
/// Beside the counters of `compare`, `ns_per_element` is left.
template <class Rival, class Result>
void check_and_compare(benchmark::State& state, int threads, Rival rival, Result result,
                       const std::vector<double>& expected) {
  rival();
  if (!agrees(state, expected, result().template to_vector<double>())) return;
  compare(state, threads, rival, [&] { benchmark::DoNotOptimize(result().eval()); });
  state.counters["ns_per_element"] =
      state.counters["ours_ns"] / static_cast<double>(expected.size());
}

/// Register a benchmark that runs once, taking its repetitions itself.
template <class F>
void one_iteration(const std::string& name, F function) {
  benchmark::RegisterBenchmark(name.c_str(), function)
      ->Iterations(1)
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}

/// Numbers in (0, 1) that look random and are the same everywhere.
std::vector<double> noise(std::int64_t n, unsigned seed);

/// The same numbers on the host and on a backend.
struct Operand {
  Operand(isofield::BaseBackend& backend, const isofield::Shape& shape, std::vector<double> values)
      : host(std::move(values)), array(isofield::asarray(host, shape, &backend)) {}
  Operand(isofield::BaseBackend& backend, const isofield::Shape& shape, unsigned seed)
      : Operand(backend, shape, noise(isofield::element_count(shape), seed)) {}
  const double* data() const { return host.data(); }
  std::vector<double> host;
  isofield::UnifiedArray array;
};

/// Run `body(thread, begin, end)` over [0, n), shared evenly by `threads` threads.
template <class F>
void share(std::int64_t n, int threads, F body) {
  if (threads == 1) {
    body(0, std::int64_t{0}, n);
    return;
  }
#pragma omp parallel for schedule(static) num_threads(threads)
  for (int t = 0; t < threads; ++t) body(t, n * t / threads, n * (t + 1) / threads);
}

}  // namespace bench
