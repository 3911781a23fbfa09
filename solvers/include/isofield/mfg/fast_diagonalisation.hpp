#pragma once

#include <isofield/mfg/stencil.hpp>
#include <vector>

namespace isofield::mfg {

/// The inverse of I - sum over axes of nu_k d_kk with constant coefficients on a box without
/// obstacles: tridiagonal systems along axis 0 in the eigenvectors of the other axes, known in
/// closed form: Fourier where periodic, cosines between reflecting ends, sines between exits,
/// half-integer cosines where they are mixed. Needs two axes or more.
/// On a marked grid it acts on free cells by extension with 0. It is what linear solvers of more
/// than one axis are preconditioned by.
class FastDiagonalisation {
 public:
  explicit FastDiagonalisation(const Grid& grid);

  /// 1 - nu_0 d_00 + sum of nu_k lambda_k: nu_k is dt times the mean viscosity of the stencil along
  /// axis k, that of the upwind differences included. One for each time level of the stencil.
  Symbol symbol(const Stencil& a) const;
  /// Apply the inverse to one field.
  UnifiedArray apply(const UnifiedArray& b, const Symbol& symbol) const;

  /// Eigenvectors of minus the second difference along an axis k > 0, as columns, orthonormal.
  const UnifiedArray& eigenvectors(int k) const { return modes_[index(k)].vectors; }
  /// Its eigenvalues, shaped to broadcast along the axis.
  const UnifiedArray& eigenvalues(int k) const { return modes_[index(k)].values; }

 private:
  struct Modes {
    UnifiedArray vectors, transposed, values;
  };
  static std::size_t index(int k) { return static_cast<std::size_t>(k - 1); }
  /// From values along axis k to coefficients of its modes, and back.
  UnifiedArray to_modes(const UnifiedArray& x, int k) const;
  UnifiedArray from_modes(const UnifiedArray& x, int k) const;

  Grid grid_;
  std::vector<Modes> modes_;  ///< of axes 1, 2, ...
  UnifiedArray diagonal_;     ///< of h^2 times minus the second difference along axis 0
};

}  // namespace isofield::mfg
