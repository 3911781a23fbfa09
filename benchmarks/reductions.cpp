// Reductions of one array and of an expression, against Eigen's and against loops by hand.

#include "compare.hpp"
#include "rivals/rivals.hpp"

namespace {

using Int = std::int64_t;

enum class What { sum, max_abs_difference };
enum class Against { eigen, loop };

void run(benchmark::State& state, const std::string& spelling, Int n, What what, Against against) {
  auto& backend = bench::backend(spelling, 1);
  const bench::Operand x(backend, {n}, 1), y(backend, {n}, 2);
  double expected = 0.0, found = 0.0;
  const auto rival = [&] {
    if (what == What::sum)
      expected = against == Against::eigen ? rivals::eigen_reductions().sum(x.data(), n)
                                           : rivals::loops().sum(x.data(), 0, n);
    else
      expected = against == Against::eigen
                     ? rivals::eigen_reductions().max_abs_difference(x.data(), y.data(), n)
                     : rivals::loops().max_abs_difference(x.data(), y.data(), 0, n);
  };
  const auto ours = [&] {
    found = what == What::sum ? sum(x.array).item<double>()
                              : max(abs(x.array - y.array)).item<double>();
  };
  rival();
  ours();
  if (!bench::agrees(state, {&expected, 1}, {&found, 1})) return;
  bench::compare(state, 1, rival, ours);
  state.counters["ns_per_element"] = state.counters["ours_ns"] / static_cast<double>(n);
}

}  // namespace

void register_benchmarks() {
  for (const What what : {What::sum, What::max_abs_difference})
    for (const Against against : {Against::eigen, Against::loop})
      for (const auto& spelling : bench::host_backends())
        for (const Int n : {1000, 10000, 100000, 1000000})
          bench::one_iteration(
              std::string(what == What::sum ? "sum" : "max_abs_difference") + "/" + spelling +
                  "/1e" + std::to_string(std::to_string(n).size() - 1) + "/against_" +
                  (against == Against::eigen ? "eigen" : "loop") + "/threads:1",
              [=](benchmark::State& state) { run(state, spelling, n, what, against); });
}
