// What the machine allows: the triad z = x + 3 y in each level of the memory, by a loop and by an
// array. The figures in GB/s count two numbers read and one written for each element.

#include "compare.hpp"
#include "rivals/rivals.hpp"

namespace {

using Int = std::int64_t;

struct Level {
  std::string name;
  Int elements;  ///< of each of the three arrays
};

/// Arrays that fill half of each cache, and some that are four times as large as the last.
std::vector<Level> levels() {
  std::vector<Level> result;
  const auto elements = [](double bytes) { return static_cast<Int>(bytes / (3 * sizeof(double))); };
  double last = 0.0;
  for (const auto& cache : benchmark::CPUInfo::Get().caches) {
    if (cache.type == "Instruction") continue;
    last = cache.size;
    result.push_back({"L" + std::to_string(cache.level), elements(0.5 * last)});
  }
  result.push_back({"memory", elements(4.0 * std::max(last, 16e6))});
  return result;
}

void run(benchmark::State& state, const std::string& spelling, Int n) {
  auto& backend = bench::backend(spelling, 1);
  const bench::Operand x(backend, {n}, 1), y(backend, {n}, 2);
  std::vector<double> z(x.host.size());
  const auto rival = [&] { rivals::loops().triad(z.data(), x.data(), y.data(), 0, n); };
  const auto step = isofield::jit(
      [](const isofield::UnifiedArray& a, const isofield::UnifiedArray& b) { return a + 3.0 * b; });
  bench::check_and_compare(
      state, 1, rival, [&] { return step(x.array, y.array); }, z);
  const double bytes = 3.0 * sizeof(double) * static_cast<double>(n);
  state.counters["gb_per_s"] = bytes / state.counters["ours_ns"];
  state.counters["rival_gb_per_s"] = bytes / state.counters["rival_ns"];
}

}  // namespace

void register_benchmarks() {
  for (const auto& level : levels()) {
    if (bench::settings().smoke && level.elements > 100000) continue;
    bench::one_iteration("triad/eigen/" + level.name + "/threads:1",
                         [=](benchmark::State& state) { run(state, "eigen", level.elements); });
  }
}
