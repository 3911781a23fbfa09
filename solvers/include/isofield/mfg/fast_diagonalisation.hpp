#pragma once

#include <isofield/mfg/stencil.hpp>
#include <vector>

namespace isofield::mfg {

/// The inverse of I - sum over axes of nu_k d_kk with constant coefficients on a box without
/// obstacles, by the eigenvectors of each axis, known in closed form: Fourier where periodic,
/// cosines between reflecting ends, sines between exits, half-integer cosines where they are mixed.
/// On a marked grid it acts on free cells by extension with 0. It is what linear solvers of more
/// than one axis are preconditioned by.
class FastDiagonalisation {
 public:
  explicit FastDiagonalisation(const Grid& grid);

  /// 1 + sum of nu_k lambda_k, inverted: nu_k is dt times the mean viscosity of the stencil along
  /// axis k, that of the upwind differences included. One for each time level of the stencil.
  UnifiedArray symbol(const Stencil& a) const;
  /// Apply the inverse to one field.
  UnifiedArray apply(const UnifiedArray& b, const UnifiedArray& symbol) const;

  /// Eigenvectors of minus the second difference along an axis, as columns, orthonormal.
  const UnifiedArray& eigenvectors(int k) const { return vectors_[static_cast<std::size_t>(k)]; }
  /// Its eigenvalues, shaped to broadcast along the axis.
  const UnifiedArray& eigenvalues(int k) const { return values_[static_cast<std::size_t>(k)]; }

 private:
  Grid grid_;
  std::vector<UnifiedArray> vectors_, transposed_, values_;
};

}  // namespace isofield::mfg
