#include <isofield/error.hpp>
#include <isofield/shape.hpp>

namespace isofield {

Dims::Dims(std::initializer_list<std::int64_t> values)
    : Dims(std::span<const std::int64_t>(values.begin(), values.size())) {}

Dims::Dims(std::span<const std::int64_t> values) {
  if (values.size() > max_rank)
    throw ShapeError("rank " + std::to_string(values.size()) + " is above the largest, 32");
  assign(values.data(), static_cast<int>(values.size()));
}

// Delegating: should a push throw, what the first ones took is freed.
Dims::Dims(int rank, std::int64_t value) : Dims() {
  for (int i = 0; i < rank; ++i) push_back(value);
}

void Dims::assign(const std::int64_t* values, int rank) {
  if (rank > inline_capacity) heap_ = new std::int64_t[max_rank];
  rank_ = rank;
  for (int i = 0; i < rank; ++i) data()[i] = values[i];
}

void Dims::push_back(std::int64_t value) { insert(rank_, value); }

void Dims::insert(int position, std::int64_t value) {
  if (rank_ == max_rank) throw ShapeError("rank 33 is above the largest, 32");
  if (rank_ == inline_capacity) {
    auto* heap = new std::int64_t[max_rank];
    for (int i = 0; i < rank_; ++i) heap[i] = inline_[i];
    heap_ = heap;
    ++rank_;
  } else {
    ++rank_;
  }
  std::int64_t* d = data();
  for (int i = rank_ - 1; i > position; --i) d[i] = d[i - 1];
  d[position] = value;
}

void Dims::erase(int position) {
  std::int64_t* d = data();
  for (int i = position; i + 1 < rank_; ++i) d[i] = d[i + 1];
  if (rank_ == inline_capacity + 1) {
    for (int i = 0; i < inline_capacity; ++i) inline_[i] = d[i];  // d is the heap block
    delete[] d;
  }
  --rank_;
}

std::int64_t element_count(const Shape& shape) {
  std::int64_t count = 1;
  bool empty = false;
  for (const auto n : shape) {
    if (n < 0) throw ShapeError("shape " + to_string(shape) + " has a negative length");
    if (n == 0)
      empty = true;
    else if (__builtin_mul_overflow(count, n, &count))
      throw ShapeError("shape " + to_string(shape) + " has more elements than fit in 64 bits");
  }
  return empty ? 0 : count;
}

Strides contiguous_strides(const Shape& shape) {
  Strides strides = shape;
  std::int64_t step = 1;
  for (int i = shape.size() - 1; i >= 0; --i) {
    strides[i] = step;
    // Strides of no elements mean nothing, and may not fit.
    (void)__builtin_mul_overflow(step, shape[i], &step);
  }
  return strides;
}

Shape broadcast_shapes(const Shape& a, const Shape& b, std::string_view operation) {
  if (a == b) return a;
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  Shape result = longer;
  const int skip = longer.size() - shorter.size();
  for (int i = 0; i < shorter.size(); ++i) {
    auto& n = result[skip + i];
    if (n == 1) {
      n = shorter[i];
    } else if (shorter[i] != 1 && shorter[i] != n) {
      throw ShapeError(std::string(operation) + ": shapes " + to_string(a) + " and " +
                       to_string(b) + " do not broadcast: " + std::to_string(n) + " != " +
                       std::to_string(shorter[i]) + " along axis " + std::to_string(skip + i));
    }
  }
  return result;
}

std::string to_string(const Dims& dims) {
  std::string text = "(";
  for (int i = 0; i < dims.size(); ++i) text += (i ? ", " : "") + std::to_string(dims[i]);
  return text + (dims.size() == 1 ? ",)" : ")");
}

int normalize_axis(std::int64_t axis, int rank, std::string_view operation) {
  if (axis < -rank || axis >= rank)
    throw IndexError(std::string(operation) + ": axis " + std::to_string(axis) +
                     " is out of range for an array of rank " + std::to_string(rank));
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

}  // namespace isofield
