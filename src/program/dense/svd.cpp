// Eigen gets its name first.
// clang-format off
#include "program/dense/matrices.hpp"
#include <Eigen/SVD>
// clang-format on

#include <algorithm>

namespace isofield::host {
namespace {

using namespace dense;

template <class T>
struct Svd {
  static unsigned options(const Factorization& factorization, const DenseMatrices& of) {
    if (!of.vectors) return 0;
    return factorization.full ? Eigen::ComputeFullU | Eigen::ComputeFullV
                              : Eigen::ComputeThinU | Eigen::ComputeThinV;
  }

  static std::int64_t run(const Factorization& factorization, const DenseMatrices& of) {
    const std::int64_t m = of.m, n = of.n, p = std::min(m, n);
    const std::int64_t u = factorization.full ? m : p, v = factorization.full ? n : p;
    Eigen::BDCSVD<Matrix<Wide<T>>> svd(m, n, options(factorization, of));
    return first_failure(of, [&](std::int64_t i) {
      svd.compute(ConstRows<T>(read<T>(of.in[0], i * m * n), m, n).template cast<Wide<T>>());
      const bool good = svd.info() == Eigen::Success;
      Line<Real<T>> s(place<Real<T>>(of.out[of.vectors ? 1 : 0], i * p), p);
      if (good)
        s = svd.singularValues().template cast<Real<T>>();
      else
        s.setConstant(nan<Real<T>>);
      if (!of.vectors) return good;
      Rows<T> left(place<T>(of.out[0], i * m * u), m, u);
      Rows<T> right(place<T>(of.out[2], i * v * n), v, n);
      if (good) {
        left = svd.matrixU().template cast<T>();
        right = svd.matrixV().adjoint().template cast<T>();
      } else {
        left.setConstant(nan<T>);
        right.setConstant(nan<T>);
      }
      return good;
    });
  }
};

}  // namespace

DenseKernel svd_kernel(DenseType type) { return kernel_of<Svd>(type); }

}  // namespace isofield::host
