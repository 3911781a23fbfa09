#include "isofield/mfg/residual.hpp"

#include <algorithm>

namespace isofield::mfg {

namespace {

double largest_of(const UnifiedArray& x) { return max(abs(x)).item<double>(); }

}  // namespace

double residual_scale(const DiscreteProblem& problem, const UnifiedArray& field) {
  return problem.problem().horizon / std::max(largest_of(field), 1e-30);
}

double HjbResidual::largest(const DiscreteProblem& problem) const {
  // A wrong u^N is worth what it would take one step to make up for.
  return std::max(largest_of(levels), largest_of(terminal) / problem.problem().horizon);
}

HjbResidual hjb_residual(const DiscreteProblem& problem, const UnifiedArray& u,
                         const UnifiedArray& m) {
  const UnifiedArray cost = problem.running_cost(m);
  HjbResidual r{problem.hjb_residual(u(upto(problem.steps())), u(from(1)), cost),
                u(problem.steps()) - problem.terminal_cost(m)};
  eval(r.levels, r.terminal);
  return r;
}

double fokker_planck_residual(const DiscreteProblem& problem, const Stencil& transposed,
                              const UnifiedArray& m) {
  // (m^(n+1) - m^n)/dt + K^T m^(n+1)
  const UnifiedArray left =
      apply(problem.grid(), transposed, m(from(1))) - m(upto(problem.steps()));
  return largest_of(left) / problem.dt() * residual_scale(problem, m);
}

Residuals residuals(const DiscreteProblem& problem, const Sweeps& sweeps, const UnifiedArray& u,
                    const UnifiedArray& m) {
  return {hjb_residual(problem, u, m).largest(problem) * residual_scale(problem, u),
          fokker_planck_residual(problem, sweeps.transposed_matrices(u), m)};
}

}  // namespace isofield::mfg
