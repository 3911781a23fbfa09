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

Sweeps::Sweeps(const DiscretePopulation& population, std::function<bool()> should_stop)
    : population_(population),
      should_stop_(std::move(should_stop)),
      linear_(population),
      newton_(population, linear_),
      hjb_step_(population, linear_, newton_),
      fokker_planck_step_(population, linear_),
      backward_(population, LineMarch::Kind::backward),
      forward_(population, LineMarch::Kind::forward),
      matrices_([this](ConstList in) {
        const Stencil a = population_.hjb_matrix(in[0], population_.conditions_in(in, 1));
        return listed(linear_.prepared(a, population_.hjb_constant()));
      }),
      density_matrices_([this](ConstList in) {
        const Stencil a = population_.density_matrix(in[0], population_.conditions_in(in, 1));
        return listed(transpose(population_.grid(), linear_.prepared(a)));
      }),
      density_jacobians_([this](ConstList in) {
        const Stencil a = population_.density_jacobian(in[0], population_.conditions_in(in, 1));
        return listed(transpose(population_.grid(), linear_.prepared(a)));
      }) {
  if (linear_.is_direct()) lines_.emplace(population);
}

void Sweeps::ask_whether_to_go_on() const {
  if (should_stop_ && should_stop_()) throw Interrupted();
}

// Levels are kept apart while a sweep runs, and stacked once: a level's successor reads it, and
// nothing is written to an array that is shared.

UnifiedArray Sweeps::hjb(const HjbData& data, const UnifiedArray* guess, double tolerance) {
  data.running.eval();
  if (guess) {
    const auto u = lines_ ? hjb_by_line_sweeps(data, *guess, tolerance)
                          : hjb_by_newton(data, *guess, tolerance);
    if (u) return *u;
  }
  // Level by level, from the next level's value: slower, but the best guess there is, and a failure
  // is found where it begins.
  const std::int64_t n_steps = population_.steps();
  List u(index(n_steps) + 1);
  u.back() = data.terminal;
  for (std::int64_t n = n_steps - 1; n >= 0; --n) {
    ask_whether_to_go_on();
    const UnifiedArray& next = u[index(n) + 1];
    u[index(n)] = population_.step_end(
        next, hjb_step_({next, data.running(n), data.at.level(n), n}, next, tolerance));
  }
  return stack(u);
}

// All levels are one system of equations, convex in u, with an M-matrix: Newton's method is policy
// iteration over the whole horizon, and an update is one linear sweep. That u^N is given is an
// equation, too: the first update puts it there.

namespace {

constexpr int max_updates = 12;

}  // namespace

std::optional<UnifiedArray> Sweeps::hjb_by_line_sweeps(const HjbData& data, UnifiedArray u,
                                                       double tolerance) {
  const std::int64_t n_steps = population_.steps();
  linear_.counts().hjb_steps += n_steps;
  try {
    for (int k = 0; k < max_updates; ++k) {
      ask_whether_to_go_on();
      LineSweeps::NewtonUpdate update = lines_->newton_update(u, data);
      linear_.counts().newton += n_steps;
      linear_.counts().linear_solves += n_steps;
      if (update.error <= tolerance) return update.u;
      if (!std::isfinite(update.error)) return std::nullopt;
      u = std::move(update.u);
    }
  } catch (const SolverError&) {
    // Elimination broke down, too far from a solution.
  }
  return std::nullopt;
}

std::optional<UnifiedArray> Sweeps::hjb_by_newton(const HjbData& data, UnifiedArray u,
                                                  double tolerance) {
  const std::int64_t n_steps = population_.steps();
  linear_.counts().hjb_steps += n_steps;
  UnifiedArray change = (data.terminal - u(n_steps)).eval();
  bool arrived = max(abs(change)).item<double>() == 0.0;  // at u^N
  for (int k = 0; k < max_updates; ++k) {
    const HjbNewton::Linearisation at =
        newton_.linearise(population_.stage_values(u), u(from(1)), data.running, data.at);
    if (arrived && at.residual <= tolerance) return u;
    if (!std::isfinite(at.residual)) return std::nullopt;
    const double exactness = newton_.linear_tolerance(at.residual, tolerance, k == 0);
    const Path x = population_.path_backward(
        linear_backward(at.matrix, at.right_side, change, {exactness, 0.0}), change);
    linear_.counts().newton += n_steps;
    const auto [next, bound] = newton_.update(u(upto(n_steps)), x, data.at);
    u = with_last(next, arrived ? u(n_steps) : u(n_steps) + change);
    if (!arrived) change = zeros_like(change);
    arrived = true;
    if (bound + exactness / population_.stage_dt() <= tolerance) return u;
  }
  return std::nullopt;
}

