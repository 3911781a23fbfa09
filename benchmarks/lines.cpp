// Batched tridiagonal systems along either axis of a square array, against blocked elimination.

#include <isofield/linalg.hpp>

#include "compare.hpp"
#include "rivals/rivals.hpp"

namespace {

using isofield::UnifiedArray;
using Int = std::int64_t;

/// Diagonally dominant systems.
struct Systems {
  Systems(isofield::BaseBackend& b, Int side)
      : n(side),
        lower(bench::noise(n * n, 1)),
        upper(bench::noise(n * n, 2)),
        rhs(bench::noise(n * n, 3)),
        diag(bench::noise(n * n, 4)),
        x(lower.size()) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      lower[i] = -lower[i];
      upper[i] = -upper[i];
      diag[i] += 1.0 - lower[i] - upper[i];
    }
    a = {isofield::asarray(lower, {n, n}, &b), isofield::asarray(diag, {n, n}, &b),
         isofield::asarray(upper, {n, n}, &b), isofield::asarray(rhs, {n, n}, &b)};
  }
  Int n;
  std::vector<double> lower, upper, rhs, diag, x;
  std::array<UnifiedArray, 4> a;
};

void run(benchmark::State& state, const std::string& spelling, Int side, int axis, int threads) {
  Systems s(bench::backend(spelling, threads), side);
  std::vector<std::vector<double>> scratch(static_cast<std::size_t>(threads),
                                           std::vector<double>(rivals::scratch_size(side)));
  const auto solve = axis == 0 ? rivals::lines().outer : rivals::lines().inner;
  const auto rival = [&] {
    bench::share(side, threads, [&](int t, Int begin, Int end) {
      solve(s.x.data(), s.lower.data(), s.diag.data(), s.upper.data(), s.rhs.data(), side, side,
            begin, end, scratch[static_cast<std::size_t>(t)].data());
    });
  };
  const auto solved = [&] {
    return isofield::linalg::tridiagonal_solve(s.a[0], s.a[1], s.a[2], s.a[3], axis);
  };
  const auto ours = [&] { benchmark::DoNotOptimize(solved().eval()); };
  rival();
  if (!bench::agrees(state, s.x, solved().to_vector<double>())) return;
  bench::compare(state, threads, rival, ours);
  state.counters["ns_per_element"] = state.counters["ours_ns"] / static_cast<double>(side * side);
}

}  // namespace

void register_benchmarks() {
  for (const int axis : {0, 1})
    for (const auto& spelling : bench::host_backends())
      for (const int threads : {1, 2})
        for (const Int side : bench::settings().smoke ? std::vector<Int>{1, 2, 37, 64}
                                                      : std::vector<Int>{64, 256, 1024})
          bench::one_iteration(
              "tridiagonal_axis" + std::to_string(axis) + "/" + spelling + "/" +
                  std::to_string(side) + "/threads:" + std::to_string(threads),
              [=](benchmark::State& state) { run(state, spelling, side, axis, threads); });
}
