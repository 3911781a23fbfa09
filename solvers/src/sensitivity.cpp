// Derivatives of a functional J(u, m) of a solution by the problem's data. With multipliers y of
// the HJB and z of the Fokker-Planck equations, J + <y, HJB> + <z, FP> does not change with u and m
// if, A being the matrices of HJB steps, J_m those of Fokker-Planck steps linearised in m, C the
// derivative of these in u, and H_m that of the HJB equation in m,
//
//     A^T y + C z = -J_u            J_m^T z = (F' - H_m)^T y - J_m
//
// y is marched forwards as a density is, z backwards as a value is. Eliminating y leaves the
// identity plus a compact operator on z, for GMRES, as in newton.cpp, whose system is the
// transpose.

#include "isofield/mfg/sensitivity.hpp"

#include <fmt/format.h>

#include <cmath>
#include <deque>
#include <isofield/differentiation.hpp>
#include <isofield/error.hpp>

#include "isofield/mfg/density_response.hpp"
#include "isofield/mfg/krylov.hpp"
#include "isofield/mfg/residual.hpp"
#include "isofield/mfg/sweeps.hpp"
#include "norms.hpp"

namespace isofield::mfg {

namespace {

// One population's transposed equations at a solution.
class TransposedPopulation {
 public:
  TransposedPopulation(const DiscretePopulation& population, const UnifiedArray& u,
                       const UnifiedArray& m, const HjbData& data, LinearTolerance tolerance)
      : population_(population),
        sweeps_(population),
        response_(population),
        v_(population.stage_values(u)),
        at_(data.at),
        forward_(transpose(population.grid(), sweeps_.matrices(u, at_))),
        backward_(transpose(population.grid(), sweeps_.density_jacobians(u, at_))),
        tolerance_(tolerance) {
    response_.set_state(v_, population.stage_densities(m));
  }

  // The path of y that follows stages of z and what J_u is at levels 0..N, if that is counted.
  Path forward(const UnifiedArray& z, const UnifiedArray* by_u) {
    const UnifiedArray start = by_u ? (-(*by_u)(0)).eval() : zeros_like(z(0));
    const UnifiedArray added = by_u ? -(*by_u)(from(1)) : z;
    const UnifiedArray* const given = by_u ? &added : nullptr;
    return population_.path_forward(
        sweeps_.linear_forward(forward_, response_(z), start, tolerance_, given), start, given);
  }
  // The path of z, from what costs make of y at steps and at the end.
  Path backward(const UnifiedArray& y, const UnifiedArray& pulled, const UnifiedArray& last,
                const UnifiedArray* by_m) {
    UnifiedArray source = pulled;
    if (population_.congestion()) source = source - population_.hjb_change(v_, at_, y);
    source = (source * population_.stage_dt()).eval();
    const std::int64_t n = population_.steps();
    const UnifiedArray start = by_m ? (last - (*by_m)(n)).eval() : last;
    const UnifiedArray added = by_m ? -(*by_m)(upto(n)) : y;
    const UnifiedArray* const given = by_m ? &added : nullptr;
    return population_.path_backward(
        sweeps_.linear_backward(backward_, source, start, tolerance_, given), start, given);
  }

 private:
  const DiscretePopulation& population_;
  Sweeps sweeps_;
  DensityResponse response_;
  UnifiedArray v_;
  Conditions at_;
  Stencil forward_, backward_;
  LinearTolerance tolerance_;
};

// Multipliers of all equations.
struct Multipliers {
  Fields y, y_last, z, z_first;
};

class TransposedSystem {
 public:
  TransposedSystem(const DiscreteProblem& problem, const Fields& u, const Fields& m,
                   LinearTolerance tolerance)
      : problem_(problem), m_(m) {
    const std::vector<HjbData> data = problem.hjb_data(m);
    for (std::size_t p = 0; p < problem.size(); ++p)
      parts_.emplace_back(problem.population(p), u[p], m[p], data[p], tolerance);
  }

  // One turn: y from z, z from y; with the functional's derivatives, or without.
  Multipliers turn(const Fields& z, const Fields* by_u, const Fields* by_m) {
    Multipliers r;
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      const UnifiedArray* of_u = by_u ? &(*by_u)[p] : nullptr;
      const Path y = parts_[p].forward(z[p], of_u);
      r.y.push_back(y.stages);
      r.y_last.push_back(y.levels(problem_.steps() - 1));
    }
    const Fields running = problem_.running_pullbacks(m_, r.y);
    const Fields terminal = problem_.terminal_pullbacks(m_, r.y_last);
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      const UnifiedArray* of_m = by_m ? &(*by_m)[p] : nullptr;
      const Path path = parts_[p].backward(r.y[p], running[p], terminal[p], of_m);
      r.z.push_back(path.stages);
      r.z_first.push_back(path.levels(0));
    }
    return r;
  }

 private:
  const DiscreteProblem& problem_;
  Fields m_;
  std::deque<TransposedPopulation> parts_;
};

