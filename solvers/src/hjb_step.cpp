#include <fmt/format.h>

#include <cmath>

#include "isofield/mfg/breakdown.hpp"
#include "isofield/mfg/steps.hpp"

namespace isofield::mfg {

namespace {

constexpr int max_updates = 60;

}  // namespace

HjbStep::HjbStep(const DiscreteProblem& problem, LinearStep& linear, HjbNewton& newton)
    : problem_(problem), linear_(linear), newton_(newton) {}

UnifiedArray HjbStep::operator()(const UnifiedArray& u_next, const UnifiedArray& cost,
                                 const UnifiedArray& guess, double tolerance, std::int64_t level) {
  ++linear_.counts().hjb_steps;
  return linear_.is_direct() ? direct(u_next, cost, guess, tolerance, level)
                             : iterative(u_next, cost, guess, tolerance, level);
}

// Says in which of the data the NaN came, and where.
void HjbStep::fail_by_nan(std::int64_t level, const UnifiedArray& u_next,
                          const UnifiedArray& cost) const {
  const auto breakdown = [&](std::int64_t at, const std::string& what, const std::string& place) {
    return Breakdown("HJB", at, static_cast<double>(at) * problem_.dt(),
                     "NaN or infinity" + (place.empty() ? "" : " in the " + what + " at " + place));
  };
  // Only u^N can be bad here: any other level was solved for.
  if (const std::string place = problem_.grid().place_of_nan(u_next); !place.empty())
    throw breakdown(level + 1, "terminal cost", place);
  throw breakdown(level, "running cost", problem_.grid().place_of_nan(cost));
}

void HjbStep::fail(std::int64_t level, double residual, double tolerance) const {
  const double time = static_cast<double>(level) * problem_.dt();
  throw Breakdown("HJB", level, time,
                  fmt::format("Newton's method does not converge: residual {:.3g} after {} "
                              "updates, {:.3g} wanted",
                              residual, max_updates, tolerance));
}

UnifiedArray HjbStep::direct(const UnifiedArray& u_next, const UnifiedArray& cost, UnifiedArray u,
                             double tolerance, std::int64_t level) {
  double error = 0.0;
  for (int k = 0; k < max_updates; ++k) {
    std::tie(u, error) = newton_.direct_update(u, u_next, cost);
    ++linear_.counts().newton;
    ++linear_.counts().linear_solves;
    if (error <= tolerance) return u;
    if (!std::isfinite(error)) fail_by_nan(level, u_next, cost);
  }
  fail(level, error, tolerance);
}

UnifiedArray HjbStep::iterative(const UnifiedArray& u_next, const UnifiedArray& cost,
                                UnifiedArray u, double tolerance, std::int64_t level) {
  const UnifiedArray zero = zeros_like(u);
  double residual = 0.0;
  for (int k = 0; k < max_updates; ++k) {
    const HjbNewton::Linearisation at = newton_.linearise(u, u_next, cost);
    residual = at.residual;
    if (residual <= tolerance) return u;
    if (!std::isfinite(residual)) fail_by_nan(level, u_next, cost);
    const auto [x, left] =
        linear_.solve(at.matrix, at.right_side, zero,
                      {newton_.linear_tolerance(residual, tolerance, k == 0), 0.0});
    ++linear_.counts().newton;
    double bound = 0.0;
    std::tie(u, bound) = newton_.update(u, x);
    if (bound + left / problem_.dt() <= tolerance) return u;
  }
  fail(level, residual, tolerance);
}

}  // namespace isofield::mfg
