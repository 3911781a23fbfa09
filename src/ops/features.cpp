#include <isofield/features.hpp>
#include <isofield/linalg.hpp>
#include <isofield/ops.hpp>
#include <isofield/searching.hpp>

#include "core/emit.hpp"
#include "core/node.hpp"

namespace isofield::features {
namespace {

/// The data as a matrix; `wanted`: how many columns it must have, or -1.
UnifiedArray matrix(std::string_view operation, const Operand& data, std::int64_t wanted) {
  detail::located(
      data, [&] { detail::check_domain(operation, Domain::floating, detail::dtype_of(data)); });
  const Shape shape = data.is_scalar() ? Shape{} : data.node()->shape;
  if (shape.size() != 2 || (wanted >= 0 && shape[1] != wanted))
    throw ShapeError(std::string(operation) + ": needs data (samples, " +
                     (wanted >= 0 ? std::to_string(wanted) : "features") + "), got shape " +
                     to_string(shape) + detail::context(data));
  if (wanted < 0 && shape[0] == 0)
    throw ShapeError(std::string(operation) + ": there are no samples in shape " +
                     to_string(shape) + detail::context(data));
  return data.array();
}

}  // namespace

Standardizer Standardizer::fit(Operand data) {
  const UnifiedArray x = matrix("standardize_features", data, -1);
  const UnifiedArray deviation = isofield::std(x, {0});
  return {isofield::mean(x, {0}), where(deviation == 0.0, 1.0, deviation)};
}
UnifiedArray Standardizer::transform(Operand data) const {
  return (matrix("Standardizer::transform", data, mean.size()) - mean) / scale;
}
UnifiedArray Standardizer::inverse_transform(Operand data) const {
  return matrix("Standardizer::inverse_transform", data, mean.size()) * scale + mean;
}

Normalizer Normalizer::fit(Operand data, double low, double high) {
  const UnifiedArray x = matrix("normalize_features", data, -1);
  if (!(low < high))
    throw ArgumentError("normalize_features: from " + Scalar(low).text() + " to " +
                        Scalar(high).text() + " is no range" + detail::context(data));
  const UnifiedArray smallest = isofield::min(x, {0});
  const UnifiedArray width = isofield::max(x, {0}) - smallest;
  return {smallest, where(width == 0.0, 1.0, width), low, high};
}
UnifiedArray Normalizer::transform(Operand data) const {
  const UnifiedArray x = matrix("Normalizer::transform", data, minimum.size());
  return (x - minimum) / range * (high - low) + low;
}
UnifiedArray Normalizer::inverse_transform(Operand data) const {
  const UnifiedArray x = matrix("Normalizer::inverse_transform", data, minimum.size());
  return (x - low) / (high - low) * range + minimum;
}

PCA PCA::fit(Operand data, std::optional<std::int64_t> count) {
  const UnifiedArray x = matrix("pca", data, -1);
  const std::int64_t samples = x.shape()[0], most = std::min(samples, x.shape()[1]);
  const std::int64_t kept = count.value_or(most);
  if (kept < 1 || kept > most)
    throw ShapeError("pca: " + std::to_string(kept) + " components of data of shape " +
                     to_string(x.shape()) + "; there are 1 to " + std::to_string(most) +
                     detail::context(data));
  const UnifiedArray middle = isofield::mean(x, {0});
  const auto [u, s, vh] = linalg::svd(x - middle, false);
  const UnifiedArray largest = take_along_axis(vh, argmax(abs(vh), 1, true), 1);
  const UnifiedArray turned = where(largest < 0.0, -1.0 * vh, vh);
  const UnifiedArray variance =
      square(s) / static_cast<double>(std::max<std::int64_t>(samples - 1, 1));
  const Slice first{0, kept};
  return {middle, turned(first).copy(), variance(first).copy(),
          (variance / sum(variance))(first).copy()};
}
UnifiedArray PCA::transform(Operand data) const {
  return linalg::matmul(matrix("PCA::transform", data, mean.size()) - mean,
                        matrix_transpose(components));
}
UnifiedArray PCA::inverse_transform(Operand coordinates) const {
  const UnifiedArray x = matrix("PCA::inverse_transform", coordinates, explained_variance.size());
  return linalg::matmul(x, components) + mean;
}

}  // namespace isofield::features
