#pragma once

#include <isofield/array.hpp>
#include <vector>

/// Transforms of real arrays, with the names, types and norms of scipy.fft. They act on lines along
/// `axes`, one axis after the other, batched over all others, in O(n log n) for every length n;
/// negative axes count from the last. Arrays are float32 or float64, of any layout, on any backend;
/// plans are made once for a length and kept.
///
/// All throw DTypeError for other dtypes, IndexError for axes that are out of range or named twice,
/// ShapeError for no axes or lines without elements, and Error for a type that is not 1, 2, 3
/// or 4.
namespace isofield::fft {

/// Which of a transform and its inverse divides by the length: the inverse (`backward`), the
/// transform (`forward`), or each by the square root (`ortho`). Under `ortho` the terms at the ends
/// of cosine and sine transforms are scaled as well, so that their matrices are orthogonal.
enum class Norm { backward, ortho, forward };

/// Discrete cosine transforms. Along an axis of n elements, without a norm,
///   type 1: y[k] = x[0] + (-1)^k x[n-1] + 2 sum_{0<j<n-1} x[j] cos(pi j k / (n - 1)), n >= 2,
///   type 2: y[k] = 2 sum_j x[j] cos(pi (2 j + 1) k / (2 n)),
///   type 3: y[k] = x[0] + 2 sum_{j>0} x[j] cos(pi j (2 k + 1) / (2 n)),
///   type 4: y[k] = 2 sum_j x[j] cos(pi (2 j + 1)(2 k + 1) / (4 n)).
/// Type 2 is even about the cell faces at both ends: cells between reflecting walls.
UnifiedArray dct(Operand x, int type = 2, const std::vector<int>& axes = {-1},
                 Norm norm = Norm::backward);
/// The inverse of `dct` of the same type, axes and norm.
UnifiedArray idct(Operand x, int type = 2, const std::vector<int>& axes = {-1},
                  Norm norm = Norm::backward);

/// Discrete sine transforms. Along an axis of n elements, without a norm,
///   type 1: y[k] = 2 sum_j x[j] sin(pi (j + 1)(k + 1) / (n + 1)),
///   type 2: y[k] = 2 sum_j x[j] sin(pi (2 j + 1)(k + 1) / (2 n)),
///   type 3: y[k] = (-1)^k x[n-1] + 2 sum_{j<n-1} x[j] sin(pi (j + 1)(2 k + 1) / (2 n)),
///   type 4: y[k] = 2 sum_j x[j] sin(pi (2 j + 1)(2 k + 1) / (4 n)).
/// Type 1 is odd about the points before the first and behind the last: cells between values of
/// zero.
UnifiedArray dst(Operand x, int type = 2, const std::vector<int>& axes = {-1},
                 Norm norm = Norm::backward);
/// The inverse of `dst` of the same type, axes and norm.
UnifiedArray idst(Operand x, int type = 2, const std::vector<int>& axes = {-1},
                  Norm norm = Norm::backward);

/// Hartley transform, y[k] = sum_j x[j] (cos(2 pi j k / n) + sin(2 pi j k / n)) along each axis:
/// the real transform of periodic functions. It is its own inverse with the other norm: that of
/// `backward` is `forward`, that of `ortho` is `ortho`.
UnifiedArray hartley(Operand x, const std::vector<int>& axes = {-1}, Norm norm = Norm::backward);

}  // namespace isofield::fft
