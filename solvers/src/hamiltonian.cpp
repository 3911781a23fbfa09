#include "isofield/mfg/hamiltonian.hpp"

#include <fmt/format.h>

#include <cmath>
#include <isofield/error.hpp>
#include <optional>

namespace isofield::mfg {

namespace {

// Sum of squares of all slopes.
UnifiedArray square_norm(const FaceField& q) {
  UnifiedArray s = square(q.forward[0]) + square(q.backward[0]);
  for (std::size_t k = 1; k < q.forward.size(); ++k)
    s = s + square(q.forward[k]) + square(q.backward[k]);
  return s;
}

FaceField scaled(const FaceField& q, const UnifiedArray& weight) {
  FaceField result;
  for (const auto& x : q.forward) result.forward.push_back(weight * x);
  for (const auto& x : q.backward) result.backward.push_back(weight * x);
  return result;
}

// Below this, s counts as 0: it keeps s^(beta/2 - 1) finite where it is multiplied by 0.
double tiny(DType dtype) { return dtype == float32 ? 1e-36 : 1e-280; }

}  // namespace

UnifiedArray product(const FaceField& a, const FaceField& b) {
  UnifiedArray s = a.forward[0] * b.forward[0] + a.backward[0] * b.backward[0];
  for (std::size_t k = 1; k < a.forward.size(); ++k)
    s = s + a.forward[k] * b.forward[k] + a.backward[k] * b.backward[k];
  return s;
}

FaceField differences(const Grid& grid, const UnifiedArray& u, double exit_value) {
  FaceField d;
  for (int k = 0; k < grid.axes(); ++k) {
    d.forward.push_back(grid.difference(u, k, Side::forward, exit_value));
    d.backward.push_back(grid.difference(u, k, Side::backward, exit_value));
  }
  return d;
}

Hamiltonian::Hamiltonian(UnifiedArray scale, double exponent, Slopes slopes)
    : slopes_(slopes), scale_(std::move(scale)), exponent_(exponent) {
  if (!(exponent > 1.0))
    throw SolverError(fmt::format("Hamiltonian: exponent {} is not above 1", exponent));
  if (!(min(scale_).item<double>() > 0.0))
    throw SolverError("Hamiltonian: the scale c(x) is not positive everywhere");
  // The mean of two squares instead of their sum.
  if (slopes == Slopes::centred) scale_ = scale_ * std::pow(0.5, 0.5 * exponent);
  if (scale_.size() == 1) {
    constant_ = true;
    constant_scale_ = scale_.item<double>();
  } else {
    scale_.eval();
  }
}

Hamiltonian Hamiltonian::exponential(UnifiedArray scale, const Grid& grid, double viscosity) {
  Hamiltonian h(std::move(scale), 2.0, Slopes::exponential);
  h.viscosity_ = viscosity;
  for (int k = 0; k < grid.axes(); ++k) h.spacings_.push_back(grid.axis(k).spacing());
  return h;
}

Hamiltonian Hamiltonian::weighted(const UnifiedArray& weight) const {
  Hamiltonian h = *this;
  h.scale_ = scale_ * weight;
  h.constant_ = false;
  return h;
}

UnifiedArray Hamiltonian::times_scale(const UnifiedArray& x, double factor) const {
  return constant_ ? x * (factor * constant_scale_) : x * scale_ * factor;
}

UnifiedArray Hamiltonian::over_scale(const UnifiedArray& x, double factor) const {
  return constant_ ? x * (factor / constant_scale_) : x / scale_ * factor;
}

FaceField Hamiltonian::seen(FaceField d) const {
  if (slopes_ != Slopes::upwind) return d;
  for (auto& x : d.forward) x = minimum(x, 0.0);
  for (auto& x : d.backward) x = maximum(x, 0.0);
  return d;
}

FaceField Hamiltonian::steepness(const FaceField& d) const {
  FaceField z;
  for (std::size_t k = 0; k < d.forward.size(); ++k) {
    const double factor = spacings_[k] / viscosity_;
    z.forward.push_back(times_scale(d.forward[k], factor));
    z.backward.push_back(times_scale(d.backward[k], -factor));
  }
  return z;
}

UnifiedArray Hamiltonian::value(const FaceField& q) const {
  if (slopes_ == Slopes::exponential) {
    const FaceField z = steepness(q);
    std::optional<UnifiedArray> total;
    for (std::size_t k = 0; k < spacings_.size(); ++k) {
      const UnifiedArray both =
          expm1(-z.forward[k]) + z.forward[k] + (expm1(-z.backward[k]) + z.backward[k]);
      const double factor = viscosity_ / spacings_[k];
      const UnifiedArray part = over_scale(both, factor * factor);
      total = total ? *total + part : part;
    }
    return *total;
  }
  const UnifiedArray s = square_norm(q);
  return times_scale(exponent_ == 2.0 ? s : power(s, 0.5 * exponent_), 1.0);
}

FaceField Hamiltonian::gradient(const FaceField& q) const {
  if (slopes_ == Slopes::exponential) {
    const FaceField z = steepness(q);
    FaceField result;
    for (std::size_t k = 0; k < spacings_.size(); ++k) {
      const double factor = viscosity_ / spacings_[k];
      result.forward.push_back(expm1(-z.forward[k]) * -factor);
      result.backward.push_back(expm1(-z.backward[k]) * factor);
    }
    return result;
  }
  // G_q = c beta s^(beta/2 - 1) q
  if (exponent_ == 2.0) {
    FaceField result;
    for (const auto& x : q.forward) result.forward.push_back(times_scale(x, 2.0));
    for (const auto& x : q.backward) result.backward.push_back(times_scale(x, 2.0));
    return result;
  }
  const UnifiedArray s = square_norm(q);
  const UnifiedArray safe = maximum(s, tiny(s.dtype()));
  return scaled(q, times_scale(power(safe, 0.5 * exponent_ - 1.0), exponent_));
}

FaceField Hamiltonian::curvature(const FaceField& q, const FaceField& d) const {
  // G_qq' = c [ beta s^(beta/2 - 1) delta_qq' + beta (beta - 2) s^(beta/2 - 2) q q' ]
  if (slopes_ == Slopes::exponential) {
    const FaceField z = steepness(q);
    FaceField result;
    for (std::size_t k = 0; k < spacings_.size(); ++k) {
      result.forward.push_back(times_scale(exp(-z.forward[k]) * d.forward[k], 1.0));
      result.backward.push_back(times_scale(exp(-z.backward[k]) * d.backward[k], 1.0));
    }
    return result;
  }
  FaceField active = d;
  for (std::size_t k = 0; slopes_ == Slopes::upwind && k < q.forward.size(); ++k) {
    active.forward[k] = where(q.forward[k] < 0.0, d.forward[k], 0.0);
    active.backward[k] = where(q.backward[k] > 0.0, d.backward[k], 0.0);
  }
  if (exponent_ == 2.0) {
    for (auto& x : active.forward) x = times_scale(x, 2.0);
    for (auto& x : active.backward) x = times_scale(x, 2.0);
    return active;
  }
  // For beta < 2 the second derivative is unbounded at 0: clipped here, and nowhere else.
  const UnifiedArray s = maximum(square_norm(q), 1e-24);
  const UnifiedArray first = times_scale(power(s, 0.5 * exponent_ - 1.0), exponent_);
  const UnifiedArray along = times_scale(power(s, 0.5 * exponent_ - 2.0) * product(q, active),
                                         exponent_ * (exponent_ - 2.0));
  FaceField result = scaled(active, first);
  for (std::size_t k = 0; k < q.forward.size(); ++k) {
    result.forward[k] = result.forward[k] + along * q.forward[k];
    result.backward[k] = result.backward[k] + along * q.backward[k];
  }
  return result;
}

UnifiedArray Hamiltonian::lagrangian(const FaceField& q) const {
  if (slopes_ == Slopes::exponential) return product(gradient(q), q) - value(q);
  // G is homogeneous of degree beta in q.
  return value(q) * (exponent_ - 1.0);
}

UnifiedArray Hamiltonian::remainder(const FaceField& d) const {
  return times_scale(square_norm(d), 1.0);
}

Congestion::Congestion(double exponent, double offset, bool control)
    : exponent_(exponent), offset_(offset), control_(control) {
  if (!(exponent >= 0.0))
    throw SolverError(fmt::format("congestion: exponent {} is negative", exponent));
  if (!(offset > 0.0))
    throw SolverError(fmt::format("congestion: offset {} is not positive", offset));
  if (control && exponent > 1.0)
    throw SolverError(fmt::format(
        "congestion: exponent {} is above 1, for which the problem of control is not convex",
        exponent));
}

UnifiedArray Congestion::speed(const UnifiedArray& m) const {
  return power(m + offset_, -exponent_);
}

UnifiedArray Congestion::flux_derivative(const UnifiedArray& m) const {
  const UnifiedArray base = m + offset_;
  return power(base, -exponent_) * (1.0 - exponent_ * m / base);
}

UnifiedArray Congestion::value(const UnifiedArray& m) const {
  return control_ ? flux_derivative(m) : speed(m);
}

UnifiedArray Congestion::value_derivative(const UnifiedArray& m) const {
  const UnifiedArray base = m + offset_;
  const UnifiedArray slope = -exponent_ * power(base, -exponent_ - 1.0);
  return control_ ? slope * (2.0 - (1.0 + exponent_) * m / base) : slope;
}

}  // namespace isofield::mfg
