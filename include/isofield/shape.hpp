#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>

namespace isofield {

/// A short list of integers, one an axis: a shape, strides or offsets. Up to six live in place.
class Dims {
 public:
  static constexpr int inline_capacity = 6;
  /// The largest rank of an array.
  static constexpr int max_rank = 32;

  Dims() noexcept = default;
  Dims(std::initializer_list<std::int64_t> values);
  explicit Dims(std::span<const std::int64_t> values);
  /// `rank` copies of `value`.
  Dims(int rank, std::int64_t value);
  Dims(const Dims& other) {
    if (other.rank_ <= inline_capacity)
      copy(other);
    else
      assign(other.data(), other.rank_);
  }
  Dims(Dims&& other) noexcept { take(other); }
  Dims& operator=(const Dims& other) {
    if (rank_ > inline_capacity || other.rank_ > inline_capacity) return *this = Dims(other);
    copy(other);
    return *this;
  }
  Dims& operator=(Dims&& other) noexcept {
    if (this != &other) {
      if (rank_ > inline_capacity) delete[] heap_;
      take(other);
    }
    return *this;
  }
  ~Dims() {
    if (rank_ > inline_capacity) delete[] heap_;
  }

  int size() const noexcept { return rank_; }
  bool empty() const noexcept { return rank_ == 0; }
  const std::int64_t* data() const noexcept { return rank_ > inline_capacity ? heap_ : inline_; }
  std::int64_t* data() noexcept { return rank_ > inline_capacity ? heap_ : inline_; }
  std::int64_t operator[](int i) const noexcept { return data()[i]; }
  std::int64_t& operator[](int i) noexcept { return data()[i]; }
  const std::int64_t* begin() const noexcept { return data(); }
  const std::int64_t* end() const noexcept { return data() + rank_; }
  std::int64_t* begin() noexcept { return data(); }
  std::int64_t* end() noexcept { return data() + rank_; }
  std::int64_t back() const noexcept { return data()[rank_ - 1]; }

  void push_back(std::int64_t value);
  void insert(int position, std::int64_t value);
  void erase(int position);

  friend bool operator==(const Dims& a, const Dims& b) noexcept {
    if (a.rank_ != b.rank_) return false;
    const std::int64_t *x = a.data(), *y = b.data();
    for (int i = 0; i < a.rank_; ++i)
      if (x[i] != y[i]) return false;
    return true;
  }

 private:
  void assign(const std::int64_t* values, int rank);
  // All that may be there: a length known when compiling takes three instructions, and no branch.
  void copy(const Dims& other) noexcept {
    rank_ = other.rank_;
    std::memcpy(inline_, other.inline_, sizeof inline_);
  }
  void take(Dims& other) noexcept {
    copy(other);  // `heap_` with them
    other.rank_ = 0;
  }

  int rank_ = 0;
  union {
    std::int64_t inline_[inline_capacity] = {};
    std::int64_t* heap_;
  };
};

using Shape = Dims;
using Strides = Dims;

/// Number of elements of a shape; 1 for rank 0. Throws ShapeError on overflow or a negative size.
std::int64_t element_count(const Shape& shape);
/// Strides, in elements, of a C-ordered array of this shape.
Strides contiguous_strides(const Shape& shape);
/// The shape two shapes broadcast to; throws ShapeError that names `operation`.
Shape broadcast_shapes(const Shape& a, const Shape& b, std::string_view operation = "broadcast");
/// Python's way to print a shape: "(3, 4)", "(3,)", "()".
std::string to_string(const Dims& dims);
/// Turn an axis in [-rank, rank) into [0, rank); throws IndexError that names `operation`.
int normalize_axis(std::int64_t axis, int rank, std::string_view operation);

}  // namespace isofield
