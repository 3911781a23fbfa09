#pragma once

#include <cstdint>

/// The loops that somebody in a hurry for speed would write by hand, for the same computations as
/// our benchmarks. They are compiled for each instruction set, as the library's kernels are, with
/// -O3 -fno-math-errno -fno-trapping-math and the compiler free to contract a * b + c; without
/// fast-math. Arrays are C-ordered and do not overlap. Ranges of rows or elements let threads share
/// the work.
namespace rivals {

enum class Edge : int { periodic, clamp };

struct Loops {
  const char* instruction_set;
  /// z = x y + (x - y) w / 2.
  void (*expression)(double* z, const double* x, const double* y, const double* w,
                     std::int64_t begin, std::int64_t end);
  /// h = 1/2 sum over the four one-sided differences q, positive outwards, of max(q, 0)^2.
  void (*hamiltonian)(double* h, const double* u, std::int64_t n0, std::int64_t n1,
                      double inverse_h, Edge edge, std::int64_t row_begin, std::int64_t row_end);
  /// l = sum of the four neighbours less 4 u, over h^2; periodic.
  void (*laplacian)(double* l, const double* u, std::int64_t n0, std::int64_t n1, double inverse_h2,
                    std::int64_t row_begin, std::int64_t row_end);
  /// One explicit step of the upwind Fokker-Planck equation with the drift -Du; periodic.
  void (*fokker_planck)(double* out, const double* m, const double* u, std::int64_t n0,
                        std::int64_t n1, double inverse_h, double dt, double nu,
                        std::int64_t row_begin, std::int64_t row_end);
  /// Twenty operations on one array: ten times z = z * a + x.
  void (*horner)(double* z, const double* x, double a, std::int64_t begin, std::int64_t end);
  /// z = x + y.
  void (*add)(double* z, const double* x, const double* y, std::int64_t begin, std::int64_t end);
  double (*sum)(const double* x, std::int64_t begin, std::int64_t end);
  double (*max_abs_difference)(const double* x, const double* y, std::int64_t begin,
                               std::int64_t end);
};

/// The best set of loops for this processor.
const Loops& loops();

/// Eigen's expressions `x.sum()` and `(x - y).abs().maxCoeff()`, compiled as the loops are.
struct EigenReductions {
  double (*sum)(const double* x, std::int64_t n);
  double (*max_abs_difference)(const double* x, const double* y, std::int64_t n);
};
const EigenReductions& eigen_reductions();

}  // namespace rivals
