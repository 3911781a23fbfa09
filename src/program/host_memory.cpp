#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <isofield/host.hpp>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <vector>

namespace isofield::host {
namespace {

/// More than any machine has: a slip of the keyboard.
constexpr int most_threads = 4096;
constexpr std::size_t huge_page = std::size_t{1} << 21;

/// Freed blocks kept for the next allocation of their class. A step of a solver frees what the next
/// one needs, and fresh pages are several times slower than used ones.
class Pool {
 public:
  struct Block {
    void* data;
    std::size_t bytes;
  };

  Block take(std::size_t bytes) {
    const int c = size_class(bytes);
    const std::size_t rounded = class_bytes(c);
    {
      const std::lock_guard lock(mutex_);
      auto& list = free_[static_cast<std::size_t>(c)];
      if (!list.empty()) {
        void* data = list.back();
        list.pop_back();
        kept_ -= rounded;
        return {data, rounded};
      }
    }
    const std::size_t alignment = rounded >= huge_page ? huge_page : 64;
    const std::size_t padded = (rounded + alignment - 1) / alignment * alignment;
    void* data = std::aligned_alloc(alignment, padded);
    if (!data) {
      release();
      data = std::aligned_alloc(alignment, padded);
      if (!data) throw std::bad_alloc();
    }
    if (alignment == huge_page) madvise(data, padded, MADV_HUGEPAGE);
    return {data, rounded};
  }

  void give(void* data, std::size_t bytes) {
    {
      const std::lock_guard lock(mutex_);
      if (kept_ + bytes <= most_kept) {
        free_[static_cast<std::size_t>(size_class(bytes))].push_back(data);
        kept_ += bytes;
        return;
      }
    }
    std::free(data);
  }

  void release() {
    const std::lock_guard lock(mutex_);
    for (auto& list : free_) {
      for (void* data : list) std::free(data);
      list.clear();
    }
    kept_ = 0;
  }

 private:
  static constexpr std::size_t most_kept = std::size_t{1} << 30;
  static constexpr int classes = 256;

  // Four classes a power of two: 64, 80, 96, 112, 128, 160, ...
  static int size_class(std::size_t bytes) {
    const std::size_t b = std::max<std::size_t>(bytes, 64) - 1;
    const int power = static_cast<int>(std::bit_width(b)) - 1;  // 2^power <= b
    const auto quarter = static_cast<int>((b >> (power - 2)) & 3);
    return (power - 5) * 4 + quarter;
  }
  static std::size_t class_bytes(int c) {
    const int power = c / 4 + 5, quarter = c % 4;
    return (std::size_t{1} << power) + (static_cast<std::size_t>(quarter + 1) << (power - 2));
  }

  std::mutex mutex_;
  std::array<std::vector<void*>, classes> free_;
  std::size_t kept_ = 0;
};

Pool& pool() {
  static Pool* instance = new Pool;  // never destroyed: arrays may outlive static objects
  return *instance;
}

}  // namespace

StoragePtr allocate(BaseBackend& backend, std::size_t bytes) {
  struct Pooled : Storage {
    explicit Pooled(std::size_t wanted) : block(pool().take(wanted)) {
      data = block.data;
      bytes = wanted;
    }
    ~Pooled() { pool().give(block.data, block.bytes); }
    Pool::Block block;
  };
  auto storage = std::make_shared<Pooled>(bytes);
  storage->backend = &backend;
  return storage;
}

StoragePtr wrap(BaseBackend& backend, void* data, std::size_t bytes, std::shared_ptr<void> owner) {
  auto storage = std::make_shared<Storage>();
  storage->backend = &backend;
  storage->data = data;
  storage->bytes = bytes;
  storage->owner = std::move(owner);
  storage->foreign = true;
  return storage;
}

void copy_bytes(Storage& to, std::size_t to_offset, const Storage& from, std::size_t from_offset,
                std::size_t bytes) {
  std::memcpy(static_cast<std::byte*>(to.data) + to_offset,
              static_cast<const std::byte*>(from.data) + from_offset, bytes);
}

int default_threads() {
  const char* value = std::getenv("ISOFIELD_THREADS");
  if (const std::string_view text = value ? value : ""; !text.empty()) {
    int threads = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), threads);
    if (error != std::errc() || end != text.data() + text.size() || threads < 0 ||
        threads > most_threads)
      throw ConfigError("ISOFIELD_THREADS: expected an integer from 0 to " +
                        std::to_string(most_threads) + ", got '" + std::string(text) + "'");
    if (threads > 0) return threads;
  }
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)));
}

}  // namespace isofield::host
