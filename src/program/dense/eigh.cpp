// Eigenvalues of Hermitian matrices.
// Eigen gets its name first.
// clang-format off
#include "program/dense/matrices.hpp"
#include <Eigen/Eigenvalues>
// clang-format on

namespace isofield::host {
namespace {

using namespace dense;

template <class T>
struct Eigh {
  static std::int64_t run(const Factorization&, const DenseMatrices& of) {
    const std::int64_t n = of.n;
    Eigen::SelfAdjointEigenSolver<Matrix<Wide<T>>> solver(n);
    return first_failure(of, [&](std::int64_t i) {
      const ConstRows<T> a(read<T>(of.in[0], i * n * n), n, n);
      // What is not finite would go round until patience ends.
      bool good = true;
      for (std::int64_t r = 0; r < n; ++r) good = good && a.row(r).head(r + 1).allFinite();
      if (good)
        solver.compute(a.template cast<Wide<T>>(),
                       of.vectors ? Eigen::ComputeEigenvectors : Eigen::EigenvaluesOnly);
      good = good && solver.info() == Eigen::Success;
      Line<Real<T>> w(place<Real<T>>(of.out[0], i * n), n);
      if (good)
        w = solver.eigenvalues().template cast<Real<T>>();
      else
        w.setConstant(nan<Real<T>>);
      if (!of.vectors) return good;
      Rows<T> v(place<T>(of.out[1], i * n * n), n, n);
      if (good)
        v = solver.eigenvectors().template cast<T>();
      else
        v.setConstant(nan<T>);
      return good;
    });
  }
};

}  // namespace

DenseKernel eigh_kernel(DenseType type) { return kernel_of<Eigh>(type); }

}  // namespace isofield::host
