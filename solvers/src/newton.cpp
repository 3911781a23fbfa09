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
  double size;
};

Trial evaluate(Outer& outer, const UnifiedArray& u, const UnifiedArray* guess) {
  const PhaseTimer timer(outer.phases, "Fokker-Planck sweeps");
  const auto exactness = StepTolerances::within(outer.problem, outer.tolerance, 1.0);
  const UnifiedArray m = outer.sweeps.fokker_planck(outer.sweeps.transposed_matrices(u), guess,
                                                    exactness.fokker_planck);
  HjbResidual r = hjb_residual(outer.problem, u, m);
  const double size = r.largest(outer.problem) * residual_scale(outer.problem, u);
  return {u, m, std::move(r), size};
}

// What solving the Fokker-Planck equation leaves of it, about.
double density_residual(const Outer& outer) {
  if (outer.problem.grid().axes() == 1) return 0.0;  // solved directly
  return StepTolerances::within(outer.problem, outer.tolerance, 1.0).fokker_planck *
         StepTolerances::density_scale(outer.problem);
}

// Halve the step until the residual falls; nothing if it does not.
std::optional<Trial> line_search(Outer& outer, const Trial& from_state, const UnifiedArray& x) {
  double step = 1.0;
  for (int k = 0; k < 8; ++k, step *= 0.5) {
    try {
      const UnifiedArray u = (from_state.u + step * x).eval();
      Trial trial = evaluate(outer, u, &from_state.m);
      if (trial.size < (1.0 - 1e-4 * step) * from_state.size) return trial;
    } catch (const Breakdown&) {
      // Too far: a shorter step may do.
    }
  }
  return std::nullopt;
}

}  // namespace

Outcome newton(Outer& outer, int most) {
  constexpr int most_krylov = 60;
  Trial state = evaluate(outer, outer.u, outer.has_state ? &outer.m : nullptr);
  outer.m = state.m;
  outer.has_state = true;
  DensityResponse response(outer.problem);
  double forcing = 1e-2;
  for (int k = 0; k < most; ++k) {
    if (state.size <= outer.tolerance) return Outcome::converged;
    // No more exactly than the tolerance asks for.
    forcing = std::max(forcing, std::min(0.1, 0.3 * outer.tolerance / state.size));
    Iteration iteration;
    iteration.method = "newton";
    UnifiedArray x;
    {
      const PhaseTimer timer(outer.phases, "Newton: linear sweeps");
      LinearisedSystem system(outer, response, std::min(1e-6, 1e-3 * forcing));
      const KrylovReport krylov = gmres([&](const UnifiedArray& v) { return system.apply(v); },
                                        system.right_side(state.residual), x, forcing, most_krylov);
      iteration.krylov = krylov.iterations;
      outer.gmres += krylov.iterations;
      if (!std::isfinite(krylov.residual)) return Outcome::stalled;
      const UnifiedArray last =
          system.terminal_change(system.density_change(x)) - state.residual.terminal;
      x = concat({x, expand_dims(last, 0)});
    }
    std::optional<Trial> next = line_search(outer, state, x);
    if (!next) {
      outer.notes.push_back("Newton's line search found no smaller residual");
      return Outcome::stalled;
    }
    // Eisenstat and Walker's second choice.
    const double ratio = next->size / state.size;
    forcing = std::clamp(0.5 * ratio * ratio, 1e-3, 1e-1);
    iteration.change_u = largest_of(next->u - state.u);
    iteration.change_m = largest_of(next->m - state.m);
    state = std::move(*next);
    outer.u = state.u;
    outer.m = state.m;
    iteration.hjb_residual = iteration.residual = state.size;
    iteration.fp_residual = density_residual(outer);
    if (!outer.record(std::move(iteration))) return Outcome::interrupted;
  }
  return state.size <= outer.tolerance ? Outcome::converged : Outcome::limit;
}

}  // namespace isofield::mfg
