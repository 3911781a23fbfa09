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
  const std::optional<UnifiedArray>& before() const { return before_; }
  const std::optional<UnifiedArray>& earlier() const { return earlier_; }

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

Fields mixture(double damping, const Fields& density, const Fields& found) {
  if (damping == 1.0) return found;
  Fields next;
  for (std::size_t p = 0; p < found.size(); ++p)
    next.push_back((damping * found[p] + (1.0 - damping) * density[p]).eval());
  return next;
}

class Damped : public Mixing {
 public:
  explicit Damped(double damping) : damping_(damping) {}
  Fields next(const Fields& density, const Fields& found) override {
    return mixture(damping_, density, found);
  }

 private:
  double damping_;
};

class FictitiousPlay : public Mixing {
 public:
  Fields next(const Fields& density, const Fields& found) override {
    return mixture(1.0 / ++plays_, density, found);
  }
  void save(SolverState& state) const override { state.numbers["plays"] = {plays_}; }
  void restore(const SolverState& state) override { plays_ = state.number("plays")[0]; }

 private:
  double plays_ = 0.0;
};

// Where a fixed-point iteration is, between two iterations.
struct Place {
  int k = 0;
  Fields density;
  std::vector<Part> parts;
  // What the last iteration left of the HJB equations, and of all, scaled.
  double last_left = 0.0, last_residual = 0.0;

  void save(SolverState& state) const {
    state.numbers["iterate"] = {static_cast<double>(k), last_left, last_residual};
    state.fields["density"] = density;
    for (const Part& part : parts) {
      save(state, "u", part.u_forecast);
      save(state, "m", part.m_forecast);
    }
  }
  void restore(const SolverState& state) {
    const std::vector<double>& numbers = state.number("iterate", 3);
    k = state.count("iterate");
    last_left = numbers[1];
    last_residual = numbers[2];
    density = state.field("density");
    for (std::size_t p = 0; p < parts.size(); ++p) {
      restore(state, "u", p, parts[p].u_forecast);
      restore(state, "m", p, parts[p].m_forecast);
    }
  }

 private:
  static void save(SolverState& state, const std::string& name, const Forecast& forecast) {
    if (forecast.earlier()) state.fields[name + "_earlier"].push_back(*forecast.earlier());
    if (forecast.before()) state.fields[name + "_before"].push_back(*forecast.before());
  }
  static void restore(const SolverState& state, const std::string& name, std::size_t p,
                      Forecast& forecast) {
    for (const char* const which : {"_earlier", "_before"}) {
      if (const auto found = state.fields.find(name + which); found != state.fields.end())
        forecast.passed(found->second.at(p));
    }
  }
};

}  // namespace

std::unique_ptr<Mixing> damped(double damping) { return std::make_unique<Damped>(damping); }

std::unique_ptr<Mixing> fictitious_play() { return std::make_unique<FictitiousPlay>(); }

Outcome iterate(Outer& outer, const FixedPoint& how, int most, double tolerance) {
  const DiscreteProblem& problem = outer.problem;
  const std::size_t size = outer.size();
  Place at;
  at.density = outer.has_state ? outer.m : problem.constant_densities();
  at.parts.resize(size);
  if (outer.resumed) {
    at.restore(*outer.resumed);
    how.mix->restore(*outer.resumed);
    outer.resumed = nullptr;
  }
  const Keeper keeper(outer, [&](SolverState& state) {
    at.save(state);
    how.mix->save(state);
  });
  std::vector<Part>& parts = at.parts;
  std::vector<HjbData> data = problem.hjb_data(at.density);
  while (at.k < most) {
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
      e.hjb = std::max(e.hjb, 1e-3 * at.last_left);
      e.fokker_planck =
          std::max(e.fokker_planck, 1e-3 * at.last_residual / StepTolerances::density_scale(one));
      UnifiedArray guess;
      {
        const PhaseTimer timer(outer.phases, "HJB sweeps");
        if (outer.has_state) guess = parts[p].u_forecast(outer.u[p], 0);
        u[p] = how.best_response || !outer.has_state
                   ? outer.sweeps[p].hjb(data[p], outer.has_state ? &guess : nullptr, e.hjb)
                   : outer.sweeps[p].improved(data[p], outer.u[p]);
      }
      const PhaseTimer timer(outer.phases, "Fokker-Planck sweeps");
      guess = outer.has_state ? parts[p].m_forecast(outer.m[p], problem.steps()) : at.density[p];
      const Density found = outer.sweeps[p].fokker_planck(u[p], &guess, e.fokker_planck);
      m[p] = found.m;
      iteration.fp_residual =
          larger(iteration.fp_residual, found.residual * residual_scale(one, m[p]));
      iteration.change_m = larger(iteration.change_m, largest_difference(m[p], at.density[p]));
      iteration.change_u =
          larger(iteration.change_u,
                 outer.has_state ? largest_difference(u[p], outer.u[p]) : largest_of(u[p]));
    }
    const std::vector<HjbData> fresh = problem.hjb_data(m);
    at.last_left = 0.0;
    for (std::size_t p = 0; p < size; ++p) {
      const DiscretePopulation& one = problem.population(p);
      // u solves its equation for the old density: with the new one, the difference is left.
      const double left = how.best_response
                              ? left_by(one, u[p], data[p], fresh[p]) + exactness[p].hjb
                              : hjb_residual(one, u[p], fresh[p]).largest(one);
      at.last_left = larger(at.last_left, left);
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
    at.last_residual = iteration.residual;
    const bool done = outer.options.stop == StopRule::residual
                          ? iteration.residual <= tolerance
                          : std::max(iteration.change_m, iteration.change_u) < tolerance;
    ++at.k;
    at.density = how.mix->next(at.density, m);
    if (!outer.record(std::move(iteration))) return Outcome::interrupted;
    if (done) return Outcome::converged;
    data = problem.hjb_data(at.density);
  }
  return Outcome::limit;
}

Outcome picard(Outer& outer, double damping, int most, double tolerance) {
  return iterate(outer, {"picard", damped(damping)}, most, tolerance);
}

}  // namespace isofield::mfg
