#pragma once

#include <isofield/mfg/grid.hpp>

namespace isofield::mfg {

/// Multiply a matrix (n, k) into axis `axis` of `x`, which has length k there.
UnifiedArray multiply_along(const UnifiedArray& matrix, const UnifiedArray& x, int axis);
/// The same, given the transpose as well: the last axis is multiplied from the right.
UnifiedArray multiply_along(const UnifiedArray& matrix, const UnifiedArray& transposed,
                            const UnifiedArray& x, int axis);

/// Bring a field over time, shape (M + 1, ...) on grid `from`, to `steps` + 1 levels on grid `to`
/// of the same box, linearly; only free cells of `from` count. What has none near is 0.
UnifiedArray interpolate(const UnifiedArray& field, const Grid& from, const Grid& to,
                         std::int64_t steps);

}  // namespace isofield::mfg
