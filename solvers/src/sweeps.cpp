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
      density_(problem, LineMarch::Kind::density),
      matrices_(
          [this](ConstList in) { return listed(linear_.prepared(problem_.linearise(in[0]))); }),
      transposed_([this](ConstList in) {
        return listed(transpose(problem_.grid(), linear_.prepared(problem_.linearise(in[0]))));
      }) {}

void Sweeps::ask_whether_to_go_on() const {
  if (should_stop_ && should_stop_()) throw Interrupted();
}

// Levels are kept apart while a sweep runs, and stacked once: a level's successor reads it, and
// nothing is written to an array that is shared.

UnifiedArray Sweeps::hjb(const UnifiedArray& running_cost, const UnifiedArray& terminal,
                         const UnifiedArray* guess, double tolerance) {
  running_cost.eval();
  if (guess) {
    if (auto u = hjb_by_newton(running_cost, terminal, *guess, tolerance)) return *u;
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
// iteration over the whole horizon, and an update is one linear sweep.
std::optional<UnifiedArray> Sweeps::hjb_by_newton(const UnifiedArray& running_cost,
                                                  const UnifiedArray& terminal,
                                                  const UnifiedArray& guess, double tolerance) {
  constexpr int max_updates = 12;
  const std::int64_t n_steps = problem_.steps();
  const UnifiedArray no_change = zeros_like(terminal);
  UnifiedArray u = guess(upto(n_steps));
  linear_.counts().hjb_steps += n_steps;
  for (int k = 0; k < max_updates; ++k) {
    const UnifiedArray all = with_last(u, terminal);
    const HjbNewton::Linearisation at = newton_.linearise(u, all(from(1)), running_cost);
    if (at.residual <= tolerance) return all;
    if (!std::isfinite(at.residual)) return std::nullopt;
    const double exactness = newton_.linear_tolerance(at.residual, tolerance, k == 0);
    const UnifiedArray x = linear_backward(at.matrix, at.right_side, no_change, {exactness, 0.0});
    linear_.counts().newton += n_steps;
    double bound = 0.0;
    std::tie(u, bound) = newton_.update(u, x);
    const double left = linear_.is_direct() ? 0.0 : exactness / problem_.dt();
    if (bound + left <= tolerance) return with_last(u, terminal);
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

UnifiedArray Sweeps::fokker_planck(const Stencil& transposed, const UnifiedArray* guess,
                                   double relative) {
  const UnifiedArray& start = problem_.initial_density();
  ask_whether_to_go_on();
  UnifiedArray all;
  if (linear_.is_direct()) {
    linear_.counts().linear_solves += problem_.steps();
    all = concat({expand_dims(start, 0), density_(transposed, nullptr, start)});
  } else {
    List m{start};
    m.reserve(index(problem_.steps()) + 1);
    for (std::int64_t n = 0; n < problem_.steps(); ++n) {
      ask_whether_to_go_on();
      m.push_back(fokker_planck_step_(transposed.level(n), m.back(),
                                      guess ? (*guess)(n + 1) : m.back(), relative));
    }
    all = stack(m);
  }
  check_density(all);
  return all;
}

UnifiedArray Sweeps::linear_backward(const Stencil& matrices, const UnifiedArray& source,
                                     const UnifiedArray& terminal, LinearTolerance tolerance) {
  source.eval();
  ask_whether_to_go_on();
  if (linear_.is_direct()) {
    linear_.counts().linear_solves += problem_.steps();
    return backward_(matrices, &source, terminal);
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
    return forward_(transposed, &source, start);
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

void Sweeps::check_density(const UnifiedArray& m) const {
  if (!has_nan_or_inf(m)) return;
  for (std::int64_t n = 0; n <= problem_.steps(); ++n) {
    const std::string place = problem_.grid().place_of_nan(m(n));
    if (!place.empty())
      throw Breakdown("Fokker-Planck", n, static_cast<double>(n) * problem_.dt(),
                      "NaN or infinity at " + place);
  }
}

}  // namespace isofield::mfg
