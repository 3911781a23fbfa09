#pragma once

#include <array>
#include <cstdint>
#include <isofield/factorization.hpp>

/// Decompositions of matrices by Eigen, one after the other.
namespace isofield::host {

/// What the first operand consists of. Nothing here depends on the arrays' headers: these files
/// take minutes to compile.
enum class DenseType : std::uint8_t { float32, float64, complex64, complex128 };

/// Matrices that follow each other in each operand and result, all in C order.
struct DenseMatrices {
  std::int64_t count;
  std::int64_t m, n;  ///< of the first operand: rows, columns
  std::int64_t k;     ///< columns of the second operand
  std::array<const void*, 2> in;
  std::array<void*, 3> out;
  bool vectors;  ///< `svd`, `eigh`, `eig`: not the values alone
};

/// Work on matrix after matrix; gives the first that has no result, whose results are NaN, or -1.
using DenseKernel = std::int64_t (*)(const Factorization& factorization, const DenseMatrices& of);

// The kernels for a type.
DenseKernel cholesky_kernel(DenseType type);
DenseKernel lu_kernel(DenseType type);  ///< systems, inverses, determinants
DenseKernel triangular_kernel(DenseType type);
DenseKernel qr_kernel(DenseType type);
DenseKernel svd_kernel(DenseType type);
DenseKernel eigh_kernel(DenseType type);
DenseKernel eig_kernel(DenseType type);
DenseKernel exponential_kernel(DenseType type);

}  // namespace isofield::host
