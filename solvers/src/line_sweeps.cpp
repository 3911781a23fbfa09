#include <algorithm>
#include <cmath>
#include <isofield/linalg.hpp>

#include "isofield/mfg/steps.hpp"
#include "norms.hpp"

namespace isofield::mfg {

namespace {

using List = std::vector<UnifiedArray>;
using ConstList = std::span<const UnifiedArray>;

// About as many numbers of each field as fit the second-level cache together.
constexpr std::int64_t part_size = 4096;
// More levels are more steps to record, and gain nothing.
constexpr std::int64_t most_levels = 64;

UnifiedArray solved(const Grid& grid, const Stencil& a, const UnifiedArray& b) {
  return linalg::tridiagonal_solve(a.faces.backward[0], a.diagonal, a.faces.forward[0], b, 0,
                                   grid.axis(0).periodic());
}

std::size_t index(std::int64_t n) { return static_cast<std::size_t>(n); }

// (x after the part, u at its levels and the next, cost of its steps, conditions...)
// -> (u + x at its levels, x at its first level, an error as of LineSweeps::NewtonUpdate)
List newton_part(const DiscretePopulation& population, ConstList in) {
  const UnifiedArray &x_after = in[0], &u = in[1], &cost = in[2];
  const std::int64_t levels = cost.shape()[0];
  const Conditions at = population.conditions_in(in, 3);
  const auto [residual, a] =
      population.hjb_linearisation(population.stage_values(u), u(from(1)), cost, at);
  eval(residual, a.diagonal, a.faces.backward[0], a.faces.forward[0]);
  List x(index(levels) + 1, x_after);
  for (std::int64_t n = levels - 1; n >= 0; --n) {
    const UnifiedArray& last = x[index(n) + 1];
    x[index(n)] =
        population.step_end(last, solved(population.grid(), a.level(n), last - residual(n)));
  }
  const UnifiedArray update = stack(x);
  const UnifiedArray next = (u + update).eval();
  const UnifiedArray error =
      population.has_remainder()
          ? population.remainder(population.stage_values(update), at)
          : max(abs(population.hjb_residual(next(upto(levels)), next(from(1)), cost, at)));
  return {next(upto(levels)), update(0), error};
}

// (m before the part, u at its levels and the next, conditions...)
// -> (m after each step, its largest residual times theta dt)
List density_part(const DiscretePopulation& population, ConstList in) {
  const UnifiedArray &m_before = in[0], &u = in[1];
  const Grid& grid = population.grid();
  const std::int64_t levels = u.shape()[0] - 1;
  const Stencil a = transpose(
      grid, population.density_matrix(population.stage_values(u), population.conditions_in(in, 2)));
  eval(a.diagonal, a.faces.backward[0], a.faces.forward[0]);
  List m{m_before};
  // The elimination of a tridiagonal M-matrix adds and divides what is not negative: it keeps the
  // sign exactly.
  for (std::int64_t n = 0; n < levels; ++n)
    m.push_back(population.step_end(m.back(), solved(grid, a.level(n), m.back())));
  const UnifiedArray all = stack(m).eval();
  const UnifiedArray left = apply(grid, a, population.stage_densities(all)) - all(upto(levels));
  return {all(from(1)), max(abs(left))};
}

}  // namespace

LineSweeps::LineSweeps(const DiscretePopulation& population)
    : population_(population),
      newton_([&population](ConstList in) { return newton_part(population, in); }),
      density_([&population](ConstList in) { return density_part(population, in); }) {
  const std::int64_t cells = population.grid().axis(0).cells;
  const std::int64_t most = std::clamp<std::int64_t>(part_size / cells, 1, most_levels);
  parts_ = (population.steps() + most - 1) / most;
}

std::int64_t LineSweeps::begin_of_part(std::int64_t p) const {
  return population_.steps() * p / parts_;
}

LineSweeps::NewtonUpdate LineSweeps::newton_update(const UnifiedArray& u,
                                                   const HjbData& data) const {
  const std::int64_t steps = population_.steps();
  NewtonUpdate result{empty(u.shape(), u.dtype()), 0.0};
  result.u(steps) = data.terminal;
  UnifiedArray x = data.terminal - u(steps);
  for (std::int64_t p = parts_ - 1; p >= 0; --p) {
    const std::int64_t begin = begin_of_part(p), end = begin_of_part(p + 1);
    List in{x, u(slice(begin, end + 1)), data.running(slice(begin, end))};
    data.at.levels(begin, end).append_to(in);
    const List out = newton_(in);
    result.u(slice(begin, end)) = out[0];
    x = out[1];
    result.error = larger(result.error, out[2].item<double>());
  }
  return result;
}

Density LineSweeps::density(const UnifiedArray& u) const {
  const std::int64_t steps = population_.steps();
  UnifiedArray last = population_.initial_density();
  const Conditions at = population_.conditions(last);  // without a density
  Shape shape = last.shape();
  shape.insert(0, steps + 1);
  Density result{empty(shape, last.dtype()), 0.0};
  result.m(0) = last;
  for (std::int64_t p = 0; p < parts_; ++p) {
    const std::int64_t begin = begin_of_part(p), end = begin_of_part(p + 1);
    List in{last, u(slice(begin, end + 1))};
    at.levels(begin, end).append_to(in);
    const List out = density_(in);
    result.m(slice(begin + 1, end + 1)) = out[0];
    last = out[0](end - begin - 1);
    result.residual = larger(result.residual, out[1].item<double>() / population_.stage_dt());
  }
  return result;
}

}  // namespace isofield::mfg
