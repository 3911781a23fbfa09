// Newton's method on the coupled system, with densities eliminated: m = FP(u) is recomputed after
// every update, so that mass and sign are never lost. With A the matrices of all HJB steps at u and
// J those of the Fokker-Planck steps linearised in m, the update x of u solves
//
//     x - A^-1 (F' - H_m) dm(x) = -A^-1 R,     dm(x) = -J^-1 C x,     C = sum of D^T m G_qq D
//
// for all populations, whose costs F' couples. GMRES knows x, m and dm by their stages. The matrix
// is the identity plus a compact operator: GMRES needs about the same number of iterations on every
// grid. A product costs one linear sweep forward and one backward for each population.

#include <algorithm>
#include <cmath>

#include "isofield/mfg/breakdown.hpp"
#include "isofield/mfg/density_response.hpp"
#include "isofield/mfg/krylov.hpp"
#include "norms.hpp"
#include "outer.hpp"

namespace isofield::mfg {

namespace {

double largest_difference(const Fields& a, const Fields& b) {
  double largest = 0.0;
  for (std::size_t p = 0; p < a.size(); ++p) largest = larger(largest, largest_of(a[p] - b[p]));
  return largest;
}

// One population's equations linearised at the outer state.
class LinearisedPopulation {
 public:
  LinearisedPopulation(Outer& outer, std::size_t p, const HjbData& data, DensityResponse& response,
                       LinearTolerance tolerance)
      : population_(outer.problem.population(p)),
        sweeps_(outer.sweeps[p]),
        response_(response),
        v_(population_.stage_values(outer.u[p])),
        at_(data.at),
        matrices_(sweeps_.matrices(outer.u[p], at_)),
        jacobians_(sweeps_.density_jacobians(outer.u[p], at_)),
        tolerance_(tolerance) {
    response_.set_state(v_, population_.stage_densities(outer.m[p]));
  }

  // The density's response to a change of u.
  UnifiedArray density_change(const UnifiedArray& x) {
    return sweeps_.linear_forward(jacobians_, response_(x),
                                  zeros_like(population_.initial_density()), tolerance_);
  }
  // The density's last level, from its stages.
  UnifiedArray last_density(const UnifiedArray& dm) const {
    return population_.path_forward(dm, zeros_like(population_.initial_density()))
        .levels(population_.steps() - 1);
  }
  Path path(const UnifiedArray& stages, const UnifiedArray& last) const {
    return population_.path_backward(stages, last);
  }
  // What a change dm of the own density leaves of the HJB equation where H depends on it.
  UnifiedArray slowed(const UnifiedArray& change_of_cost, const UnifiedArray& dm) const {
    if (!population_.congestion()) return change_of_cost;
    return change_of_cost - population_.hjb_change(v_, at_, dm);
  }
  UnifiedArray backward(const UnifiedArray& source, const UnifiedArray& terminal) {
    return sweeps_.linear_backward(matrices_, source * population_.stage_dt(), terminal,
                                   tolerance_);
  }

 private:
  const DiscretePopulation& population_;
  Sweeps& sweeps_;
  DensityResponse& response_;
  UnifiedArray v_;
  Conditions at_;
  Stencil matrices_, jacobians_;
  LinearTolerance tolerance_;
};

using Responses = std::deque<DensityResponse>;

// The coupled system linearised at the outer state.
class LinearisedSystem {
 public:
  LinearisedSystem(Outer& outer, Responses& responses, double relative)
      : problem_(outer.problem), m_(outer.m) {
    const std::vector<HjbData> data = problem_.hjb_data(m_);
    for (std::size_t p = 0; p < outer.size(); ++p)
      populations_.emplace_back(outer, p, data[p], responses[p], LinearTolerance{0.0, relative});
  }

