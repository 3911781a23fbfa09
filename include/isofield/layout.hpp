#pragma once

#include <isofield/counted.hpp>
#include <isofield/shape.hpp>
#include <optional>
#include <source_location>
#include <span>
#include <utility>
#include <variant>

namespace isofield {

namespace detail {
struct Node;
void retain(Node* node) noexcept;
void release(Node* node) noexcept;

using NodePtr = CountedPtr<Node>;
}  // namespace detail

class UnifiedArray;

/// A half-open range `start:stop:step` along one axis, with Python's rules for what is left out.
struct Slice {
  std::optional<std::int64_t> start = {};
  std::optional<std::int64_t> stop = {};
  std::int64_t step = 1;
};
struct Ellipsis {};
struct NewAxis {};

/// Select `start <= i < stop` along an axis; negative ends count from the back.
inline Slice slice(std::int64_t start, std::int64_t stop, std::int64_t step = 1) {
  return {start, stop, step};
}
/// Select everything from `start` on.
inline Slice from(std::int64_t start) { return {start, {}, 1}; }
/// Select everything before `stop`.
inline Slice upto(std::int64_t stop) { return {{}, stop, 1}; }
/// A whole axis.
inline constexpr Slice all_of{};
inline constexpr Ellipsis ellipsis{};
/// A new axis of length 1.
inline constexpr NewAxis newaxis{};

/// One entry of an index expression: an integer, a slice, an ellipsis, a new axis, or an array: of
/// integers that index an axis, or bool, a mask over as many axes as it has. It comes with the
/// caller's place for error messages.
class Index {
 public:
  using Where = std::source_location;
  template <class I>
  requires(std::is_integral_v<I> && !std::is_same_v<I, bool>)
      Index(I i, Where where = Where::current())  // NOLINT: implicit by design
      : value_(static_cast<std::int64_t>(i)), where_(where) {}
  Index(Slice s, Where where = Where::current()) : value_(s), where_(where) {}     // NOLINT
  Index(Ellipsis e, Where where = Where::current()) : value_(e), where_(where) {}  // NOLINT
  Index(NewAxis n, Where where = Where::current()) : value_(n), where_(where) {}   // NOLINT
  /// Throws Error for an array that was moved from.
  Index(const UnifiedArray& array, Where where = Where::current());  // NOLINT
  const std::variant<std::int64_t, Slice, Ellipsis, NewAxis>& value() const { return value_; }
  /// The array; null where the entry is none, and then `value` is what it is.
  const detail::NodePtr& array() const noexcept { return array_; }
  const Where& where() const noexcept { return where_; }

 private:
  std::variant<std::int64_t, Slice, Ellipsis, NewAxis> value_;
  detail::NodePtr array_;
  Where where_;
};

/// Whether elements with these strides lie in C order without gaps.
bool is_contiguous(const Shape& shape, const Strides& strides) noexcept;

/// Where the elements of an array lie in its storage: shape, strides and offset, in elements.
struct Layout {
  Shape shape;
  Strides strides;
  std::int64_t offset = 0;

  Layout() = default;
  explicit Layout(const Shape& s) : shape(s), strides(contiguous_strides(s)) {}
  Layout(Shape s, Strides t, std::int64_t o)
      : shape(std::move(s)), strides(std::move(t)), offset(o) {}

  int rank() const noexcept { return shape.size(); }
  /// Whether the elements lie in C order without gaps (from `offset` on).
  bool contiguous() const noexcept { return is_contiguous(shape, strides); }

  /// The first and the last place in storage that the elements lie at, of which there is at least
  /// one. Throws ShapeError where they are too far apart for 64 bits.
  std::pair<std::int64_t, std::int64_t> reach() const;
  /// Apply an index expression without arrays; throws IndexError.
  Layout index(std::span<const Index> indices) const;
  /// Permute axes; `axes` is a permutation of 0..rank-1.
  Layout permute(std::span<const int> axes) const;
  /// Broadcast to `target` with strides 0; throws ShapeError.
  Layout broadcast(const Shape& target) const;
  /// Reverse an axis.
  Layout flip(int axis) const;
  /// View as another shape, if that needs no copy.
  std::optional<Layout> reshape(const Shape& target) const;
};

}  // namespace isofield
