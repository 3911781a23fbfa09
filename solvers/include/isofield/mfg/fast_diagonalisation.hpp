#pragma once

#include <isofield/mfg/stencil.hpp>
#include <vector>

namespace isofield::mfg {

/// The inverse of I - sum over axes of nu_k d_kk with constant coefficients on a box without
/// obstacles: tridiagonal systems along axis 0 in the eigenvectors of the other axes, known in
/// closed form: Hartley's cos + sin where periodic, cosines between reflecting ends, sines between
/// exits, half-integer cosines where they are mixed. The first three have fast transforms, which
/// are taken from lengths on where they are faster than a product with the matrix of eigenvectors.
/// Needs two axes or more.
/// On a marked grid it acts on free cells by extension with 0. It is what linear solvers of more
/// than one axis are preconditioned by.
class FastDiagonalisation {
 public:
  explicit FastDiagonalisation(const Grid& grid);

  /// constant - nu_0 d_00 + sum of nu_k lambda_k: nu_k is dt times the mean viscosity of the
  /// stencil along axis k, that of the upwind differences included. One for each time level of the
  /// stencil.
  Symbol symbol(const Stencil& a, double constant = 1.0) const;
  /// Apply the inverse to one field.
  UnifiedArray apply(const UnifiedArray& b, const Symbol& symbol) const;

  /// From values along an axis k > 0 to coefficients of its eigenvectors.
  UnifiedArray to_modes(const UnifiedArray& x, int k) const;
  /// The inverse.
  UnifiedArray from_modes(const UnifiedArray& x, int k) const;
  /// Eigenvalues of minus the second difference along an axis k > 0, shaped to broadcast along it.
  const UnifiedArray& eigenvalues(int k) const { return modes_[index(k)].values; }

 private:
  enum class Transform { product, cosine, sine, hartley };
  struct Modes {
    Transform transform;
    UnifiedArray vectors, transposed;  ///< for products: orthonormal eigenvectors, as columns
    UnifiedArray values;
  };
  static std::size_t index(int k) { return static_cast<std::size_t>(k - 1); }
  static Transform fastest(const Axis& axis, bool on_host);

  Grid grid_;
  std::vector<Modes> modes_;  ///< of axes 1, 2, ...
  UnifiedArray diagonal_;     ///< of h^2 times minus the second difference along axis 0
};

}  // namespace isofield::mfg
