#pragma once

#include <functional>
#include <utility>

namespace isofield {

/// A counted reference to a T, whose `retain(T*)` and `release(T*)` count.
template <class T>
class CountedPtr {
 public:
  CountedPtr() noexcept = default;
  CountedPtr(std::nullptr_t) noexcept {}  // NOLINT: implicit, as other pointers
  explicit CountedPtr(T* adopted) noexcept : held_(adopted) {}
  CountedPtr(const CountedPtr& other) noexcept : held_(other.held_) {
    if (held_) retain(held_);
  }
  CountedPtr(CountedPtr&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
  CountedPtr& operator=(CountedPtr other) noexcept {
    std::swap(held_, other.held_);
    return *this;
  }
  ~CountedPtr() {
    if (held_) release(held_);
  }
  /// One more reference to what somebody holds already.
  static CountedPtr share(T* held) noexcept {
    retain(held);
    return CountedPtr(held);
  }

  T* get() const noexcept { return held_; }
  T* operator->() const noexcept { return held_; }
  T& operator*() const noexcept { return *held_; }
  explicit operator bool() const noexcept { return held_ != nullptr; }
  void reset() noexcept { *this = CountedPtr(); }
  friend bool operator==(const CountedPtr&, const CountedPtr&) = default;

 private:
  T* held_ = nullptr;
};

}  // namespace isofield

template <class T>
struct std::hash<isofield::CountedPtr<T>> {
  std::size_t operator()(const isofield::CountedPtr<T>& p) const noexcept {
    return std::hash<T*>()(p.get());
  }
};
