// Elimination with partial pivoting: systems, inverses, determinants.
// Eigen gets its name first.
// clang-format off
#include "program/dense/matrices.hpp"
#include <Eigen/LU>
// clang-format on

#include <cmath>

#include "program/dense/small.hpp"

namespace isofield::host {
namespace {

using namespace dense;
using Kind = Factorization::Kind;

template <class T>
struct Lu {
  /// What there is to say of a determinant, given the pivots and the sign of the exchanges of rows.
  template <class Pivots>
  static void determinant(Kind kind, const Pivots& pivots, int sign, const DenseMatrices& of,
                          std::int64_t i) {
    T number = T(static_cast<Real<T>>(sign));
    if (kind == Kind::determinant) {
      for (std::int64_t k = 0; k < of.n; ++k) number *= pivots(k);
      *place<T>(of.out[0], i) = number;
      return;
    }
    Real<T> logarithm = 0;
    for (std::int64_t k = 0; k < of.n; ++k) {
      const Real<T> size = std::abs(pivots(k));
      logarithm += std::log(size);
      number = size == 0 ? T(0) : number * (pivots(k) / size);
    }
    *place<T>(of.out[0], i) = number;
    *place<Real<T>>(of.out[1], i) = logarithm;
  }

  static std::int64_t run_small(Kind kind, const DenseMatrices& of) {
    return with_rows(of.n, [&](auto n) {
      const std::int64_t k = kind == Kind::solve ? of.k : kind == Kind::inverse ? of.n : 0;
      T a[most_small_rows * most_small_rows];
      return first_failure(of, [&](std::int64_t i) {
        std::copy_n(read<T>(of.in[0], i * n * n), n * n, a);
        T* const x = k > 0 ? place<T>(of.out[0], i * n * k) : nullptr;
        if (kind == Kind::solve) std::copy_n(read<T>(of.in[1], i * n * k), n * k, x);
        if (kind == Kind::inverse)
          for (std::int64_t j = 0; j < n * n; ++j) x[j] = T(j % (n + 1) == 0 ? 1 : 0);
        const int sign = eliminate(a, x, n, k);
        if (k == 0) {
          const auto pivots = [&](std::int64_t j) { return sign == 0 ? T(0) : a[j * (n + 1)]; };
          determinant(kind, pivots, sign, of, i);
          return true;
        }
        if (sign == 0) {
          std::fill_n(x, n * k, nan<T>);
          return false;
        }
        substitute(a, x, n, k);
        return true;
      });
    });
  }

  using Decomposition = Eigen::PartialPivLU<Matrix<T>>;

  static void solve(const Decomposition& lu, const DenseMatrices& of, std::int64_t i) {
    const T* const b = read<T>(of.in[1], i * of.n * of.k);
    T* const x = place<T>(of.out[0], i * of.n * of.k);
    if (of.k == 1)
      Line<T>(x, of.n) = lu.solve(ConstLine<T>(b, of.n));
    else
      Rows<T>(x, of.n, of.k) = lu.solve(ConstRows<T>(b, of.n, of.k));
  }

  static std::int64_t run(const Factorization& factorization, const DenseMatrices& of) {
    const std::int64_t n = of.n;
    const Kind kind = factorization.kind;
    if (n <= most_small_rows) return run_small(kind, of);
    Decomposition lu(n);
    return first_failure(of, [&](std::int64_t i) {
      lu.compute(ConstRows<T>(read<T>(of.in[0], i * n * n), n, n));
      const auto pivots = lu.matrixLU().diagonal();
      if (kind == Kind::determinant || kind == Kind::log_determinant) {
        determinant(kind, pivots, static_cast<int>(lu.permutationP().determinant()), of, i);
        return true;
      }
      const bool singular = (pivots.array() == T(0)).any();
      if (singular)
        Line<T>(place<T>(of.out[0], i * n * (kind == Kind::solve ? of.k : n)),
                n * (kind == Kind::solve ? of.k : n))
            .setConstant(nan<T>);
      else if (kind == Kind::solve)
        solve(lu, of, i);
      else
        Rows<T>(place<T>(of.out[0], i * n * n), n, n) = lu.inverse();
      return !singular;
    });
  }
};

}  // namespace

DenseKernel lu_kernel(DenseType type) { return kernel_of<Lu>(type); }

}  // namespace isofield::host
