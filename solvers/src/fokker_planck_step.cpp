#include "isofield/mfg/steps.hpp"

namespace isofield::mfg {

FokkerPlanckStep::FokkerPlanckStep(const DiscreteProblem& problem, LinearStep& linear)
    : exact_(problem.grid().axes() == 1 && !problem.grid().axis(0).periodic()),
      linear_(linear),
      // (x, m_last, a...) -> m. An iterative solution x is a little negative where m is about 0,
      // and loses a little mass. The solution is not negative, so that cutting moves x towards it;
      // and the balance of mass, sum A m = sum m_last/dt, whatever leaves included, fixes the
      // factor.
      repair_([grid = problem.grid(), rate = 1.0 / problem.dt()](std::span<const UnifiedArray> in) {
        const UnifiedArray m = maximum(in[0], 0.0);
        const UnifiedArray kept = sum(apply(grid, Stencil::from_list(in, 2, grid.axes()), m));
        return std::vector<UnifiedArray>{m * (sum(in[1]) * rate / kept)};
      }) {}

UnifiedArray FokkerPlanckStep::operator()(const Stencil& transposed, const UnifiedArray& m_last,
                                          const UnifiedArray& guess, double relative) {
  UnifiedArray m = linear_.advance(transposed, m_last, nullptr, guess, relative).first;
  if (exact_) return m;
  std::vector<UnifiedArray> in{m, m_last};
  transposed.append_to(in);
  return repair_(in)[0];
}

}  // namespace isofield::mfg
