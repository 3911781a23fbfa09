// Who starts and who ends Kokkos: one order a run, since a process has one Kokkos in its life. The
// backend is linked in, so that it and the application share their Kokkos, as in a static build or
// with a shared library of Kokkos.
#include <Kokkos_Core.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <isofield/isofield.hpp>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

extern "C" const isofield::BackendModule* isofield_kokkos_module();

using namespace isofield;

namespace {

void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::_Exit(1);
}

/// Looks at the end of the process, after everything that was made later has gone.
struct AtEnd {
  std::optional<bool> finalized;
  ~AtEnd() {
    if (finalized) check(Kokkos::is_finalized() == *finalized, "who finalises Kokkos");
  }
} at_end;

std::optional<UnifiedArray> immortal;

BaseBackend& kokkos() { return *isofield_kokkos_module()->open(Device{}); }

Kokkos::InitializationSettings quiet() {
  return Kokkos::InitializationSettings().set_disable_warnings(true);
}

double sum_on_kokkos(std::int64_t n) {
  const UnifiedArray x = arange(0.0, static_cast<double>(n), 1.0, float64, &kokkos());
  return sum(x * 2.0 + 1.0).item<double>();
}

std::string refusal() {
  try {
    sum_on_kokkos(10);
  } catch (const BackendError& error) {
    return error.what();
  }
  return "";
}

/// How many threads a kernel of the application's runs on.
std::size_t threads_of_a_kernel() {
  const int n = Kokkos::DefaultHostExecutionSpace().concurrency();
  std::vector<std::thread::id> ids(static_cast<std::size_t>(n));
  Kokkos::parallel_for(
      Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace, Kokkos::Schedule<Kokkos::Static>>(0,
                                                                                               n),
      [&](int i) { ids[static_cast<std::size_t>(i)] = std::this_thread::get_id(); });
  Kokkos::fence();
  return std::set(ids.begin(), ids.end()).size();
}

void application_first() {
  {
    const Kokkos::ScopeGuard guard(quiet());
    check(sum_on_kokkos(100000) == 1e10, "a sum inside the application's scope");
    check(Kokkos::is_initialized(), "Kokkos is still the application's");
  }
  check(Kokkos::is_finalized(), "the application finalised Kokkos");
  check(refusal().find("has been finalised") != std::string::npos, "a refusal after the end");
  at_end.finalized = true;
}

void library_first() {
  check(!Kokkos::is_initialized(), "nothing starts Kokkos before it is used");
  (void)kokkos().capabilities();
  check(!Kokkos::is_initialized(), "looking at the backend does not start Kokkos");
  check(sum_on_kokkos(100000) == 1e10, "a sum");
  check(Kokkos::is_initialized(), "the application sees the Kokkos that the library started");
  at_end.finalized = true;
}

void live_arrays_at_exit() {
  immortal = full({1000}, 3.0, &kokkos()) * 2.0;
  immortal->eval();
  at_end.finalized = false;
  std::exit(sum(*immortal).item<double>() == 6000.0 ? 0 : 1);
}

void finalized_under_live_arrays() {
  Kokkos::initialize(quiet());
  immortal = full({1000}, 3.0, &kokkos()) * 2.0;
  immortal->eval();
  Kokkos::finalize();
  check(immortal->to_vector<double>()[999] == 6.0, "values can be read after the end");
  check(sum(immortal->to_backend("eigen")).item<double>() == 6000.0, "and brought elsewhere");
  check(refusal().find("to_backend") != std::string::npos, "kernels are refused");
  at_end.finalized = true;
}

void torch_first() {
  // As Debian's LibTorch may do by itself: leave OpenMP at one thread.
  get_backend("torch:cpu").set_threads(1);
  const UnifiedArray a = ones({64, 64}, float64, &get_backend("torch:cpu"));
  check(sum(linalg::matmul(a, a) + a).item<double>() == 64.0 * 64 * 65, "a product on torch");
  check(sum_on_kokkos(1000000) == 1e12, "a sum on Kokkos after it");
  check(kokkos().capabilities().threads == 2, "the threads asked for");
  check(threads_of_a_kernel() == 2, "a kernel after a torch operation runs on two threads");
  check(sum(linalg::matmul(a, a)).item<double>() == 64.0 * 64 * 64, "torch again");
  check(threads_of_a_kernel() == 2, "and Kokkos keeps its threads");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string order = argc > 1 ? argv[1] : "";
  setenv("ISOFIELD_THREADS", "2", 1);
  if (order == "application_first")
    application_first();
  else if (order == "library_first")
    library_first();
  else if (order == "live_arrays_at_exit")
    live_arrays_at_exit();
  else if (order == "finalized_under_live_arrays")
    finalized_under_live_arrays();
  else if (order == "torch_first")
    torch_first();
  else
    check(false, "the order is known");
  return 0;
}
