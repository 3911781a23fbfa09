// Systems with a triangular matrix.
#include "program/dense/matrices.hpp"

namespace isofield::host {
namespace {

using namespace dense;

template <class T>
struct Triangular {
  template <unsigned mode>
  static void solve(const ConstRows<T>& a, const DenseMatrices& of, std::int64_t i) {
    T* const x = place<T>(of.out[0], i * of.n * of.k);
    ConstLine<T> b(read<T>(of.in[1], i * of.n * of.k), of.n * of.k);
    Line<T>(x, of.n * of.k) = b;
    if (of.k == 1) {
      Line<T> column(x, of.n);
      a.template triangularView<mode>().solveInPlace(column);
    } else {
      Rows<T> columns(x, of.n, of.k);
      a.template triangularView<mode>().solveInPlace(columns);
    }
  }

  static std::int64_t run(const Factorization& f, const DenseMatrices& of) {
    return first_failure(of, [&](std::int64_t i) {
      const ConstRows<T> a(read<T>(of.in[0], i * of.n * of.n), of.n, of.n);
      if (!f.unit_diagonal && (a.diagonal().array() == T(0)).any()) {
        Line<T>(place<T>(of.out[0], i * of.n * of.k), of.n * of.k).setConstant(nan<T>);
        return false;
      }
      if (f.upper && f.unit_diagonal)
        solve<Eigen::UnitUpper>(a, of, i);
      else if (f.upper)
        solve<Eigen::Upper>(a, of, i);
      else if (f.unit_diagonal)
        solve<Eigen::UnitLower>(a, of, i);
      else
        solve<Eigen::Lower>(a, of, i);
      return true;
    });
  }
};

}  // namespace

DenseKernel triangular_kernel(DenseType type) { return kernel_of<Triangular>(type); }

}  // namespace isofield::host
