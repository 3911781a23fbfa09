#include "program/scratch.hpp"

#include <cstdlib>
#include <new>
#include <utility>

namespace isofield::host {
namespace {

constinit thread_local Scratch* grown = nullptr;

}  // namespace

/// Gives memory back at the thread's end. What is taken after that goes with the process.
struct Scratch::Closer {
  ~Closer() {
    for (Scratch* s = std::exchange(grown, nullptr); s;) {
      std::free(std::exchange(s->memory_, nullptr));
      s->capacity_ = 0;
      Scratch* const next = std::exchange(s->next_, nullptr);
      s = next == s ? nullptr : next;
    }
  }
};

void Scratch::grow(std::size_t bytes) {
  thread_local const Closer closer;
  capacity_ = 0;
  std::free(std::exchange(memory_, nullptr));
  memory_ = static_cast<std::byte*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64));
  if (!memory_) throw std::bad_alloc();
  capacity_ = bytes;
  if (next_) return;
  next_ = grown ? grown : this;
  grown = this;
}

}  // namespace isofield::host
