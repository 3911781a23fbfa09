#include <isofield/statistics.hpp>

#include <cmath>
#include <isofield/indexing.hpp>
#include <isofield/linalg.hpp>
#include <isofield/manipulation.hpp>
#include <isofield/numerical.hpp>
#include <isofield/sorting.hpp>
#include <limits>
#include <numbers>

#include "ops/arranged.hpp"
#include "ops/matrices.hpp"

namespace isofield {
namespace {

using detail::Arranged;
using detail::inexact;

/// The part of the elements below which the quantile lies, as an array of floats; throws
/// ShapeError.
UnifiedArray checked_part(const UnifiedArray& q, const std::source_location& where) {
  const UnifiedArray asked = q.astype(float64);
  if (asked.size() > 0 && !all(asked >= 0.0 && asked <= 1.0).item<bool>(where))
    throw ShapeError("quantile: a part is not in [0, 1]" + detail::context({asked, where}));
  return asked;
}

/// What lies at place h, which need be no integer, of sorted lines along the first axis.
UnifiedArray between(const UnifiedArray& sorted, const UnifiedArray& h, Quantile method) {
  const auto at = [&](const UnifiedArray& place) { return take(sorted, place.astype(int64), 0); };
  if (method == Quantile::nearest) return at(round(h));
  const UnifiedArray below = at(floor(h));
  if (method == Quantile::lower) return below;
  const UnifiedArray above = at(ceil(h));
  if (method == Quantile::higher) return above;
  if (method == Quantile::midpoint) return 0.5 * (below + above);
  Shape shape = h.shape();
  for (int k = 1; k < sorted.ndim(); ++k) shape.push_back(1);
  const UnifiedArray t = reshape(h - floor(h), shape).astype(sorted.dtype()), step = above - below;
  return where(below == above || t == 0.0, below,
               where(t >= 0.5, above - step * (1.0 - t), below + step * t));
}

/// Which of the bins between edges, ascending, each element of a line is in; `bins` for none.
UnifiedArray bin_of(const UnifiedArray& line, const UnifiedArray& edges, std::int64_t bins) {
  const UnifiedArray place = searchsorted(edges, line, Side::right) - 1;
  const UnifiedArray last = edges(bins);
  return where(line == last, bins - 1, where(place < 0 || place > bins - 1, bins, place));
}

Histogram counted(const UnifiedArray& x, const UnifiedArray& edges) {
  const std::int64_t bins = edges.size() - 1;
  const UnifiedArray line = detail::flat(x);
  const DType dtype = result_type(line.dtype(), edges.dtype());
  const UnifiedArray bin = bin_of(line.astype(dtype), edges.astype(dtype), bins);
  const UnifiedArray counts =
      scatter(zeros({bins + 1}, DType::int64, &x.backend()), bin, 1, 0, Scatter::add);
  return {counts(upto(bins)), edges};
}

/// Observations, less their mean, of variables that are rows; one row for one axis.
UnifiedArray centred(std::string_view operation, const Operand& x) {
  UnifiedArray rows = inexact(operation, x);
  if (rows.ndim() > 2)
    throw ShapeError(std::string(operation) + ": shape " + to_string(rows.shape()) +
                     " is not (variables, observations)" + detail::context(x));
  if (rows.ndim() < 2) rows = reshape(rows, {1, rows.size()});
  return rows - mean(rows, {1}, true);
}

/// The inner products of all rows.
UnifiedArray products(const UnifiedArray& rows) {
  return linalg::matmul(rows, detail::conj_if_complex(matrix_transpose(rows)));
}

}  // namespace

UnifiedArray average(Operand x, const UnifiedArray& weights, std::optional<int> axis) {
  const auto place = x.where();
  const UnifiedArray values = inexact("average", x);
  UnifiedArray w = inexact("average", {weights, place});
  if (axis && w.ndim() == 1 && w.shape() != values.shape()) {
    const int along = Arranged("average", x).axis(*axis);
    Shape column(values.ndim(), 1);
    column[along] = values.shape()[along];
    if (w.size() == column[along]) w = broadcast_to(reshape(w, column), values.shape());
  }
  if (w.shape() != values.shape())
    throw ShapeError("average: weights of shape " + to_string(weights.shape()) +
                     " for elements of shape " + to_string(values.shape()) + detail::context(x));
  return axis ? sum(values * w, {*axis}) / sum(w, {*axis}) : sum(values * w) / sum(w);
}

UnifiedArray cov(Operand x, int ddof) {
  const UnifiedArray rows = centred("cov", x);
  const std::int64_t n = rows.shape()[1];
  if (n <= ddof)
    throw ShapeError("cov: " + std::to_string(n) + " observations with " + std::to_string(ddof) +
                     " degrees of freedom taken" + detail::context(x));
  return products(rows) / static_cast<double>(n - ddof);
}

UnifiedArray corrcoef(Operand x) {
  const UnifiedArray rows = centred("corrcoef", x);
  const UnifiedArray scale = sqrt(sum(real(rows * conj(rows)), {1}, true));
  return products(rows / scale.astype(rows.dtype()));
}

UnifiedArray gaussian(Operand x, Operand mean, Operand deviation) {
  const UnifiedArray t = divide(subtract(x, mean), deviation);
  return divide(exp(-0.5 * (t * t)), deviation) * (1.0 / std::sqrt(2.0 * std::numbers::pi));
}

UnifiedArray bincount(Operand x, const std::optional<UnifiedArray>& weights,
                      std::int64_t minlength) {
  const auto place = x.where();
  const Arranged a("bincount", x);
  const UnifiedArray line(detail::checked_indices("bincount", x, x));
  if (a.rank() != 1)
    throw ShapeError("bincount: shape " + to_string(a.shape()) + " is not one axis" + a.context());
  if (minlength < 0)
    throw ShapeError("bincount: minlength " + std::to_string(minlength) + " is negative" +
                     a.context());
  if (weights && weights->shape() != a.shape())
    throw ShapeError("bincount: weights of shape " + to_string(weights->shape()) +
                     " for elements of shape " + to_string(a.shape()) + a.context());
  std::int64_t length = minlength;
  if (line.size() > 0) {
    const auto least = min(line).item<std::int64_t>(place);
    if (least < 0)
      throw IndexError("bincount: " + std::to_string(least) + " is negative" + a.context());
    length = std::max(length, detail::length_sum(max(line).item<std::int64_t>(place), 1));
  }
  const DType dtype = weights ? weights->dtype() : DType::int64;
  const UnifiedArray none = zeros({length}, dtype, &a.backend);
  return scatter({none, place}, line, weights ? Operand(*weights, place) : Operand(1, place), 0,
                 Scatter::add);
}

Histogram histogram(Operand x, std::int64_t bins, std::optional<double> low,
                    std::optional<double> high) {
  const auto place = x.where();
  const UnifiedArray values = inexact("histogram", x);
  if (bins < 1)
    throw ShapeError("histogram: " + std::to_string(bins) + " bins" + detail::context(x));
  if (is_complex(values.dtype()))
    throw DTypeError("histogram: complex numbers have no order" + detail::context(x));
  const bool none = values.size() == 0;
  double from = low ? *low : none ? 0.0 : min(values).item<double>(place);
  double to = high ? *high : none ? 1.0 : max(values).item<double>(place);
  if (!(from <= to) || !std::isfinite(from) || !std::isfinite(to))
    throw ShapeError("histogram: no bins between " + std::to_string(from) + " and " +
                     std::to_string(to) + detail::context(x));
  if (from == to) {
    from -= 0.5;
    to += 0.5;
  }
  return counted(values, linspace(from, to, detail::length_sum(bins, 1), true, values.dtype(),
                                  &values.backend()));
}

Histogram histogram(Operand x, const UnifiedArray& edges) {
  const auto place = x.where();
  const UnifiedArray values = inexact("histogram", x),
                     limits = inexact("histogram", {edges, place});
  if (limits.ndim() != 1 || limits.size() < 2)
    throw ShapeError("histogram: edges of shape " + to_string(edges.shape()) +
                     " are not two or more along one axis" + detail::context(x));
  if (any(diff(limits) < 0.0).item<bool>(place))
    throw ShapeError("histogram: edges are not in ascending order" + detail::context(x));
  return counted(values, limits);
}

UnifiedArray quantile(Operand x, const UnifiedArray& q, std::optional<int> given, bool keepdims,
                      Quantile method) {
  const auto place = x.where();
  Arranged a("quantile", x);
  a.check_ordered();
  const UnifiedArray values = inexact("quantile", x);
  const UnifiedArray asked = checked_part(q, place);
  a.node = values.node();
  const int rank = a.rank(), axis = a.axis_or_flat(given);
  const std::int64_t n = a.shape()[axis];
  if (n == 0)
    throw ShapeError("quantile: axis " + std::to_string(axis) + " of shape " +
                     to_string(values.shape()) + " is empty" + a.context());
  const UnifiedArray lines = moveaxis(sort(UnifiedArray(a.node), axis), axis, 0);
  const UnifiedArray found = between(lines, asked * static_cast<double>(n - 1), method);
  UnifiedArray result = where(isnan(lines(n - 1)), std::numeric_limits<double>::quiet_NaN(), found);
  if (!keepdims) return result;
  std::vector<int> kept;
  for (int k = 0; k < rank; ++k)
    if (!given || k == axis) kept.push_back(asked.ndim() + k);
  return expand_dims(result, kept);
}

UnifiedArray quantile(Operand x, double q, std::optional<int> axis, bool keepdims,
                      Quantile method) {
  BaseBackend& backend = detail::common_backend("quantile", {&x, 1});
  return quantile(std::move(x), asarray(q, &backend), axis, keepdims, method);
}

UnifiedArray percentile(Operand x, double q, std::optional<int> axis, bool keepdims,
                        Quantile method) {
  return detail::as_part_of(
      "percentile", [&] { return quantile(std::move(x), q / 100.0, axis, keepdims, method); });
}

UnifiedArray median(Operand x, std::optional<int> axis, bool keepdims) {
  return detail::as_part_of(
      "median", [&] { return quantile(std::move(x), 0.5, axis, keepdims, Quantile::linear); });
}

}  // namespace isofield