void check(const Problem& problem, const DiscreteProblem& discrete, const Solution& solution) {
  if (problem.ergodic || problem.is_planning())
    throw SolverError("sensitivity: ergodic games and planning have none in this version");
  if (solution.report.status != Status::converged)
    throw SolverError("sensitivity: the solution has not converged");
  const Shape expected = discrete.population().constant_density().shape();
  for (const Fields* fields : {&solution.u, &solution.m}) {
    if (fields->size() != discrete.size())
      throw SolverError(fmt::format("sensitivity: a solution of {} populations, the problem has {}",
                                    fields->size(), discrete.size()));
    for (const UnifiedArray& x : *fields)
      if (x.shape() != expected)
        throw ShapeError(fmt::format("sensitivity: a solution of shape {}, the problem's is {}",
                                     to_string(x.shape()), to_string(expected)));
  }
}

}  // namespace

Sensitivity::Sensitivity(const Problem& problem, const Solution& solution,
                         const Functional& functional, double relative)
    : u_(solution.u), m_(solution.m) {
  const DiscreteProblem discrete(problem, solution.u.at(0).dtype());
  check(problem, discrete, solution);
  const Grid& grid = discrete.grid();
  const auto [value, pull] = vjp(
      [&](const Fields& u, const Fields& m) {
        const UnifiedArray j = functional(u, m);
        if (j.ndim() != 0)
          throw ShapeError("sensitivity: the functional gives shape " + to_string(j.shape()) +
                           ", one number is needed");
        return j;
      },
      std::tuple(u_, m_));
  value_ = value.item<double>();
  auto [by_u, by_m] = pull(ones_like(value));
  for (Fields* fields : {&by_u, &by_m})
    for (UnifiedArray& x : *fields) x = grid.density(x).copy();

  TransposedSystem system(discrete, u_, m_, {0.0, std::min(1e-8, 1e-2 * relative)});
  Fields zero;
  for (const UnifiedArray& x : u_) zero.push_back(zeros_like(x(from(1))).copy());
  const UnifiedArray right = stacked(system.turn(zero, &by_u, &by_m).z).eval();
  UnifiedArray vector = zeros_like(right).copy();
  if (largest_of(right) > 0.0) {
    const KrylovReport report = gmres(
        [&](const UnifiedArray& z) {
          return (z - stacked(system.turn(unstacked(z), nullptr, nullptr).z)).eval();
        },
        right, vector, relative, 200);
    iterations_ = report.iterations;
    if (!report.converged)
      throw SolverError(
          "sensitivity: GMRES does not solve the transposed system; the solution may "
          "be at a point where there are several nearby");
  }
  Multipliers found = system.turn(unstacked(vector), &by_u, &by_m);
  hjb_ = found.y;
  fokker_planck_ = unstacked(vector);
  for (std::size_t p = 0; p < discrete.size(); ++p) {
    by_running_.push_back(grid.density(-discrete.dt() * hjb_[p]).copy());
    by_terminal_.push_back(grid.density(-found.y_last[p]).copy());
    by_initial_.push_back(grid.density(-found.z_first[p]).copy());
  }
}

// <y, HJB> + <z, FP> of a problem's equations at the solution.
double Sensitivity::weighted_equations(const Problem& problem) const {
  const DiscreteProblem discrete(problem, u_[0].dtype());
  const Grid& grid = discrete.grid();
  const std::vector<HjbData> data = discrete.hjb_data(m_);
  double total = 0.0;
  for (std::size_t p = 0; p < discrete.size(); ++p) {
    const DiscretePopulation& one = discrete.population(p);
    const HjbResidual left = hjb_residual(one, u_[p], data[p]);
    const UnifiedArray density = one.stage_densities(m_[p]);
    const Stencil a =
        transpose(grid, one.density_matrix(one.stage_values(u_[p]), one.conditions(density)));
    const UnifiedArray balance =
        (apply(grid, a, density) - m_[p](upto(one.steps()))) * (1.0 / one.theta());
    const UnifiedArray sum_of_all =
        one.dt() * sum(hjb_[p] * left.levels) - sum(by_terminal_[p] * left.terminal) +
        sum(fokker_planck_[p] * balance) + sum(by_initial_[p] * one.initial_density());
    total += sum_of_all.item<double>();
  }
  return total;
}

double Sensitivity::along(const std::function<Problem(double)>& path, double step) const {
  const auto at = [&](double s) { return weighted_equations(path(s * step)); };
  return (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * step);
}

Gradient value_and_gradient(const Family& family, const std::vector<double>& parameters,
                            const Functional& functional, const SolveOptions& options) {
  const Problem problem = family(parameters);
  Gradient result;
  result.solution = solve(problem, options);
  if (result.solution.report.status != Status::converged)
    throw SolverError("value_and_gradient: the solve did not converge: " +
                      result.solution.report.message);
  const Sensitivity sensitivity(problem, result.solution, functional);
  result.value = sensitivity.value();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    // In units of the parameter, which may be large or small.
    const double unit = parameters[i] != 0.0 ? std::abs(parameters[i]) : 1.0;
    result.gradient.push_back(sensitivity.along([&](double s) {
      std::vector<double> near = parameters;
      near[i] += s * unit;
      return family(near);
    }) / unit);
  }
  return result;
}

}  // namespace isofield::mfg
