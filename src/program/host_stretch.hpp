#pragma once

#include <cstdint>

#include "program/kernels/kernel_table.hpp"

namespace isofield::host {

/// What is left of stretches: an array of each quantity that StretchEnds names.
template <class T>
struct EndRows {
  /// Rows of `n` elements, from `memory` on, which holds 6 n.
  EndRows(T* memory, std::int64_t n) {
    for (int k = 0; k < 6; ++k) row[k] = memory + k * n;
  }
  StretchEnds ends() const { return {row[0], row[1], row[2], {row[3], row[4], row[5]}}; }
  T* row[6];  ///< factor, out, fill, head
};

/// Consecutive rows of one tridiagonal system, at least `shortest`, in equal parts that are
/// eliminated side by side. How many parts depends on the number of rows alone, so results do not
/// depend on the instruction set or on threads.
template <class T>
class Stretch {
 public:
  static constexpr std::int64_t shortest = 64;
  /// Elements of memory that n rows need.
  static std::int64_t memory(std::int64_t n);

  /// Eliminate n rows; nothing comes before them if `begins`.
  Stretch(const LineKernels& kernels, const T* const (&operands)[4], std::int64_t n, bool begins,
          T* memory);

  /// Write what is left of these rows into element `at` of `to`.
  void leave(const EndRows<T>& to, std::int64_t at) const;
  /// Write the solution to x[0..n), given the unknown before, null where there is none, and the one
  /// behind. False, and nothing is written, where it is not finite.
  bool solve(const T* before, const T* behind, T* x);

 private:
  static int parts_of(std::int64_t n) { return n < 512 ? 8 : 16; }
  static constexpr int most_parts = 16;

  void eliminate_first_rows(const T* const (&operands)[4]);
  LineSweep first_rows() const;
  LineSweep joined_rows(T* factor, T* out) const;
  /// Rows of factor, out or fill.
  T* row(T* array, std::int64_t i) const { return array + i * parts_; }

  const LineKernels& kernels_;
  const std::int64_t n_;
  const int parts_;
  const std::int64_t rows_;  ///< of each part
  /// The first part has so many rows more than the line gives: they say x[i] = x[i - 1].
  const std::int64_t more_;
  const bool begins_;
  T *factor_, *out_, *fill_, *head_, *tile_;
  T* joined_[4];
  LaneSweep rest_{};
};

}  // namespace isofield::host
