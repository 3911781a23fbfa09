// Every benchmark program's main: our options, then Google Benchmark's.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>

#include <isofield/host.hpp>

#include "compare.hpp"

namespace bench {

Settings& settings() {
  static Settings s;
  return s;
}

std::vector<std::string> host_backends() {
  std::vector<std::string> result;
  const auto known = isofield::list_backends();
  for (const char* spelling : {"eigen", "kokkos", "torch:cpu"})
    for (const auto& status : known)
      if (status.spelling == spelling && status.available) result.push_back(spelling);
  return result;
}

isofield::BaseBackend& backend(const std::string& spelling, int threads) {
  auto& found = isofield::get_backend(spelling);
  found.set_threads(threads);
  return found;
}

double disagreement(std::span<const double> expected, std::span<const double> found) {
  if (expected.size() != found.size()) return HUGE_VAL;
  double scale = 1.0, worst = 0.0;
  for (const double x : expected) scale = std::max(scale, std::fabs(x));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double d = std::fabs(expected[i] - found[i]);
    worst = d <= worst ? worst : d;  // a NaN stays
  }
  return worst / scale;
}

std::vector<double> noise(std::int64_t n, unsigned seed) {
  std::vector<double> result(static_cast<std::size_t>(n));
  std::uint64_t state = 0x9e3779b97f4a7c15ULL * (seed + 1);
  for (double& x : result) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    x = static_cast<double>((state >> 12) + 1) * 0x1p-52;
  }
  return result;
}

namespace {

/// Google Benchmark's table, remembering whether a benchmark failed.
class Reporter : public benchmark::ConsoleReporter {
 public:
  Reporter() : ConsoleReporter(OO_Tabular) {}
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const auto& run : runs) failed |= run.error_occurred;
    ConsoleReporter::ReportRuns(runs);
  }
  bool failed = false;
};

}  // namespace
}  // namespace bench

/// Each program registers its benchmarks here.
void register_benchmarks();

int main(int argc, char** argv) {
  auto& settings = bench::settings();
  int kept = 1;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--quick") == 0) {
      settings.rounds = 7;
      settings.sample_seconds = 5e-4;
      settings.budget_seconds = 2;
    } else if (std::strncmp(argv[i], "--rounds=", 9) == 0) {
      settings.rounds = std::atoi(argv[i] + 9);
    } else if (std::strcmp(argv[i], "--smoke") == 0) {
      settings.smoke = true;
    } else {
      argv[kept++] = argv[i];
    }
  }
  argc = kept;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::AddCustomContext("instruction_set", std::string(isofield::host::instruction_set()));
#if defined(__VERSION__)
  benchmark::AddCustomContext("compiler", __VERSION__);
#endif
  try {
    register_benchmarks();
    bench::Reporter reporter;
    benchmark::RunSpecifiedBenchmarks(&reporter);
    benchmark::Shutdown();
    return reporter.failed ? 1 : 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
