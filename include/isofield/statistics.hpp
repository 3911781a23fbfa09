#pragma once

#include <cstdint>
#include <isofield/array.hpp>
#include <optional>

/// Statistics beside the reductions (sum, mean, var, std, min, max of ops.hpp), as NumPy has them:
/// order, counts, relations between variables.
namespace isofield {

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

/// Mean along an axis, or of all elements, with `weights` of the shape of `x` or, beside an axis,
/// one for each place along it. Throws ShapeError for other shapes.
UnifiedArray average(Operand x, const UnifiedArray& weights, std::optional<int> axis = {});
/// Covariances of variables, (variables, observations) -> (variables, variables), or of one,
/// (observations) -> (1, 1), with observations - `ddof` in the denominator. Throws ShapeError where
/// that is not positive.
UnifiedArray cov(Operand x, int ddof = 1);
/// Pearson's correlation coefficients of the same; NaN for a variable that is constant.
UnifiedArray corrcoef(Operand x);
/// Density of the normal distribution at `x`, of a mean and a standard deviation that broadcast:
/// exp(-((x - mean) / deviation)^2 / 2) / (deviation sqrt(2 pi)).
UnifiedArray gaussian(Operand x, Operand mean = 0.0, Operand deviation = 1.0);

}  // namespace isofield
