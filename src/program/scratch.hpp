#pragma once

#include <cstddef>

namespace isofield::host {

/// Memory of a thread, aligned to cache lines, that grows to what is needed; a thread-local
/// variable. It is given back at the thread's end, and can be used even later: objects with static
/// life may compute while they are destroyed. What needs some while somebody else's is in use has
/// one of its own.
class Scratch {
 public:
  constexpr Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  /// At least `bytes` bytes; what was there is gone.
  std::byte* need(std::size_t bytes) {
    if (bytes > capacity_) grow(bytes);
    return memory_;
  }

 private:
  struct Closer;
  void grow(std::size_t bytes);

  // No destructor: it would end the variable before those who may use it.
  std::byte* memory_ = nullptr;
  std::size_t capacity_ = 0;
  Scratch* next_ = nullptr;  ///< of this thread's that have grown; the last one's is itself
};

}  // namespace isofield::host
