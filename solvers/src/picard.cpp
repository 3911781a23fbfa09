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

// Where an iteration is bound for. Its changes shrink by a nearly constant factor, the damping's,
// once the transients are over: the next iterate is near last + rate (last - before).
class Forecast {
 public:
  // The field after `last`. `level` is where it changes most: there the rate is measured.
  UnifiedArray operator()(const UnifiedArray& last, std::int64_t level) const {
    if (!before_) return last;
    const UnifiedArray now = last(level) - (*before_)(level);
    double rate = 0.0;
    if (earlier_) {
      const UnifiedArray then = (*before_)(level) - (*earlier_)(level);
      const double size = sum(then * then).item<double>();
      if (size > 0.0) rate = std::clamp(sum(now * then).item<double>() / size, 0.0, 1.0);
    }
    return rate > 0.0 ? last + rate * (last - *before_) : last;  // computed if somebody wants it
  }
  // Tell that `last` is about to be replaced.
  void passed(const UnifiedArray& last) {
    earlier_ = std::move(before_);
    before_ = last;
  }

 private:
  std::optional<UnifiedArray> before_, earlier_;
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
  Forecast u_forecast, m_forecast;
  for (int k = 0; k < most; ++k) {
    const double u_size =
        outer.has_state ? max(abs(outer.u)).item<double>() : costs.largest(horizon);
    auto exactness = StepTolerances::within(problem, tolerance, u_size);
    // No more exactly than the coupling is solved.
    exactness.hjb = std::max(exactness.hjb, 1e-3 * last_left);
    exactness.fokker_planck =
        std::max(exactness.fokker_planck, 1e-3 * last_residual / fokker_planck_scale);
    UnifiedArray u, m, guess;
    Iteration iteration;
    {
      const PhaseTimer timer(outer.phases, "HJB sweeps");
      if (outer.has_state) guess = u_forecast(outer.u, 0);
      u = outer.sweeps.hjb(costs.running, costs.terminal, outer.has_state ? &guess : nullptr,
                           exactness.hjb);
    }
    {
      const PhaseTimer timer(outer.phases, "Fokker-Planck sweeps");
      guess = outer.has_state ? m_forecast(outer.m, problem.steps()) : density;
      const Density found = outer.sweeps.fokker_planck(u, &guess, exactness.fokker_planck);
      m = found.m;
      iteration.fp_residual = found.residual * residual_scale(problem, m);
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
    if (outer.has_state) {
      u_forecast.passed(outer.u);
      m_forecast.passed(outer.m);
    }
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
