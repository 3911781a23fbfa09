#include <algorithm>
#include <isofield/linalg.hpp>
#include <limits>

#include "isofield/mfg/steps.hpp"

namespace isofield::mfg {

namespace {

using List = std::vector<UnifiedArray>;
using ConstList = std::span<const UnifiedArray>;

}  // namespace

HjbNewton::HjbNewton(const DiscretePopulation& population, const LinearStep& linear)
    : population_(population),
      // (v, u_next, cost, conditions...) -> (updated v, how far it can be from a solution). A
      // quadratic Hamiltonian tells by the update alone; any other by the residual before, which is
      // one update late.
      direct_([&population](ConstList in) {
        const Conditions at = population.conditions_in(in, 3);
        const auto [residual, a] = population.hjb_linearisation(in[0], in[1], in[2], at);
        const UnifiedArray x =
            linalg::tridiagonal_solve(a.faces.backward[0], a.diagonal, a.faces.forward[0], residual,
                                      0, population.grid().axis(0).periodic());
        return List{in[0] - x, population.has_remainder()
                                   ? population.remainder(x, at)
                                   : max(abs(residual)) * (1.0 / population.stage_dt())};
      }),
      // (v, u_next, cost, conditions...) -> (-residual, its maximum, matrix...)
      linearise_([&population, &linear](ConstList in) {
        auto [residual, a] =
            population.hjb_linearisation(in[0], in[1], in[2], population.conditions_in(in, 3));
        residual.eval();
        List out{-residual, max(abs(residual))};
        linear.prepared(std::move(a), population.hjb_constant()).append_to(out);
        return out;
      }),
      // (u, x, the stages of x, conditions...) -> (u + x, remainder)
      update_([&population](ConstList in) {
        return List{in[0] + in[1], population.remainder(in[2], population.conditions_in(in, 3))};
      }) {}

HjbNewton::Linearisation HjbNewton::linearise(const UnifiedArray& v, const UnifiedArray& u_next,
                                              const UnifiedArray& cost,
                                              const Conditions& at) const {
  List in{v, u_next, cost};
  at.append_to(in);
  const List out = linearise_(in);
  return {out[0], out[1].item<double>() / population_.stage_dt(),
          Stencil::from_list(out, 2, population_.grid().axes())};
}

std::pair<UnifiedArray, double> HjbNewton::update(const UnifiedArray& u, const Path& x,
                                                  const Conditions& at) const {
  if (!population_.has_remainder()) return {u + x.levels, std::numeric_limits<double>::infinity()};
  List in{u, x.levels, x.stages};
  at.append_to(in);
  const List out = update_(in);
  return {out[0], out[1].item<double>()};
}

std::pair<UnifiedArray, double> HjbNewton::direct_update(const UnifiedArray& v,
                                                         const UnifiedArray& u_next,
                                                         const UnifiedArray& cost,
                                                         const Conditions& at) const {
  List in{v, u_next, cost};
  at.append_to(in);
  const List out = direct_(in);
  return {out[0], out[1].item<double>()};
}

double HjbNewton::linear_tolerance(double residual, double tolerance, bool first) {
  Memory& known = memory_;
  if (!first) known.quadratic = residual / (known.last_residual * known.last_residual);
  known.last_residual = residual;
  // As exact as the nonlinearity can use.
  const double useful =
      known.quadratic > 0.0 ? 0.1 * known.quadratic * residual * residual : 1e-3 * residual;
  return std::max(0.3 * tolerance, std::min(1e-2 * residual, useful)) * population_.stage_dt();
}

}  // namespace isofield::mfg
