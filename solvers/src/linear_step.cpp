#include <cmath>
#include <isofield/linalg.hpp>
#include <limits>

#include "isofield/mfg/steps.hpp"

namespace isofield::mfg {

namespace {

using List = std::vector<UnifiedArray>;
using ConstList = std::span<const UnifiedArray>;

UnifiedArray solve_tridiagonal(const Grid& grid, const Stencil& a, const UnifiedArray& b) {
  return linalg::tridiagonal_solve(a.faces.backward[0], a.diagonal, a.faces.forward[0], b, -1,
                                   grid.axis(0).periodic());
}

}  // namespace

StepTolerances StepTolerances::within(const DiscreteProblem& problem, double tolerance,
                                      double u_size) {
  const double epsilon = problem.dtype() == float32 ? std::numeric_limits<float>::epsilon()
                                                    : std::numeric_limits<double>::epsilon();
  // What rounding leaves of a residual whose terms are u/dt and nu u/h^2.
  double largest_term = 1.0 / problem.dt();
  for (int k = 0; k < problem.grid().axes(); ++k) {
    const double h = problem.grid().axis(k).spacing();
    largest_term += 4.0 * problem.viscosity() / (h * h);
  }
  const double wanted = std::min(1e-10, 1e-2 * tolerance) * u_size / problem.problem().horizon;
  return {std::max(wanted, 4.0 * epsilon * u_size * largest_term), std::max(1e-12, 16.0 * epsilon)};
}

LinearStep::LinearStep(const DiscreteProblem& problem)
    : direct_(problem.grid().axes() == 1),
      solve_([grid = problem.grid()](ConstList in) {
        return List{solve_tridiagonal(grid, Stencil::from_list(in, 1, 1), in[0])};
      }),
      advance_([grid = problem.grid(), rate = 1.0 / problem.dt()](ConstList in) {
        return List{solve_tridiagonal(grid, Stencil::from_list(in, 1, 1), in[0] * rate)};
      }),
      advance_with_source_([grid = problem.grid(), rate = 1.0 / problem.dt()](ConstList in) {
        return List{solve_tridiagonal(grid, Stencil::from_list(in, 2, 1), in[0] * rate + in[1])};
      }),
      right_side_([rate = 1.0 / problem.dt()](ConstList in) { return List{in[0] * rate}; }),
      right_side_with_source_(
          [rate = 1.0 / problem.dt()](ConstList in) { return List{in[0] * rate + in[1]}; }) {
  if (!direct_) iterative_.emplace(problem.grid(), 1.0 / problem.dt());
}

Stencil LinearStep::prepared(Stencil a) const {
  if (iterative_) a.symbol = iterative_->preconditioner().symbol(a);
  return a;
}

std::pair<UnifiedArray, double> LinearStep::solve(const Stencil& a, const UnifiedArray& b,
                                                  const UnifiedArray& guess, double absolute,
                                                  double relative) {
  ++counts_.linear_solves;
  if (direct_) {
    List in{b};
    a.append_to(in);
    return {solve_(in)[0], 0.0};
  }
  UnifiedArray x = guess;
  KrylovReport report;
  // BiCGStab's recursion may lose the residual: it is started again from the best iterate.
  for (int attempt = 0; attempt < 4 && !report.converged; ++attempt) {
    report = iterative_->solve(a, b, x, absolute, relative);
    counts_.krylov += report.iterations;
  }
  return {x, report.residual};
}

std::pair<UnifiedArray, double> LinearStep::advance(const Stencil& a, const UnifiedArray& previous,
                                                    const UnifiedArray* source,
                                                    const UnifiedArray& guess, double relative) {
  List in{previous};
  if (source) in.push_back(*source);
  if (!direct_)
    return solve(a, (source ? right_side_with_source_ : right_side_)(in)[0], guess, 0.0, relative);
  ++counts_.linear_solves;
  a.append_to(in);
  return {(source ? advance_with_source_ : advance_)(in)[0], 0.0};
}

}  // namespace isofield::mfg
