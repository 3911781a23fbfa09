#include "isofield/mfg/sweeps.hpp"

#include <cmath>

#include "isofield/mfg/breakdown.hpp"

namespace isofield::mfg {

namespace {

using List = std::vector<UnifiedArray>;
using ConstList = std::span<const UnifiedArray>;

List listed(const Stencil& a) {
  List list;
  a.append_to(list);
  return list;
}

std::size_t index(std::int64_t n) { return static_cast<std::size_t>(n); }

// Levels 0..N-1 and a last one.
UnifiedArray with_last(const UnifiedArray& levels, const UnifiedArray& last) {
  return concat({levels, expand_dims(last, 0)});
}

}  // namespace

Sweeps::Sweeps(const DiscreteProblem& problem, std::function<bool()> should_stop)
    : problem_(problem),
      should_stop_(std::move(should_stop)),
      linear_(problem),
      newton_(problem, linear_),
      hjb_step_(problem, linear_, newton_),
      fokker_planck_step_(problem, linear_),
      backward_(problem, LineMarch::Kind::backward),
      forward_(problem, LineMarch::Kind::forward),
      matrices_(
          [this](ConstList in) { return listed(linear_.prepared(problem_.linearise(in[0]))); }),
      transposed_([this](ConstList in) {
        return listed(transpose(problem_.grid(), linear_.prepared(problem_.linearise(in[0]))));
      }) {
  if (linear_.is_direct()) lines_.emplace(problem);
}

void Sweeps::ask_whether_to_go_on() const {
  if (should_stop_ && should_stop_()) throw Interrupted();
}

// Levels are kept apart while a sweep runs, and stacked once: a level's successor reads it, and
// nothing is written to an array that is shared.

UnifiedArray Sweeps::hjb(const UnifiedArray& running_cost, const UnifiedArray& terminal,
                         const UnifiedArray* guess, double tolerance) {
  running_cost.eval();
  if (guess) {
    const auto u = lines_ ? hjb_by_line_sweeps(running_cost, terminal, *guess, tolerance)
                          : hjb_by_newton(running_cost, terminal, *guess, tolerance);
    if (u) return *u;
  }
  // Level by level, from the next level's value: slower, but the best guess there is, and a failure
  // is found where it begins.
  const std::int64_t n_steps = problem_.steps();
  List u(index(n_steps) + 1);
  u.back() = terminal;
  for (std::int64_t n = n_steps - 1; n >= 0; --n) {
    ask_whether_to_go_on();
    const UnifiedArray& next = u[index(n) + 1];
    u[index(n)] = hjb_step_(next, running_cost(n), next, tolerance, n);
  }
  return stack(u);
}

// All levels are one system of equations, convex in u, with an M-matrix: Newton's method is policy
// iteration over the whole horizon, and an update is one linear sweep. That u^N is given is an
// equation, too: the first update puts it there.

namespace {

constexpr int max_updates = 12;

}  // namespace

std::optional<UnifiedArray> Sweeps::hjb_by_line_sweeps(const UnifiedArray& running_cost,
                                                       const UnifiedArray& terminal, UnifiedArray u,
                                                       double tolerance) {
  const std::int64_t n_steps = problem_.steps();
  linear_.counts().hjb_steps += n_steps;
  for (int k = 0; k < max_updates; ++k) {
    ask_whether_to_go_on();
    LineSweeps::NewtonUpdate update = lines_->newton_update(u, terminal, running_cost);
    linear_.counts().newton += n_steps;
    linear_.counts().linear_solves += n_steps;
    if (update.error <= tolerance) return update.u;
    if (!std::isfinite(update.error)) return std::nullopt;
    u = std::move(update.u);
  }
  return std::nullopt;
}

std::optional<UnifiedArray> Sweeps::hjb_by_newton(const UnifiedArray& running_cost,
                                                  const UnifiedArray& terminal, UnifiedArray u,
                                                  double tolerance) {
  const std::int64_t n_steps = problem_.steps();
  linear_.counts().hjb_steps += n_steps;
  UnifiedArray change = (terminal - u(n_steps)).eval();
  bool arrived = max(abs(change)).item<double>() == 0.0;  // at u^N
  for (int k = 0; k < max_updates; ++k) {
    const HjbNewton::Linearisation at =
        newton_.linearise(u(upto(n_steps)), u(from(1)), running_cost);
    if (arrived && at.residual <= tolerance) return u;
    if (!std::isfinite(at.residual)) return std::nullopt;
    const double exactness = newton_.linear_tolerance(at.residual, tolerance, k == 0);
    const UnifiedArray x = linear_backward(at.matrix, at.right_side, change, {exactness, 0.0});
    linear_.counts().newton += n_steps;
    double bound = 0.0;
    std::tie(u, bound) = newton_.update(u, with_last(x, change));
    if (!arrived) change = zeros_like(change);
    arrived = true;
    if (bound + exactness / problem_.dt() <= tolerance) return u;
  }
  return std::nullopt;
}

Stencil Sweeps::matrices(const UnifiedArray& u) const {
  const List in{u(upto(problem_.steps()))};
  return Stencil::from_list(matrices_(in), 0, problem_.grid().axes());
}

Stencil Sweeps::transposed_matrices(const UnifiedArray& u) const {
  const List in{u(upto(problem_.steps()))};
  return Stencil::from_list(transposed_(in), 0, problem_.grid().axes());
}

Density Sweeps::fokker_planck(const UnifiedArray& u, const UnifiedArray* guess, double relative) {
  ask_whether_to_go_on();
  Density result;
  if (lines_) {
    linear_.counts().linear_solves += problem_.steps();
    result = lines_->density(u);
  } else {
    List m{problem_.initial_density()}, residuals;
    m.reserve(index(problem_.steps()) + 1);
    for (std::int64_t n = 0; n < problem_.steps(); ++n) {
      ask_whether_to_go_on();
      auto [next, residual] =
          fokker_planck_step_(u(n), m.back(), guess ? (*guess)(n + 1) : m.back(), relative);
      m.push_back(std::move(next));
      residuals.push_back(std::move(residual));
    }
    result = {stack(m), max(stack(residuals)).item<double>()};
  }
  if (!std::isfinite(result.residual)) fail_by_nan(result.m);
  return result;
}

UnifiedArray Sweeps::linear_backward(const Stencil& matrices, const UnifiedArray& source,
                                     const UnifiedArray& terminal, LinearTolerance tolerance) {
  source.eval();
  ask_whether_to_go_on();
  if (linear_.is_direct()) {
    linear_.counts().linear_solves += problem_.steps();
    return backward_(matrices, source, terminal);
  }
  List x(index(problem_.steps()));
  UnifiedArray last = terminal;
  for (std::int64_t n = problem_.steps() - 1; n >= 0; --n) {
    ask_whether_to_go_on();
    last = linear_.solve(matrices.level(n), last + source(n), last, tolerance).first;
    x[index(n)] = last;
  }
  return stack(x);
}

UnifiedArray Sweeps::linear_forward(const Stencil& transposed, const UnifiedArray& source,
                                    LinearTolerance tolerance) {
  source.eval();
  ask_whether_to_go_on();
  const UnifiedArray start = zeros_like(problem_.initial_density());
  if (linear_.is_direct()) {
    linear_.counts().linear_solves += problem_.steps();
    return forward_(transposed, source, start);
  }
  List y;
  y.reserve(index(problem_.steps()));
  UnifiedArray last = start;
  for (std::int64_t n = 0; n < problem_.steps(); ++n) {
    ask_whether_to_go_on();
    last = linear_.solve(transposed.level(n), last + source(n), last, tolerance).first;
    y.push_back(last);
  }
  return stack(y);
}

// Says where the first NaN is. A density of finite numbers whose residual overflows is let pass.
void Sweeps::fail_by_nan(const UnifiedArray& m) const {
  for (std::int64_t n = 0; n <= problem_.steps(); ++n) {
    const std::string place = problem_.grid().place_of_nan(m(n));
    if (!place.empty())
      throw Breakdown("Fokker-Planck", n, static_cast<double>(n) * problem_.dt(),
                      "NaN or infinity at " + place);
  }
}

}  // namespace isofield::mfg
