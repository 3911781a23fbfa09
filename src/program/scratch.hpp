#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace isofield::host {

/// Memory aligned to cache lines that grows to what is needed. What needs some while somebody
/// else's is in use has one of its own.
class Scratch {
 public:
  /// At least `bytes` bytes; what was there is gone.
  std::byte* need(std::size_t bytes) {
    if (bytes > capacity_) {
      capacity_ = 0;
      memory_.reset(static_cast<std::byte*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64)));
      if (!memory_) throw std::bad_alloc();
      capacity_ = bytes;
    }
    return memory_.get();
  }

 private:
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> memory_;
  std::size_t capacity_ = 0;
};

}  // namespace isofield::host
