#pragma once

#include <array>
#include <isofield/host.hpp>
#include <span>
#include <type_traits>
#include <vector>

#include "program/host_pieces.hpp"
#include "program/thresholds.hpp"

/// What the kernels that move, order or select elements share.
namespace isofield::host {

/// Sums and products; those of integers wrap around, those of complex numbers are what `multiply`
/// gives, also of infinities.
template <class T>
T wrapped_sum(T a, T b) {
  if constexpr (std::is_same_v<T, bool>)
    return a || b;
  else if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  else
    return a + b;
}
template <class T>
T wrapped_product(T a, T b) {
  if constexpr (std::is_same_v<T, bool>)
    return a && b;
  else if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  else if constexpr (is_complex_type<T>)
    return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
  else
    return a * b;
}
/// The smaller or the larger of two; NaN if one is.
template <class T>
T least(T a, T b) {
  return a != a || a < b ? a : b;
}
template <class T>
T largest(T a, T b) {
  return a != a || b < a ? a : b;
}

/// Call `f` with the function of two elements that a fold applies. Complex numbers have no order.
template <class T, class F>
void with_fold(Arrangement::Fold fold, F&& f) {
  using Fold = Arrangement::Fold;
  if (fold == Fold::sum) return f([](T a, T b) { return wrapped_sum(a, b); });
  if (fold == Fold::prod) return f([](T a, T b) { return wrapped_product(a, b); });
  if constexpr (!is_complex_type<T>) {
    if (fold == Fold::min) return f([](T a, T b) { return least(a, b); });
    if (fold == Fold::max) return f([](T a, T b) { return largest(a, b); });
  }
}

/// A walk in C order over axes that several operands step along together. Axes that step on evenly
/// in all operands are joined.
class Walk {
 public:
  static constexpr int most_operands = Dims::max_rank + 2;
  using Offsets = std::array<std::int64_t, most_operands>;

  explicit Walk(int operands) : operands_(operands) {}
  /// Add a last axis; operand k steps by strides[k].
  void add(std::int64_t length, std::span<const std::int64_t> strides, bool join = true);
  /// Add axes `from` to `to` of layouts that have the same axes.
  void add(const Layout& a, const Layout& b, int from, int to);

  std::int64_t size() const noexcept { return size_; }
  std::int64_t length() const noexcept { return axes_.empty() ? 1 : axes_.back().length; }
  /// How operand k steps along the last axis.
  std::int64_t step(int k) const noexcept {
    return axes_.empty() ? 0 : axes_.back().strides[static_cast<std::size_t>(k)];
  }
  /// Where operand k is at `place`.
  std::int64_t offset(int k, std::int64_t place) const;
  /// The walk without its last axis, along which each operand takes `step`.
  Walk without_last() const;

  /// Call `f(place, offsets, count)` for the runs along the last axis from place `begin` to `end`.
  template <class F>
  void runs(std::int64_t begin, std::int64_t end, F&& f) const;

 private:
  struct Axis {
    std::int64_t length;
    Offsets strides;
  };
  int operands_;
  std::int64_t size_ = 1;
  std::vector<Axis> axes_;
};

template <class F>
void Walk::runs(std::int64_t begin, std::int64_t end, F&& f) const {
  if (begin >= end) return;
  Offsets offsets = {};
  if (axes_.empty()) return f(std::int64_t{0}, offsets, std::int64_t{1});
  std::array<std::int64_t, Dims::max_rank + 1> at;
  std::int64_t rest = begin;
  for (std::size_t a = axes_.size(); a-- > 0;) {
    at[a] = rest % axes_[a].length;
    rest /= axes_[a].length;
    for (int k = 0; k < operands_; ++k)
      offsets[static_cast<std::size_t>(k)] += at[a] * axes_[a].strides[static_cast<std::size_t>(k)];
  }
  const auto advance = [&](std::size_t a, std::int64_t by) {
    at[a] += by;
    for (int k = 0; k < operands_; ++k)
      offsets[static_cast<std::size_t>(k)] += by * axes_[a].strides[static_cast<std::size_t>(k)];
  };
  const std::size_t last = axes_.size() - 1;
  for (std::int64_t place = begin;;) {
    const std::int64_t count = std::min(axes_[last].length - at[last], end - place);
    f(place, offsets, count);
    place += count;
    if (place == end) return;
    advance(last, count);
    for (std::size_t a = last; a > 0 && at[a] == axes_[a].length; --a) {
      advance(a, -axes_[a].length);
      advance(a - 1, 1);
    }
  }
}

/// Elements that one piece of work moves.
inline constexpr std::int64_t arranged_piece = 1 << 15;

/// Call `f(begin, end)` for pieces of [0, size) of about `piece` each.
template <class F>
void for_ranges(std::int64_t size, std::int64_t piece, bool parallel, Executor& executor, F&& f) {
  piece = std::max<std::int64_t>(piece, 1);
  for_pieces((size + piece - 1) / piece, parallel, executor,
             [&](std::int64_t p) { f(p * piece, std::min((p + 1) * piece, size)); });
}

/// What walks along lines: the last axis of `in` and `out` is the line, the others are walked.
struct LinesWalk {
  LinesWalk(const Layout& in, const Layout& out, int out_rank);
  Walk across{2};
  std::int64_t n = 0, in_step = 0, out_step = 0;
};

std::optional<BadIndex> gather(const Arrangement& arrangement, std::span<const View> in,
                               const View& out, Executor& executor);
std::optional<BadIndex> scatter(const Arrangement& arrangement, std::span<const View> in,
                                const View& out);
void compress(const Arrangement& arrangement, const View& in, const View& mask, const View& out,
              Executor& executor);
void nonzero(const View& mask, std::span<const View> out, Executor& executor);
void sort(const Arrangement& arrangement, const View& in, std::span<const View> out,
          Executor& executor);
void scan(const Arrangement& arrangement, const View& in, const View& out, Executor& executor);
void extremum(const Arrangement& arrangement, const View& in, const View& out, Executor& executor);
void search(const Arrangement& arrangement, const View& sorted, const View& values, const View& out,
            Executor& executor);

}  // namespace isofield::host
