#include <algorithm>
#include <isofield/error.hpp>
#include <isofield/layout.hpp>

namespace isofield {
namespace {

/// The first element, count and step that Python's rules give a slice of an axis of length `n`.
struct Range {
  std::int64_t start, count, step;
};

Range resolve(const Slice& s, std::int64_t n) {
  if (s.step == 0) throw IndexError("index: a slice's step must not be 0");
  const auto clamp_end = [n, &s](std::int64_t i) {
    if (i < 0) i += n;
    return s.step > 0 ? std::clamp<std::int64_t>(i, 0, n) : std::clamp<std::int64_t>(i, -1, n - 1);
  };
  const std::int64_t start = s.start ? clamp_end(*s.start) : (s.step > 0 ? 0 : n - 1);
  const std::int64_t stop = s.stop ? clamp_end(*s.stop) : (s.step > 0 ? n : -1);
  const std::int64_t span = s.step > 0 ? stop - start : start - stop;
  // Unsigned: the magnitude of the smallest step is no std::int64_t.
  const auto stride = s.step > 0 ? static_cast<std::uint64_t>(s.step)
                                 : std::uint64_t{0} - static_cast<std::uint64_t>(s.step);
  const auto steps = span <= 0 ? 0 : (static_cast<std::uint64_t>(span) - 1) / stride + 1;
  return {start, static_cast<std::int64_t>(steps), s.step};
}

struct IndexWalk {
  const Layout& from;
  Layout to;
  int axis = 0;

