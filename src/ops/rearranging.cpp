#include <algorithm>
#include <isofield/indexing.hpp>
#include <isofield/manipulation.hpp>
#include <isofield/numerical.hpp>

#include "ops/arranged.hpp"

namespace isofield {
namespace {

using detail::Arranged;

std::vector<int> distinct(const Arranged& x, const std::vector<int>& axes, int rank) {
  std::vector<int> result;
  for (const int axis : axes) {
    const int k = detail::located(x.place, [&] { return normalize_axis(axis, rank, x.operation); });
    if (std::find(result.begin(), result.end(), k) != result.end())
      throw IndexError(std::string(x.operation) + ": axis " + std::to_string(axis) +
                       " appears twice" + x.context());
    result.push_back(k);
  }
  return result;
}

/// `x` again and again along an axis.
UnifiedArray tiled(const UnifiedArray& x, int axis, std::int64_t times) {
  Shape shape = x.shape();
  shape[axis] *= times;
  if (x.ndim() == Dims::max_rank && times > 0)
    return concat(std::vector<UnifiedArray>(static_cast<std::size_t>(times), x), axis);
  if (times == 0 || x.size() == 0) return empty(shape, x.dtype(), &x.backend());
  Shape wide = x.shape();
  wide.insert(axis, times);
  return reshape(broadcast_to(expand_dims(x, axis), wide), shape);
}

/// Places in an axis of length n that the elements of a padded one come from.
std::vector<std::int64_t> padded_places(Pad mode, std::int64_t before, std::int64_t n,
                                        std::int64_t after) {
  const std::int64_t period = mode == Pad::wrap ? n : mode == Pad::reflect ? 2 * (n - 1) : 2 * n;
  std::vector<std::int64_t> places;
  for (std::int64_t i = -before; i < n + after; ++i) {
    std::int64_t k = period > 0 ? i % period : 0;
    if (k < 0) k += period;
    if (mode == Pad::edge) k = std::clamp<std::int64_t>(i, 0, n - 1);
    if (mode == Pad::reflect && k >= n) k = period - k;
    if (mode == Pad::symmetric && k >= n) k = period - 1 - k;
    places.push_back(k);
  }
  return places;
}

/// Whether element (i, j) of a matrix is on diagonal k or below it.
UnifiedArray below(const Arranged& x, std::int64_t k) {
  if (x.rank() < 2)
    throw ShapeError(std::string(x.operation) + ": shape " + to_string(x.shape()) +
                     " has fewer than two axes" + x.context());
  const std::int64_t n = x.shape()[x.rank() - 2], m = x.shape()[x.rank() - 1];
  k = std::clamp(k, -n - 1, m + 1);
  return expand_dims(detail::iota(n, x.backend) + k, 1) >= detail::iota(m, x.backend);
}

}  // namespace

Shape broadcast_shapes(const std::vector<Shape>& shapes) {
  Shape result;
  for (const auto& shape : shapes) result = broadcast_shapes(result, shape, "broadcast_shapes");
  return result;
}

std::vector<UnifiedArray> broadcast_arrays(const std::vector<UnifiedArray>& arrays,
                                           std::source_location where) {
  Shape shape;
  for (const auto& a : arrays)
    shape = detail::located(Operand(a, where),
                            [&] { return broadcast_shapes(shape, a.shape(), "broadcast_arrays"); });
  std::vector<UnifiedArray> result;
  for (const auto& a : arrays) result.push_back(broadcast_to({a, where}, shape));
  return result;
}

UnifiedArray expand_dims(Operand x, const std::vector<int>& axes) {
  const Arranged a("expand_dims", x);
  const int rank = a.rank() + static_cast<int>(axes.size());
  if (rank > Dims::max_rank)
    throw ShapeError("expand_dims: shape " + to_string(a.shape()) + " with " +
                     std::to_string(axes.size()) + " axes more has rank " + std::to_string(rank) +
                     ", above the largest, " + std::to_string(Dims::max_rank) + a.context());
  for (const int axis : axes)
    detail::located(a.place, [&] { return detail::new_axis(axis, rank, a.operation); });
  std::vector<int> sorted = distinct(a, axes, rank);
  std::sort(sorted.begin(), sorted.end());
  Shape shape = a.shape();
  for (const int k : sorted) shape.insert(k, 1);
  return reshape(std::move(x), shape);
}

UnifiedArray squeeze(Operand x, const std::vector<int>& axes) {
  const Arranged a("squeeze", x);
  std::vector<int> sorted = distinct(a, axes, a.rank());
  std::sort(sorted.rbegin(), sorted.rend());
  Shape shape = a.shape();
  for (const int k : sorted) {
    if (shape[k] != 1)
      throw ShapeError("squeeze: axis " + std::to_string(k) + " of shape " + to_string(a.shape()) +
                       " does not have length 1" + a.context());
    shape.erase(k);
  }
  return reshape(std::move(x), shape);
}

UnifiedArray flip(Operand x, const std::vector<int>& axes) {
  const Arranged a("flip", x);
  UnifiedArray result(a.node);
  for (const int k : distinct(a, axes, a.rank())) result = flip(result, k);
  return result;
}

UnifiedArray flip(Operand x) {
  UnifiedArray result(Arranged("flip", x).node);
  for (int k = 0; k < result.ndim(); ++k) result = flip(result, k);
  return result;
}

UnifiedArray moveaxis(Operand x, const std::vector<int>& source,
                      const std::vector<int>& destination) {
  const Arranged a("moveaxis", x);
  if (source.size() != destination.size())
    throw ShapeError("moveaxis: " + std::to_string(source.size()) + " axes do not go to " +
                     std::to_string(destination.size()) + " positions" + a.context());
  const std::vector<int> from = distinct(a, source, a.rank()),
                         to = distinct(a, destination, a.rank());
  std::vector<int> order(static_cast<std::size_t>(a.rank()), -1);
  for (std::size_t i = 0; i < from.size(); ++i) order[static_cast<std::size_t>(to[i])] = from[i];
  int next = 0;
  for (int& k : order) {
    if (k >= 0) continue;
    while (std::find(from.begin(), from.end(), next) != from.end()) ++next;
    k = next++;
  }
  return permute_dims(std::move(x), order);
}

UnifiedArray roll(Operand x, std::int64_t shift, std::optional<int> axis) {
  if (axis) return roll(std::move(x), std::vector<std::int64_t>{shift}, std::vector<int>{*axis});
  const auto where = x.where();
  const Arranged a("roll", x);
  const UnifiedArray line = detail::flat(UnifiedArray(a.node));
  return reshape(roll({line, where}, std::vector<std::int64_t>{shift}, std::vector<int>{0}),
                 a.shape());
}

UnifiedArray roll(Operand x, const std::vector<std::int64_t>& shift, const std::vector<int>& axis) {
  const auto where = x.where();
  const Arranged a("roll", x);
  if (shift.size() != axis.size() && shift.size() != 1)
    throw ShapeError("roll: " + std::to_string(shift.size()) + " shifts for " +
                     std::to_string(axis.size()) + " axes" + a.context());
  std::vector<std::int64_t> total(static_cast<std::size_t>(a.rank()), 0);
  for (std::size_t i = 0; i < axis.size(); ++i) {
    const int k = a.axis(axis[i]);
    const std::int64_t n = std::max<std::int64_t>(a.shape()[k], 1);
    auto& t = total[static_cast<std::size_t>(k)];
    t = (t + shift[shift.size() == 1 ? 0 : i] % n) % n;
  }
  UnifiedArray result(a.node);
  if (result.size() == 0) return result;
  for (int k = 0; k < a.rank(); ++k)
    if (const std::int64_t by = total[static_cast<std::size_t>(k)]; by != 0)
      result = isofield::shift({result, where}, k, -by, Boundary::periodic);
  return result;
}

UnifiedArray repeat(Operand x, std::int64_t repeats, std::optional<int> given) {
  Arranged a("repeat", x);
  if (repeats < 0)
    throw ShapeError("repeat: " + std::to_string(repeats) + " repeats" + a.context());
  const int axis = a.axis_or_flat(given);
  Shape shape = a.shape();
  shape[axis] = detail::length_product(shape[axis], repeats);
  a.check_size(shape);
  if (a.rank() == Dims::max_rank || element_count(shape) == 0) {
    std::vector<std::int64_t> places;
    for (std::int64_t i = 0; i < a.shape()[axis]; ++i)
      places.insert(places.end(), static_cast<std::size_t>(repeats), i);
    return take(UnifiedArray(a.node), detail::int64s(places, a.backend), axis);
  }
  Shape wide = a.shape();
  wide.insert(axis + 1, repeats);
  return reshape(broadcast_to(expand_dims(UnifiedArray(a.node), axis + 1), wide), shape);
}

UnifiedArray repeat(Operand x, const UnifiedArray& repeats, std::optional<int> given) {
  const auto where = x.where();
  Arranged a("repeat", x);
  const UnifiedArray counts(detail::checked_indices("repeat", x, {repeats, where}));
  const int axis = a.axis_or_flat(given);
  const std::int64_t n = a.shape()[axis];
  if (counts.ndim() > 1 || (counts.size() != 1 && counts.size() != n))
    throw ShapeError("repeat: repeats of shape " + to_string(counts.shape()) +
                     " do not fit an axis of length " + std::to_string(n) + a.context());
  if (counts.size() == 1)
    return repeat({UnifiedArray(a.node), where}, counts.item<std::int64_t>(where), axis);
  if (n > 0 && min(counts).item<std::int64_t>(where) < 0)
    throw ShapeError("repeat: a number of repeats is negative" + a.context());
  const UnifiedArray ends = cumulative_sum({counts, where});
  if (sum(counts.astype(float64)).item<double>(where) >= 0x1p63)
    throw ShapeError("repeat: more elements than fit in 64 bits" + a.context());
  const std::int64_t total = n > 0 ? ends(n - 1).item<std::int64_t>(where) : 0;
  const UnifiedArray places = searchsorted(ends, detail::iota(total, a.backend), Side::right);
  return take({UnifiedArray(a.node), where}, places, axis);
}

UnifiedArray tile(Operand x, const std::vector<std::int64_t>& repetitions) {
  const Arranged a("tile", x);
  UnifiedArray result(a.node);
  const int count = static_cast<int>(repetitions.size());
  if (count > Dims::max_rank)
    throw ShapeError("tile: " + std::to_string(count) + " repetitions, above the largest rank, " +
                     std::to_string(Dims::max_rank) + a.context());
  while (result.ndim() < count) result = expand_dims(result, 0);
  for (int k = 0; k < count; ++k) {
    const std::int64_t times = repetitions[static_cast<std::size_t>(k)];
    if (times < 0)
      throw ShapeError("tile: " + std::to_string(times) + " repetitions" + a.context());
    if (times != 1) result = tiled(result, result.ndim() - count + k, times);
  }
  return result;
}

std::vector<UnifiedArray> unstack(Operand x, int axis) {
  const Arranged a("unstack", x);
  axis = a.axis(axis);
  std::vector<UnifiedArray> parts;
  const UnifiedArray first = moveaxis(std::move(x), axis, 0);
  for (std::int64_t i = 0; i < first.shape()[0]; ++i) parts.push_back(first(i));
  return parts;
}

UnifiedArray pad(Operand x, const std::vector<std::pair<std::int64_t, std::int64_t>>& width,
                 Pad mode, Scalar value) {
  const auto where = x.where();
  const Arranged a("pad", x);
  if (width.size() != 1 && width.size() != static_cast<std::size_t>(a.rank()))
    throw ShapeError("pad: " + std::to_string(width.size()) + " widths for shape " +
                     to_string(a.shape()) + a.context());
  const auto at = [&](int k) { return width[width.size() == 1 ? 0 : static_cast<std::size_t>(k)]; };
  Shape shape = a.shape();
  std::vector<Index> inside;
  for (int k = 0; k < a.rank(); ++k) {
    const auto [before, after] = at(k);
    if (before < 0 || after < 0)
      throw ShapeError("pad: widths " + std::to_string(before) + " and " + std::to_string(after) +
                       " of axis " + std::to_string(k) + " are not both positive or 0" +
                       a.context());
    if (mode != Pad::constant && shape[k] == 0 && (before > 0 || after > 0))
      throw ShapeError("pad: axis " + std::to_string(k) + " of shape " + to_string(a.shape()) +
                       " is empty" + a.context());
    inside.emplace_back(Slice{before, detail::length_sum(before, shape[k])}, where);
    shape[k] = detail::length_sum(detail::length_sum(before, shape[k]), after);
  }
  a.check_size(shape);
  UnifiedArray result(a.node);
  if (mode == Pad::constant) {
    // 0 and 1 are truth values, too: the default is one.
    if (a.dtype() == DType::bool_ && (identical(value, 0) || identical(value, 1)))
      value = identical(value, 1);
    if (!detail::goes_into(value, a.dtype()))
      throw DTypeError("pad: " + value.text() + " does not go into dtype " +
                       std::string(name(a.dtype())) + a.context());
    UnifiedArray whole = full(shape, value, a.dtype(), &a.backend);
    whole.assign(inside, {result, where});
    return whole;
  }
  for (int k = 0; k < a.rank(); ++k)
    if (const auto [before, after] = at(k); before + after > 0)
      result = take({result, where},
                    detail::int64s(padded_places(mode, before, a.shape()[k], after), a.backend), k);
  return result;
}

std::vector<UnifiedArray> meshgrid(const std::vector<UnifiedArray>& arrays, Indexing indexing,
                                   std::source_location where) {
  std::vector<UnifiedArray> result;
  const std::size_t rank = arrays.size();
  for (std::size_t i = 0; i < rank; ++i) {
    if (arrays[i].ndim() > 1)
      throw ShapeError("meshgrid: array " + std::to_string(i) + " has shape " +
                       to_string(arrays[i].shape()) + ", not one axis" +
                       detail::context({arrays[i], where}));
    const bool swapped = indexing == Indexing::xy && rank > 1 && i < 2;
    Shape shape(static_cast<int>(rank), 1);
    shape[static_cast<int>(swapped ? 1 - i : i)] = arrays[i].size();
    result.push_back(reshape({arrays[i], where}, shape));
  }
  return broadcast_arrays(result, where);
}

UnifiedArray tril(Operand x, std::int64_t k) {
  const Arranged a("tril", x);
  return where(below(a, k), UnifiedArray(a.node), detail::zero_of(a.dtype()));
}

UnifiedArray triu(Operand x, std::int64_t k) {
  const Arranged a("triu", x);
  return where(below(a, k - 1), detail::zero_of(a.dtype()), UnifiedArray(a.node));
}

}  // namespace isofield
