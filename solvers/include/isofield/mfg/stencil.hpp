#pragma once

#include <isofield/mfg/hamiltonian.hpp>
#include <optional>
#include <vector>

namespace isofield::mfg {

/// A matrix of constant coefficients near a stencil, in the eigenvectors of all axes but the first:
/// tridiagonal along that one, see FastDiagonalisation.
struct Symbol {
  UnifiedArray diagonal;  ///< shaped as a field
  UnifiedArray coupling;  ///< to both neighbours along axis 0, the same for all cells of a level
};

/// A matrix that couples every cell to its neighbours, by its entries: row i of its product with v
/// is diagonal_i v_i + sum over faces of faces_i v_neighbour. Arrays may have leading axes, for
/// many time levels at once. The matrix I + dt K of an HJB step, K the linearised operator, and its
/// transpose, of the Fokker-Planck step, are M-matrices: entries off the diagonal are <= 0.
struct Stencil {
  FaceField faces;
  UnifiedArray diagonal;
  /// What the matrix is preconditioned by; absent in one dimension.
  std::optional<Symbol> symbol;

  /// The part of one time level.
  Stencil level(std::int64_t n) const;
  /// The part of time levels [first, last).
  Stencil levels(std::int64_t first, std::int64_t last) const;
  /// All arrays, in a fixed order, for functions that take lists.
  void append_to(std::vector<UnifiedArray>& list) const;
  /// The inverse of `append_to`, from position `first`.
  static Stencil from_list(std::span<const UnifiedArray> list, std::size_t first, int axes);
  /// How many arrays `append_to` gives.
  static std::size_t list_size(int axes);
};

/// I + dt (K + discount) with K = -nu L + sum over faces of G_q D, from G_q.
Stencil linearise(const Grid& grid, const FaceField& gradient, double viscosity, double dt,
                  double discount = 0.0);
/// The transposed matrix. Rows of cells that are not free are those of I.
Stencil transpose(const Grid& grid, const Stencil& a);
/// The product with v, which is 0 outside free cells.
UnifiedArray apply(const Grid& grid, const Stencil& a, const UnifiedArray& v);
/// Sum over faces of D^T (weight * flux).
UnifiedArray scatter(const Grid& grid, const FaceField& flux, const UnifiedArray& weight);

}  // namespace isofield::mfg
