#pragma once

#include <isofield/array.hpp>
#include <optional>
#include <vector>

/// Fourier transforms with the names, parameters and norms of the Python Array API standard
/// 2025.12, and cosine, sine and Hartley transforms with those of scipy.fft. They act on lines
/// along one axis or several, one axis after the other, batched over all others, in O(n log n) for
/// every length n; negative axes count from the last. Arrays are float32, float64 or complex of
/// these, of any layout, on any backend; plans are made once for a length and kept.
///
/// All throw DTypeError for other dtypes, IndexError for axes that are out of range or named twice,
/// ShapeError for no axes or lines without elements, and Error for a type that is not 1, 2, 3
/// or 4.
namespace isofield::fft {

/// Which of a transform and its inverse divides by the length: the inverse (`backward`), the
/// transform (`forward`), or each by the square root (`ortho`). Under `ortho` the terms at the ends
/// of cosine and sine transforms are scaled as well, so that their matrices are orthogonal.
enum class Norm { backward, ortho, forward };

/// y[k] = sum_j x[j] e^(-2 pi i j k / n) along an axis, which is cut or filled with zeros to `n`
/// elements first. What is real becomes complex.
UnifiedArray fft(Operand x, std::optional<std::int64_t> n = std::nullopt, int axis = -1,
                 Norm norm = Norm::backward);
/// Its inverse, with e^(+2 pi i j k / n).
UnifiedArray ifft(Operand x, std::optional<std::int64_t> n = std::nullopt, int axis = -1,
                  Norm norm = Norm::backward);
/// `fft` along some axes, each cut or filled to an element of `s`; along the last ones if only `s`
/// is given, along all without either.
UnifiedArray fftn(Operand x, const std::optional<std::vector<std::int64_t>>& s = std::nullopt,
                  const std::optional<std::vector<int>>& axes = std::nullopt,
                  Norm norm = Norm::backward);
UnifiedArray ifftn(Operand x, const std::optional<std::vector<std::int64_t>>& s = std::nullopt,
                   const std::optional<std::vector<int>>& axes = std::nullopt,
                   Norm norm = Norm::backward);
/// `fft` of real numbers: the first n / 2 + 1 terms, of which the others are the conjugates.
UnifiedArray rfft(Operand x, std::optional<std::int64_t> n = std::nullopt, int axis = -1,
                  Norm norm = Norm::backward);
/// Its inverse: n real numbers from the first n / 2 + 1 terms; n is twice one less than there are
/// if it is not given.
UnifiedArray irfft(Operand x, std::optional<std::int64_t> n = std::nullopt, int axis = -1,
                   Norm norm = Norm::backward);
/// `rfft` along the last of the axes, `fft` along the others.
UnifiedArray rfftn(Operand x, const std::optional<std::vector<std::int64_t>>& s = std::nullopt,
                   const std::optional<std::vector<int>>& axes = std::nullopt,
                   Norm norm = Norm::backward);
UnifiedArray irfftn(Operand x, const std::optional<std::vector<std::int64_t>>& s = std::nullopt,
                    const std::optional<std::vector<int>>& axes = std::nullopt,
                    Norm norm = Norm::backward);
/// `fft` of a Hermitian sequence, given by its first n / 2 + 1 elements: n real numbers.
UnifiedArray hfft(Operand x, std::optional<std::int64_t> n = std::nullopt, int axis = -1,
                  Norm norm = Norm::backward);
UnifiedArray ihfft(Operand x, std::optional<std::int64_t> n = std::nullopt, int axis = -1,
                   Norm norm = Norm::backward);
/// The frequencies of `fft`'s terms for samples at distance d: 0, 1, ..., -2, -1 over n d.
UnifiedArray fftfreq(std::int64_t n, double d = 1.0, DType dtype = float64,
                     BaseBackend* backend = nullptr,
                     std::source_location where = std::source_location::current());
/// Those of `rfft`'s: 0, 1, ..., n / 2 over n d.
UnifiedArray rfftfreq(std::int64_t n, double d = 1.0, DType dtype = float64,
                      BaseBackend* backend = nullptr,
                      std::source_location where = std::source_location::current());
/// Turn lines so that the term of frequency 0 is in the middle, along all axes if none are given.
UnifiedArray fftshift(Operand x, const std::optional<std::vector<int>>& axes = std::nullopt);
UnifiedArray ifftshift(Operand x, const std::optional<std::vector<int>>& axes = std::nullopt);

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
