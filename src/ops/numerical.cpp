#include <isofield/numerical.hpp>

#include <isofield/indexing.hpp>
#include <isofield/manipulation.hpp>
#include <isofield/sorting.hpp>

#include "ops/arranged.hpp"
#include "transforms/indexing_rules.hpp"

namespace isofield {
namespace {

using detail::Arranged;
using detail::inexact;
using detail::NodePtr;

DType widened(DType dtype) {
  if (dtype == DType::bool_ || kind(dtype) == Kind::signed_integer) return DType::int64;
  return kind(dtype) == Kind::unsigned_integer ? DType::uint64 : dtype;
}

Reduce reduce_of(Arrangement::Fold fold) {
  switch (fold) {
    case Arrangement::Fold::sum: return Reduce::sum;
    case Arrangement::Fold::prod: return Reduce::prod;
    case Arrangement::Fold::min: return Reduce::min;
    default: return Reduce::max;
  }
}

UnifiedArray running(std::string_view operation, Arrangement::Fold fold, const Operand& x,
                     std::optional<int> given, DType dtype, bool include_initial) {
  Arranged a(operation, x);
  if (!given && a.rank() > 1)
    throw ShapeError(std::string(operation) + ": an axis must be given for shape " +
                     to_string(a.shape()) + a.context());
  const int axis = a.axis_or_flat(given);
  if (detail::wrapped(a.node))
    return detail::transformed_running(reduce_of(fold), {UnifiedArray(a.node), a.place.where}, axis,
                                       dtype, include_initial);
  const NodePtr in = detail::cast(a.node, dtype);
  detail::evaluate(in);
  detail::Step step = a.step(Arrangement::Kind::scan);
  step.arrangement.fold = fold;
  step.in = {detail::axis_last(in->view(), axis)};
  Shape shape = a.shape();
  if (include_initial) ++shape[axis];
  NodePtr result = detail::make_result(a.backend, shape, dtype, step.in);
  View to = detail::axis_last(result->view(), axis);
  const int last = to.layout.rank() - 1;
  if (include_initial) {
    View first = to;
    first.layout.shape[last] = 1;
    if (element_count(first.layout.shape) > 0)
      detail::fill_elements(fold == Arrangement::Fold::sum ? 0 : 1, first, a.backend);
    to.layout.offset += to.layout.strides[last];
    --to.layout.shape[last];
  }
  step.out = {to};
  if (element_count(a.shape()) > 0) detail::execute(std::move(step));
  return UnifiedArray(std::move(result));
}

UnifiedArray accumulated(std::string_view operation, Arrangement::Fold fold, const Operand& x,
                         std::optional<int> axis) {
  const DType dtype = detail::dtype_of(x);
  if (is_complex(dtype) || dtype == DType::bool_)
    throw DTypeError(std::string(operation) + ": needs a real-valued dtype, got " +
                     std::string(name(dtype)) + detail::context(x));
  return running(operation, fold, x, axis, dtype, false);
}

UnifiedArray to_last(std::string_view operation, const UnifiedArray& x, int axis,
                     const std::source_location& where) {
  return moveaxis(x, Arranged(operation, {x, where}).axis(axis), -1);
}

/// Part of the last axis.
UnifiedArray part(const UnifiedArray& x, std::int64_t begin, std::int64_t end) {
  return x.index({ellipsis, slice(begin, end)});
}

void check_length(std::string_view operation, const UnifiedArray& lines, int least,
                  const std::source_location& where) {
  if (lines.shape().back() < least)
    throw ShapeError(std::string(operation) + ": needs at least " + std::to_string(least) +
                     " elements along the axis, got " + std::to_string(lines.shape().back()) +
                     detail::context({lines, where}));
}

void check_edge_order(int order, const Operand& x) {
  if (order != 1 && order != 2)
    throw ArgumentError("gradient: edge_order must be 1 or 2, not " + std::to_string(order) +
                        detail::context(x));
}

/// One axis of coordinates, as many as there are elements in a line.
void check_coordinates(std::string_view operation, const UnifiedArray& x, const UnifiedArray& lines,
                       const std::source_location& where) {
  if (x.ndim() != 1 || x.size() != lines.shape().back())
    throw ShapeError(std::string(operation) + ": coordinates of shape " + to_string(x.shape()) +
                     " do not fit lines of " + std::to_string(lines.shape().back()) + " elements" +
                     detail::context({lines, where}));
}

}  // namespace

UnifiedArray cumulative_sum(Operand x, std::optional<int> axis, std::optional<DType> dtype,
                            bool include_initial) {
  return running("cumulative_sum", Arrangement::Fold::sum, x, axis,
                 dtype.value_or(widened(detail::dtype_of(x))), include_initial);
}
UnifiedArray cumulative_prod(Operand x, std::optional<int> axis, std::optional<DType> dtype,
                             bool include_initial) {
  return running("cumulative_prod", Arrangement::Fold::prod, x, axis,
                 dtype.value_or(widened(detail::dtype_of(x))), include_initial);
}
UnifiedArray cumulative_min(Operand x, std::optional<int> axis) {
  return accumulated("cumulative_min", Arrangement::Fold::min, x, axis);
}
UnifiedArray cumulative_max(Operand x, std::optional<int> axis) {
  return accumulated("cumulative_max", Arrangement::Fold::max, x, axis);
}

UnifiedArray diff(Operand x, int axis, int n, const std::optional<UnifiedArray>& prepend,
                  const std::optional<UnifiedArray>& append) {
  const auto where = x.where();
  const Arranged a("diff", x);
  if (n < 0)
    throw ArgumentError("diff: n must not be negative, got " + std::to_string(n) + a.context());
  axis = a.axis(axis);
  UnifiedArray lines(a.node);
  if (prepend || append) {
    std::vector<UnifiedArray> all;
    if (prepend) all.push_back(*prepend);
    all.push_back(lines);
    if (append) all.push_back(*append);
    lines = concat(all, axis, where);
  }
  lines = moveaxis(lines, axis, -1);
  for (int k = 0; k < n; ++k) {
    const std::int64_t length = std::max<std::int64_t>(lines.shape().back(), 1);
    const UnifiedArray after = part(lines, 1, length), before = part(lines, 0, length - 1);
    lines = lines.dtype() == DType::bool_ ? after != before : after - before;
  }
  return moveaxis(lines, -1, axis);
}

UnifiedArray gradient(Operand x, double spacing, int axis, int edge_order) {
  const auto where = x.where();
  check_edge_order(edge_order, x);
  const UnifiedArray lines = to_last("gradient", inexact("gradient", x), axis, where);
  check_length("gradient", lines, edge_order + 1, where);
  const std::int64_t n = lines.shape().back();
  const auto at = [&](std::int64_t i) { return part(lines, i, i + 1); };
  const UnifiedArray inside = (part(lines, 2, n) - part(lines, 0, n - 2)) * (0.5 / spacing);
  UnifiedArray first = (at(1) - at(0)) / spacing, last = (at(n - 1) - at(n - 2)) / spacing;
  if (edge_order == 2) {
    first = (2.0 * at(1) - 1.5 * at(0) - 0.5 * at(2)) / spacing;
    last = (1.5 * at(n - 1) - 2.0 * at(n - 2) + 0.5 * at(n - 3)) / spacing;
  }
  return moveaxis(concat({first, inside, last}, -1, where), -1, axis);
}

// Fornberg's weights of three points, written out (Math. Comp. 51, 1988).
UnifiedArray gradient(Operand x, const UnifiedArray& coordinates, int axis, int edge_order) {
  const auto where = x.where();
  check_edge_order(edge_order, x);
  const UnifiedArray lines = to_last("gradient", inexact("gradient", x), axis, where);
  check_coordinates("gradient", coordinates, lines, where);
  check_length("gradient", lines, edge_order + 1, where);
  const std::int64_t n = lines.shape().back();
  const auto at = [&](std::int64_t i) { return part(lines, i, i + 1); };
  const UnifiedArray h = diff({coordinates, where}).astype(real_dtype(lines.dtype()));
  const auto ends = [&](std::int64_t i) { return (at(i + 1) - at(i)) / h(slice(i, i + 1)); };
  UnifiedArray first = ends(0), last = ends(n - 2);
  if (n == 2) return moveaxis(concat({first, last}, -1, where), -1, axis);
  const UnifiedArray a = h(upto(n - 2)), b = h(from(1)), both = a + b;
  const UnifiedArray inside = part(lines, 2, n) * (a / (b * both)) +
                              part(lines, 1, n - 1) * ((b - a) / (a * b)) -
                              part(lines, 0, n - 2) * (b / (a * both));
  if (edge_order == 2) {
    const UnifiedArray a0 = h(slice(0, 1)), b0 = h(slice(1, 2));
    first = at(1) * ((a0 + b0) / (a0 * b0)) - at(0) * ((2.0 * a0 + b0) / (a0 * (a0 + b0))) -
            at(2) * (a0 / (b0 * (a0 + b0)));
    const UnifiedArray a1 = h(slice(n - 3, n - 2)), b1 = h(slice(n - 2, n - 1));
    last = at(n - 3) * (b1 / (a1 * (a1 + b1))) - at(n - 2) * ((a1 + b1) / (a1 * b1)) +
           at(n - 1) * ((2.0 * b1 + a1) / (b1 * (a1 + b1)));
  }
  return moveaxis(concat({first, inside, last}, -1, where), -1, axis);
}

UnifiedArray trapezoid(Operand y, double dx, int axis) {
  const auto where = y.where();
  const UnifiedArray lines = to_last("trapezoid", inexact("trapezoid", y), axis, where);
  const std::int64_t n = std::max<std::int64_t>(lines.shape().back(), 1);
  return sum((part(lines, 1, n) + part(lines, 0, n - 1)) * (0.5 * dx), {-1});
}

UnifiedArray trapezoid(Operand y, const UnifiedArray& x, int axis) {
  const auto where = y.where();
  const UnifiedArray lines = to_last("trapezoid", inexact("trapezoid", y), axis, where);
  check_coordinates("trapezoid", x, lines, where);
  const std::int64_t n = std::max<std::int64_t>(lines.shape().back(), 1);
  const UnifiedArray h = diff({x, where}).astype(real_dtype(lines.dtype()));
  return sum((part(lines, 1, n) + part(lines, 0, n - 1)) * (0.5 * h), {-1});
}

UnifiedArray interp(Operand x, Operand xp, Operand fp, std::optional<double> left,
                    std::optional<double> right) {
  const auto place = x.where();
  const Operand all[] = {x, xp, fp};
  detail::common_backend("interp", all);
  const UnifiedArray known = inexact("interp", xp), values = inexact("interp", fp);
  if (known.ndim() != 1 || known.size() == 0 || values.shape() != known.shape())
    throw ShapeError("interp: points of shapes " + to_string(known.shape()) + " and " +
                     to_string(values.shape()) + " are no two equal axes with elements" +
                     detail::context({known, place}));
  const std::int64_t n = known.size();
  UnifiedArray asked = inexact("interp", x);
  if (asked.dtype() != known.dtype())
    asked = asked.astype(result_type(asked.dtype(), known.dtype()));
  const UnifiedArray points = known.astype(asked.dtype());
  const UnifiedArray first = values(0), last = values(n - 1);
  UnifiedArray result = broadcast_to(first, asked.shape());
  if (n > 1) {
    const UnifiedArray i = clip(searchsorted(points, asked, Side::right) - 1, 0, n - 2);
    const UnifiedArray x0 = take(points, i), y0 = take(values, i);
    result = y0 + (take(values, i + 1) - y0) / (take(points, i + 1) - x0) * (asked - x0);
  }
  result = where(asked == points(n - 1), last, result);
  result = where(asked > points(n - 1), right ? Operand(*right) : Operand(last), result);
  return where(asked < points(0), left ? Operand(*left) : Operand(first), result);
}

}  // namespace isofield
