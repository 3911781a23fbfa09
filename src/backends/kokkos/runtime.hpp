#pragma once

#include <Kokkos_Core.hpp>
#include <atomic>
#include <cstdint>
#include <isofield/host.hpp>
#include <mutex>
#include <optional>

namespace isofield::kokkos {

using HostExec = Kokkos::DefaultHostExecutionSpace;

/// Kokkos' life in this process: started at first use unless the application did, refused once it
/// is over, ended by whoever started it.
class Runtime {
 public:
  static Runtime& instance();

  /// Make sure that Kokkos runs; throws BackendError where that is impossible. Cheap when it does.
  void require() {
    if (!ready_.load(std::memory_order_acquire) || !Kokkos::is_initialized()) start();
  }
  /// Whether kernels can no longer run, here or ever.
  bool over() const noexcept { return Kokkos::is_finalized(); }

  /// Whether the process ends and Kokkos' own objects with static life may have gone: what is
  /// computed then is computed by the caller's thread alone.
  bool ending() const noexcept { return ending_.load(std::memory_order_acquire); }

  /// Ask for this many threads, from the next kernel on; 0: all there are.
  void set_threads(int threads);
  int threads() const noexcept { return threads_.load(std::memory_order_relaxed); }

  /// The space that kernels run in; after `require`.
  HostExec space() {
    const std::lock_guard lock(mutex_);
    return *space_;
  }

  /// Ask `in_use` whether there are arrays whose memory may be Kokkos', before we finalise it,
  /// which is not done then, and call `at_end` just before Kokkos ends, whoever ends it.
  void watch(bool (*in_use)(), void (*at_end)()) {
    in_use_ = in_use;
    at_end_ = at_end;
  }

 private:
  Runtime() = default;
  void start();
  void make_space();
  static void end() noexcept;

  std::mutex mutex_;
  std::atomic<bool> ready_ = false, ending_ = false, ours_ = false;
  std::atomic<int> threads_ = host::default_threads();
  std::optional<HostExec> space_;
  bool (*in_use_)() = nullptr;
  void (*at_end_)() = nullptr;
};

/// Runs pieces of work as one Kokkos kernel.
class KokkosExecutor final : public host::Executor {
 public:
  int concurrency() const override;
  void parallel_for(std::int64_t n, void (*body)(void* context, std::int64_t i),
                    void* context) override;
};

}  // namespace isofield::kokkos
