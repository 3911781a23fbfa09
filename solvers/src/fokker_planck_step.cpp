#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "isofield/mfg/breakdown.hpp"
#include "isofield/mfg/steps.hpp"
#include "norms.hpp"

namespace isofield::mfg {

namespace {

using List = std::vector<UnifiedArray>;
using ConstList = std::span<const UnifiedArray>;

}  // namespace

UnifiedArray balanced_density(const Grid& grid, const Stencil& transposed, const UnifiedArray& m,
                              const UnifiedArray& m_last) {
  return m * (sum(m_last) / sum(apply(grid, transposed, m)));
}

UnifiedArray repaired_density(const Grid& grid, const Stencil& transposed, const UnifiedArray& m,
                              const UnifiedArray& m_last) {
  return balanced_density(grid, transposed, maximum(m, 0.0), m_last);
}

FokkerPlanckStep::FokkerPlanckStep(const DiscretePopulation& population, LinearStep& linear)
    : population_(population),
      linear_(linear),
      // (v, conditions...) -> a..., made when it is needed: that of one level stays in the cache
      matrix_([&population, &linear](ConstList in) {
        const Stencil a = population.density_matrix(in[0], population.conditions_in(in, 1));
        List out;
        transpose(population.grid(), linear.prepared(a)).append_to(out);
        return out;
      }),
      jacobian_([&population, &linear](ConstList in) {
        const Stencil a = population.density_jacobian(in[0], population.conditions_in(in, 1));
        List out;
        transpose(population.grid(), linear.prepared(a)).append_to(out);
        return out;
      }),
      // (p, m_last, a...) -> (p, largest residual times theta dt)
      repair_([grid = population.grid(), cut = population.keeps_sign()](ConstList in) {
        const Stencil a = Stencil::from_list(in, 2, grid.axes());
        const UnifiedArray p = (cut ? repaired_density(grid, a, in[0], in[1])
                                    : balanced_density(grid, a, in[0], in[1]))
                                   .eval();
        return List{p, max(abs(apply(grid, a, p) - in[1]))};
      }) {}

FokkerPlanckStep::Stage FokkerPlanckStep::operator()(const Data& data, const UnifiedArray& guess,
                                                     double relative) {
  const std::int64_t level = data.level + 1;
  return solving("Fokker-Planck", level, static_cast<double>(level) * population_.dt(), [&] {
    return population_.congestion() ? congested(data, guess, relative)
                                    : linear(data, guess, relative);
  });
}

Stencil FokkerPlanckStep::made_by(const Traced& make, const Data& data,
                                  const UnifiedArray& p) const {
  List in{data.v};
  Conditions at = data.at;
  if (at.m) at.m = p;
  at.append_to(in);
  return Stencil::from_list(make(in), 0, population_.grid().axes());
}

FokkerPlanckStep::Stage FokkerPlanckStep::repaired(const Stencil& a, const UnifiedArray& p,
                                                   const UnifiedArray& m_last) const {
  List in{p, m_last};
  a.append_to(in);
  const List out = repair_(in);
  return {out[0], out[1] * (1.0 / population_.stage_dt())};
}

FokkerPlanckStep::Stage FokkerPlanckStep::linear(const Data& data, const UnifiedArray& guess,
                                                 double relative) {
  const Stencil a = made_by(matrix_, data, data.m);
  return repaired(a, linear_.solve(a, data.m, guess, {0.0, relative}).first, data.m);
}

FokkerPlanckStep::Stage FokkerPlanckStep::congested(const Data& data, const UnifiedArray& guess,
                                                    double relative) {
  constexpr int max_updates = 60;
  const Grid& grid = population_.grid();
  const double goal = relative * norm(data.m);
  UnifiedArray p = guess;
  double before = std::numeric_limits<double>::infinity(), left = before;
  for (int k = 0; k < max_updates; ++k) {
    const Stencil a = made_by(matrix_, data, p);
    const UnifiedArray residual = (apply(grid, a, p) - data.m).eval();
    left = norm(residual);
    // Rounding may not let it fall to the goal.
    const bool as_small_as_can_be = left < 1e3 * goal && left > 0.5 * before;
    if (left <= goal || as_small_as_can_be || !std::isfinite(left)) return repaired(a, p, data.m);
    before = left;
    const Stencil slope = made_by(jacobian_, data, p);
    const double exactness = std::max(0.3 * goal, 1e-4 * left);
    const UnifiedArray next =
        p - linear_.solve(slope, residual, zeros_like(p), {exactness, 0.0}).first;
    if (!population_.keeps_sign()) {
      p = next.eval();
      continue;
    }
    const double lowest = min(next).item<double>();
    p = lowest >= -1e-12 * max(p).item<double>()
            ? maximum(next, 0.0).eval()
            : repaired(a, linear_.solve(a, data.m, p, {exactness, 0.0}).first, data.m).p;
  }
  const std::int64_t level = data.level + 1;
  throw Breakdown("Fokker-Planck", level, static_cast<double>(level) * population_.dt(),
                  fmt::format("Newton's method for the density in congestion does not converge: "
                              "residual {:.3g} after {} updates, {:.3g} wanted",
                              left, max_updates, goal));
}

}  // namespace isofield::mfg
