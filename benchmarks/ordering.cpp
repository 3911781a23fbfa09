// Sorting, taking, selecting and scattering against what one would write: std::sort and plain
// loops.

#include <numeric>
#include <random>

#include "compare.hpp"

namespace {

using isofield::UnifiedArray;

/// Numbers, a random order of their places, and truth values of which half are true.
struct Data {
  explicit Data(isofield::BaseBackend& backend, std::int64_t n)
      : host(bench::noise(n, 1)), places(static_cast<std::size_t>(n)), mask(host.size()) {
    std::iota(places.begin(), places.end(), std::int64_t{0});
    std::shuffle(places.begin(), places.end(), std::mt19937(3));
    std::mt19937 generator(5);
    for (auto& m : mask) m = generator() % 2 == 0;
    array = isofield::asarray(host, {n}, &backend);
    indices = isofield::asarray(places, {n}, &backend);
    chosen = isofield::asarray_bytes(mask.data(), mask.size(), isofield::bool_, {n}, &backend);
  }
  std::vector<double> host;
  std::vector<std::int64_t> places;
  std::vector<unsigned char> mask;
  UnifiedArray array, indices, chosen;
};

void sort(benchmark::State& state, const Data& data) {
  std::vector<double> expected;
  const auto rival = [&] {
    expected = data.host;
    std::sort(expected.begin(), expected.end());
  };
  bench::check_and_compare(
      state, 1, rival, [&] { return isofield::sort(data.array); }, (rival(), expected));
}

void argsort(benchmark::State& state, const Data& data) {
  std::vector<std::int64_t> order(data.host.size());
  const auto rival = [&] {
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
      return data.host[static_cast<std::size_t>(a)] < data.host[static_cast<std::size_t>(b)];
    });
  };
  rival();
  const std::vector<double> expected(order.begin(), order.end());
  bench::check_and_compare(
      state, 1, rival, [&] { return isofield::argsort(data.array).astype(isofield::float64); },
      expected);
}

void take(benchmark::State& state, const Data& data) {
  std::vector<double> expected(data.host.size());
  const auto rival = [&] {
    for (std::size_t i = 0; i < expected.size(); ++i)
      expected[i] = data.host[static_cast<std::size_t>(data.places[i])];
    benchmark::ClobberMemory();
  };
  bench::check_and_compare(
      state, 1, rival, [&] { return isofield::take(data.array, data.indices); }, expected);
}

void select(benchmark::State& state, const Data& data) {
  std::vector<double> expected(data.host.size());
  std::size_t count = 0;
  const auto rival = [&] {
    count = 0;
    for (std::size_t i = 0; i < data.host.size(); ++i)
      if (data.mask[i]) expected[count++] = data.host[i];
    benchmark::ClobberMemory();
  };
  rival();
  const std::vector<double> part(expected.begin(),
                                 expected.begin() + static_cast<std::ptrdiff_t>(count));
  bench::check_and_compare(
      state, 1, rival, [&] { return UnifiedArray(data.array(data.chosen)); }, part);
}

void scatter(benchmark::State& state, const Data& data) {
  std::vector<double> expected;
  const auto rival = [&] {
    expected.assign(data.host.size(), 0.0);
    for (std::size_t i = 0; i < data.host.size(); ++i)
      expected[static_cast<std::size_t>(data.places[i])] += data.host[i];
    benchmark::ClobberMemory();
  };
  const UnifiedArray zero = isofield::zeros_like(data.array);
  bench::check_and_compare(
      state, 1, rival,
      [&] { return isofield::scatter(zero, data.indices, data.array, 0, isofield::Scatter::add); },
      (rival(), expected));
}

void running_sum(benchmark::State& state, const Data& data) {
  std::vector<double> expected(data.host.size());
  const auto rival = [&] {
    std::partial_sum(data.host.begin(), data.host.end(), expected.begin());
    benchmark::ClobberMemory();
  };
  bench::check_and_compare(
      state, 1, rival, [&] { return isofield::cumulative_sum(data.array); }, expected);
}

void largest(benchmark::State& state, const Data& data) {
  std::vector<double> expected(1);
  const auto rival = [&] {
    expected[0] = static_cast<double>(std::max_element(data.host.begin(), data.host.end()) -
                                      data.host.begin());
    benchmark::ClobberMemory();
  };
  bench::check_and_compare(
      state, 1, rival, [&] { return isofield::argmax(data.array).astype(isofield::float64); },
      expected);
}

}  // namespace

void register_benchmarks() {
  using Run = void (*)(benchmark::State&, const Data&);
  static const std::pair<const char*, Run> runs[] = {
      {"sort", sort},       {"argsort", argsort},         {"take", take},     {"select", select},
      {"scatter", scatter}, {"running_sum", running_sum}, {"argmax", largest}};
  for (const auto& spelling : bench::host_backends())
    for (const std::int64_t n : {1000, 1000000})
      for (const auto& [name, run] : runs)
        bench::one_iteration(
            std::string(name) + "/" + spelling + "/" + std::to_string(n) + "/threads:1",
            [=, run = run](benchmark::State& state) {
              run(state, Data(bench::backend(spelling, 1), n));
            });
}
