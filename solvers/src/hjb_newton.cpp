#include <algorithm>
#include <isofield/linalg.hpp>
#include <limits>

#include "hjb_linearisation.hpp"
#include "isofield/mfg/steps.hpp"

namespace isofield::mfg {

namespace {

using List = std::vector<UnifiedArray>;
using ConstList = std::span<const UnifiedArray>;

}  // namespace

std::pair<UnifiedArray, Stencil> hjb_linearisation(const DiscreteProblem& problem,
                                                   const UnifiedArray& u,
                                                   const UnifiedArray& u_next,
                                                   const UnifiedArray& cost) {
  const Grid& grid = problem.grid();
  const FaceField d = differences(grid, u, problem.exit_value());
  FaceField q;
  std::optional<UnifiedArray> laplacian;
  for (int k = 0; k < grid.axes(); ++k) {
    const auto i = static_cast<std::size_t>(k);
    q.forward.push_back(minimum(d.forward[i], 0.0));
    q.backward.push_back(maximum(d.backward[i], 0.0));
    const UnifiedArray second =
        (d.forward[i] - d.backward[i]) * (problem.viscosity() / grid.axis(k).spacing());
    laplacian = laplacian ? *laplacian + second : second;
  }
  const Hamiltonian& h = problem.hamiltonian();
  // u^n - u^(n+1) + dt (-nu L u^n + G(D u^n) - F)
  return {u - u_next + problem.dt() * (h.value(q) - *laplacian - cost),
          linearise(grid, h.gradient(q), problem.viscosity(), problem.dt())};
}

UnifiedArray hjb_remainder(const DiscreteProblem& problem, const UnifiedArray& x) {
  return max(problem.hamiltonian().remainder(differences(problem.grid(), x)).eval());
}

HjbNewton::HjbNewton(const DiscreteProblem& problem, const LinearStep& linear)
    : problem_(problem),
      // (u, u_next, cost) -> (updated u, how far it can be from a solution). A quadratic
      // Hamiltonian tells by the update alone; any other by the residual before, which is one
      // update late.
      direct_([&problem](ConstList in) {
        const auto [residual, a] = hjb_linearisation(problem, in[0], in[1], in[2]);
        const UnifiedArray x =
            linalg::tridiagonal_solve(a.faces.backward[0], a.diagonal, a.faces.forward[0], residual,
                                      0, problem.grid().axis(0).periodic());
        return List{in[0] - x, problem.hamiltonian().is_quadratic()
                                   ? hjb_remainder(problem, x)
                                   : max(abs(residual)) * (1.0 / problem.dt())};
      }),
      // (u, u_next, cost) -> (-residual, its maximum, matrix...)
      linearise_([&problem, &linear](ConstList in) {
        auto [residual, a] = hjb_linearisation(problem, in[0], in[1], in[2]);
        residual.eval();
        List out{-residual, max(abs(residual))};
        linear.prepared(std::move(a)).append_to(out);
        return out;
      }),
      // (u, x) -> (u + x, remainder)
      update_([&problem](ConstList in) {
        return List{in[0] + in[1], hjb_remainder(problem, in[1])};
      }) {}

HjbNewton::Linearisation HjbNewton::linearise(const UnifiedArray& u, const UnifiedArray& u_next,
                                              const UnifiedArray& cost) const {
  const List out = linearise_(List{u, u_next, cost});
  return {out[0], out[1].item<double>() / problem_.dt(),
          Stencil::from_list(out, 2, problem_.grid().axes())};
}

std::pair<UnifiedArray, double> HjbNewton::update(const UnifiedArray& u,
                                                  const UnifiedArray& x) const {
  const List out = update_(List{u, x});
  return {out[0], problem_.hamiltonian().is_quadratic() ? out[1].item<double>()
                                                        : std::numeric_limits<double>::infinity()};
}

std::pair<UnifiedArray, double> HjbNewton::direct_update(const UnifiedArray& u,
                                                         const UnifiedArray& u_next,
                                                         const UnifiedArray& cost) const {
  const List out = direct_(List{u, u_next, cost});
  return {out[0], out[1].item<double>()};
}

double HjbNewton::linear_tolerance(double residual, double tolerance, bool first) {
  if (!first) quadratic_ = residual / (last_residual_ * last_residual_);
  last_residual_ = residual;
  // As exact as the nonlinearity can use.
  const double useful = quadratic_ > 0.0 ? 0.1 * quadratic_ * residual * residual : 1e-3 * residual;
  return std::max(0.3 * tolerance, std::min(1e-2 * residual, useful)) * problem_.dt();
}

}  // namespace isofield::mfg
