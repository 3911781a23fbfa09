#include "backends/kokkos/runtime.hpp"

#include <algorithm>
#include <cstdlib>
#include <exception>

namespace isofield::kokkos {
namespace {

constexpr bool has_openmp =
#ifdef KOKKOS_ENABLE_OPENMP
    std::is_same_v<HostExec, Kokkos::OpenMP>;
#else
    false;
#endif

/// Kokkos neither starts nor nests kernels inside somebody's OpenMP region.
bool in_parallel_region() {
#ifdef KOKKOS_ENABLE_OPENMP
  return omp_in_parallel() != 0;
#else
  return false;
#endif
}

}  // namespace

Runtime& Runtime::instance() {
  static Runtime* runtime = new Runtime;  // never destroyed: arrays in static objects use it
  return *runtime;
}

void Runtime::start() {
  const std::lock_guard lock(mutex_);
  if (Kokkos::is_finalized())
    throw BackendError(
        "kokkos: Kokkos has been finalised in this process and cannot start again; finalise it "
        "after "
        "the last use of arrays on this backend, or bring them to another one with to_backend");
  if (ready_.load(std::memory_order_relaxed)) return;
  if (!Kokkos::is_initialized()) {
    if (in_parallel_region())
      throw BackendError(
          "kokkos: Kokkos cannot start inside an OpenMP parallel region; use the backend once "
          "before it");
    Kokkos::initialize(
        Kokkos::InitializationSettings().set_num_threads(threads()).set_disable_warnings(true));
    ours_ = true;
  } else if (!has_openmp) {
    threads_ = std::min(threads(), std::max(1, HostExec().concurrency()));
  }
  std::atexit(end);  // before Kokkos' own objects go, which were made before
  make_space();
  Kokkos::push_finalize_hook([] {
    Runtime& self = instance();
    if (self.at_end_) self.at_end_();
    const std::lock_guard hook_lock(self.mutex_);
    self.space_.reset();
  });
  ready_.store(true, std::memory_order_release);
}

void Runtime::make_space() {
#ifdef KOKKOS_ENABLE_OPENMP
  // An instance of its own keeps the number of threads asked for, whatever the default one has.
  if constexpr (has_openmp) {
    space_.emplace(threads());
    return;
  }
#endif
  space_.emplace();
}

void Runtime::set_threads(int threads) {
  const std::lock_guard lock(mutex_);
  const bool running = ready_.load(std::memory_order_relaxed) && Kokkos::is_initialized();
  int wanted = threads > 0 ? threads : host::default_threads();
  if (running && !has_openmp) wanted = std::min(wanted, std::max(1, space_->concurrency()));
  if (wanted == this->threads()) return;
  threads_ = wanted;
  if (running && has_openmp) make_space();
}

void Runtime::end() noexcept {
  Runtime& self = instance();
  const bool in_use = self.in_use_ && self.in_use_();
  if (self.ours_ && !in_use && Kokkos::is_initialized()) Kokkos::finalize();
  self.ending_.store(true, std::memory_order_release);
}

int KokkosExecutor::concurrency() const { return Runtime::instance().threads(); }

void KokkosExecutor::parallel_for(std::int64_t n, void (*body)(void*, std::int64_t),
                                  void* context) {
  Runtime& runtime = Runtime::instance();
  if (n == 1 || runtime.threads() == 1 || runtime.ending() || in_parallel_region()) {
    for (std::int64_t i = 0; i < n; ++i) body(context, i);
    return;
  }
  // An exception that left a kernel would end the process.
  std::exception_ptr failure;
  std::atomic_flag failed;
  const HostExec space = runtime.space();
  using Policy = Kokkos::RangePolicy<HostExec, Kokkos::Schedule<Kokkos::Dynamic>,
                                     Kokkos::IndexType<std::int64_t>>;
  Kokkos::parallel_for("isofield", Policy(space, 0, n, Kokkos::ChunkSize(1)),
                       [=, &failure, &failed](std::int64_t i) {
                         try {
                           body(context, i);
                         } catch (...) {
                           if (!failed.test_and_set()) failure = std::current_exception();
                         }
                       });
  space.fence("isofield");
  if (failure) std::rethrow_exception(failure);
}

}  // namespace isofield::kokkos
