#pragma once

#include <functional>
#include <isofield/mfg/config.hpp>
#include <isofield/mfg/grid.hpp>
#include <optional>
#include <vector>

namespace isofield::mfg {

/// What a cost may look at: the grid, the time and the density. `t` and `m` hold many time levels
/// at once: m has shape (levels, n_0[, n_1]), t has (levels, 1[, 1]).
struct CostInput {
  const Grid& grid;
  const UnifiedArray& t;
  const UnifiedArray& m;
};

/// A cost of the density, with its derivative for Newton's method.
struct Cost {
  /// The cost on every cell, a shape that broadcasts to that of m.
  std::function<UnifiedArray(const CostInput&)> value;
  /// Its derivative in m in the direction `dm`; without it, a difference quotient is used.
  std::function<UnifiedArray(const CostInput&, const UnifiedArray& dm)> derivative;
};

/// A mean-field game of one population on a box, free of any grid size:
///
///     -u_t - nu Lap u + c(x)|grad u|^beta = F(x, t, m)            u(T, x) = G(x, m(T))
///      m_t - nu Lap m - div(m c beta |grad u|^(beta-2) grad u) = 0   m(0, x) = m0(x)
///
/// Functions of the grid are called once for each grid they are needed on.
struct Problem {
  using Field = std::function<UnifiedArray(const Grid&)>;

  std::vector<Axis> axes;
  Field obstacle;          ///< booleans, true where nobody can be; may be absent
  Field exit;              ///< booleans, true where people leave; may be absent
  double exit_cost = 0.0;  ///< u in exit cells and beyond exit ends
  double horizon = 1.0;
  std::int64_t steps = 1;
  double viscosity = 0.0;  ///< nu = sigma^2/2
  Field scale;             ///< c(x) > 0; absent: 1/2
  double exponent = 2.0;   ///< beta > 1
  Cost running;            ///< F; absent value: 0
  Cost terminal;           ///< G; absent value: 0
  Field initial_density;
  std::optional<double> mass = 1.0;  ///< m0 is scaled to this mass; nothing: taken as it is

  /// The same problem with other numbers of cells and steps.
  Problem resized(const std::vector<std::int64_t>& cells, std::int64_t time_steps) const;
};

/// Build the problem that a configuration states for one population. Throws ConfigError, naming
/// the key, for what is not supported yet.
Problem make_problem(const Config& config, std::size_t population = 0);

}  // namespace isofield::mfg
