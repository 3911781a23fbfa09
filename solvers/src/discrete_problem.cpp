#include "isofield/mfg/discrete_problem.hpp"

#include <isofield/differentiation.hpp>
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

Problem checked(Problem problem) {
  if (problem.ergodic) problem.steps = 1;  // of which equations know one level
  if (!(problem.horizon > 0.0) || problem.steps < 1)
    throw SolverError("problem: the horizon must be positive, with at least one step");
  if (problem.populations.empty()) throw SolverError("problem: there is no population");
  return problem;
}

}  // namespace

DiscreteProblem::DiscreteProblem(Problem problem, DType dtype)
    : problem_(checked(std::move(problem))), grid_(make_grid(problem_, dtype)) {
  populations_.reserve(problem_.populations.size());
  for (const Population& p : problem_.populations) populations_.emplace_back(problem_, p, grid_);
  Shape shape(grid_.axes() + 1, 1);
  final_time_ = asarray(std::vector<double>{problem_.horizon}, shape).astype(dtype);
  final_time_.eval();
}

std::vector<double> DiscreteProblem::times() const {
  std::vector<double> t(static_cast<std::size_t>(steps()) + 1);
  for (std::size_t n = 0; n < t.size(); ++n) t[n] = static_cast<double>(n) * dt();
  t.back() = problem_.horizon;
  return t;
}

Fields DiscreteProblem::constant_densities() const {
  Fields list;
  for (const DiscretePopulation& p : populations_) list.push_back(p.constant_density());
  return list;
}

void DiscreteProblem::set_coupling(double strength, const Fields& reference) {
  coupling_ = strength;
  reference_ = reference;
}

// The densities that costs are told: those of stages, or of the last level.
Fields DiscreteProblem::seen(Kind kind, const Fields& m) const {
  const auto part = [&](std::size_t p, const UnifiedArray& x) {
    return kind == Kind::running ? populations_[p].stage_densities(x) : x(from(steps()));
  };
  Fields list;
  for (std::size_t p = 0; p < size(); ++p) {
    const UnifiedArray now = part(p, m[p]);
    if (coupling_ == 1.0) {
      list.push_back(now);
    } else {
      const UnifiedArray from = part(p, reference_[p]);
      list.push_back((from + coupling_ * (now - from)).eval());
    }
  }
  return list;
}

Fields DiscreteProblem::paid(Kind kind, const Fields& m) const {
  const UnifiedArray& t = kind == Kind::running ? populations_[0].stage_times() : final_time_;
  Fields list;
  for (std::size_t p = 0; p < size(); ++p) {
    const Population& data = problem_.populations[p];
    const Cost& cost = kind == Kind::running ? data.running : data.terminal;
    if (!cost) {
      list.push_back(zeros_like(m[p]));
      continue;
    }
    const UnifiedArray x = cost({grid_, t, m[p], m});
    list.push_back(broadcast_to(x.dtype() == dtype() ? x : x.astype(dtype()), m[p].shape()));
  }
  return list;
}

Fields DiscreteProblem::priced(Kind kind, const Fields& m) const {
  if (!problem_.control) return paid(kind, m);
  const auto total = [&](const Fields& x) {
    const Fields cost = paid(kind, x);
    UnifiedArray all = sum(grid_.density(cost[0]) * x[0]);
    for (std::size_t p = 1; p < size(); ++p) all = all + sum(grid_.density(cost[p]) * x[p]);
    return all;
  };
  return grad(total)(m);
}

Fields DiscreteProblem::derivatives(Kind kind, const Fields& m, Fields dm) const {
  if (coupling_ != 1.0)
    for (UnifiedArray& x : dm) x = coupling_ * x;
  Fields list = jvp([&](const Fields& x) { return priced(kind, x); }, m, dm).second;
  for (UnifiedArray& x : list) x = grid_.density(x);
  return list;
}

Fields DiscreteProblem::pullbacks(Kind kind, const Fields& m, Fields y) const {
  for (UnifiedArray& x : y) x = grid_.density(x);
  Fields list = vjp([&](const Fields& x) { return priced(kind, x); }, m).second(y);
  for (UnifiedArray& x : list) x = coupling_ == 1.0 ? x : coupling_ * x;
  return list;
}

Fields DiscreteProblem::running_costs(const Fields& m) const {
  Fields list = priced(Kind::running, seen(Kind::running, m));
  for (UnifiedArray& x : list) x = grid_.density(x);
  return list;
}

std::vector<HjbData> DiscreteProblem::hjb_data(const Fields& m) const {
  const Fields running = running_costs(m), terminal = terminal_costs(m);
  std::vector<HjbData> data;
  for (std::size_t p = 0; p < size(); ++p) {
    const DiscretePopulation& one = populations_[p];
    data.push_back({running[p], terminal[p], one.conditions(one.stage_densities(m[p]))});
  }
  return data;
}

Fields DiscreteProblem::at_the_end(const Fields& costs) const {
  Fields list;
  for (const UnifiedArray& x : costs) list.push_back(grid_.value(x, problem_.exit_cost)(0).copy());
  return list;
}

Fields DiscreteProblem::terminal_costs(const Fields& m) const {
  return at_the_end(priced(Kind::terminal, seen(Kind::terminal, m)));
}

Fields DiscreteProblem::paid_running_costs(const Fields& m) const {
  Fields list = paid(Kind::running, seen(Kind::running, m));
  for (UnifiedArray& x : list) x = grid_.density(x);
  return list;
}

Fields DiscreteProblem::paid_terminal_costs(const Fields& m) const {
  return at_the_end(paid(Kind::terminal, seen(Kind::terminal, m)));
}

Fields DiscreteProblem::running_derivatives(const Fields& m, const Fields& dm) const {
  return derivatives(Kind::running, seen(Kind::running, m), dm);
}

Fields DiscreteProblem::running_pullbacks(const Fields& m, const Fields& y) const {
  return pullbacks(Kind::running, seen(Kind::running, m), y);
}

Fields DiscreteProblem::terminal_pullbacks(const Fields& m, const Fields& y) const {
  Fields given;
  for (const UnifiedArray& x : y) given.push_back(expand_dims(x, 0));
  Fields list = pullbacks(Kind::terminal, seen(Kind::terminal, m), std::move(given));
  for (UnifiedArray& x : list) x = x(0).copy();
  return list;
}

Fields DiscreteProblem::terminal_derivatives(const Fields& m, const Fields& dm) const {
  Fields directions;
  for (const UnifiedArray& x : dm) directions.push_back(expand_dims(x, 0));
  Fields list = derivatives(Kind::terminal, seen(Kind::terminal, m), std::move(directions));
  for (UnifiedArray& x : list) x = x(0).copy();
  return list;
}

}  // namespace isofield::mfg
