// Where threads begin to pay: two against one, in time on the wall, for work around each threshold
// of src/program/thresholds.hpp. From a threshold on the ratio should be less than 1.

#include <functional>
#include <isofield/linalg.hpp>

#include "compare.hpp"

namespace {

using isofield::UnifiedArray;
using Int = std::int64_t;

/// What is timed, on `work` units as the thresholds count them.
struct Kind {
  const char* name;
  Int threshold;
  std::function<std::function<UnifiedArray()>(isofield::BaseBackend&, Int work)> make;
};

UnifiedArray operand(isofield::BaseBackend& backend, const isofield::Shape& shape, unsigned seed) {
  return bench::Operand(backend, shape, seed).array;
}

std::vector<Kind> kinds() {
  return {
      {"five_operations", 1 << 17,
       [](isofield::BaseBackend& backend, Int work) {
         const auto x = operand(backend, {work / 5}, 1), y = operand(backend, {work / 5}, 2);
         const auto step = isofield::jit([](const UnifiedArray& a, const UnifiedArray& b) {
           return maximum(a * b - 0.5 * b, a) * a;
         });
         return [=] { return step(x, y); };
       }},
      {"sum_of_squares", 1 << 19,
       [](isofield::BaseBackend& backend, Int work) {
         const auto x = operand(backend, {work / 2}, 1);
         const auto step = isofield::jit([](const UnifiedArray& a) { return sum(a * a); });
         return [=] { return step(x); };
       }},
      {"tridiagonal", 1 << 15,
       [](isofield::BaseBackend& backend, Int work) {
         const auto x = operand(backend, {128, work / 128}, 1);
         const auto step = isofield::jit([](const UnifiedArray& a) {
           return isofield::linalg::tridiagonal_solve(-1.0, 4.0, -0.5, a, 0);
         });
         return [=] { return step(x); };
       }},
      {"transform", 1 << 15,
       [](isofield::BaseBackend& backend, Int work) {
         const auto x = operand(backend, {work / 128, 128}, 1);
         const auto step =
             isofield::jit([](const UnifiedArray& a) { return isofield::fft::dct(a); });
         return [=] { return step(x); };
       }},
      {"matmul", 1 << 20,
       [](isofield::BaseBackend& backend, Int work) {
         const Int n = std::llround(std::cbrt(static_cast<double>(work)));
         const auto x = operand(backend, {n, n}, 1), y = operand(backend, {n, n}, 2);
         return [=] { return isofield::linalg::matmul(x, y); };
       }},
  };
}

void run(benchmark::State& state, const std::string& spelling, const Kind& kind, Int work) {
  auto& backend = bench::backend(spelling, 1);
  const auto step = kind.make(backend, work);
  const auto on = [&](int threads) {
    return [&, threads] {
      backend.set_threads(threads);
      for (int k = 0; k < 20; ++k) benchmark::DoNotOptimize(step().eval());
    };
  };
  bench::compare(state, 2, on(1), on(2));
  backend.set_threads(1);
}

}  // namespace

void register_benchmarks() {
  for (const Kind& kind : kinds())
    for (const auto& spelling : bench::host_backends())
      for (const Int factor : {1, 2, 4, 16, 64}) {
        const Int work = kind.threshold * factor;
        if (bench::settings().smoke && factor > 1) continue;
        bench::one_iteration(std::string(kind.name) + "/" + spelling + "/" +
                                 std::to_string(factor) + "_thresholds/threads:2",
                             [=](benchmark::State& state) { run(state, spelling, kind, work); });
      }
}
