#pragma once

#include <isofield/array.hpp>
#include <isofield/ops.hpp>
#include <isofield/searching.hpp>
#include <optional>
#include <vector>

/// Running sums, differences, tables of numbers read and counted: the Array API's statistical and
/// utility functions that are no reductions, and what NumPy has beside them.
namespace isofield {

/// Sums, or products, of all elements up to each one along an axis, which may be left out where
/// there is one. Integers narrower than 64 bits become int64 or uint64 unless `dtype` says
/// otherwise; `include_initial` begins with 0, or 1, and gives one element more.
UnifiedArray cumulative_sum(Operand x, std::optional<int> axis = {},
                            std::optional<DType> dtype = {}, bool include_initial = false);
UnifiedArray cumulative_prod(Operand x, std::optional<int> axis = {},
                             std::optional<DType> dtype = {}, bool include_initial = false);
/// The smallest, or largest, of all elements up to each one; NaN from the first one on.
UnifiedArray cumulative_min(Operand x, std::optional<int> axis = {});
UnifiedArray cumulative_max(Operand x, std::optional<int> axis = {});
/// Differences of neighbours along an axis, `n` times, of `x` with `prepend` before and `append`
/// behind. Truth values are compared.
UnifiedArray diff(Operand x, int axis = -1, int n = 1,
                  const std::optional<UnifiedArray>& prepend = {},
                  const std::optional<UnifiedArray>& append = {});

/// Derivative along an axis from values a `spacing` apart: second-order differences inside, at the
/// ends of the order `edge_order`, 1 or 2.
UnifiedArray gradient(Operand x, double spacing = 1.0, int axis = -1, int edge_order = 1);
/// The same at given coordinates, which are one array, of one axis.
UnifiedArray gradient(Operand x, const UnifiedArray& coordinates, int axis = -1,
                      int edge_order = 1);
/// Integral along an axis by the trapezoidal rule, of values `dx` apart or at coordinates `x`.
UnifiedArray trapezoid(Operand y, double dx = 1.0, int axis = -1);
UnifiedArray trapezoid(Operand y, const UnifiedArray& x, int axis = -1);
/// The piecewise linear function through the points (xp, fp), xp ascending, at `x`; beyond the ends
/// `left` and `right`, which are the outermost values if nobody says.
UnifiedArray interp(Operand x, Operand xp, Operand fp, std::optional<double> left = {},
                    std::optional<double> right = {});

/// How often each integer occurs, from 0 to the largest and at least `minlength`; or the sum of the
/// weights of its elements. Throws ShapeError unless `x` has one axis, IndexError for a negative
/// element.
UnifiedArray bincount(Operand x, const std::optional<UnifiedArray>& weights = {},
                      std::int64_t minlength = 0);
/// `counts` (n) of the elements between `edges` (n + 1), the last edge included.
struct Histogram {
  UnifiedArray counts, edges;
};
/// Count in `bins` bins of one width between `low` and `high`, the smallest and largest element if
/// nobody says. What lies outside is not counted.
Histogram histogram(Operand x, std::int64_t bins = 10, std::optional<double> low = {},
                    std::optional<double> high = {});
/// Count between ascending edges.
Histogram histogram(Operand x, const UnifiedArray& edges);

/// What a quantile between two elements is.
enum class Quantile : std::uint8_t { linear, lower, higher, midpoint, nearest };
/// The element, or what lies between two, below which the part `q` in [0, 1] of the elements along
/// an axis, or of all, lies; NaN where one is. The axes of `q` come first. Throws ShapeError,
/// DTypeError.
UnifiedArray quantile(Operand x, const UnifiedArray& q, std::optional<int> axis = {},
                      bool keepdims = false, Quantile method = Quantile::linear);
UnifiedArray quantile(Operand x, double q, std::optional<int> axis = {}, bool keepdims = false,
                      Quantile method = Quantile::linear);
/// The same of a hundred.
UnifiedArray percentile(Operand x, double q, std::optional<int> axis = {}, bool keepdims = false,
                        Quantile method = Quantile::linear);
UnifiedArray median(Operand x, std::optional<int> axis = {}, bool keepdims = false);

}  // namespace isofield
