// The equations of an ergodic game: their linear systems, best responses, densities, and Newton's
// method on the coupled system. ergodic.cpp says what w and P are.

#include "stationary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "isofield/mfg/breakdown.hpp"
#include "isofield/mfg/krylov.hpp"
#include "isofield/mfg/sweeps.hpp"
#include "norms.hpp"

namespace isofield::mfg::stationary {

UnifiedArray as_level(const UnifiedArray& x) { return expand_dims(x, 0); }

UnifiedArray StationaryPopulation::mean(const UnifiedArray& x) const {
  const Grid& grid = population_.grid();
  const double share = 1.0 / static_cast<double>(grid.free_cells());
  return grid.density(broadcast_to(grid.sum_cells(grid.density(x)) * share, x.shape()));
}

double StationaryPopulation::rate(const UnifiedArray& w) const {
  return sum(mean(w)).item<double>() / static_cast<double>(population_.grid().free_cells()) /
         population_.dt();
}

UnifiedArray StationaryPopulation::solve(const Stencil& a, const UnifiedArray& b,
                                         double relative) try {
  constexpr int most = 60;
  if (should_stop_ && should_stop_()) throw Interrupted();
  const auto step = [&](const UnifiedArray& y) {
    return linear_.solve(a, y, y, {0.0, 0.1 * relative}).first;
  };
  UnifiedArray y;
  gmres(
      [&](const UnifiedArray& v) {
        const UnifiedArray x = step(v);
        return (v - x + mean(x)).eval();
      },
      b, y, relative, most);
  return step(y);
} catch (const SolverError& e) {
  throw Breakdown("linearised", 0, 0.0, e.what());
}

std::pair<UnifiedArray, Stencil> StationaryPopulation::linearised(const UnifiedArray& w,
                                                                  const UnifiedArray& cost,
                                                                  const Conditions& at) const {
  auto [residual, a] = population_.hjb_linearisation(w, (w - mean(w)).eval(), cost, at);
  residual = population_.grid().density(residual).eval();
  return {residual, linear_.prepared(std::move(a), population_.hjb_constant())};
}

Stencil StationaryPopulation::transposed(const Stencil& a) const {
  return transpose(population_.grid(), linear_.prepared(a));
}

UnifiedArray StationaryPopulation::best_response(UnifiedArray w, const UnifiedArray& cost,
                                                 const Conditions& at, double tolerance) {
  constexpr int most = 60;
  double left = 0.0;
  ++linear_.counts().hjb_steps;
  for (int k = 0; k < most; ++k) {
    const auto [residual, a] = linearised(w, cost, at);
    left = largest_of(residual);
    if (left <= tolerance) return w;
    if (!std::isfinite(left)) break;
    ++linear_.counts().newton;
    w = (w - solve(a, residual, 1e-8)).eval();
  }
  throw Breakdown("HJB", 0, 0.0,
                  std::isfinite(left)
                      ? fmt::format("policy iteration does not converge: residual {:.3g}", left)
                      : "NaN or infinity");
}

UnifiedArray StationaryPopulation::exact_response(UnifiedArray w, const UnifiedArray& cost,
                                                  const Conditions& at, double goal, double small) {
  constexpr int most = 60;
  ++linear_.counts().hjb_steps;
  double before = std::numeric_limits<double>::infinity();
  for (int k = 0; k < most; ++k) {
    const auto [residual, a] = linearised(w, cost, at);
    const double left = largest_of(residual);
    if (!std::isfinite(left)) break;
    if (k > 0 && (left <= goal || (left <= small && left > 0.5 * before))) return w;
    before = left;
    ++linear_.counts().newton;
    w = (w - solve(a, residual, 1e-8)).eval();
  }
  throw Breakdown("HJB", 0, 0.0, "policy iteration does not converge");
}

UnifiedArray StationaryPopulation::density(const UnifiedArray& u, UnifiedArray m) {
  constexpr int most = 60;
  const UnifiedArray average = mean(population_.initial_density());
  double before = std::numeric_limits<double>::infinity();
  for (int k = 0; k < most; ++k) {
    const Stencil a = transposed(population_.density_matrix(u, conditions(m)));
    const UnifiedArray stationary = solve(a, average, 1e-13);
    const UnifiedArray next = scaled(maximum(stationary, 0.0));
    const double change = largest_of(next - m);
    m = next;
    if (!std::isfinite(change)) throw Breakdown("Fokker-Planck", 0, 0.0, "NaN or infinity");
    if (!population_.congestion()) return m;
    // The speed that a crowd has follows from the crowd: repeat until it does.
    if (change <= 1e-12 * largest_of(m) || (change < 1e-8 && change > 0.5 * before)) return m;
    before = change;
  }
  return m;
}

UnifiedArray StationaryPopulation::scaled(const UnifiedArray& m) const {
  return (m * (sum(population_.initial_density()) / sum(m))).eval();
}

Conditions StationaryPopulation::conditions(const UnifiedArray& m) const {
  return population_.conditions(as_level(m)).level(0);
}

void StationaryPopulation::linearise_at(const UnifiedArray& w, const UnifiedArray& m,
                                        const Stencil& matrix) {
  u_ = w;
  at_ = conditions(m);
  matrix_ = matrix;
  jacobian_ = transposed(population_.density_jacobian(w, at_));
  response_.set_state(as_level(w), as_level(m));
}

UnifiedArray StationaryPopulation::density_change(const UnifiedArray& x, double relative) {
  return solve(*jacobian_, response_(as_level(x))(0).copy(), relative);
}

UnifiedArray StationaryPopulation::backward(UnifiedArray change_of_cost, const UnifiedArray& dm,
                                            double relative) {
  if (population_.congestion())
    change_of_cost = change_of_cost - population_.hjb_change(u_, at_, dm);
  return solve(*matrix_, (change_of_cost * population_.dt()).eval(), relative);
}

UnifiedArray StationaryPopulation::correction(const UnifiedArray& residual, double relative) {
  return solve(*matrix_, (-residual).eval(), relative);
}

namespace {

Fields levels_of(const Fields& m) {
  Fields two;
  for (const UnifiedArray& x : m) two.push_back(stack({x, x}));
  return two;
}

}  // namespace

Fields costs(const DiscreteProblem& problem, const Fields& m) {
  Fields list;
  for (const UnifiedArray& f : problem.running_costs(levels_of(m))) list.push_back(f(0).copy());
  return list;
}

double term_size(const DiscretePopulation& one, const UnifiedArray& w, const UnifiedArray& cost) {
  return std::max({largest_of(w), one.dt() * largest_of(cost), 1e-30});
}

State state_of(const DiscreteProblem& problem, Parts& parts, Fields w, Fields m) {
  State state;
  state.m = std::move(m);
  state.w = std::move(w);
  const Fields f = costs(problem, state.m);
  for (std::size_t p = 0; p < parts.size(); ++p) {
    auto [residual, matrix] =
        parts[p].linearised(state.w[p], f[p], parts[p].conditions(state.m[p]));
    state.size = larger(state.size,
                        largest_of(residual) / term_size(parts[p].population(), state.w[p], f[p]));
    state.residual.push_back(std::move(residual));
    state.matrices.push_back(std::move(matrix));
  }
  return state;
}

State evaluate(const DiscreteProblem& problem, Parts& parts, Fields w, const Fields& guess) {
  Fields m;
  for (std::size_t p = 0; p < w.size(); ++p) m.push_back(parts[p].density(w[p], guess[p]));
  return state_of(problem, parts, std::move(w), std::move(m));
}

double fokker_planck_residual(const Parts& parts, const State& now) {
  double largest = 0.0;
  for (std::size_t p = 0; p < parts.size(); ++p) {
    const DiscretePopulation& one = parts[p].population();
    const Stencil a =
        parts[p].transposed(one.density_matrix(now.w[p], parts[p].conditions(now.m[p])));
    const UnifiedArray left = apply(one.grid(), a, now.m[p]) - now.m[p];
    largest = larger(largest, largest_of(left) / (largest_of(now.m[p]) * largest_of(a.diagonal)));
  }
  return largest;
}

// By the transposed matrix the crowd pays lambda times its mass less <R, m>, R being what is left
// of the HJB equation.
double exploitability(const DiscreteProblem& problem, Parts& parts, const State& now) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  if (problem.problem().control) return none;
  const Fields f = costs(problem, now.m);
  double gain = 0.0;
  try {
    for (std::size_t p = 0; p < parts.size(); ++p) {
      const DiscretePopulation& one = parts[p].population();
      const double terms = term_size(one, now.w[p], f[p]), left = largest_of(now.residual[p]);
      // The gain is of second order in the residual: to a percent of it will do.
      const UnifiedArray best =
          parts[p].exact_response(now.w[p], f[p], parts[p].conditions(now.m[p]),
                                  1e-4 * left * std::min(left / terms, 1.0), 1e-6 * terms);
      const UnifiedArray rate = parts[p].mean(now.w[p] - best) - now.residual[p];
      gain += problem.grid().inner(rate, now.m[p]) / one.dt();
    }
  } catch (const Breakdown&) {
    return none;
  }
  return gain;
}

