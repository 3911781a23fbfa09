#include "isofield/mfg/steps.hpp"

namespace isofield::mfg {

UnifiedArray repaired_density(const Grid& grid, const Stencil& transposed, const UnifiedArray& m,
                              const UnifiedArray& m_last) {
  const UnifiedArray cut = maximum(m, 0.0);
  return cut * (sum(m_last) / sum(apply(grid, transposed, cut)));
}

FokkerPlanckStep::FokkerPlanckStep(const DiscreteProblem& problem, LinearStep& linear)
    : problem_(problem),
      linear_(linear),
      // u -> a..., made when it is needed: that of one level stays in the cache
      matrix_([&problem, &linear](std::span<const UnifiedArray> in) {
        std::vector<UnifiedArray> out;
        transpose(problem.grid(), linear.prepared(problem.linearise(in[0]))).append_to(out);
        return out;
      }),
      // (m, m_last, a...) -> (m, largest residual times dt)
      repair_([grid = problem.grid()](std::span<const UnifiedArray> in) {
        const Stencil a = Stencil::from_list(in, 2, grid.axes());
        const UnifiedArray m = repaired_density(grid, a, in[0], in[1]).eval();
        return std::vector<UnifiedArray>{m, max(abs(apply(grid, a, m) - in[1]))};
      }) {}

FokkerPlanckStep::Level FokkerPlanckStep::operator()(const UnifiedArray& u_last,
                                                     const UnifiedArray& m_last,
                                                     const UnifiedArray& guess, double relative) {
  const std::vector<UnifiedArray> matrix = matrix_(std::vector<UnifiedArray>{u_last});
  const Stencil a = Stencil::from_list(matrix, 0, problem_.grid().axes());
  std::vector<UnifiedArray> in{linear_.solve(a, m_last, guess, {0.0, relative}).first, m_last};
  a.append_to(in);
  const std::vector<UnifiedArray> out = repair_(in);
  return {out[0], out[1] * (1.0 / problem_.dt())};
}

}  // namespace isofield::mfg
