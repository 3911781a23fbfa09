// Eigen gets its name first.
// clang-format off
#include "program/dense/matrices.hpp"
#include <Eigen/Cholesky>
// clang-format on

#include "program/dense/small.hpp"

namespace isofield::host {
namespace {

using namespace dense;

template <class T>
struct Cholesky {
  /// Turn a matrix into its adjoint.
  static void turn(T* a, std::int64_t n) {
    for (std::int64_t r = 0; r < n; ++r)
      for (std::int64_t c = 0; c <= r; ++c) {
        const T lower = conjugate(a[r * n + c]);
        a[r * n + c] = conjugate(a[c * n + r]);
        a[c * n + r] = lower;
      }
  }

  static std::int64_t run_small(const Factorization& factorization, const DenseMatrices& of) {
    return with_rows(of.n, [&](auto n) {
      T turned[most_small_rows * most_small_rows];
      return first_failure(of, [&](std::int64_t i) {
        const T* a = read<T>(of.in[0], i * n * n);
        T* const l = place<T>(of.out[0], i * n * n);
        if (factorization.upper) {
          std::copy_n(a, n * n, turned);
          turn(turned, n);
          a = turned;
        }
        if (!small_cholesky(a, l, n)) {
          std::fill_n(l, n * n, nan<T>);
          return false;
        }
        if (factorization.upper) turn(l, n);
        return true;
      });
    });
  }

  static std::int64_t run(const Factorization& factorization, const DenseMatrices& of) {
    const std::int64_t n = of.n;
    if (n <= most_small_rows) return run_small(factorization, of);
    Eigen::LLT<Matrix<T>> llt(n);
    Matrix<T> matrix(n, n);
    return first_failure(of, [&](std::int64_t i) {
      matrix = ConstRows<T>(read<T>(of.in[0], i * n * n), n, n);
      // The upper triangle of a is the lower one of its adjoint.
      if (factorization.upper) matrix.adjointInPlace();
      llt.compute(matrix);
      Rows<T> l(place<T>(of.out[0], i * n * n), n, n);
      // A pivot that is NaN is not positive, either.
      if (llt.info() != Eigen::Success ||
          !(llt.matrixLLT().diagonal().real().array() > Real<T>(0)).all()) {
        l.setConstant(nan<T>);
        return false;
      }
      matrix = llt.matrixL();
      if (factorization.upper) matrix.adjointInPlace();
      l = matrix;
      return true;
    });
  }
};

}  // namespace

DenseKernel cholesky_kernel(DenseType type) { return kernel_of<Cholesky>(type); }

}  // namespace isofield::host
