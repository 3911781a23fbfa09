#pragma once

#include <cmath>
#include <cstdint>
#include <isofield/manipulation.hpp>
#include <isofield/ops.hpp>
#include <vector>

namespace isofield::mfg {

/// The larger of two numbers; NaN if one is.
inline double larger(double a, double b) { return std::isnan(a) || a >= b ? a : b; }

/// The largest absolute value.
inline double largest_of(const UnifiedArray& x) { return max(abs(x)).item<double>(); }

/// The 2-norm.
inline double norm(const UnifiedArray& x) { return std::sqrt(sum(x * x).item<double>()); }

/// All populations' fields as one array, and back.
inline UnifiedArray stacked(const std::vector<UnifiedArray>& x) {
  return x.size() == 1 ? expand_dims(x[0], 0) : stack(x);
}
inline std::vector<UnifiedArray> unstacked(const UnifiedArray& x) {
  std::vector<UnifiedArray> list;
  for (std::int64_t p = 0; p < x.shape()[0]; ++p) list.push_back(x(p));
  return list;
}

}  // namespace isofield::mfg
