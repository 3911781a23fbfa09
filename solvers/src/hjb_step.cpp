#include <fmt/format.h>

#include <cmath>

#include "isofield/mfg/breakdown.hpp"
#include "isofield/mfg/steps.hpp"

namespace isofield::mfg {

namespace {

constexpr int max_updates = 60;

}  // namespace

HjbStep::HjbStep(const DiscretePopulation& population, LinearStep& linear, HjbNewton& newton)
    : population_(population), linear_(linear), newton_(newton) {}

UnifiedArray HjbStep::operator()(const Data& data, const UnifiedArray& guess, double tolerance) {
  ++linear_.counts().hjb_steps;
  const double time = static_cast<double>(data.level) * population_.dt();
  return solving("HJB", data.level, time, [&] {
    return linear_.is_direct() ? direct(data, guess, tolerance) : iterative(data, guess, tolerance);
  });
}

// Says in which of the data the NaN came, and where.
void HjbStep::fail_by_nan(const Data& data) const {
  const auto breakdown = [&](std::int64_t at, const std::string& what, const std::string& place) {
    return Breakdown("HJB", at, static_cast<double>(at) * population_.dt(),
                     "NaN or infinity" + (place.empty() ? "" : " in the " + what + " at " + place));
  };
  // Only u^N can be bad here: any other level was solved for.
  const Grid& grid = population_.grid();
  if (const std::string place = grid.place_of_nan(data.u_next); !place.empty())
    throw breakdown(data.level + 1, "terminal cost", place);
  throw breakdown(data.level, "running cost", grid.place_of_nan(data.cost));
}

void HjbStep::fail(std::int64_t level, double residual, double tolerance) const {
  const double time = static_cast<double>(level) * population_.dt();
  throw Breakdown("HJB", level, time,
                  fmt::format("Newton's method does not converge: residual {:.3g} after {} "
                              "updates, {:.3g} wanted",
                              residual, max_updates, tolerance));
}

UnifiedArray HjbStep::direct(const Data& data, UnifiedArray u, double tolerance) {
  double error = 0.0;
  for (int k = 0; k < max_updates; ++k) {
    std::tie(u, error) = newton_.direct_update(u, data.u_next, data.cost, data.at);
    ++linear_.counts().newton;
    ++linear_.counts().linear_solves;
    if (error <= tolerance) return u;
    if (!std::isfinite(error)) fail_by_nan(data);
  }
  fail(data.level, error, tolerance);
}

UnifiedArray HjbStep::iterative(const Data& data, UnifiedArray u, double tolerance) {
  const UnifiedArray zero = zeros_like(u);
  double residual = 0.0;
  for (int k = 0; k < max_updates; ++k) {
    const HjbNewton::Linearisation at = newton_.linearise(u, data.u_next, data.cost, data.at);
    residual = at.residual;
    if (residual <= tolerance) return u;
    if (!std::isfinite(residual)) fail_by_nan(data);
    const auto [x, left] =
        linear_.solve(at.matrix, at.right_side, zero,
                      {newton_.linear_tolerance(residual, tolerance, k == 0), 0.0});
    ++linear_.counts().newton;
    double bound = 0.0;
    std::tie(u, bound) = newton_.update(u, {x, x}, data.at);
    if (bound + left / population_.stage_dt() <= tolerance) return u;
  }
  fail(data.level, residual, tolerance);
}

}  // namespace isofield::mfg
