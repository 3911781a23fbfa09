#include "isofield/mfg/discrete_problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <isofield/error.hpp>

namespace isofield::mfg {

namespace {

Grid make_grid(const Problem& problem, DType dtype) {
  Grid grid(problem.axes, dtype);
  std::optional<UnifiedArray> obstacle, exit;
  if (problem.obstacle) obstacle = problem.obstacle(grid);
  if (problem.exit) exit = problem.exit(grid);
  return grid.marked(obstacle, exit);
}

Hamiltonian make_hamiltonian(const Problem& problem, const Grid& grid) {
  UnifiedArray scale = problem.scale ? problem.scale(grid) : full(Shape{}, 0.5, grid.dtype());
  if (scale.size() != 1) scale = grid.field(scale);
  return Hamiltonian(scale, problem.exponent);
}

UnifiedArray make_initial(const Problem& problem, const Grid& grid) {
  if (!problem.initial_density) throw SolverError("problem: the initial density is missing");
  UnifiedArray m = grid.density(grid.field(problem.initial_density(grid))).copy();
  if (has_nan_or_inf(m)) throw SolverError("the initial density is NaN or infinite somewhere");
  if (min(m).item<double>() < 0.0) throw SolverError("the initial density is negative somewhere");
  const double mass = grid.integral(m).item<double>();
  if (!(mass > 0.0)) throw SolverError("the initial density is 0 on every free cell");
  return problem.mass ? (m * (*problem.mass / mass)).copy() : m;
}

const Problem& checked(const Problem& problem) {
  if (!(problem.viscosity > 0.0))
    throw SolverError(fmt::format("problem: viscosity {} is not positive", problem.viscosity));
  if (!(problem.horizon > 0.0) || problem.steps < 1)
    throw SolverError("problem: the horizon must be positive, with at least one step");
  return problem;
}

}  // namespace

DiscreteProblem::DiscreteProblem(Problem problem, DType dtype)
    : problem_(checked(problem)),
      grid_(make_grid(problem_, dtype)),
      hamiltonian_(make_hamiltonian(problem_, grid_)),
      initial_(make_initial(problem_, grid_)) {
  std::vector<double> t = times();
  Shape shape(grid_.axes() + 1, 1);
  final_time_ = asarray(std::vector<double>{t.back()}, shape).astype(dtype);
  t.pop_back();
  shape[0] = steps();
  times_ = asarray(t, shape).astype(dtype);
  eval(times_, final_time_);
}

std::vector<double> DiscreteProblem::times() const {
  std::vector<double> t(static_cast<std::size_t>(steps()) + 1);
  for (std::size_t n = 0; n < t.size(); ++n) t[n] = static_cast<double>(n) * dt();
  t.back() = problem_.horizon;
  return t;
}

UnifiedArray DiscreteProblem::constant_density() const {
  Shape shape = grid_.shape();
  shape.insert(0, steps() + 1);
  return broadcast_to(initial_, shape);
}

UnifiedArray DiscreteProblem::cost(const Cost& c, const UnifiedArray& t,
                                   const UnifiedArray& m) const {
  if (!c.value) return zeros_like(m);
  return broadcast_to(c.value({grid_, t, m}), m.shape());
}

UnifiedArray DiscreteProblem::derivative(const Cost& c, const UnifiedArray& t,
                                         const UnifiedArray& m, const UnifiedArray& dm) const {
  if (!c.value) return zeros_like(m);
  if (c.derivative) return broadcast_to(c.derivative({grid_, t, m}, dm), m.shape());
  // A step that balances the rounding of F against its curvature.
  const double largest = max(abs(dm)).item<double>();
  if (largest == 0.0) return zeros_like(m);
  const double root = dtype() == float32 ? 3e-4 : 1e-8;
  const double size = std::max(1.0, max(abs(m)).item<double>());
  const double step = root * size / largest;
  const UnifiedArray moved = (m + step * dm).eval();
  return (cost(c, t, moved) - cost(c, t, m)) * (1.0 / step);
}

void DiscreteProblem::set_coupling(double strength, const UnifiedArray& reference) {
  coupling_ = strength;
  reference_ = reference;
}

// The density that costs are told.
UnifiedArray DiscreteProblem::seen(const UnifiedArray& m) const {
  if (coupling_ == 1.0) return m;
  return (reference_ + coupling_ * (m - reference_)).eval();
}

UnifiedArray DiscreteProblem::running_cost(const UnifiedArray& m) const {
  return grid_.density(cost(problem_.running, times_, seen(m)(from(1))));
}

UnifiedArray DiscreteProblem::terminal_cost(const UnifiedArray& m) const {
  const UnifiedArray g = cost(problem_.terminal, final_time_, seen(m)(from(steps())));
  return grid_.value(g, exit_value())(0).copy();
}

UnifiedArray DiscreteProblem::running_derivative(const UnifiedArray& m,
                                                 const UnifiedArray& dm) const {
  return grid_.density(derivative(problem_.running, times_, seen(m)(from(1)), coupling_ * dm));
}

UnifiedArray DiscreteProblem::terminal_derivative(const UnifiedArray& m,
                                                  const UnifiedArray& dm) const {
  const UnifiedArray last = seen(m)(from(steps()));
  const UnifiedArray direction = coupling_ * expand_dims(dm, 0);
  return grid_.density(derivative(problem_.terminal, final_time_, last, direction))(0).copy();
}

Stencil DiscreteProblem::linearise(const UnifiedArray& u) const {
  return mfg::linearise(grid_, hamiltonian_.gradient(upwind_slopes(grid_, u, exit_value())),
                        viscosity(), dt());
}

UnifiedArray DiscreteProblem::hjb_residual(const UnifiedArray& u, const UnifiedArray& u_next,
                                           const UnifiedArray& cost) const {
  const FaceField q = upwind_slopes(grid_, u, exit_value());
  return (u - u_next) * (1.0 / dt()) - viscosity() * grid_.laplacian(u, exit_value()) +
         hamiltonian_.value(q) - cost;
}

}  // namespace isofield::mfg