  Fields density_changes(const Fields& x) {
    Fields dm;
    for (std::size_t p = 0; p < x.size(); ++p) dm.push_back(populations_[p].density_change(x[p]));
    return dm;
  }
  // What a change of densities makes of the terminal costs.
  Fields terminal_changes(const Fields& dm) const {
    Fields last;
    for (std::size_t p = 0; p < dm.size(); ++p) last.push_back(populations_[p].last_density(dm[p]));
    return problem_.terminal_derivatives(m_, last);
  }
  UnifiedArray apply(const UnifiedArray& vector) {
    const Fields x = unstacked(vector), dm = density_changes(x);
    const Fields running = problem_.running_derivatives(m_, dm), terminal = terminal_changes(dm);
    Fields result;
    for (std::size_t p = 0; p < x.size(); ++p) {
      LinearisedPopulation& one = populations_[p];
      result.push_back(x[p] - one.backward(one.slowed(running[p], dm[p]), terminal[p]));
    }
    return stacked(result).eval();
  }
  // The update at all levels, by the stages x that solve for it: its terminal values follow the
  // density.
  Fields levels(const Fields& x, const std::vector<HjbResidual>& r) {
    const Fields dm = density_changes(x), terminal = terminal_changes(dm);
    const bool stages_are_levels = problem_.population().theta() == 1.0;
    const Fields running = stages_are_levels ? Fields{} : problem_.running_derivatives(m_, dm);
    Fields result;
    for (std::size_t p = 0; p < x.size(); ++p) {
      LinearisedPopulation& one = populations_[p];
      const UnifiedArray last = (terminal[p] - r[p].terminal).eval();
      // Levels would swing about stages that are not quite those of a path.
      const UnifiedArray stages =
          stages_are_levels
              ? x[p]
              : one.backward((one.slowed(running[p], dm[p]) - r[p].levels).eval(), last);
      result.push_back(concat({one.path(stages, last).levels, expand_dims(last, 0)}));
    }
    return result;
  }
  UnifiedArray right_side(const std::vector<HjbResidual>& r) {
    Fields result;
    for (std::size_t p = 0; p < r.size(); ++p)
      result.push_back(populations_[p].backward(-r[p].levels, -r[p].terminal));
    return stacked(result).eval();
  }

