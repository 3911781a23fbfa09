// Tridiagonal systems: batches along either axis of a square array against blocked elimination, one
// line against Thomas' algorithm, and an implicit step along both axes against sweeps that compute
// their coefficients.

#include <isofield/linalg.hpp>

#include "compare.hpp"
#include "rivals/rivals.hpp"

namespace {

using Int = std::int64_t;

/// Beside the diagonal of diagonally dominant systems.
std::vector<double> off_diagonal(Int count, unsigned seed) {
  auto values = bench::noise(count, seed);
  for (double& value : values) value = -value;
  return values;
}

std::vector<double> dominant_diagonal(std::span<const double> lower, std::span<const double> upper,
                                      unsigned seed) {
  auto values = bench::noise(static_cast<Int>(lower.size()), seed);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] += 1.0 - lower[i] - upper[i];
  return values;
}

void run(benchmark::State& state, const std::string& spelling, Int side, int axis, int threads) {
  auto& backend = bench::backend(spelling, threads);
  const isofield::Shape shape{side, side};
  const bench::Operand lower(backend, shape, off_diagonal(side * side, 1));
  const bench::Operand upper(backend, shape, off_diagonal(side * side, 2));
  const bench::Operand diag(backend, shape, dominant_diagonal(lower.host, upper.host, 4));
  const bench::Operand rhs(backend, shape, 3);
  std::vector<double> x(rhs.host.size());
  std::vector<std::vector<double>> scratch(static_cast<std::size_t>(threads),
                                           std::vector<double>(rivals::scratch_size(side)));
  const auto solve = axis == 0 ? rivals::lines().outer : rivals::lines().inner;
  const auto rival = [&] {
    bench::share(side, threads, [&](int t, Int begin, Int end) {
      solve(x.data(), lower.data(), diag.data(), upper.data(), rhs.data(), side, side, begin, end,
            scratch[static_cast<std::size_t>(t)].data());
    });
  };
  const auto ours = [&] {
    return isofield::linalg::tridiagonal_solve(lower.array, diag.array, upper.array, rhs.array,
                                               axis);
  };
  bench::check_and_compare(state, threads, rival, ours, x);
}

void run_line(benchmark::State& state, const std::string& spelling, Int n) {
  auto& backend = bench::backend(spelling, 1);
  const bench::Operand lower(backend, {n}, off_diagonal(n, 1)), rhs(backend, {n}, 3);
  const bench::Operand upper(backend, {n}, off_diagonal(n, 2));
  const bench::Operand diag(backend, {n}, dominant_diagonal(lower.host, upper.host, 4));
  std::vector<double> x(rhs.host.size()), scratch(rhs.host.size());
  const auto rival = [&] {
    rivals::lines().thomas(x.data(), lower.data(), diag.data(), upper.data(), rhs.data(), n,
                           scratch.data());
  };
  const auto ours = [&] {
    return isofield::linalg::tridiagonal_solve(lower.array, diag.array, upper.array, rhs.array, 0);
  };
  bench::check_and_compare(state, 1, rival, ours, x);
}

/// An implicit step along both axes: coefficients and right side are expressions.
void run_implicit(benchmark::State& state, const std::string& spelling, Int side) {
  auto& backend = bench::backend(spelling, 1);
  const isofield::Shape shape{side, side};
  const bench::Operand u(backend, shape, 1), cost(backend, shape, 2);
  const rivals::ImplicitStep step{1e-3, 0.1, 50.0};
  std::vector<double> half(u.host.size()), x(u.host.size()), scratch(rivals::scratch_size(side));
  const auto rival = [&] {
    const auto& lines = rivals::implicit_lines();
    lines.outer(half.data(), u.data(), cost.data(), side, side, step, scratch.data());
    lines.inner(x.data(), half.data(), cost.data(), side, side, step, scratch.data());
  };
  using isofield::UnifiedArray;
  const auto along = [step](const UnifiedArray& v, const UnifiedArray& f, int axis) {
    using isofield::Boundary;
    const double drift = step.dt * step.inverse_spacing,
                 diffusion = drift * step.viscosity * step.inverse_spacing;
    const UnifiedArray p =
        maximum((v - shift(v, axis, -1, Boundary::clamp)) * step.inverse_spacing, 0.0);
    const UnifiedArray q =
        minimum((shift(v, axis, 1, Boundary::clamp) - v) * step.inverse_spacing, 0.0);
    const UnifiedArray lower = -(drift * p + diffusion), upper = drift * q - diffusion;
    return isofield::linalg::tridiagonal_solve(
        lower, 1.0 - lower - upper, upper,
        v + step.dt * f + 0.5 * step.dt * (square(p) + square(q)), axis);
  };
  const auto ours = isofield::jit([along](const UnifiedArray& v, const UnifiedArray& f) {
    return along(along(v, f, 0), f, 1);
  });
  bench::check_and_compare(
      state, 1, rival, [&] { return ours(u.array, cost.array); }, x);
}

}  // namespace

void register_benchmarks() {
  for (const auto& spelling : bench::host_backends()) {
    for (const Int n : {100, 1000, 100000})
      bench::one_iteration("tridiagonal_line/" + spelling + "/" + std::to_string(n) + "/threads:1",
                           [=](benchmark::State& state) { run_line(state, spelling, n); });
    for (const Int side :
         bench::settings().smoke ? std::vector<Int>{1, 2, 37, 64} : std::vector<Int>{64, 512, 1024})
      bench::one_iteration("implicit_step/" + spelling + "/" + std::to_string(side) + "/threads:1",
                           [=](benchmark::State& state) { run_implicit(state, spelling, side); });
  }
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
