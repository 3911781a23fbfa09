#include <algorithm>
#include <cmath>

#include "norms.hpp"
#include "outer.hpp"

namespace isofield::mfg {

namespace {

double largest_difference(const UnifiedArray& a, const UnifiedArray& b) {
  return largest_of(a - b);
}

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

// One population's part of the iteration.
struct Part {
  Forecast u_forecast, m_forecast;
};

// What a change of density leaves of the HJB equation that u was solved for.
double left_by(const DiscretePopulation& one, const UnifiedArray& u, const HjbData& before,
               const HjbData& fresh) {
  const double terminal = largest_difference(fresh.terminal, before.terminal) / one.horizon();
  if (one.congestion()) {
    const std::int64_t n = one.steps();
    const auto left = [&](const HjbData& data) {
      return one.hjb_residual(u(upto(n)), u(from(1)), data.running, data.at);
    };
    return larger(largest_difference(left(fresh), left(before)), terminal);
  }
  return larger(largest_difference(fresh.running, before.running), terminal);
}

}  // namespace

Mixing damped(double damping) {
  return [damping](const Fields& density, const Fields& found) {
    if (damping == 1.0) return found;
    Fields next;
    for (std::size_t p = 0; p < found.size(); ++p)
      next.push_back((damping * found[p] + (1.0 - damping) * density[p]).eval());
    return next;
  };
}

Mixing fictitious_play() {
  return [k = 0](const Fields& density, const Fields& found) mutable {
    return damped(1.0 / static_cast<double>(++k))(density, found);
  };
}

Outcome iterate(Outer& outer, const FixedPoint& how, int most, double tolerance) {
  const DiscreteProblem& problem = outer.problem;
  const std::size_t size = outer.size();
  Fields density = outer.has_state ? outer.m : problem.constant_densities();
  std::vector<HjbData> data = problem.hjb_data(density);
  std::vector<Part> parts(size);
  // What the last iteration left of the HJB equations, and of all, scaled.
  double last_left = 0.0, last_residual = 0.0;
  for (int k = 0; k < most; ++k) {
    Iteration iteration;
    iteration.method = how.method;
    Fields u(size), m(size);
    std::vector<StepTolerances> exactness;
    for (std::size_t p = 0; p < size; ++p) {
      const DiscretePopulation& one = problem.population(p);
      const double u_size = outer.has_state ? largest_of(outer.u[p])
                                            : largest_of(data[p].terminal) +
                                                  one.horizon() * largest_of(data[p].running);
      exactness.push_back(StepTolerances::within(one, tolerance, u_size));
      // No more exactly than the coupling is solved.
      StepTolerances& e = exactness.back();
      e.hjb = std::max(e.hjb, 1e-3 * last_left);
      e.fokker_planck =
          std::max(e.fokker_planck, 1e-3 * last_residual / StepTolerances::density_scale(one));
      UnifiedArray guess;
      {
        const PhaseTimer timer(outer.phases, "HJB sweeps");
        if (outer.has_state) guess = parts[p].u_forecast(outer.u[p], 0);
        u[p] = how.best_response || !outer.has_state
                   ? outer.sweeps[p].hjb(data[p], outer.has_state ? &guess : nullptr, e.hjb)
                   : outer.sweeps[p].improved(data[p], outer.u[p]);
      }
      const PhaseTimer timer(outer.phases, "Fokker-Planck sweeps");
      guess = outer.has_state ? parts[p].m_forecast(outer.m[p], problem.steps()) : density[p];
      const Density found = outer.sweeps[p].fokker_planck(u[p], &guess, e.fokker_planck);
      m[p] = found.m;
      iteration.fp_residual =
          larger(iteration.fp_residual, found.residual * residual_scale(one, m[p]));
      iteration.change_m = larger(iteration.change_m, largest_difference(m[p], density[p]));
      iteration.change_u =
          larger(iteration.change_u,
                 outer.has_state ? largest_difference(u[p], outer.u[p]) : largest_of(u[p]));
    }
    const std::vector<HjbData> fresh = problem.hjb_data(m);
    last_left = 0.0;
    for (std::size_t p = 0; p < size; ++p) {
      const DiscretePopulation& one = problem.population(p);
      // u solves its equation for the old density: with the new one, the difference is left.
      const double left = how.best_response
                              ? left_by(one, u[p], data[p], fresh[p]) + exactness[p].hjb
                              : hjb_residual(one, u[p], fresh[p]).largest(one);
      last_left = larger(last_left, left);
      iteration.hjb_residual = larger(iteration.hjb_residual, left * residual_scale(one, u[p]));
      if (outer.has_state) {
        parts[p].u_forecast.passed(outer.u[p]);
        parts[p].m_forecast.passed(outer.m[p]);
      }
    }
    outer.u = std::move(u);
    outer.m = m;
    outer.has_state = true;
    iteration.residual = larger(iteration.hjb_residual, iteration.fp_residual);
    last_residual = iteration.residual;
    const bool done = outer.options.stop == StopRule::residual
                          ? iteration.residual <= tolerance
                          : std::max(iteration.change_m, iteration.change_u) < tolerance;
    if (!outer.record(std::move(iteration))) return Outcome::interrupted;
    if (done) return Outcome::converged;
    density = how.mix(density, m);
    data = problem.hjb_data(density);
  }
  return Outcome::limit;
}

Outcome picard(Outer& outer, double damping, int most, double tolerance) {
  return iterate(outer, {"picard", damped(damping)}, most, tolerance);
}

}  // namespace isofield::mfg
