#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <isofield/host.hpp>
#include <new>
#include <string>
#include <string_view>

#include "core/storage_pool.hpp"

namespace isofield::host {
namespace {

/// More than any machine has: a slip of the keyboard.
constexpr int most_threads = 4096;

/// Memory from the system, aligned to cache lines, or to huge pages where it fills some.
class Block {
 public:
  explicit Block(std::size_t bytes) {
    constexpr std::size_t line = 64, huge_page = std::size_t{1} << 21;
    if (posix_memalign(&data_, bytes < 2 * huge_page ? line : huge_page, bytes) != 0)
      throw std::bad_alloc();
    advise_huge_pages(data_, bytes);
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() { std::free(data_); }
  void* data() const noexcept { return data_; }

 private:
  void* data_ = nullptr;
};

StoragePool<Block>& pool() {
  static auto* storages = new StoragePool<Block>;  // never destroyed: arrays may outlive statics
  return *storages;
}

}  // namespace

StoragePtr allocate(BaseBackend& backend, std::size_t bytes) {
  return pool().allocate(backend, bytes);
}

StoragePtr wrap(BaseBackend& backend, void* data, std::size_t bytes, std::shared_ptr<void> owner) {
  StoragePtr storage(new Storage);
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