namespace {

// What the HJB equations linearised at the state that the parts hold correct for the residual of
// another.
UnifiedArray corrections(Parts& parts, const State& state, double relative) {
  Fields list;
  for (std::size_t p = 0; p < parts.size(); ++p)
    list.push_back(parts[p].correction(state.residual[p], relative));
  return stacked(list).eval();
}

}  // namespace

double newton(const DiscreteProblem& problem, Parts& parts, State& state, double tolerance,
              int most, const std::function<bool(const State&, int krylov)>& record) {
  for (int k = 0; k < most && !(state.size <= tolerance); ++k) {
    const double relative = std::clamp(0.1 * state.size, 1e-9, 1e-3);
    for (std::size_t p = 0; p < parts.size(); ++p)
      parts[p].linearise_at(state.w[p], state.m[p], state.matrices[p]);
    const UnifiedArray right = corrections(parts, state, 0.01 * relative);
    UnifiedArray vector;
    const KrylovReport report = gmres(
        [&](const UnifiedArray& v) {
          const Fields x = unstacked(v);
          Fields dm;
          for (std::size_t p = 0; p < parts.size(); ++p)
            dm.push_back(parts[p].density_change(x[p], 0.01 * relative));
          Fields changes;
          for (const UnifiedArray& d : dm) changes.push_back(as_level(d));
          const Fields df = problem.running_derivatives(levels_of(state.m), changes);
          Fields result;
          for (std::size_t p = 0; p < parts.size(); ++p)
            result.push_back(x[p] - parts[p].backward(df[p](0), dm[p], 0.01 * relative));
          return stacked(result).eval();
        },
        right, vector, relative, 100);
    const Fields x = unstacked(vector);
    std::optional<State> next;
    for (double step = 1.0; step > 1e-3 && !next; step *= 0.5) {
      Fields w;
      for (std::size_t p = 0; p < x.size(); ++p) w.push_back((state.w[p] + step * x[p]).eval());
      try {
        State trial = evaluate(problem, parts, std::move(w), state.m);
        // In max norm, or as what it makes of w, which does not see how a residual is spread.
        if (trial.size < (1.0 - 0.1 * step) * state.size ||
            (std::isfinite(trial.size) &&
             norm(corrections(parts, trial, 1e-4)) < (1.0 - 0.25 * step) * norm(right)))
          next = std::move(trial);
      } catch (const Breakdown&) {
        // Too far: a shorter step may do.
      }
    }
    if (!next) break;
    state = std::move(*next);
    if (!record(state, report.iterations)) break;
  }
  return state.size;
}

}  // namespace isofield::mfg::stationary
