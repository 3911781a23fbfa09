// What a call costs before any element is touched: one addition of one element, and a step of
// twenty operations on a hundred. `overhead_ns` is the time beyond that of the loop by hand.

#include "compare.hpp"
#include "rivals/rivals.hpp"

namespace {

using isofield::UnifiedArray;
using Int = std::int64_t;

enum class Form { lazy, eager, jit };
constexpr const char* names[] = {"lazy", "eager", "jit"};

constexpr double inverse_h = 30.0, inverse_dt = 1000.0;

UnifiedArray add(const UnifiedArray& x, const UnifiedArray& y, const UnifiedArray&) {
  return x + y;
}

/// Twenty operations, the same as rivals::Loops::update.
UnifiedArray update(const UnifiedArray& x, const UnifiedArray& y, const UnifiedArray& w) {
  const UnifiedArray left = maximum((x - y) * inverse_h, 0.0);
  const UnifiedArray right = maximum((x - w) * inverse_h, 0.0);
  const UnifiedArray known = x * inverse_dt + 0.5 * (left * left + right * right);
  const UnifiedArray rest = y + w - 2.0 * x;
  return (known + rest) / ((left + right) * inverse_h + inverse_dt);
}

using Step = UnifiedArray (*)(const UnifiedArray&, const UnifiedArray&, const UnifiedArray&);

void run(benchmark::State& state, const std::string& spelling, Step step, Form form, Int n) {
  auto& backend = bench::backend(spelling, 1);
  const bench::Operand x(backend, {n}, 1), y(backend, {n}, 2), w(backend, {n}, 3);
  std::vector<double> z(x.host.size());
  const auto rival = [&] {
    if (step == add)
      rivals::loops().add(z.data(), x.data(), y.data(), 0, n);
    else
      rivals::loops().update(z.data(), x.data(), y.data(), w.data(), inverse_h, inverse_dt, n);
    benchmark::DoNotOptimize(z.data());
    benchmark::ClobberMemory();
  };
  const isofield::ScopedEager eager(form == Form::eager);
  const auto jitted = isofield::jit(step);
  const auto ours = [&] {
    return form == Form::jit ? jitted(x.array, y.array, w.array) : step(x.array, y.array, w.array);
  };
  bench::check_and_compare(state, 1, rival, ours, z);
}

}  // namespace

void register_benchmarks() {
  const auto add_case = [](const char* name, Step step, const std::string& spelling, Int n) {
    for (const Form form : {Form::jit, Form::lazy, Form::eager})
      bench::one_iteration(std::string(name) + "/" + spelling + "/" + std::to_string(n) + "/" +
                               names[static_cast<int>(form)] + "/threads:1",
                           [=](benchmark::State& state) { run(state, spelling, step, form, n); });
  };
  for (const auto& spelling : bench::host_backends()) {
    for (const Int n : {1, 100, 1000}) add_case("add", add, spelling, n);
    for (const Int n : {1, 100, 1000}) add_case("twenty_operations", update, spelling, n);
  }
}
