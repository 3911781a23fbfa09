#pragma once

#include <optional>

#include "program/host_pieces.hpp"
#include "program/host_run.hpp"

namespace isofield::host {

/// The operands of tridiagonal systems, each in memory or computed by a program where it is read.
template <class T>
class LineOperands {
 public:
  /// `bound`: the program; null where all are in memory.
  LineOperands(const LineSystems& systems, const BoundLaunch* bound) : bound_(bound) {
    for (std::size_t k = 0; k < 4; ++k) {
      const View* const view = systems.operands[k];
      memory_[k] = view ? reinterpret_cast<const T*>(view->bytes()) : nullptr;
      computed_ += !view;
    }
  }

  /// How many are computed where they are read.
  int computed() const noexcept { return computed_; }
  /// Compute all of them now, into memory of their own.
  void compute_all(Executor& executor);

  /// What one thread reads them by.
  class Reader {
   public:
    explicit Reader(const LineOperands& operands) : operands_(operands) {
      if (operands.computed_ > 0) tiles_.emplace(*operands.bound_);
    }
    /// Addresses of elements [begin, begin + n) in C order. Computed ones go to `room`, n elements
    /// for each.
    void read(std::int64_t begin, std::int64_t n, T* room, const T* (&at)[4]);

   private:
    const LineOperands& operands_;
    std::optional<BoundLaunch::Tiles> tiles_;
  };

 private:
  void run(BoundLaunch::Tiles& tiles, std::int64_t begin, std::int64_t end) const {
    const std::int64_t row = bound_->row_length();
    if (bound_->by_rows() && begin % row == 0 && end % row == 0)
      bound_->run_rows(tiles, begin / row, end / row);
    else
      bound_->run_range(tiles, begin, end);
  }

  const T* memory_[4];
  const BoundLaunch* bound_;
  int computed_ = 0;
  std::unique_ptr<T[]> own_;
};

template <class T>
void LineOperands<T>::Reader::read(std::int64_t begin, std::int64_t n, T* room, const T* (&at)[4]) {
  int o = 0;
  for (int k = 0; k < 4; ++k) {
    if (operands_.memory_[k]) {
      at[k] = operands_.memory_[k] + begin;
      continue;
    }
    at[k] = room + o * n;
    // Where element 0 would be.
    const auto address =
        reinterpret_cast<std::uintptr_t>(at[k]) - static_cast<std::uintptr_t>(begin) * sizeof(T);
    tiles_->outputs[o++] = reinterpret_cast<std::byte*>(address);
  }
  if (o > 0) operands_.run(*tiles_, begin, begin + n);
}

template <class T>
void LineOperands<T>::compute_all(Executor& executor) {
  const std::int64_t size = bound_->size();
  own_ = std::make_unique_for_overwrite<T[]>(static_cast<std::size_t>(size * computed_));
  const std::int64_t row = bound_->by_rows() ? bound_->row_length() : 1;
  const std::int64_t piece = std::max<std::int64_t>(1, (1 << 14) / row) * row;
  for_pieces((size + piece - 1) / piece, size > piece, executor, [&](std::int64_t i) {
    BoundLaunch::Tiles tiles(*bound_);
    for (int o = 0; o < computed_; ++o)
      tiles.outputs[o] = reinterpret_cast<std::byte*>(own_.get() + o * size);
    run(tiles, i * piece, std::min(size, (i + 1) * piece));
  });
  int o = 0;
  for (auto& memory : memory_)
    if (!memory) memory = own_.get() + o++ * size;
  computed_ = 0;
}

}  // namespace isofield::host
