#pragma once

#include <cstdint>
#include <isofield/array.hpp>
#include <isofield/indexing.hpp>
#include <optional>

/// Transforms of data sets (samples, features) that are fitted to one set and applied to others,
/// named and defined as scikit-learn's. Values in, values out: `fit` returns the fitted transform,
/// whose members are arrays on the data's backend. Throws ShapeError for data that are no matrix or
/// have other features than those fitted, DTypeError for data that are not real floats.
namespace isofield::features {

using isofield::one_hot;
using isofield::scatter;

/// Features less their mean, over their deviation; a feature without any is left at its scale.
class Standardizer {
 public:
  static Standardizer fit(Operand data);
  UnifiedArray transform(Operand data) const;
  UnifiedArray inverse_transform(Operand data) const;

  UnifiedArray mean;   ///< (features)
  UnifiedArray scale;  ///< (features): the standard deviation of all samples, or 1 where it is 0

 private:
  Standardizer(UnifiedArray m, UnifiedArray s) : mean(std::move(m)), scale(std::move(s)) {}
};
/// Fit a Standardizer: `standardize_features(x).transform(x)`.
inline Standardizer standardize_features(Operand data) {
  return Standardizer::fit(std::move(data));
}

/// Features moved and scaled so that the fitted data fill [low, high]; a feature that is constant
/// becomes `low`.
class Normalizer {
 public:
  static Normalizer fit(Operand data, double low = 0.0, double high = 1.0);
  UnifiedArray transform(Operand data) const;
  UnifiedArray inverse_transform(Operand data) const;

  UnifiedArray minimum;  ///< (features)
  UnifiedArray range;    ///< (features): largest less smallest, or 1 where they are equal
  double low, high;

 private:
  Normalizer(UnifiedArray m, UnifiedArray r, double l, double h)
      : minimum(std::move(m)), range(std::move(r)), low(l), high(h) {}
};
inline Normalizer normalize_features(Operand data, double low = 0.0, double high = 1.0) {
  return Normalizer::fit(std::move(data), low, high);
}

/// Principal components: the directions along which centred data vary most, by singular values.
/// Signs are such that the largest entry of each component, by absolute value, is positive.
class PCA {
 public:
  /// Keep `count` components, at most min(samples, features), which is the default.
  static PCA fit(Operand data, std::optional<std::int64_t> count = {});
  /// Coordinates along the components: (samples, count).
  UnifiedArray transform(Operand data) const;
  /// The data that coordinates stand for: (samples, features).
  UnifiedArray inverse_transform(Operand coordinates) const;

  UnifiedArray mean;                      ///< (features)
  UnifiedArray components;                ///< (count, features), orthonormal rows
  UnifiedArray explained_variance;        ///< (count), with samples - 1 in the denominator
  UnifiedArray explained_variance_ratio;  ///< (count): of the sum over all components

 private:
  PCA(UnifiedArray m, UnifiedArray c, UnifiedArray v, UnifiedArray r)
      : mean(std::move(m)),
        components(std::move(c)),
        explained_variance(std::move(v)),
        explained_variance_ratio(std::move(r)) {}
};
inline PCA pca(Operand data, std::optional<std::int64_t> count = {}) {
  return PCA::fit(std::move(data), count);
}

}  // namespace isofield::features
