#pragma once

#include <isofield/mfg/problem.hpp>

namespace bench {

/// Problem P in `axes` dimensions: T = 1, nu = 0.045, H = |q|^2/2, F = m, G = 2|x - 0.7|^2,
/// m0 ~ exp(-50|x - 0.3|^2), no flux, on the nodes x_i = i / intervals.
isofield::mfg::Problem problem_p(int axes, std::int64_t intervals, std::int64_t steps);

}  // namespace bench
