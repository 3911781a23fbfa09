#include "interpolate.hpp"

#include <algorithm>
#include <cmath>
#include <isofield/linalg.hpp>

namespace isofield::mfg {

UnifiedArray multiply_along(const UnifiedArray& matrix, const UnifiedArray& x, int axis) {
  return multiply_along(matrix, matrix.T(), x, axis);
}

UnifiedArray multiply_along(const UnifiedArray& matrix, const UnifiedArray& transposed,
                            const UnifiedArray& x, int axis) {
  const Shape& shape = x.shape();
  if (shape.size() == 1) return linalg::matmul(matrix, x);
  if (shape.size() == 2 && axis == 0) return linalg::matmul(matrix, x);
  Shape result = shape;
  result[axis] = matrix.shape()[0];
  std::int64_t before = 1, after = 1;
  for (int k = 0; k < axis; ++k) before *= shape[k];
  for (int k = axis + 1; k < shape.size(); ++k) after *= shape[k];
  if (after == 1)
    return reshape(linalg::matmul(reshape(x, Shape{before, shape[axis]}), transposed), result);
  return reshape(linalg::matmul(matrix, reshape(x, Shape{before, shape[axis], after})), result);
}

namespace {

// Weights of linear interpolation between equidistant nodes: row i gives the value at
// position[i], in units of the spacing from the first node. Beyond the ends it is constant, or
// wraps round.
UnifiedArray weights(const std::vector<double>& position, std::int64_t nodes, bool periodic,
                     DType dtype) {
  const auto n = static_cast<std::size_t>(nodes);
  std::vector<double> w(position.size() * n, 0.0);
  for (std::size_t i = 0; i < position.size(); ++i) {
    const double last = static_cast<double>(nodes - 1);
    const double p = periodic ? position[i] : std::clamp(position[i], 0.0, last);
    const double left = std::floor(p);
    const auto wrapped = [&](double j) {
      const double m = static_cast<double>(nodes);
      return static_cast<std::size_t>(periodic ? j - m * std::floor(j / m) : std::min(j, last));
    };
    w[i * n + wrapped(left)] += 1.0 - (p - left);
    w[i * n + wrapped(left + 1.0)] += p - left;
  }
  return asarray(w, Shape{static_cast<std::int64_t>(position.size()), nodes}).astype(dtype);
}

UnifiedArray along_space(const UnifiedArray& field, const Grid& from, const Grid& to) {
  UnifiedArray x = field;
  for (int k = 0; k < from.axes(); ++k) {
    const Axis& a = from.axis(k);
    std::vector<double> position = to.axis(k).nodes();
    const double first = a.nodes().front();
    for (double& p : position) p = (p - first) / a.spacing();
    x = multiply_along(weights(position, a.cells, a.periodic(), from.dtype()), x,
                       x.ndim() - from.axes() + k);
  }
  return x;
}

}  // namespace

UnifiedArray interpolate(const UnifiedArray& field, const Grid& from, const Grid& to,
                         std::int64_t steps) {
  const std::int64_t levels = field.shape()[0];
  std::vector<double> position(static_cast<std::size_t>(steps) + 1);
  for (std::size_t n = 0; n < position.size(); ++n)
    position[n] =
        static_cast<double>(n) * static_cast<double>(levels - 1) / static_cast<double>(steps);
  const UnifiedArray in_time =
      multiply_along(weights(position, levels, false, from.dtype()), field, 0);
  if (!from.is_marked()) return along_space(in_time, from, to).copy();
  const UnifiedArray known = along_space(from.free_mask(), from, to);
  const UnifiedArray total = along_space(in_time * from.free_mask(), from, to);
  return where(broadcast_to(known, total.shape()) > 1e-3, total / maximum(known, 1e-3), 0.0).copy();
}

}  // namespace isofield::mfg
