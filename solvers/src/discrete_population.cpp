#include "isofield/mfg/discrete_population.hpp"

#include <fmt/format.h>

#include <isofield/error.hpp>

namespace isofield::mfg {

Conditions Conditions::level(std::int64_t n) const {
  Conditions part;
  if (t) part.t = (*t)(n);
  if (m) part.m = (*m)(n);
  return part;
}

Conditions Conditions::levels(std::int64_t first, std::int64_t last) const {
  Conditions part;
  if (t) part.t = (*t)(slice(first, last));
  if (m) part.m = (*m)(slice(first, last));
  return part;
}

void Conditions::append_to(std::vector<UnifiedArray>& list) const {
  if (t) list.push_back(*t);
  if (m) list.push_back(*m);
}

namespace {

Hamiltonian make_hamiltonian(const Population& data, const Grid& grid, Scheme scheme) {
  UnifiedArray scale = data.scale ? data.scale(grid) : full(Shape{}, 0.5, grid.dtype());
  if (scale.size() != 1) scale = grid.field(scale);
  switch (scheme) {
    case Scheme::implicit: return Hamiltonian(scale, data.exponent);
    case Scheme::centred: return Hamiltonian(scale, data.exponent, Slopes::centred);
    case Scheme::exponential:
      if (data.exponent != 2.0 || data.congestion != 0.0)
        throw SolverError(
            "problem: the exponential scheme is for Hamiltonians c(x) |q|^2 without congestion");
      return Hamiltonian::exponential(scale, grid, data.viscosity);
    default: throw SolverError("problem: scheme " + to_string(scheme) + " is not supported yet");
  }
}

// A stationary state is one of backward Euler's.
double theta_of(const Problem& problem) {
  return problem.scheme == Scheme::implicit || problem.ergodic ? 1.0 : 0.5;
}

std::optional<Congestion> make_congestion(const Population& data, bool control) {
  if (data.congestion == 0.0) return std::nullopt;
  return Congestion(data.congestion, data.offset, control);
}

UnifiedArray make_initial(const Population& data, const Grid& grid) {
  if (!data.initial_density) throw SolverError("problem: the initial density is missing");
  return density_on(grid, data.initial_density, "initial density", data.mass);
}

const Population& checked(const Population& data) {
  if (!(data.viscosity > 0.0))
    throw SolverError(fmt::format("problem: viscosity {} is not positive", data.viscosity));
  if (data.mass && !(*data.mass > 0.0))
    throw SolverError(fmt::format("problem: mass {} is not positive", *data.mass));
  if (!(data.discount >= 0.0))
    throw SolverError(fmt::format("problem: discount {} is negative", data.discount));
  return data;
}

}  // namespace

UnifiedArray density_on(const Grid& grid, const Field& density, const std::string& name,
                        std::optional<double> mass) {
  const UnifiedArray m = grid.density(grid.field(density(grid))).copy();
  if (has_nan_or_inf(m)) throw SolverError("the " + name + " is NaN or infinite somewhere");
  if (min(m).item<double>() < 0.0) throw SolverError("the " + name + " is negative somewhere");
  const double own = grid.integral(m).item<double>();
  if (!(own > 0.0)) throw SolverError("the " + name + " is 0 on every free cell");
  return mass ? (m * (*mass / own)).copy() : m;
}

DiscretePopulation::DiscretePopulation(const Problem& problem, const Population& population,
                                       const Grid& grid)
    : data_(checked(population)),
      grid_(grid),
      scheme_(problem.scheme),
      theta_(theta_of(problem)),
      hamiltonian_(make_hamiltonian(population, grid, problem.scheme)),
      congestion_(make_congestion(population, problem.control)),
      horizon_(problem.horizon),
      exit_value_(problem.exit_cost),
      steps_(problem.steps),
      initial_(make_initial(population, grid)) {
  std::vector<double> t(static_cast<std::size_t>(steps_));
  for (std::size_t n = 0; n < t.size(); ++n) t[n] = (static_cast<double>(n) + 1.0 - theta_) * dt();
  Shape shape(grid_.axes() + 1, 1);
  shape[0] = steps_;
  times_ = asarray(t, shape).astype(dtype());
  times_.eval();
}

UnifiedArray DiscretePopulation::constant_density() const {
  Shape shape = grid_.shape();
  shape.insert(0, steps_ + 1);
  return broadcast_to(initial_, shape);
}

bool DiscretePopulation::keeps_sign() const noexcept {
  return theta_ == 1.0 && scheme_ != Scheme::centred;
}

UnifiedArray DiscretePopulation::stage_values(const UnifiedArray& u,
                                              const UnifiedArray& u_next) const {
  return theta_ == 1.0 ? u : theta_ * u + (1.0 - theta_) * u_next;
}

UnifiedArray DiscretePopulation::stage_values(const UnifiedArray& u) const {
  return stage_values(u(upto(-1)), u(from(1)));
}

UnifiedArray DiscretePopulation::stage_densities(const UnifiedArray& m) const {
  return stage_values(m(from(1)), m(upto(-1)));
}

UnifiedArray DiscretePopulation::step_end(const UnifiedArray& start,
                                          const UnifiedArray& stage) const {
  return theta_ == 1.0 ? stage : start + (stage - start) * (1.0 / theta_);
}

Path DiscretePopulation::path(bool backward, const UnifiedArray& stages, UnifiedArray level,
                              const UnifiedArray* added) const {
  if (theta_ == 1.0) return {added ? stages + *added : stages, stages};
  const std::int64_t steps = stages.shape()[0];
  std::vector<UnifiedArray> levels(static_cast<std::size_t>(steps));
  for (std::int64_t k = 0; k < steps; ++k) {
    const std::int64_t n = backward ? steps - 1 - k : k;
    level = step_end(level, stages(n));
    if (added) level = level + (*added)(n);
    levels[static_cast<std::size_t>(n)] = level.eval();
  }
  return {stack(levels), stages};
}

Path DiscretePopulation::path_backward(const UnifiedArray& stages, const UnifiedArray& last,
                                       const UnifiedArray* added) const {
  return path(true, stages, last, added);
}

Path DiscretePopulation::path_forward(const UnifiedArray& stages, const UnifiedArray& first,
                                      const UnifiedArray* added) const {
  return path(false, stages, first, added);
}

Conditions DiscretePopulation::conditions(const UnifiedArray& p) const {
  Conditions at;
  if (data_.drift) at.t = times_;
  if (congestion_) at.m = p;
  return at;
}

Conditions DiscretePopulation::conditions_in(std::span<const UnifiedArray> list,
                                             std::size_t first) const {
  Conditions at;
  if (data_.drift) at.t = list[first++];
  if (congestion_) at.m = list[first];
  return at;
}

Hamiltonian DiscretePopulation::value_hamiltonian(const Conditions& at) const {
  return congestion_ ? hamiltonian_.weighted(congestion_->value(*at.m)) : hamiltonian_;
}

Hamiltonian DiscretePopulation::transport_hamiltonian(const Conditions& at) const {
  return congestion_ ? hamiltonian_.weighted(congestion_->speed(*at.m)) : hamiltonian_;
}

// The derivative of -b grad u by the one-sided differences: upwind, agents who drift forward look
// forward; centred, to both sides.
std::optional<FaceField> DiscretePopulation::drift(const Conditions& at) const {
  if (!data_.drift) return std::nullopt;
  const std::vector<UnifiedArray> b = data_.drift(grid_, *at.t);
  if (b.size() != static_cast<std::size_t>(grid_.axes()))
    throw ShapeError(fmt::format("problem: the drift has {} components on a grid of {} axes",
                                 b.size(), grid_.axes()));
  FaceField slopes;
  for (int k = 0; k < grid_.axes(); ++k) {
    const UnifiedArray& speed = b[static_cast<std::size_t>(k)];
    const auto through = [&](const UnifiedArray& x, Side side) {
      const auto& open = grid_.open_face(k, side);
      return open ? x * *open : x;
    };
    const bool upwind = scheme_ == Scheme::implicit;
    slopes.forward.push_back(through(upwind ? -maximum(speed, 0.0) : -0.5 * speed, Side::forward));
    slopes.backward.push_back(
        through(upwind ? -minimum(speed, 0.0) : -0.5 * speed, Side::backward));
  }
  return slopes;
}

namespace {

FaceField sum_of(FaceField a, const std::optional<FaceField>& b) {
  if (!b) return a;
  for (std::size_t k = 0; k < a.forward.size(); ++k) {
    a.forward[k] = a.forward[k] + b->forward[k];
    a.backward[k] = a.backward[k] + b->backward[k];
  }
  return a;
}

UnifiedArray laplacian_of(const Grid& grid, const FaceField& d, double factor) {
  std::optional<UnifiedArray> total;
  for (int k = 0; k < grid.axes(); ++k) {
    const auto i = static_cast<std::size_t>(k);
    const UnifiedArray second = (d.forward[i] - d.backward[i]) * (factor / grid.axis(k).spacing());
    total = total ? *total + second : second;
  }
  return *total;
}

}  // namespace

UnifiedArray DiscretePopulation::hjb_residual(const UnifiedArray& u, const UnifiedArray& u_next,
                                              const UnifiedArray& cost,
                                              const Conditions& at) const {
  return hjb_linearisation(stage_values(u, u_next), u_next, cost, at).first * (1.0 / stage_dt());
}

FaceField DiscretePopulation::slopes(const UnifiedArray& v) const {
  return hamiltonian_.seen(differences(grid_, v, exit_value_));
}

std::pair<UnifiedArray, Stencil> DiscretePopulation::hjb_linearisation(const UnifiedArray& v,
                                                                       const UnifiedArray& u_next,
                                                                       const UnifiedArray& cost,
                                                                       const Conditions& at) const {
  const FaceField d = differences(grid_, v, exit_value_), q = hamiltonian_.seen(d);
  const Hamiltonian h = value_hamiltonian(at);
  const std::optional<FaceField> b = drift(at);
  UnifiedArray left = h.value(q) - laplacian_of(grid_, d, viscosity());
  if (b) left = left + product(*b, d);
  if (discount() != 0.0) left = left + discount() * v;
  return {v - u_next + stage_dt() * (left - cost),
          linearise(grid_, sum_of(h.gradient(q), b), viscosity(), stage_dt(), discount())};
}

Stencil DiscretePopulation::matrix(const Hamiltonian& h, const UnifiedArray& v,
                                   const Conditions& at, double discount) const {
  return linearise(grid_, sum_of(h.gradient(slopes(v)), drift(at)), viscosity(), stage_dt(),
                   discount);
}

Stencil DiscretePopulation::hjb_matrix(const UnifiedArray& v, const Conditions& at) const {
  return matrix(value_hamiltonian(at), v, at, discount());
}

UnifiedArray DiscretePopulation::hjb_change(const UnifiedArray& v, const Conditions& at,
                                            const UnifiedArray& dp) const {
  return hamiltonian_.value(slopes(v)) * congestion_->value_derivative(*at.m) * dp;
}

Stencil DiscretePopulation::density_matrix(const UnifiedArray& v, const Conditions& at) const {
  return matrix(transport_hamiltonian(at), v, at);
}

Stencil DiscretePopulation::density_jacobian(const UnifiedArray& v, const Conditions& at) const {
  if (!congestion_) return density_matrix(v, at);
  return matrix(hamiltonian_.weighted(congestion_->flux_derivative(*at.m)), v, at);
}

UnifiedArray DiscretePopulation::lagrangian(const UnifiedArray& v, const Conditions& at) const {
  return transport_hamiltonian(at).lagrangian(slopes(v));
}

UnifiedArray DiscretePopulation::remainder(const UnifiedArray& x, const Conditions& at) const {
  return max(value_hamiltonian(at).remainder(differences(grid_, x)).eval());
}

}  // namespace isofield::mfg
