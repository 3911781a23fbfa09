#include <algorithm>
#include <isofield/linalg.hpp>
#include <limits>

#include "isofield/mfg/steps.hpp"

namespace isofield::mfg {

StepTolerances StepTolerances::within(const DiscretePopulation& population, double tolerance,
                                      double u_size) {
  const double epsilon = population.dtype() == float32 ? std::numeric_limits<float>::epsilon()
                                                       : std::numeric_limits<double>::epsilon();
  // What rounding leaves of a residual whose terms are u/dt and nu u/h^2.
  double largest_term = 1.0 / population.stage_dt();
  for (int k = 0; k < population.grid().axes(); ++k) {
    const double h = population.grid().axis(k).spacing();
    largest_term += 4.0 * population.viscosity() / (h * h);
  }
  const double wanted = std::min(1e-10, 1e-2 * tolerance) * u_size / population.horizon();
  return {std::max(wanted, 4.0 * epsilon * u_size * largest_term),
          std::max(std::min(1e-12, 0.1 * tolerance / density_scale(population)), 16.0 * epsilon)};
}

double StepTolerances::density_scale(const DiscretePopulation& population) {
  return 10.0 * static_cast<double>(population.steps());
}

LinearStep::LinearStep(const DiscretePopulation& population)
    : solve_([periodic = population.grid().axis(0).periodic()](std::span<const UnifiedArray> in) {
        const Stencil a = Stencil::from_list(in, 1, 1);
        return std::vector<UnifiedArray>{linalg::tridiagonal_solve(
            a.faces.backward[0], a.diagonal, a.faces.forward[0], in[0], 0, periodic)};
      }) {
  if (population.grid().axes() > 1) iterative_.emplace(population.grid());
}

Stencil LinearStep::prepared(Stencil a, double constant) const {
  if (iterative_) a.symbol = iterative_->preconditioner().symbol(a, constant);
  return a;
}

std::pair<UnifiedArray, double> LinearStep::solve(const Stencil& a, const UnifiedArray& b,
                                                  const UnifiedArray& guess,
                                                  LinearTolerance tolerance) {
  ++counts_.linear_solves;
  if (is_direct()) {
    std::vector<UnifiedArray> in{b};
    a.append_to(in);
    return {solve_(in)[0], 0.0};
  }
  UnifiedArray x = guess;
  KrylovReport report;
  // BiCGStab's recursion may lose the residual: it is started again from the best iterate.
  for (int attempt = 0; attempt < 4; ++attempt) {
    const double before = report.residual;
    report = iterative_->solve(a, b, x, tolerance.absolute, tolerance.relative);
    counts_.krylov += report.iterations;
    if (report.converged || (attempt > 0 && report.residual > 0.5 * before)) break;
  }
  return {x, report.residual};
}

}  // namespace isofield::mfg
