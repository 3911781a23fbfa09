// Eigenvalues of any matrix.
// Eigen gets its name first.
// clang-format off
#include "program/dense/matrices.hpp"
#include <Eigen/Eigenvalues>
// clang-format on

namespace isofield::host {
namespace {

using namespace dense;

template <class T>
struct Eig {
  using Solver =
      std::conditional_t<Eigen::NumTraits<T>::IsComplex, Eigen::ComplexEigenSolver<Matrix<Wide<T>>>,
                         Eigen::EigenSolver<Matrix<Wide<T>>>>;

  static std::int64_t run(const Factorization&, const DenseMatrices& of) {
    const std::int64_t n = of.n;
    Solver solver(n);
    return first_failure(of, [&](std::int64_t i) {
      const ConstRows<T> a(read<T>(of.in[0], i * n * n), n, n);
      bool good = a.allFinite();  // what is not would go round until patience ends
      if (good) solver.compute(a.template cast<Wide<T>>(), of.vectors);
      good = good && solver.info() == Eigen::Success;
      Line<Complex<T>> w(place<Complex<T>>(of.out[0], i * n), n);
      if (good)
        w = solver.eigenvalues().template cast<Complex<T>>();
      else
        w.setConstant(nan<Complex<T>>);
      if (!of.vectors) return good;
      Rows<Complex<T>> v(place<Complex<T>>(of.out[1], i * n * n), n, n);
      if (good)
        v = solver.eigenvectors().template cast<Complex<T>>();
      else
        v.setConstant(nan<Complex<T>>);
      return good;
    });
  }
};

}  // namespace

DenseKernel eig_kernel(DenseType type) { return kernel_of<Eig>(type); }

}  // namespace isofield::host
