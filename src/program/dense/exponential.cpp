// Exponentials of matrices by scaling, squaring and Pade approximants (Higham, SIAM J. Matrix Anal.
// Appl. 26, 2005).
// Eigen gets its name first.
// clang-format off
#include "program/dense/matrices.hpp"
#include <unsupported/Eigen/MatrixFunctions>
// clang-format on

namespace isofield::host {
namespace {

using namespace dense;

template <class T>
struct Exponential {
  static std::int64_t run(const Factorization&, const DenseMatrices& of) {
    const std::int64_t n = of.n;
    Matrix<Wide<T>> a(n, n), power(n, n);
    return first_failure(of, [&](std::int64_t i) {
      a = ConstRows<T>(read<T>(of.in[0], i * n * n), n, n).template cast<Wide<T>>();
      Rows<T> result(place<T>(of.out[0], i * n * n), n, n);
      if (!a.allFinite()) {
        result.setConstant(nan<T>);
        return true;
      }
      power = a.exp();
      result = power.template cast<T>();
      return true;
    });
  }
};

}  // namespace

DenseKernel exponential_kernel(DenseType type) { return kernel_of<Exponential>(type); }

}  // namespace isofield::host