 private:
  const DiscreteProblem& problem_;
  Fields m_;
  std::deque<LinearisedPopulation> populations_;
};

// A state (u, FP(u)) and what it leaves of the equations, scaled.
struct Trial {
  Fields u, m;
  std::vector<HjbResidual> residual;
  double size = 0.0;         ///< of the HJB equations' residuals
  double fp_residual = 0.0;  ///< of the Fokker-Planck equations'
};

// The residuals of the HJB equations, and the largest, scaled.
double hjb_residuals(const DiscreteProblem& problem, const Fields& u, const Fields& m,
                     std::vector<HjbResidual>* residuals) {
  double size = 0.0;
  const std::vector<HjbData> data = problem.hjb_data(m);
  for (std::size_t p = 0; p < u.size(); ++p) {
    const DiscretePopulation& one = problem.population(p);
    HjbResidual r = hjb_residual(one, u[p], data[p]);
    size = larger(size, r.largest(one) * residual_scale(one, u[p]));
    if (residuals) residuals->push_back(std::move(r));
  }
  return size;
}

Trial evaluate(Outer& outer, Fields u, const Fields* guess) {
  const PhaseTimer timer(outer.phases, "Fokker-Planck sweeps");
  Trial trial;
  for (std::size_t p = 0; p < u.size(); ++p) {
    const DiscretePopulation& one = outer.problem.population(p);
    const auto exactness = StepTolerances::within(one, outer.tolerance, 1.0);
    const Density found = outer.sweeps[p].fokker_planck(u[p], guess ? &(*guess)[p] : nullptr,
                                                        exactness.fokker_planck);
    trial.fp_residual = larger(trial.fp_residual, found.residual * residual_scale(one, found.m));
    trial.m.push_back(found.m);
  }
  trial.u = std::move(u);
  trial.size = hjb_residuals(outer.problem, trial.u, trial.m, &trial.residual);
  return trial;
}

// The residual of the game itself, also where the state is meant to solve another one.
double whole_residual(Outer& outer, const Trial& state) {
  if (outer.problem.coupling() == 1.0) return state.size;
  const WholeGame game(outer.problem);
  return hjb_residuals(outer.problem, state.u, state.m, nullptr);
}

// What stays the same during one Newton step: the linearised system and its right-hand side.
struct NewtonStep {
  NewtonStep(Outer& outer, Responses& responses, const Trial& at, double forcing)
      : system(outer, responses, std::min(1e-6, 1e-3 * forcing)),
        right_side(system.right_side(at.residual)) {}
  LinearisedSystem system;
  UnifiedArray right_side;
};

// The correction of u at all levels; adds GMRES' iterations to `krylov`.
Fields correction(Outer& outer, NewtonStep& step, const Trial& at, double forcing, int& krylov) {
  constexpr int most_krylov = 80;
  const PhaseTimer timer(outer.phases, "Newton: linear sweeps");
  UnifiedArray vector;
  const KrylovReport report = gmres([&](const UnifiedArray& v) { return step.system.apply(v); },
                                    step.right_side, vector, forcing, most_krylov);
  krylov += report.iterations;
  outer.gmres += report.iterations;
  return step.system.levels(unstacked(vector), at.residual);
}

// Halve the step until the residual falls, in max norm or as what it makes of u (the natural level
// function of the preconditioned system, blind to how a residual is spread); nothing if it does
// not.
std::optional<Trial> line_search(Outer& outer, NewtonStep& newton_step, const Trial& at,
                                 const Fields& x) {
  const double before = norm(newton_step.right_side);
  double step = 1.0;
  for (int k = 0; k < 8; ++k, step *= 0.5) {
    try {
      Fields u;
      for (std::size_t p = 0; p < x.size(); ++p) u.push_back((at.u[p] + step * x[p]).eval());
      Trial trial = evaluate(outer, std::move(u), &at.m);
      if (trial.size < (1.0 - 1e-4 * step) * at.size && (step == 1.0 || trial.size < 0.8 * at.size))
        return trial;
      if (std::isfinite(trial.size) &&
          norm(newton_step.system.right_side(trial.residual)) < (1.0 - 0.25 * step) * before)
        return trial;
    } catch (const Breakdown&) {
      // Too far: a shorter step may do.
    }
  }
  return std::nullopt;
}

}  // namespace

Outcome newton(Outer& outer, int most, double tolerance) {
  constexpr double tightest = 1e-6;
  double forcing = 1e-2, loosest = 1e-1;
  int k = 0;
  Trial state;
  if (outer.resumed) {
    const std::vector<double>& kept = outer.resumed->number("newton", 3);
    k = outer.resumed->count("newton");
    forcing = kept[1];
    loosest = kept[2];
    state.u = outer.u;
    state.m = outer.m;
    state.size = hjb_residuals(outer.problem, state.u, state.m, &state.residual);
    outer.resumed = nullptr;
  } else {
    state = evaluate(outer, outer.u, outer.has_state ? &outer.m : nullptr);
  }
  outer.m = state.m;
  outer.has_state = true;
  const Keeper keeper(outer, [&](SolverState& kept) {
    kept.numbers["newton"] = {static_cast<double>(k + 1), forcing, loosest};
  });
  Responses responses;
  for (std::size_t p = 0; p < outer.size(); ++p)
    responses.emplace_back(outer.problem.population(p));
  for (; k < most; ++k) {
    if (state.size <= tolerance) return Outcome::converged;
    // No more exactly than the tolerance asks for.
    forcing = std::min(loosest, std::max(forcing, 0.3 * tolerance / state.size));
    Iteration iteration;
    iteration.method = outer.problem.coupling() == 1.0 ? "newton" : "continuation";
    std::optional<Trial> next;
    while (true) {
      try {
        NewtonStep step(outer, responses, state, forcing);
        const Fields x = correction(outer, step, state, forcing, iteration.krylov);
        next = line_search(outer, step, state, x);
      } catch (const Breakdown& e) {
        outer.note(std::string("Newton's linear system broke down (") + e.what() + ")");
        return Outcome::stalled;
      }
      if (next) break;
      // GMRES sees the mean over space and time, in which a terminal cost that depends on the
      // density hides until it is solved more exactly.
      if (forcing <= tightest) {
        outer.note("Newton's line search found no smaller residual");
        return Outcome::stalled;
      }
      forcing = loosest = std::max(tightest, 1e-2 * forcing);
    }
    // Eisenstat and Walker's second choice; where Newton's method is at home, what does not fall
    // was not solved exactly enough.
    const double ratio = next->size / state.size;
    const bool loose = state.size < 1e-2 && ratio > 0.3;
    if (loose) loosest = std::max(tightest, 1e-2 * forcing);
    forcing = loose ? loosest : std::clamp(0.5 * ratio * ratio, 1e-3, 1e-1);
    iteration.change_u = largest_difference(next->u, state.u);
    iteration.change_m = largest_difference(next->m, state.m);
    state = std::move(*next);
    outer.u = state.u;
    outer.m = state.m;
    iteration.hjb_residual = whole_residual(outer, state);
    iteration.fp_residual = state.fp_residual;
    iteration.residual = larger(iteration.hjb_residual, iteration.fp_residual);
    if (!outer.record(std::move(iteration))) return Outcome::interrupted;
  }
  return state.size <= tolerance ? Outcome::converged : Outcome::limit;
}

}  // namespace isofield::mfg
