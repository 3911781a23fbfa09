#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <isofield/counted.hpp>
#include <isofield/dtype.hpp>
#include <isofield/layout.hpp>
#include <memory>
#include <string>
#include <string_view>

namespace isofield {

class BaseBackend;

/// Where memory lives and kernels run.
struct Device {
  enum class Kind : std::uint8_t { cpu, cuda, mps };
  Kind kind = Kind::cpu;
  int index = 0;

  friend bool operator==(const Device&, const Device&) = default;
  bool is_host() const noexcept { return kind == Kind::cpu; }
};
/// "cpu", "cuda:0", "mps".
std::string to_string(const Device& device);
/// Parse "cpu", "cuda", "cuda:1", "mps"; throws DeviceError.
Device device_from_name(std::string_view text);

/// A block of bytes on one device of one backend. What it is made of lives in classes derived from
/// it, or in `owner`.
class Storage {
 public:
  Storage() = default;
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  virtual ~Storage() = default;

  BaseBackend* backend = nullptr;
  void* data = nullptr;  ///< first byte; a device address where the device is not the host
  std::size_t bytes = 0;
  std::shared_ptr<void>
      owner;              ///< keeps the memory alive: a tensor, another storage, a user's object
  bool foreign = false;   ///< the memory is also somebody else's: it is never written in place
  bool symbolic = false;  ///< stands for memory that a trace fills in at each replay

  /// How many references there are to this storage.
  std::uint32_t users() const noexcept { return users_.load(std::memory_order_acquire); }

 protected:
  /// Called when the last reference has gone: ends this object or keeps it for later use.
  virtual void dispose() noexcept { delete this; }
  /// Used again, with one reference.
  void revive() noexcept { users_.store(1, std::memory_order_relaxed); }

 private:
  friend void retain(Storage* storage) noexcept {
    storage->users_.fetch_add(1, std::memory_order_relaxed);
  }
  friend void release(Storage* storage) noexcept {
    // The only holder needs no read-modify-write: nobody else is there to count.
    if (storage->users() == 1 || storage->users_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      storage->dispose();
  }
  std::atomic<std::uint32_t> users_{1};
};
using StoragePtr = CountedPtr<Storage>;

/// What a backend sees of an array: storage, dtype and layout.
struct View {
  Storage* storage = nullptr;
  DType dtype = DType::float64;
  Layout layout;

  const Shape& shape() const noexcept { return layout.shape; }
  template <class T>
  T* data() const noexcept {
    return static_cast<T*>(storage->data) + layout.offset;
  }
  /// Address of the first element of the view.
  std::byte* bytes() const noexcept {
    return static_cast<std::byte*>(storage->data) +
           layout.offset * static_cast<std::int64_t>(itemsize(dtype));
  }
};

}  // namespace isofield
