#include "isofield/mfg/steps.hpp"

namespace isofield::mfg {

UnifiedArray repaired_density(const Grid& grid, const Stencil& transposed, const UnifiedArray& m,
                              const UnifiedArray& m_last) {
  const UnifiedArray cut = maximum(m, 0.0);
  return cut * (sum(m_last) / sum(apply(grid, transposed, cut)));
}

FokkerPlanckStep::FokkerPlanckStep(const DiscreteProblem& problem, LinearStep& linear)
    : linear_(linear),
      // (m, m_last, a...) -> m
      repair_([grid = problem.grid()](std::span<const UnifiedArray> in) {
        return std::vector<UnifiedArray>{
            repaired_density(grid, Stencil::from_list(in, 2, grid.axes()), in[0], in[1])};
      }) {}

UnifiedArray FokkerPlanckStep::operator()(const Stencil& transposed, const UnifiedArray& m_last,
                                          const UnifiedArray& guess, double relative) {
  std::vector<UnifiedArray> in{linear_.solve(transposed, m_last, guess, {0.0, relative}).first,
                               m_last};
  transposed.append_to(in);
  return repair_(in)[0];
}

}  // namespace isofield::mfg
