#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <isofield/linalg.hpp>

#include "isofield/mfg/breakdown.hpp"
#include "isofield/mfg/steps.hpp"

namespace isofield::mfg {

namespace {

constexpr int max_updates = 60;

using List = std::vector<UnifiedArray>;
using ConstList = std::span<const UnifiedArray>;

// What a Newton update needs at u: the residual, and the matrix of its linearisation.
struct Linearisation {
  UnifiedArray residual;
  Stencil matrix;
};

Linearisation linearisation(const DiscreteProblem& problem, const UnifiedArray& u,
                            const UnifiedArray& u_next, const UnifiedArray& cost) {
  const Grid& grid = problem.grid();
  const double rate = 1.0 / problem.dt();
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
  // (u^n - u^(n+1))/dt - nu L u^n + G(D u^n) - F
  return {(u - u_next) * rate - *laplacian + h.value(q) - cost,
          linearise(grid, h.gradient(q), problem.viscosity(), rate)};
}

// How far the residual after u += d can be from 0, for a direct solve. A quadratic Hamiltonian
// tells by d alone; any other by the residual before, which is one update late.
UnifiedArray error_measure(const DiscreteProblem& problem, const UnifiedArray& residual,
                           const UnifiedArray& d) {
  if (!problem.hamiltonian().is_quadratic()) return max(abs(residual));
  return max(problem.hamiltonian().remainder(differences(problem.grid(), d)));
}

}  // namespace

HjbStep::HjbStep(const DiscreteProblem& problem, LinearStep& linear)
    : problem_(problem),
      linear_(linear),
      // (u, u_next, cost) -> (updated u, error measure)
      newton_([&problem](ConstList in) {
        const Linearisation at = linearisation(problem, in[0], in[1], in[2]);
        const UnifiedArray d = linalg::tridiagonal_solve(
            at.matrix.faces.backward[0], at.matrix.diagonal, at.matrix.faces.forward[0],
            at.residual, 0, problem.grid().axis(0).periodic());
        return List{in[0] - d, error_measure(problem, at.residual, d)};
      }),
      // (u, u_next, cost) -> (-residual, its maximum, matrix...)
      coefficients_([&problem, &linear](ConstList in) {
        Linearisation at = linearisation(problem, in[0], in[1], in[2]);
        List out{-at.residual, max(abs(at.residual))};
        linear.prepared(std::move(at.matrix)).append_to(out);
        return out;
      }),
      // (u, d) -> (u + d, bound of the nonlinear remainder)
      update_([&problem](ConstList in) {
        return List{in[0] + in[1],
                    max(problem.hamiltonian().remainder(differences(problem.grid(), in[1])))};
      }) {}

UnifiedArray HjbStep::operator()(const UnifiedArray& u_next, const UnifiedArray& cost,
                                 const UnifiedArray& guess, double tolerance, std::int64_t level) {
  ++linear_.counts().hjb_steps;
  return problem_.grid().axes() == 1 ? direct(u_next, cost, guess, tolerance, level)
                                     : iterative(u_next, cost, guess, tolerance, level);
}

void HjbStep::fail(std::int64_t level, double residual, double tolerance) const {
  const double time = static_cast<double>(level) * problem_.dt();
  if (!std::isfinite(residual)) throw Breakdown("HJB", level, time, "NaN or infinity");
  throw Breakdown(
      "HJB", level, time,
      fmt::format("Newton's method does not converge: residual {:.3g} after {} updates, "
                  "{:.3g} wanted",
                  residual, max_updates, tolerance));
}

UnifiedArray HjbStep::direct(const UnifiedArray& u_next, const UnifiedArray& cost, UnifiedArray u,
                             double tolerance, std::int64_t level) {
  double error = 0.0;
  for (int k = 0; k < max_updates; ++k) {
    List out = newton_(List{u, u_next, cost});
    ++linear_.counts().newton;
    ++linear_.counts().linear_solves;
    u = std::move(out[0]);
    error = out[1].item<double>();
    if (error <= tolerance) return u;
    if (!std::isfinite(error)) break;
  }
  fail(level, error, tolerance);
}

UnifiedArray HjbStep::iterative(const UnifiedArray& u_next, const UnifiedArray& cost,
                                UnifiedArray u, double tolerance, std::int64_t level) {
  const int axes = problem_.grid().axes();
  const bool quadratic = problem_.hamiltonian().is_quadratic();
  const UnifiedArray zero = zeros_like(u);
  double residual = 0.0;
  for (int k = 0; k < max_updates; ++k) {
    const List at = coefficients_(List{u, u_next, cost});
    const double before = residual;
    residual = at[1].item<double>();
    if (residual <= tolerance) return u;
    if (!std::isfinite(residual)) break;
    if (k > 0) quadratic_ = residual / (before * before);
    // As exact as the nonlinearity can use, which the last step's convergence tells.
    const double expected = quadratic_ * residual * residual;
    const double linear_tolerance =
        std::max(0.3 * tolerance,
                 std::min(1e-2 * residual, quadratic_ > 0.0 ? 0.1 * expected : 1e-3 * residual));
    const auto [d, left] =
        linear_.solve(Stencil::from_list(at, 2, axes), at[0], zero, linear_tolerance, 0.0);
    ++linear_.counts().newton;
    List moved = update_(List{u, d});
    u = std::move(moved[0]);
    if (quadratic && moved[1].item<double>() + left <= tolerance) return u;
  }
  fail(level, residual, tolerance);
}

}  // namespace isofield::mfg
