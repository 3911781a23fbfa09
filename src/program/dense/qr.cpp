// Eigen gets its name first.
// clang-format off
#include "program/dense/matrices.hpp"
#include <Eigen/QR>
// clang-format on

#include <algorithm>
#include <cmath>
#include <limits>

namespace isofield::host {
namespace {

using namespace dense;

/// The power of two that brings elements whose squares would overflow or vanish near 1; else 1.
template <class T>
typename Matrix<T>::RealScalar balance(const Matrix<T>& a) {
  using Real = typename Matrix<T>::RealScalar;
  if (a.size() == 0) return Real(1);
  // By parts: the absolute value of a complex number may overflow on its way.
  const Real largest = std::max(a.real().cwiseAbs().maxCoeff(), a.imag().cwiseAbs().maxCoeff());
  if (!(largest > Real(0)) || !std::isfinite(largest)) return Real(1);
  const int exponent = std::ilogb(largest);
  const int safe = std::numeric_limits<Real>::max_exponent / 2 - 20;
  const int most = std::numeric_limits<Real>::max_exponent - 1;
  return std::abs(exponent) > safe ? std::ldexp(Real(1), std::min(-exponent, most)) : Real(1);
}

template <class T>
struct Qr {
  static std::int64_t run(const Factorization& factorization, const DenseMatrices& of) {
    const std::int64_t m = of.m, n = of.n, p = factorization.full ? m : std::min(m, n);
    Eigen::HouseholderQR<Matrix<T>> qr(m, n);
    Matrix<T> a(m, n), q(m, p);
    return first_failure(of, [&](std::int64_t i) {
      a = ConstRows<T>(read<T>(of.in[0], i * m * n), m, n);
      const auto scale = balance<T>(a);
      qr.compute(a * scale);
      q.setIdentity();
      q.applyOnTheLeft(qr.householderQ());
      Rows<T>(place<T>(of.out[0], i * m * p), m, p) = q;
      Rows<T>(place<T>(of.out[1], i * p * n), p, n) =
          qr.matrixQR().topRows(p).template triangularView<Eigen::Upper>();
      // Not a quotient: Eigen squares the parts of a complex divisor.
      if (scale != 1) Rows<T>(place<T>(of.out[1], i * p * n), p, n) *= 1 / scale;
      return true;
    });
  }
};

}  // namespace

DenseKernel qr_kernel(DenseType type) { return kernel_of<Qr>(type); }

}  // namespace isofield::host
