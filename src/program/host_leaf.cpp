#include "program/host_leaf.hpp"

#include <algorithm>
#include <cstring>

namespace isofield::host {
namespace {

// Inlined, so that a stride of 1 is one for the loop, too.
template <class T>
[[gnu::always_inline]] inline void move_as(const std::byte* from, std::int64_t from_stride,
                                           std::int64_t n, std::byte* to, std::int64_t to_stride) {
  const T* f = reinterpret_cast<const T*>(from);
  T* t = reinterpret_cast<T*>(to);
#pragma GCC unroll 4
  for (std::int64_t i = 0; i < n; ++i) t[i * to_stride] = f[i * from_stride];
}

[[gnu::always_inline]] inline void move_strided(const std::byte* from, std::int64_t from_stride,
                                                std::int64_t n, std::int64_t size, std::byte* to,
                                                std::int64_t to_stride) {
  switch (size) {
    case 1: return move_as<std::uint8_t>(from, from_stride, n, to, to_stride);
    case 2: return move_as<std::uint16_t>(from, from_stride, n, to, to_stride);
    case 4: return move_as<std::uint32_t>(from, from_stride, n, to, to_stride);
    case 8: return move_as<std::uint64_t>(from, from_stride, n, to, to_stride);
    default:
      for (std::int64_t i = 0; i < n; ++i)
        std::memcpy(to + i * to_stride * size, from + i * from_stride * size,
                    static_cast<std::size_t>(size));
  }
}

std::int64_t mirror(std::int64_t i, std::int64_t n) {
  const std::int64_t period = 2 * n;
  i %= period;
  if (i < 0) i += period;
  return i < n ? i : period - 1 - i;
}

}  // namespace

void copy_strided(const std::byte* from, std::int64_t stride, std::int64_t n, std::int64_t size,
                  std::byte* to) {
  if (stride == 1)
    std::memcpy(to, from, static_cast<std::size_t>(n * size));
  else
    move_strided(from, stride, n, size, to, 1);
}

void scatter_strided(const std::byte* from, std::int64_t n, std::int64_t size, std::byte* to,
                     std::int64_t stride) {
  if (stride == 1)
    std::memcpy(to, from, static_cast<std::size_t>(n * size));
  else
    move_strided(from, 1, n, size, to, stride);
}

void HostLeaf::bind(const std::byte* base, std::int64_t size, Axis* axes, int rank) {
  rank_ = rank;
  size_ = size;
  base_ = base;
  axes_ = axes;
  delta_ = 0;
  std::int64_t inner = 1;
  bool contiguous = true, uniform = true, shifted = false;
  for (int k = rank - 1; k >= 0; --k) {
    Axis& axis = axes[k];
    axis.inner = inner;
    contiguous = contiguous && (axis.length == 1 || axis.stride == inner);
    uniform = uniform && (axis.length == 1 || axis.stride == 0);
    shifted = shifted || axis.offset != 0;
    delta_ += axis.offset * axis.stride;
    inner *= axis.length;
  }
  mode_ = shifted      ? (contiguous ? Mode::shifted : Mode::general)
          : contiguous ? Mode::flat
          : uniform    ? Mode::uniform
                       : Mode::general;
  inner_ = axes[rank - 1];
}

std::int64_t HostLeaf::offset_in_place(std::int64_t begin, std::int64_t n,
                                       bool row_ends) const noexcept {
  if (mode_ == Mode::flat) return begin * size_;
  if (mode_ != Mode::shifted) return nowhere;
  const std::int64_t at = position(begin, n);
  const bool found = at != nowhere && at >= 0 && at + n <= axes_[0].length * axes_[0].inner;
  return found && (!row_ends || inside_rows(begin, n)) ? at * size_ : nowhere;
}

const void* HostLeaf::slow_tile(std::int64_t begin, std::int64_t n, void* scratch,
                                bool row_ends) const {
  if (mode_ == Mode::shifted) {
    const std::int64_t at = position(begin, n);
    const bool found = at != nowhere;
    if (found && at >= 0 && at + n <= axes_[0].length * axes_[0].inner &&
        (!row_ends || inside_rows(begin, n)))
      return base_ + at * size_;
    if (found && row_ends && std::abs(inner_.offset) * 4 <= inner_.length) {
      copy_patched(begin, at, n, static_cast<std::byte*>(scratch));
      return scratch;
    }
  }
  gather(begin, n, static_cast<std::byte*>(scratch));
  return scratch;
}

// Along each shifted axis the run must stay inside, or in one step of the axis, which lies
// somewhere as a whole.
std::int64_t HostLeaf::position(std::int64_t begin, std::int64_t n) const noexcept {
  std::int64_t at = begin + delta_;
  for (int k = 0; k < rank_ - 1; ++k) {
    const Axis& axis = axes_[k];
    if (axis.offset == 0) continue;
    const std::int64_t block = axis.length * axis.inner;  // elements of one run along this axis
    const std::int64_t first = begin % block;
    const std::int64_t low = axis.offset < 0 ? -axis.offset * axis.inner : 0;
    const std::int64_t high = axis.offset > 0 ? block - axis.offset * axis.inner : block;
    if (first >= low && first + n <= high) continue;
    const std::int64_t step = first / axis.inner;
    if (first + n > (step + 1) * axis.inner) return nowhere;
    const Place p = place(axis, step);
    if (p.fill) return nowhere;
    at += (p.index - step - axis.offset) * axis.stride;
  }
  return at;
}

bool HostLeaf::inside_rows(std::int64_t begin, std::int64_t n) const noexcept {
  if (inner_.offset == 0) return true;
  const std::int64_t first = begin % inner_.length;
  const std::int64_t last = first + n + std::max<std::int64_t>(inner_.offset, 0);
  return first + inner_.offset >= 0 && last <= inner_.length;
}

// As if each row went on in the next one, then the columns for which that is wrong.
void HostLeaf::copy_patched(std::int64_t begin, std::int64_t at, std::int64_t n,
                            std::byte* to) const {
  const std::int64_t row = inner_.length;
  const std::int64_t low = std::clamp<std::int64_t>(-at, 0, n);
  const std::int64_t high = std::clamp<std::int64_t>(axes_[0].length * axes_[0].inner - at, low, n);
  std::memcpy(to + low * size_, base_ + (at + low) * size_,
              static_cast<std::size_t>((high - low) * size_));
  const std::int64_t first = begin % row;
  const std::int64_t from = inner_.offset > 0 ? row - inner_.offset : 0;
  const std::int64_t end = inner_.offset > 0 ? row : -inner_.offset;
  for (std::int64_t c = from; c < end; ++c) {
    const std::int64_t i = (c - first + row) % row;
    if (i >= n) continue;
    const Place p = place(inner_, c);
    const std::int64_t rows = (n - i + row - 1) / row;
    std::byte* target = to + i * size_;
    if (p.fill)
      move_strided(p.fill, 0, rows, size_, target, row);
    else
      move_strided(base_ + (at - inner_.offset + i - c + p.index) * size_, row, rows, size_, target,
                   row);
  }
}

HostLeaf::Place HostLeaf::place(const Axis& axis, std::int64_t i) noexcept {
  i += axis.offset;
  if (i >= 0 && i < axis.length) return {i, nullptr};
  switch (axis.boundary) {
    case Boundary::periodic: {
      const std::int64_t r = i % axis.length;
      return {r < 0 ? r + axis.length : r, nullptr};
    }
    case Boundary::clamp: return {i < 0 ? 0 : axis.length - 1, nullptr};
    case Boundary::reflect: return {mirror(i, axis.length), nullptr};
    case Boundary::constant: break;
  }
  return {0, axis.fill};
}

void HostLeaf::gather_row(const std::byte* row, std::int64_t begin, std::int64_t n,
                          std::byte* to) const {
  const std::int64_t step = inner_.stride * size_;
  // [low, high) of the run needs no boundary rule.
  const std::int64_t low = std::clamp<std::int64_t>(-inner_.offset - begin, 0, n);
  const std::int64_t high = std::clamp<std::int64_t>(inner_.length - inner_.offset - begin, low, n);
  const auto ruled = [&](std::int64_t i) {
    const Place p = place(inner_, begin + i);
    std::memcpy(to + i * size_, p.fill ? p.fill : row + p.index * step,
                static_cast<std::size_t>(size_));
  };
  for (std::int64_t i = 0; i < low; ++i) ruled(i);
  if (high > low)
    copy_strided(row + (begin + low + inner_.offset) * step, inner_.stride, high - low, size_,
                 to + low * size_);
  for (std::int64_t i = high; i < n; ++i) ruled(i);
}

void HostLeaf::gather(std::int64_t begin, std::int64_t n, std::byte* to) const {
  std::int64_t at[Dims::max_rank];
  std::int64_t rest = begin;
  for (int k = rank_ - 1; k >= 0; --k) {
    at[k] = rest % axes_[k].length;
    rest /= axes_[k].length;
  }
  const int last = rank_ - 1;
  while (n > 0) {
    const std::byte* row = base_;
    const std::byte* fill = nullptr;
    for (int k = 0; k < last; ++k) {
      const Place p = place(axes_[k], at[k]);
      if (p.fill) fill = p.fill;
      row += p.index * axes_[k].stride * size_;
    }
    const std::int64_t run = std::min(n, inner_.length - at[last]);
    if (fill)
      copy_strided(fill, 0, run, size_, to);
    else
      gather_row(row, at[last], run, to);
    to += run * size_;
    n -= run;
    at[last] = 0;
    for (int k = last - 1; k >= 0 && ++at[k] == axes_[k].length; --k) at[k] = 0;
  }
}

bool HostLeaf::shares_columns(const HostLeaf& other) const noexcept {
  const auto same_rule = [](const Axis& a, const Axis& b) {
    return a.boundary == b.boundary && a.fill == b.fill;
  };
  for (int k = 0; k < rank_ - 2; ++k)
    if (axes_[k].offset != other.axes_[k].offset ||
        (axes_[k].offset != 0 && !same_rule(axes_[k], other.axes_[k])))
      return false;
  const Axis &mine = axes_[rank_ - 2], &its = other.axes_[rank_ - 2];
  return mine.offset == 0 || its.offset == 0 || same_rule(mine, its);
}

void HostLeaf::column(Place column, std::int64_t row, std::int64_t n, std::int64_t lead,
                      std::int64_t trail, std::byte* to) const {
  const std::int64_t total = lead + n + trail;
  if (column.fill) return copy_strided(column.fill, 0, total, size_, to);
  const std::byte* start = base_ + column.index * inner_.stride * size_;
  Axis rows = axes_[rank_ - 2];
  rows.offset = 0;
  const std::int64_t first = row % rows.length - lead;
  row /= rows.length;
  for (int k = rank_ - 3; k >= 0; --k) {
    const Place p = place(axes_[k], row % axes_[k].length);
    if (p.fill) return copy_strided(p.fill, 0, total, size_, to);
    start += p.index * axes_[k].stride * size_;
    row /= axes_[k].length;
  }
  const std::int64_t step = rows.stride * size_;
  const auto ruled = [&](std::int64_t i) {
    const Place p = place(rows, first + i);
    std::memcpy(to + i * size_, p.fill ? p.fill : start + p.index * step,
                static_cast<std::size_t>(size_));
  };
  const std::int64_t low = std::clamp<std::int64_t>(-first, 0, total);
  const std::int64_t high = std::clamp<std::int64_t>(rows.length - first, low, total);
  for (std::int64_t i = 0; i < low; ++i) ruled(i);
  copy_strided(start + (first + low) * step, rows.stride, high - low, size_, to + low * size_);
  for (std::int64_t i = high; i < total; ++i) ruled(i);
}

}  // namespace isofield::host
