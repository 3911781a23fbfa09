#pragma once

#include <functional>
#include <isofield/mfg/config.hpp>
#include <isofield/mfg/grid.hpp>
#include <optional>
#include <string>
#include <vector>

namespace isofield::mfg {

/// One field of each population.
using Fields = std::vector<UnifiedArray>;

/// What a cost may look at: the grid, the time and the densities. `t` and densities hold many time
/// levels at once: a density has shape (levels, n_0[, n_1[, n_2]]), t has (levels, 1[, 1[, 1]]).
struct CostInput {
  const Grid& grid;
  const UnifiedArray& t;
  const UnifiedArray& m;  ///< of the population whose cost it is
  const Fields& all;      ///< of all populations, in the problem's order
};

/// A cost on every cell, an array that broadcasts to the shape of m; absent: 0. Solvers
/// differentiate it, so that it is to be made of operations on arrays.
using Cost = std::function<UnifiedArray(const CostInput&)>;

/// A function of space: an array that broadcasts to the grid's shape.
using Field = std::function<UnifiedArray(const Grid&)>;

/// A velocity b(x, t): an array for each axis, which broadcasts to (levels, n_0[, n_1[, n_2]]) for
/// t of shape (levels, 1[, 1[, 1]]), and to the grid's shape for the t of one level, (1[, 1[, 1]]).
using Velocity = std::function<std::vector<UnifiedArray>(const Grid&, const UnifiedArray& t)>;

/// One population of agents, who move by dX = (b(X, t) + control) dt + sqrt(2 nu) dW and pay for
/// their control, a running and a terminal cost, whose Hamiltonian is
/// H(x, q, m) = c(x) |q|^beta / (m + mu)^alpha.
struct Population {
  std::string name = "0";
  double viscosity = 0.0;   ///< nu = sigma^2/2
  Field scale;              ///< c(x) > 0; absent: 1/2
  double exponent = 2.0;    ///< beta > 1
  double congestion = 0.0;  ///< alpha >= 0
  double offset = 1.0;      ///< mu > 0, where there is congestion
  Velocity drift;           ///< b; absent: 0
  double discount = 0.0;    ///< rho >= 0, a rate per unit of time
  Cost running;             ///< F
  Cost terminal;            ///< G
  Field initial_density;
  std::optional<double> mass = 1.0;  ///< m0 is scaled to this mass; nothing: taken as it is
  /// m(T), scaled to the mass of m0: who moves so that it is reached (planning) is told by what
  /// u(T) must be then, and there is no terminal cost.
  Field target_density;
};

/// A mean-field game of one population or more on a box, free of any grid size:
///
///     -u_t - nu Lap u + H(x, grad u, m) - b grad u + rho u = F(x, t, m_1, ..., m_P)
///      m_t - nu Lap m - div(m (H_q(x, grad u, m) - b)) = 0
///      u(T, x) = G(x, m_1(T), ..., m_P(T))     m(0, x) = m0(x)
///
/// for each population. Functions of the grid are called once for each grid they are needed on.
struct Problem {
  std::vector<Axis> axes;
  Field obstacle;          ///< booleans, true where nobody can be; may be absent
  Field exit;              ///< booleans, true where people leave; may be absent
  double exit_cost = 0.0;  ///< u in exit cells and beyond exit ends
  double horizon = 1.0;
  std::int64_t steps = 1;
  Scheme scheme = Scheme::implicit;
  std::vector<Population> populations = {Population{}};  ///< one at least
  /// Whether all are led by one planner, who minimises what they pay together (mean-field control,
  /// the social optimum), instead of each minimising his own.
  bool control = false;
  /// Whether the game goes on for ever and what is sought is what everybody pays per unit of time,
  /// lambda, with a density that does not change: -nu Lap u + H + lambda = F, the mean of u being
  /// 0. Horizon, steps, terminal costs and the shape of the initial density are not looked at then,
  /// and costs and drifts are those at time 0. There must be no exits and no discounting.
  bool ergodic = false;

  /// Time levels of a solution: steps + 1, or one where the game is ergodic.
  std::int64_t levels() const noexcept { return ergodic ? 1 : steps + 1; }
  /// Whether a final density is prescribed for some population.
  bool is_planning() const;
  /// The same problem with other numbers of cells and steps.
  Problem resized(const std::vector<std::int64_t>& cells, std::int64_t time_steps) const;
};

/// Build the problem that a configuration states. Throws ConfigError, naming the key, for what is
/// not supported yet.
Problem make_problem(const Config& config);

}  // namespace isofield::mfg
