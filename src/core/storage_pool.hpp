#pragma once

#include <sys/mman.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <isofield/storage.hpp>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#include "core/spin_lock.hpp"

namespace isofield {

/// Round a size up to its class: four classes an octave, none below a cache line, so that a block
/// wastes at most a quarter and fits the next array of about its size.
constexpr std::size_t size_class(std::size_t bytes) noexcept {
  if (bytes <= 256) return bytes == 0 ? 64 : (bytes + 63) / 64 * 64;
  const std::size_t step = std::bit_floor(bytes) / 4;
  return (bytes + step - 1) / step * step;
}

/// Ask for huge pages under a large block: with 4 KiB pages its first touch runs at 2.5 GB/s.
inline void advise_huge_pages(void* data, std::size_t bytes) noexcept {
#ifdef MADV_HUGEPAGE
  constexpr std::uintptr_t page = 4096;
  constexpr std::size_t large = std::size_t{4} << 20;
  if (bytes < large) return;
  const auto begin = (reinterpret_cast<std::uintptr_t>(data) + page - 1) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(data) + bytes) / page * page;
  (void)madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#else
  (void)data, (void)bytes;
#endif
}

// AddressSanitizer is told what of a block nobody may touch: all of one that lies idle, and what is
// left over of one that is used.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ISOFIELD_ADDRESS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ISOFIELD_ADDRESS_SANITIZER
#endif
#ifdef ISOFIELD_ADDRESS_SANITIZER
extern "C" void __asan_poison_memory_region(const volatile void* address, std::size_t size);
extern "C" void __asan_unpoison_memory_region(const volatile void* address, std::size_t size);
inline void allow_only(void* block, std::size_t size, std::size_t bytes) noexcept {
  __asan_poison_memory_region(block, size);
  __asan_unpoison_memory_region(block, bytes);
}
#else
inline void allow_only(void*, std::size_t, std::size_t) noexcept {}
#endif

/// Storages kept, with their memory, for the next array of their size class. `Block` owns memory,
/// has its address as `data()`, is made with a number of bytes, and may have an `object()` to be
/// the storages' owner. Any thread may call.
template <class Block>
class StoragePool {
 public:
  /// The most memory that lies idle.
  static constexpr std::size_t max_idle_bytes = std::size_t{1} << 30;

  /// At least `bytes` bytes, their contents not defined. The pool must outlive the storage.
  StoragePtr allocate(BaseBackend& backend, std::size_t bytes) {
    const std::size_t size = size_class(bytes);
    Pooled* storage = take(size);
    if (!storage) {
      storage = fresh(size);
      const std::lock_guard lock(lock_);
      ++live_;
    }
    storage->begin(backend, bytes);
    return StoragePtr(storage);
  }

  /// How many of its storages somebody holds.
  std::int64_t live() {
    const std::lock_guard lock(lock_);
    return live_;
  }

  /// Let go what lies idle.
  void clear() noexcept {
    std::array<Pooled*, classes> dropped;
    {
      const std::lock_guard lock(lock_);
      dropped = bins_;
      bins_ = {};
      idle_bytes_ = 0;
    }
    for (Pooled* first : dropped)  // unlocked: unmapping takes its time
      while (first) delete std::exchange(first, first->next);
  }

  /// From now on keep nothing: the memory's source has come to its end.
  void close() noexcept {
    {
      const std::lock_guard lock(lock_);
      closed_ = true;
    }
    clear();
  }

 private:
  class Pooled final : public Storage {
   public:
    Pooled(StoragePool& pool, std::size_t size) : block_(size), pool_(&pool), size_(size) {
      data = block_.data();
      // What lives as long as this storage needs no count of its own.
      if constexpr (requires { block_.object(); })
        owner = std::shared_ptr<void>(std::shared_ptr<void>(), block_.object());
    }
    void begin(BaseBackend& on, std::size_t wanted) noexcept {
      revive();
      backend = &on;
      bytes = wanted;
      allow_only(data, size_, wanted);
    }
    ~Pooled() override { allow_only(data, size_, size_); }
    std::size_t size() const noexcept { return size_; }
    Pooled* next = nullptr;

   protected:
    void dispose() noexcept override { pool_->give(this); }

   private:
    Block block_;
    StoragePool* pool_;
    std::size_t size_;
  };

  Pooled* take(std::size_t size) noexcept {
    const std::lock_guard lock(lock_);
    Pooled*& first = bins_[bin(size)];
    if (!first) return nullptr;
    ++live_;
    idle_bytes_ -= size;
    return std::exchange(first, first->next);
  }

  void give(Pooled* storage) noexcept {
    allow_only(storage->data, storage->size(), 0);
    {
      const std::lock_guard lock(lock_);
      --live_;
      if (!closed_ && storage->size() <= max_idle_bytes - idle_bytes_) {
        idle_bytes_ += storage->size();
        storage->next = std::exchange(bins_[bin(storage->size())], storage);
        return;
      }
    }
    delete storage;
  }

  Pooled* fresh(std::size_t size) {
    try {
      return new Pooled(*this, size);
    } catch (const std::bad_alloc&) {  // what lies idle may be what is missing
      clear();
      return new Pooled(*this, size);
    }
  }

  static std::size_t bin(std::size_t size) noexcept {
    const std::size_t octave = static_cast<std::size_t>(std::bit_width(size)) - 1;
    return 4 * octave + ((size - (std::size_t{1} << octave)) >> (octave - 2));
  }

  static constexpr std::size_t classes = 256;
  SpinLock lock_;
  std::array<Pooled*, classes> bins_ = {};
  std::size_t idle_bytes_ = 0;
  std::int64_t live_ = 0;
  bool closed_ = false;
};

}  // namespace isofield
