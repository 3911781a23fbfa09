// The gradient of a chain of twenty operations, in units of its forward pass.

#include <array>
#include <cmath>

#include "compare.hpp"

namespace {

using isofield::UnifiedArray;

/// Twenty operations, five times the same four, and their derivative on the host.
struct Chain {
  const char* name;
  UnifiedArray (*four)(UnifiedArray y);
  void (*step)(double& y, double& dy);
};

constexpr Chain chains[] = {
    {"elementary", [](UnifiedArray y) { return sin(tanh(std::move(y)) * 1.5 + 0.3); },
     [](double& y, double& dy) {
       const double t = std::tanh(y), x = t * 1.5 + 0.3;
       dy *= (1 - t * t) * 1.5 * std::cos(x);
       y = std::sin(x);
     }},
    {"arithmetic", [](UnifiedArray y) { return square(std::move(y) * 0.9 + 0.1) - 0.2; },
     [](double& y, double& dy) {
       const double x = y * 0.9 + 0.1;
       dy *= 2 * x * 0.9;
       y = x * x - 0.2;
     }},
};

enum class Form { lazy, jit };

void run(benchmark::State& state, const Chain& chain, const std::string& spelling, std::int64_t n,
         Form form) {
  const bench::Operand x(bench::backend(spelling, 1), {n}, 1);
  const auto f = [four = chain.four](const UnifiedArray& a) {
    UnifiedArray y = a;
    for (int i = 0; i < 5; ++i) y = four(std::move(y));
    return sum(std::move(y));
  };
  std::vector<double> expected;
  for (double y : x.host) {
    double dy = 1;
    for (int i = 0; i < 5; ++i) chain.step(y, dy);
    expected.push_back(dy);
  }
  const auto gradient = isofield::grad(f);
  if (!bench::agrees(state, expected, gradient(x.array).to_vector<double>())) return;
  const auto jitted = isofield::jit(f);
  const auto jitted_gradient = isofield::jit(gradient);
  const auto time = [&](const auto& forward, const auto& back) {
    bench::compare(
        state, 1, [&] { benchmark::DoNotOptimize(forward(x.array).eval()); },
        [&] { benchmark::DoNotOptimize(back(x.array).eval()); });
  };
  if (form == Form::jit)
    time(jitted, jitted_gradient);
  else
    time(f, gradient);
}

}  // namespace

void register_benchmarks() {
  constexpr std::array<std::pair<std::int64_t, const char*>, 2> sizes = {
      {{10000, "1e4"}, {1000000, "1e6"}}};
  for (const Chain& chain : chains)
    for (const auto& spelling : bench::host_backends())
      for (const auto& [n, size] : sizes) {
        if (bench::settings().smoke && n > 10000) continue;
        for (const Form form : {Form::jit, Form::lazy})
          bench::one_iteration(
              std::string("gradient_") + chain.name + "/" + spelling + "/" + size +
                  (form == Form::jit ? "/jit" : "/lazy") + "/threads:1",
              [=](benchmark::State& state) { run(state, chain, spelling, n, form); });
      }
}