UnifiedArray Sweeps::improved(const HjbData& data, const UnifiedArray& u) {
  ask_whether_to_go_on();
  const std::int64_t n_steps = population_.steps();
  linear_.counts().newton += n_steps;
  if (lines_) {
    linear_.counts().linear_solves += n_steps;
    return lines_->newton_update(u, data).u;
  }
  const HjbNewton::Linearisation at =
      newton_.linearise(population_.stage_values(u), u(from(1)), data.running, data.at);
  const UnifiedArray change = (data.terminal - u(n_steps)).eval();
  const Path x = population_.path_backward(
      linear_backward(at.matrix, at.right_side, change, {0.0, 1e-10}), change);
  return with_last(u(upto(n_steps)) + x.levels, data.terminal);
}

Stencil Sweeps::made_by(const Traced& make, const UnifiedArray& u, const Conditions& at) const {
  List in{population_.stage_values(u)};
  at.append_to(in);
  return Stencil::from_list(make(in), 0, population_.grid().axes());
}

Stencil Sweeps::matrices(const UnifiedArray& u, const Conditions& at) const {
  return made_by(matrices_, u, at);
}

Stencil Sweeps::density_matrices(const UnifiedArray& u, const Conditions& at) const {
  return made_by(density_matrices_, u, at);
}

Stencil Sweeps::density_jacobians(const UnifiedArray& u, const Conditions& at) const {
  return made_by(density_jacobians_, u, at);
}

Density Sweeps::fokker_planck(const UnifiedArray& u, const UnifiedArray* guess, double relative) {
  ask_whether_to_go_on();
  Density result;
  if (lines_ && !population_.congestion()) {
    linear_.counts().linear_solves += population_.steps();
    result = solving("Fokker-Planck", 0, 0.0, [&] { return lines_->density(u); });
  } else {
    const Conditions at = population_.conditions(population_.constant_density()(from(1)));
    List m{population_.initial_density()}, residuals;
    m.reserve(index(population_.steps()) + 1);
    for (std::int64_t n = 0; n < population_.steps(); ++n) {
      ask_whether_to_go_on();
      const auto near = [&] { return population_.stage_values((*guess)(n + 1), (*guess)(n)); };
      auto [p, residual] =
          fokker_planck_step_({population_.stage_values(u(n), u(n + 1)), m.back(), at.level(n), n},
                              guess ? near() : m.back(), relative);
      m.push_back(population_.step_end(m.back(), p).eval());
      residuals.push_back(std::move(residual));
    }
    result = {stack(m), max(stack(residuals)).item<double>()};
  }
  if (!std::isfinite(result.residual)) fail_by_nan(result.m);
  return result;
}

UnifiedArray Sweeps::linear_backward(const Stencil& matrices, const UnifiedArray& source,
                                     const UnifiedArray& terminal, LinearTolerance tolerance,
                                     const UnifiedArray* added) {
  return march("HJB", backward_, matrices, source, terminal, tolerance, added);
}

UnifiedArray Sweeps::linear_forward(const Stencil& transposed, const UnifiedArray& source,
                                    const UnifiedArray& start, LinearTolerance tolerance,
                                    const UnifiedArray* added) {
  return march("Fokker-Planck", forward_, transposed, source, start, tolerance, added);
}

UnifiedArray Sweeps::march(const char* equation, const LineMarch& lines, const Stencil& matrices,
                           const UnifiedArray& source, const UnifiedArray& start,
                           LinearTolerance tolerance, const UnifiedArray* added) {
  source.eval();
  ask_whether_to_go_on();
  const std::int64_t n_steps = population_.steps();
  if (linear_.is_direct()) {
    linear_.counts().linear_solves += n_steps;
    return solving(equation, 0, 0.0, [&] { return lines(matrices, source, start, added); });
  }
  List stages(index(n_steps));
  UnifiedArray last = start;
  for (std::int64_t k = 0; k < n_steps; ++k) {
    ask_whether_to_go_on();
    const std::int64_t n = &lines == &backward_ ? n_steps - 1 - k : k;
    stages[index(n)] = linear_.solve(matrices.level(n), last + source(n), last, tolerance).first;
    last = population_.step_end(last, stages[index(n)]);
    if (added) last = last + (*added)(n);
  }
  return stack(stages);
}

// Says where the first NaN is. A density of finite numbers whose residual overflows is let pass.
void Sweeps::fail_by_nan(const UnifiedArray& m) const {
  for (std::int64_t n = 0; n <= population_.steps(); ++n) {
    const std::string place = population_.grid().place_of_nan(m(n));
    if (!place.empty())
      throw Breakdown("Fokker-Planck", n, static_cast<double>(n) * population_.dt(),
                      "NaN or infinity at " + place);
  }
}

}  // namespace isofield::mfg
