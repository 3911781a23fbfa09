// Eigen gets its name first.
// clang-format off
#include "program/dense/matrices.hpp"
#include <Eigen/QR>
// clang-format on

#include <algorithm>

namespace isofield::host {
namespace {

using namespace dense;

template <class T>
struct Qr {
  static std::int64_t run(const Factorization& factorization, const DenseMatrices& of) {
    const std::int64_t m = of.m, n = of.n, p = factorization.full ? m : std::min(m, n);
    Eigen::HouseholderQR<Matrix<T>> qr(m, n);
    Matrix<T> q(m, p);
    return first_failure(of, [&](std::int64_t i) {
      qr.compute(ConstRows<T>(read<T>(of.in[0], i * m * n), m, n));
      q.setIdentity();
      q.applyOnTheLeft(qr.householderQ());
      Rows<T>(place<T>(of.out[0], i * m * p), m, p) = q;
      Rows<T>(place<T>(of.out[1], i * p * n), p, n) =
          qr.matrixQR().topRows(p).template triangularView<Eigen::Upper>();
      return true;
    });
  }
};

}  // namespace

DenseKernel qr_kernel(DenseType type) { return kernel_of<Qr>(type); }

}  // namespace isofield::host
