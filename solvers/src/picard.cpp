#include <algorithm>

#include "outer.hpp"

namespace isofield::mfg {

namespace {

double largest_difference(const UnifiedArray& a, const UnifiedArray& b) {
  return max(abs(a - b)).item<double>();
}

// The costs of a density: F at levels 0..N-1 and G.
struct Costs {
  UnifiedArray running, terminal;
  Costs(const DiscreteProblem& problem, const UnifiedArray& m)
      : running(problem.running_cost(m).eval()), terminal(problem.terminal_cost(m)) {}
  double largest(double horizon) const {
    return max(abs(terminal)).item<double>() + horizon * max(abs(running)).item<double>();
  }
};

}  // namespace

Outcome picard(Outer& outer, double damping, int most, double tolerance) {
  const DiscreteProblem& problem = outer.problem;
  const double horizon = problem.problem().horizon;
  UnifiedArray density = outer.has_state ? outer.m : problem.constant_density();
  Costs costs(problem, density);
  // What the last iteration left of the HJB equation, and of both, scaled.
  double last_left = 0.0, last_residual = 0.0;
  const double fokker_planck_scale = StepTolerances::density_scale(problem);
  for (int k = 0; k < most; ++k) {
    const double u_size =
        outer.has_state ? max(abs(outer.u)).item<double>() : costs.largest(horizon);
    auto exactness = StepTolerances::within(problem, tolerance, u_size);
    // No more exactly than the coupling is solved.
    exactness.hjb = std::max(exactness.hjb, 1e-3 * last_left);
    exactness.fokker_planck =
        std::max(exactness.fokker_planck, 1e-3 * last_residual / fokker_planck_scale);
    UnifiedArray u, m;
    Iteration iteration;
    {
      const PhaseTimer timer(outer.phases, "HJB sweeps");
      u = outer.sweeps.hjb(costs.running, costs.terminal, outer.has_state ? &outer.u : nullptr,
                           exactness.hjb);
    }
    {
      const PhaseTimer timer(outer.phases, "Fokker-Planck sweeps");
      const Stencil transposed = outer.sweeps.transposed_matrices(u);
      m = outer.sweeps.fokker_planck(transposed, outer.has_state ? &outer.m : &density,
                                     exactness.fokker_planck);
      iteration.fp_residual = fokker_planck_residual(problem, transposed, m);
    }
    iteration.method = "picard";
    iteration.change_m = largest_difference(m, density);
    if (outer.has_state)
      iteration.change_u = largest_difference(u, outer.u);
    else
      iteration.change_u = max(abs(u)).item<double>();
    // u solves its equation for the old density: with the new one, the costs' difference is left.
    const Costs fresh(problem, m);
    last_left = std::max(largest_difference(fresh.running, costs.running),
                         largest_difference(fresh.terminal, costs.terminal) / horizon);
    outer.u = u;
    outer.m = m;
    outer.has_state = true;
    iteration.hjb_residual = (last_left + exactness.hjb) * residual_scale(problem, u);
    iteration.residual = std::max(iteration.hjb_residual, iteration.fp_residual);
    last_residual = iteration.residual;
    const bool done = outer.options.stop == StopRule::residual
                          ? iteration.residual <= tolerance
                          : std::max(iteration.change_m, iteration.change_u) < tolerance;
    if (!outer.record(std::move(iteration))) return Outcome::interrupted;
    if (done) return Outcome::converged;
    if (damping == 1.0) {
      density = m;
      costs = fresh;
    } else {
      density = (damping * m + (1.0 - damping) * density).eval();
      costs = Costs(problem, density);
    }
  }
  return Outcome::limit;
}

}  // namespace isofield::mfg
