#include "isofield/mfg/sweeps.hpp"

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

}  // namespace

Sweeps::Sweeps(const DiscreteProblem& problem)
    : problem_(problem),
      linear_(problem),
      hjb_step_(problem, linear_),
      fokker_planck_step_(problem, linear_),
      matrices_(
          [this](ConstList in) { return listed(linear_.prepared(problem_.linearise(in[0]))); }),
      transposed_([this](ConstList in) {
        return listed(transpose(problem_.grid(), linear_.prepared(problem_.linearise(in[0]))));
      }) {}

// Levels are kept apart while a sweep runs, and stacked once: a level's successor reads it, and
// nothing is written to an array that is shared.

UnifiedArray Sweeps::hjb(const UnifiedArray& running_cost, const UnifiedArray& terminal,
                         const UnifiedArray* guess, double tolerance) {
  const std::int64_t n_steps = problem_.steps();
  running_cost.eval();
  List u(index(n_steps) + 1);
  u.back() = terminal;
  for (std::int64_t n = n_steps - 1; n >= 0; --n) {
    const UnifiedArray& next = u[index(n) + 1];
    u[index(n)] = hjb_step_(next, running_cost(n), guess ? (*guess)(n) : next, tolerance, n);
  }
  return stack(u);
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
  List m{problem_.initial_density()};
  m.reserve(index(problem_.steps()) + 1);
  for (std::int64_t n = 0; n < problem_.steps(); ++n)
    m.push_back(fokker_planck_step_(transposed.level(n), m.back(),
                                    guess ? (*guess)(n + 1) : m.back(), relative));
  const UnifiedArray all = stack(m);
  check(all, "Fokker-Planck", 0);
  return all;
}

UnifiedArray Sweeps::linear_backward(const Stencil& matrices, const UnifiedArray& source,
                                     const UnifiedArray& terminal, double relative) {
  source.eval();
  List x(index(problem_.steps()));
  UnifiedArray last = terminal;
  for (std::int64_t n = problem_.steps() - 1; n >= 0; --n) {
    const UnifiedArray s = source(n);
    last = linear_.advance(matrices.level(n), last, &s, last, relative).first;
    x[index(n)] = last;
  }
  return stack(x);
}

UnifiedArray Sweeps::linear_forward(const Stencil& transposed, const UnifiedArray& source,
                                    double relative) {
  source.eval();
  List y;
  y.reserve(index(problem_.steps()));
  UnifiedArray last = zeros_like(problem_.initial_density());
  for (std::int64_t n = 0; n < problem_.steps(); ++n) {
    const UnifiedArray s = source(n);
    last = linear_.advance(transposed.level(n), last, &s, last, relative).first;
    y.push_back(last);
  }
  return stack(y);
}

void Sweeps::check(const UnifiedArray& field, const char* equation,
                   std::int64_t first_level) const {
  if (!has_nan_or_inf(field)) return;
  const std::int64_t levels = field.shape()[0];
  for (std::int64_t n = 0; n < levels; ++n)
    if (has_nan_or_inf(field(n)))
      throw Breakdown(equation, first_level + n,
                      static_cast<double>(first_level + n) * problem_.dt(), "NaN or infinity");
}

}  // namespace isofield::mfg
