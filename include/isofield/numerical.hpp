#pragma once

#include <isofield/array.hpp>
#include <isofield/ops.hpp>
#include <isofield/searching.hpp>
#include <optional>
#include <vector>

/// Running sums, differences, derivatives and integrals of tables of numbers.
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

}  // namespace isofield
