// What a program costs the first time: expressions that no run has seen before, evaluated on enough
// elements to become machine code at once, less what evaluating them again takes.

#include <algorithm>
#include <random>

#include "compare.hpp"

namespace {

using isofield::UnifiedArray;
using Int = std::int64_t;

constexpr Int elements = 1 << 13;

/// A chain of operations; another one for each seed.
UnifiedArray chain(const bench::Operand& x, const bench::Operand& y, int operations,
                   unsigned seed) {
  std::mt19937 random(seed);
  std::vector<UnifiedArray> values{x.array, y.array};
  for (int k = 0; k < operations; ++k) {
    const UnifiedArray last = values.back();
    const UnifiedArray other = values[random() % values.size()];
    switch (random() % 5) {
      case 0: values.push_back(last + other); break;
      case 1:
        values.push_back(last - 0.5 * other);
        ++k;
        break;
      case 2: values.push_back(last * other); break;
      case 3: values.push_back(maximum(last, other)); break;
      case 4: values.push_back(minimum(last, 0.3)); break;
    }
  }
  return values.back();
}

void run(benchmark::State& state, const std::string& spelling, int operations) {
  auto& backend = bench::backend(spelling, 1);
  const bench::Operand x(backend, {elements}, 1), y(backend, {elements}, 2);
  static unsigned seed = 0;
  std::vector<double> times;
  const int rounds = bench::settings().smoke ? 2 : 3 * bench::settings().rounds;
  const auto seconds = [&] {
    const double start = bench::now(1);
    chain(x, y, operations, seed).eval();
    return bench::now(1) - start;
  };
  for (auto _ : state) {
    for (int r = 0; r < rounds; ++r) {
      ++seed;
      const double first = seconds();
      const double again = std::min({seconds(), seconds(), seconds()});
      times.push_back(std::max(first - again, 0.0));
    }
    state.SetIterationTime(bench::median(times));
  }
  state.counters["ours_ns"] = bench::median(times) * 1e9;
}

}  // namespace

void register_benchmarks() {
  for (const auto& spelling : bench::host_backends())
    for (const int operations : {4, 30, 100})
      bench::one_iteration("compile/" + spelling + "/" + std::to_string(operations),
                           [=](benchmark::State& state) { run(state, spelling, operations); });
}
