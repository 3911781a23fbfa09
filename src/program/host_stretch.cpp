#include "program/host_stretch.hpp"

#include <algorithm>
#include <cmath>

namespace isofield::host {

template <class T>
std::int64_t Stretch<T>::memory(std::int64_t n) {
  const std::int64_t parts = parts_of(n), rows = (n + parts - 1) / parts;
  // factor, out and fill; head; the first rows; the systems of the parts, and x.
  return 3 * rows * parts + 3 * parts + 4 * parts * parts + 5 * parts;
}

template <class T>
Stretch<T>::Stretch(const LineKernels& kernels, const T* const (&operands)[4], std::int64_t n,
                    bool begins, T* memory)
    : kernels_(kernels),
      n_(n),
      parts_(parts_of(n)),
      rows_((n + parts_ - 1) / parts_),
      more_(parts_ * rows_ - n),
      begins_(begins),
      factor_(memory),
      out_(factor_ + rows_ * parts_),
      fill_(out_ + rows_ * parts_),
      head_(fill_ + rows_ * parts_),
      tile_(head_ + 3 * parts_) {
  for (int k = 0; k < 4; ++k) joined_[k] = tile_ + (4 * parts_ + k) * parts_;
  eliminate_first_rows(operands);
  const std::int64_t first = more_ + 1;
  for (int k = 0; k < 4; ++k) {
    rest_.operands[k] = operands[k] + 1;
    rest_.lane_strides[k] = rows_;
  }
  rest_.lanes = parts_;
  rest_.factor = row(factor_, first);
  rest_.out = row(out_, first);
  rest_.fill = row(fill_, first);
  rest_.head = head_;
  rest_.rows = rows_ - first;
  kernels_.lanes_forward[parts_ == 8 ? 0 : 1](rest_);
  void* const joined[4] = {joined_[0], joined_[1], joined_[2], joined_[3]};
  kernels_.join({row(factor_, rows_ - 1),
                 row(out_, rows_ - 1),
                 row(fill_, rows_ - 1),
                 {head_, head_ + parts_, head_ + 2 * parts_}},
                parts_, joined);
}

template <class T>
LineSweep Stretch<T>::first_rows() const {
  LineSweep s{};
  for (int k = 0; k < 4; ++k) {
    s.operands[k] = tile_ + k * parts_ * parts_;
    s.strides[k] = parts_;
  }
  s.factor = factor_;
  s.out = out_;
  s.fill = fill_;
  s.head = head_;
  s.factor_stride = s.out_stride = s.width = parts_;
  s.begins = true;
  s.rows = more_ + 1;
  return s;
}

template <class T>
void Stretch<T>::eliminate_first_rows(const T* const (&operands)[4]) {
  constexpr T same_as_before[4] = {-1, 1, 0, 0};
  for (int k = 0; k < 4; ++k) {
    T* to = tile_ + k * parts_ * parts_;
    for (std::int64_t j = 0; j < more_; ++j) to[j * parts_] = same_as_before[k];
    to[more_ * parts_] = operands[k][0];
    for (std::int64_t p = 1; p < parts_; ++p) {
      const T* const part = operands[k] + p * rows_ - more_;
      for (std::int64_t j = 0; j <= more_; ++j) to[j * parts_ + p] = part[j];
    }
  }
  if (begins_) tile_[more_ * parts_] = T(0);  // lower of the first row, which may hold anything
  kernels_.forward(first_rows());
  // The first part's first unknown is that of row `more_`, which says no more yet than x[0] = x[0].
  head_[0] = head_[parts_] = T(0);
  head_[2 * parts_] = T(-1);
}

// What is left of the parts, one row for each.
template <class T>
LineSweep Stretch<T>::joined_rows(T* factor, T* out) const {
  LineSweep s{};
  for (int k = 0; k < 4; ++k) {
    s.operands[k] = joined_[k];
    s.strides[k] = 1;
  }
  s.factor = factor;
  s.out = out;
  s.factor_stride = s.out_stride = s.width = 1;
  s.begins = true;
  s.rows = parts_;
  return s;
}

template <class T>
void Stretch<T>::leave(const EndRows<T>& to, std::int64_t at) const {
  T factor[most_parts], out[most_parts], fill[most_parts], head[3], head_of_all[3];
  LineSweep s = joined_rows(factor, out);
  s.fill = fill;
  s.head = head;
  kernels_.forward(s);
  const int last = parts_ - 1;
  kernels_.join_heads({nullptr, nullptr, nullptr, {head_, head_ + parts_, head_ + 2 * parts_}},
                      {nullptr, nullptr, nullptr, {head, head + 1, head + 2}}, head_of_all);
  const T values[6] = {factor[last],   out[last],      fill[last],
                       head_of_all[0], head_of_all[1], head_of_all[2]};
  for (int k = 0; k < 6; ++k) to.row[k][at] = values[k];
}

template <class T>
bool Stretch<T>::solve(const T* before, const T* behind, T* x) {
  T factor[most_parts], last[most_parts], left[most_parts];
  if (before) joined_[3][0] -= joined_[0][0] * *before;
  if (behind) joined_[3][parts_ - 1] -= joined_[2][parts_ - 1] * *behind;
  const LineSweep s = joined_rows(factor, last);
  kernels_.forward(s);
  kernels_.backward(s, nullptr);
  for (int p = 0; p < parts_; ++p)
    if (!std::isfinite(last[p])) return false;
  left[0] = before ? *before : T(0);
  std::copy_n(last, parts_ - 1, left + 1);
  const std::int64_t first = more_ + 1;
  rest_.lines = x + 1;
  rest_.line_stride = rows_;
  kernels_.lanes_backward[parts_ == 8 ? 0 : 1](rest_, left, last);
  std::copy_n(last, parts_, row(out_, first));
  LineSweep head = first_rows();
  head.rows = first + 1;
  kernels_.backward(head, left);
  for (std::int64_t j = 0; j < first; ++j)
    for (std::int64_t p = 0; p < parts_; ++p) {
      const std::int64_t i = p * rows_ - more_ + j;
      if (i >= 0) x[i] = row(out_, j)[p];
    }
  return true;
}

template class Stretch<float>;
template class Stretch<double>;

}  // namespace isofield::host
