#pragma once

#include <cmath>
#include <isofield/ops.hpp>

namespace isofield::mfg {

/// The larger of two numbers; NaN if one is.
inline double larger(double a, double b) { return std::isnan(a) || a >= b ? a : b; }

/// The largest absolute value.
inline double largest_of(const UnifiedArray& x) { return max(abs(x)).item<double>(); }

}  // namespace isofield::mfg
