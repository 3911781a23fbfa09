// Newton's method on the coupled system, with m eliminated: m = FP(u) is recomputed after every
// update, so that mass and sign are never lost. With A the matrix of all HJB steps at u, the update
// x of u solves
//
//     x - A^-1 F'(m) dm(x) = -A^-1 R,     dm(x) = -A^-T C x,     C = sum over faces of D^T m G_qq D
//
// whose matrix is the identity plus a compact operator: GMRES needs about the same number of
// iterations on every grid. A product costs one linear sweep forward and one backward.

#include <algorithm>
#include <cmath>

#include "isofield/mfg/breakdown.hpp"
#include "isofield/mfg/density_response.hpp"
#include "isofield/mfg/krylov.hpp"
#include "outer.hpp"

namespace isofield::mfg {

namespace {

double largest_of(const UnifiedArray& x) { return max(abs(x)).item<double>(); }

// The coupled system linearised at the outer state.
class LinearisedSystem {
 public:
  LinearisedSystem(Outer& outer, DensityResponse& response, double relative)
      : problem_(outer.problem),
        sweeps_(outer.sweeps),
        response_(response),
        m_(outer.m),
        matrices_(sweeps_.matrices(outer.u)),
        transposed_(sweeps_.transposed_matrices(outer.u)),
        tolerance_{0.0, relative} {
    response_.set_state(outer.u(upto(problem_.steps())), m_(from(1)));
  }

  // The density's response at levels 1..N to a change of u at levels 0..N-1.
  UnifiedArray density_change(const UnifiedArray& x) {
    return sweeps_.linear_forward(transposed_, response_(x), tolerance_);
  }
  // What a change of density makes of the terminal cost.
  UnifiedArray terminal_change(const UnifiedArray& dm) const {
    return problem_.terminal_derivative(m_, dm(problem_.steps() - 1));
  }
  UnifiedArray apply(const UnifiedArray& x) {
    const UnifiedArray dm = density_change(x);
    const UnifiedArray answer =
        sweeps_.linear_backward(matrices_, problem_.running_derivative(m_, dm) * problem_.dt(),
                                terminal_change(dm), tolerance_);
    return (x - answer).eval();
  }
  UnifiedArray right_side(const HjbResidual& r) {
    return sweeps_.linear_backward(matrices_, r.levels * -problem_.dt(), -r.terminal, tolerance_);
  }

 private:
  const DiscreteProblem& problem_;
  Sweeps& sweeps_;
  DensityResponse& response_;
  UnifiedArray m_;
  Stencil matrices_, transposed_;
  LinearTolerance tolerance_;
};

// The residual, scaled, of the state (u, FP(u)).
struct Trial {
  UnifiedArray u, m;
  HjbResidual residual;
  double size;         ///< of the HJB equation's residual
  double fp_residual;  ///< of the Fokker-Planck equation's
};

Trial evaluate(Outer& outer, const UnifiedArray& u, const UnifiedArray* guess) {
  const PhaseTimer timer(outer.phases, "Fokker-Planck sweeps");
  const auto exactness = StepTolerances::within(outer.problem, outer.tolerance, 1.0);
  const auto [m, left] = outer.sweeps.fokker_planck(u, guess, exactness.fokker_planck);
  HjbResidual r = hjb_residual(outer.problem, u, m);
  const double size = r.largest(outer.problem) * residual_scale(outer.problem, u);
  return {u, m, std::move(r), size, left * residual_scale(outer.problem, m)};
}

// The residual of the game itself, also where the state is meant to solve another one.
double whole_residual(Outer& outer, const Trial& state) {
  DiscreteProblem& problem = outer.problem;
  if (problem.coupling() == 1.0) return state.size;
  const WholeGame game(problem);
  return hjb_residual(problem, state.u, state.m).largest(problem) *
         residual_scale(problem, state.u);
}

double norm(const UnifiedArray& x) { return std::sqrt(sum(x * x).item<double>()); }

// What stays the same during one Newton step: the linearised system and its right-hand side.
struct NewtonStep {
  NewtonStep(Outer& outer, DensityResponse& response, const Trial& at, double forcing)
      : system(outer, response, std::min(1e-6, 1e-3 * forcing)),
        right_side(system.right_side(at.residual)) {}
  LinearisedSystem system;
  UnifiedArray right_side;
};

// The correction of u at all levels; adds GMRES' iterations to `krylov`.
UnifiedArray correction(Outer& outer, NewtonStep& step, const Trial& at, double forcing,
                        int& krylov) {
  constexpr int most_krylov = 80;
  const PhaseTimer timer(outer.phases, "Newton: linear sweeps");
  UnifiedArray x;
  const KrylovReport report = gmres([&](const UnifiedArray& v) { return step.system.apply(v); },
                                    step.right_side, x, forcing, most_krylov);
  krylov += report.iterations;
  outer.gmres += report.iterations;
  const UnifiedArray last =
      step.system.terminal_change(step.system.density_change(x)) - at.residual.terminal;
  return concat({x, expand_dims(last, 0)});
}

// Halve the step until the residual falls, in max norm or as what it makes of u (the natural level
// function of the preconditioned system, blind to how a residual is spread); nothing if it does
// not.
std::optional<Trial> line_search(Outer& outer, NewtonStep& newton_step, const Trial& at,
                                 const UnifiedArray& x) {
  const double before = norm(newton_step.right_side);
  double step = 1.0;
  for (int k = 0; k < 8; ++k, step *= 0.5) {
    try {
      const UnifiedArray u = (at.u + step * x).eval();
      Trial trial = evaluate(outer, u, &at.m);
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
  Trial state = evaluate(outer, outer.u, outer.has_state ? &outer.m : nullptr);
  outer.m = state.m;
  outer.has_state = true;
  DensityResponse response(outer.problem);
  double forcing = 1e-2, loosest = 1e-1;
  for (int k = 0; k < most; ++k) {
    if (state.size <= tolerance) return Outcome::converged;
    // No more exactly than the tolerance asks for.
    forcing = std::min(loosest, std::max(forcing, 0.3 * tolerance / state.size));
    Iteration iteration;
    iteration.method = outer.problem.coupling() == 1.0 ? "newton" : "continuation";
    std::optional<Trial> next;
    while (true) {
      NewtonStep step(outer, response, state, forcing);
      const UnifiedArray x = correction(outer, step, state, forcing, iteration.krylov);
      next = line_search(outer, step, state, x);
      if (next) break;
      // GMRES sees the mean over space and time, in which a terminal cost that depends on the
      // density hides until it is solved more exactly.
      if (forcing <= tightest) {
        outer.note("Newton's line search found no smaller residual");
        return Outcome::stalled;
      }
      forcing = loosest = std::max(tightest, 1e-2 * forcing);
    }
    // Eisenstat and Walker's second choice.
    const double ratio = next->size / state.size;
    forcing = std::clamp(0.5 * ratio * ratio, 1e-3, 1e-1);
    iteration.change_u = largest_of(next->u - state.u);
    iteration.change_m = largest_of(next->m - state.m);
    state = std::move(*next);
    outer.u = state.u;
    outer.m = state.m;
    iteration.hjb_residual = whole_residual(outer, state);
    iteration.fp_residual = state.fp_residual;
    iteration.residual = std::max(iteration.hjb_residual, iteration.fp_residual);
    if (!outer.record(std::move(iteration))) return Outcome::interrupted;
  }
  return state.size <= tolerance ? Outcome::converged : Outcome::limit;
}

}  // namespace isofield::mfg