  void operator()(std::int64_t i) {
    const std::int64_t n = from.shape[axis];
    if (i < -n || i >= n)
      throw IndexError("index: " + std::to_string(i) + " is out of range for axis " +
                       std::to_string(axis) + " of length " + std::to_string(n));
    to.offset += (i < 0 ? i + n : i) * from.strides[axis];
    ++axis;
  }
  void operator()(const Slice& s) {
    const Range r = resolve(s, from.shape[axis]);
    if (r.count > 0) to.offset += r.start * from.strides[axis];
    to.shape.push_back(r.count);
    // The stride of an axis of one element means nothing, and might not fit.
    to.strides.push_back(r.count > 1 ? r.step * from.strides[axis] : from.strides[axis]);
    ++axis;
  }
  void operator()(NewAxis) {
    to.shape.push_back(1);
    to.strides.push_back(0);
  }
  void keep(int count) {
    for (int k = 0; k < count; ++k, ++axis) {
      to.shape.push_back(from.shape[axis]);
      to.strides.push_back(from.strides[axis]);
    }
  }
};

}  // namespace

bool is_contiguous(const Shape& shape, const Strides& strides) noexcept {
  std::int64_t step = 1;
  for (int i = shape.size() - 1; i >= 0; --i) {
    if (shape[i] == 0) return true;
    if (shape[i] != 1 && strides[i] != step) return false;
    (void)__builtin_mul_overflow(step, shape[i], &step);  // too large only if there are no elements
  }
  return true;
}

std::pair<std::int64_t, std::int64_t> Layout::reach() const {
  std::int64_t first = offset, last = offset;
  for (int k = 0; k < rank(); ++k) {
    std::int64_t span = 0;
    std::int64_t& end = strides[k] < 0 ? first : last;
    if (__builtin_mul_overflow(shape[k] - 1, strides[k], &span) ||
        __builtin_add_overflow(end, span, &end))
      throw ShapeError("shape " + to_string(shape) + " with strides " + to_string(strides) +
                       " reaches further than 64 bits can say");
  }
  return {first, last};
}

Layout Layout::index(std::span<const Index> indices) const {
  int used = 0, dropped = 0, added = 0, ellipses = 0;
  for (const auto& index : indices) {
    used += std::holds_alternative<std::int64_t>(index.value()) ||
            std::holds_alternative<Slice>(index.value());
    dropped += std::holds_alternative<std::int64_t>(index.value());
    added += std::holds_alternative<NewAxis>(index.value());
    ellipses += std::holds_alternative<Ellipsis>(index.value());
  }
  if (ellipses > 1) throw IndexError("index: more than one ellipsis");
  if (used > rank())
    throw IndexError("index: " + std::to_string(used) + " indices for an array of rank " +
                     std::to_string(rank()));
  if (rank() - dropped + added > Dims::max_rank)
    throw IndexError("index: new axes make rank " + std::to_string(rank() - dropped + added) +
                     ", above the largest, " + std::to_string(Dims::max_rank));
  IndexWalk walk{*this, Layout({}, {}, offset)};
  for (const auto& index : indices) {
    if (std::holds_alternative<Ellipsis>(index.value()))
      walk.keep(rank() - used);
    else if (const auto* i = std::get_if<std::int64_t>(&index.value()))
      walk(*i);
    else if (const auto* s = std::get_if<Slice>(&index.value()))
      walk(*s);
    else
      walk(NewAxis{});
  }
  walk.keep(rank() - walk.axis);
  return std::move(walk.to);
}

Layout Layout::permute(std::span<const int> axes) const {
  std::uint64_t seen = 0;
  bool good = static_cast<int>(axes.size()) == rank();
  for (const int axis : axes) {
    good = good && axis >= 0 && axis < rank() && !((seen >> axis) & 1);
    if (good) seen |= std::uint64_t{1} << axis;
  }
  if (!good)
    throw ShapeError("permute_dims: axes must be a permutation of 0.." +
                     std::to_string(rank() - 1) + " for shape " + to_string(shape));
  Layout result = *this;
  for (int i = 0; i < rank(); ++i) {
    result.shape[i] = shape[axes[static_cast<std::size_t>(i)]];
    result.strides[i] = strides[axes[static_cast<std::size_t>(i)]];
  }
  return result;
}

Layout Layout::broadcast(const Shape& target) const {
  if (shape == target) return *this;
  if (broadcast_shapes(shape, target, "broadcast_to") != target)
    throw ShapeError("broadcast_to: shape " + to_string(shape) + " does not broadcast to " +
                     to_string(target));
  const int skip = target.size() - rank();
  Strides s(target.size(), 0);
  for (int i = 0; i < rank(); ++i)
    s[skip + i] = shape[i] == 1 && target[skip + i] != 1 ? 0 : strides[i];
  return {target, s, offset};
}

Layout Layout::flip(int axis) const {
  Layout result = *this;
  if (shape[axis] > 0) result.offset += (shape[axis] - 1) * strides[axis];
  result.strides[axis] = -strides[axis];
  return result;
}

std::optional<Layout> Layout::reshape(const Shape& target) const {
  if (contiguous()) return Layout(target, contiguous_strides(target), offset);
  // Group source axes whose elements are evenly spaced, then cut each group into target axes.
  Layout result(target, Strides(target.size(), 0), offset);
  int i = 0, j = 0;
  while (i < rank() && j < target.size()) {
    std::int64_t from = shape[i], to = target[j];
    int i_end = i + 1, j_end = j + 1;
    while (from != to) {
      if (from < to) {
        if (i_end == rank()) return std::nullopt;
        from *= shape[i_end++];
      } else {
        if (j_end == target.size()) return std::nullopt;
        to *= target[j_end++];
      }
    }
    for (int k = i; k + 1 < i_end; ++k)
      if (strides[k] != shape[k + 1] * strides[k + 1]) return std::nullopt;
    std::int64_t step = strides[i_end - 1];
    for (int k = j_end - 1; k >= j; --k) {
      result.strides[k] = step;
      step *= target[k];
    }
    i = i_end;
    j = j_end;
  }
  for (; j < target.size(); ++j)
    if (target[j] != 1) return std::nullopt;
  for (; i < rank(); ++i)
    if (shape[i] != 1) return std::nullopt;
  return result;
}

}  // namespace isofield
