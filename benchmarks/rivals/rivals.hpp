#pragma once

#include <cstddef>
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
  /// One implicit-looking update of a line of values from its neighbours' y and w: twenty
  /// operations.
  void (*update)(double* z, const double* x, const double* y, const double* w, double inverse_h,
                 double inverse_dt, std::int64_t n);
  /// z = x + y.
  void (*add)(double* z, const double* x, const double* y, std::int64_t begin, std::int64_t end);
  /// z = x + 3 y, what bandwidth is measured by.
  void (*triad)(double* z, const double* x, const double* y, std::int64_t begin, std::int64_t end);
  double (*sum)(const double* x, std::int64_t begin, std::int64_t end);
  double (*max_abs_difference)(const double* x, const double* y, std::int64_t begin,
                               std::int64_t end);
};

/// Chains of x and y around one elementary function, by the C library's vector functions; compiled
/// with -ffast-math.
struct Elementary {
  using Chain = void (*)(double* z, const double* x, const double* y, std::int64_t begin,
                         std::int64_t end);
  Chain exp;    ///< z = exp(-x^2) y
  Chain log;    ///< z = log(x) y
  Chain tanh;   ///< z = tanh(4 x - 2) y
  Chain power;  ///< z = (x + 1/2)^y y
  Chain sin;    ///< z = sin(20 x - 10) y
};
const Elementary& elementary();

/// Elimination in many tridiagonal systems: x with lower x[i-1] + diag x[i] + upper x[i+1] = rhs.
/// Systems [begin, end) are solved, with `scratch_size` numbers of scratch.
struct Lines {
  /// n1 systems of n0 unknowns, lines along the outer axis, side by side in panels.
  void (*outer)(double* x, const double* lower, const double* diag, const double* upper,
                const double* rhs, std::int64_t n0, std::int64_t n1, std::int64_t begin,
                std::int64_t end, double* scratch);
  /// n0 systems of n1 unknowns, lines along the contiguous axis: blocks of rows are transposed in
  /// tiles.
  void (*inner)(double* x, const double* lower, const double* diag, const double* upper,
                const double* rhs, std::int64_t n0, std::int64_t n1, std::int64_t begin,
                std::int64_t end, double* scratch);
  /// One system of n unknowns by Thomas' algorithm.
  void (*thomas)(double* x, const double* lower, const double* diag, const double* upper,
                 const double* rhs, std::int64_t n, double* scratch);
};
const Lines& lines();
/// An implicit step of a Hamilton-Jacobi-Bellman equation along one axis after the other, the
/// equation linearised: neighbours beyond an end are the end itself, cost is what runs.
struct ImplicitStep {
  double dt, viscosity, inverse_spacing;
};
struct ImplicitLines {
  /// Lines along the outer axis, and along the contiguous one, with the coefficients computed in
  /// the sweep.
  void (*outer)(double* x, const double* u, const double* cost, std::int64_t n0, std::int64_t n1,
                const ImplicitStep& step, double* scratch);
  void (*inner)(double* x, const double* u, const double* cost, std::int64_t n0, std::int64_t n1,
                const ImplicitStep& step, double* scratch);
};
const ImplicitLines& implicit_lines();
/// Numbers of scratch that lines of n unknowns need.
inline std::size_t scratch_size(std::int64_t n) { return static_cast<std::size_t>(64 * (n + 64)); }

/// The best set of loops for this processor.
const Loops& loops();

/// Eigen's expressions `x.sum()` and `(x - y).abs().maxCoeff()`, compiled as the loops are.
struct EigenReductions {
  double (*sum)(const double* x, std::int64_t n);
  double (*max_abs_difference)(const double* x, const double* y, std::int64_t n);
};
const EigenReductions& eigen_reductions();

}  // namespace rivals
