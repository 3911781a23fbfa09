#pragma once

#include <sched.h>

#include <atomic>

namespace isofield {

/// A lock for a few instructions at a time: half the price of a mutex, whose release must look for
/// sleepers. A thread that finds it taken for long lets others run.
class SpinLock {
 public:
  void lock() noexcept {
    for (int tries = 0; taken_.exchange(true, std::memory_order_acquire); ++tries)
      if (tries >= 64) sched_yield();
  }
  void unlock() noexcept { taken_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> taken_ = false;
};

}  // namespace isofield
