#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "isofield/mfg/expression.hpp"

namespace isofield::mfg {

/// What happens at an end of an axis.
enum class Boundary : std::uint8_t { periodic, reflecting, exit };

/// How time and space are discretised.
enum class Scheme : std::uint8_t {
  implicit,     ///< upwind and backward Euler: first order, monotone, for any data
  centred,      ///< centred differences and midpoint rule: second order
  exponential,  ///< exponential fitting and midpoint rule: second order, for beta = 2
  semi_lagrangian,
  splitting,
  neural,
};

/// How the two equations are brought to agree.
enum class Coupling : std::uint8_t {
  automatic,
  picard,
  fictitious_play,
  anderson,
  policy,
  newton,
  primal_dual,
};

/// The ends of one axis; both are periodic or none is.
struct AxisBoundary {
  Boundary lower = Boundary::reflecting;
  Boundary upper = Boundary::reflecting;
  friend bool operator==(const AxisBoundary&, const AxisBoundary&) = default;
};

/// The box, its cells and what they are. Variables of the expressions: x y z, as many as axes.
struct DomainConfig {
  std::vector<double> lower;
  std::vector<double> upper;
  std::vector<std::int64_t> cells;
  std::vector<AxisBoundary> boundary;
  std::optional<Expression> obstacle;  ///< true in cells where nobody can be
  std::optional<Expression> exit;      ///< true in cells that people leave by
  std::string mask;                    ///< "FILE.h5:/DATASET", what cells are besides; empty: none
  std::vector<std::uint8_t> mask_kinds;  ///< what it holds, once it is read: see Mask
  Expression exit_cost;                  ///< a constant: u there and beyond a face of kind `exit`

  std::size_t axes() const { return cells.size(); }
};

struct TimeConfig {
  double horizon = 1.0;
  std::int64_t steps = 1;
};

/// H(x, q, m) = scale(x) |q|^exponent / (m + offset)^congestion.
struct HamiltonianConfig {
  Expression scale = Expression::number(0.5);  ///< of x y z
  double exponent = 2.0;
  double congestion = 0.0;
  double offset = 1.0;
};

/// A convolution of the density, which costs know by the name `applied_to`.
struct NonlocalConfig {
  std::optional<Expression> kernel;  ///< of the offsets x y z; nothing: there is no convolution
  double weight = 1.0;
  std::string applied_to = "k";
};

/// The data of one population.
struct PopulationConfig {
  std::string name = "0";
  double viscosity = 0.0;
  HamiltonianConfig hamiltonian;
  /// F and G, of x y z m mean_x mean_y mean_z, F also of t; with several populations also of
  /// m_NAME, mean_x_NAME and so on; with a convolution of `nonlocal.applied_to`, or k_NAME.
  Expression running_cost, terminal_cost;
  Expression initial_density;        ///< of x y z
  std::optional<double> mass = 1.0;  ///< nothing: the density is not scaled ("as given")
  NonlocalConfig nonlocal;
  std::vector<Expression> drift;  ///< b, one for each axis, of x y z t; empty: none
  double discount = 0.0;
  std::optional<Expression> target_density;
  bool ergodic = false;
};

struct SolverConfig {
  Scheme scheme = Scheme::implicit;
  Coupling coupling = Coupling::automatic;
  double tolerance = 1e-8;
  std::int64_t max_iterations = 200;
  double damping = 0.5;
  std::string initial_guess = "coarse";  ///< "zero", "coarse" or the name of a result file
};

struct BackendConfig {
  std::string name = "auto";  ///< name[:device[:index]]
  std::string device = "auto";
  std::string dtype = "float64";
  std::int64_t threads = 0;  ///< 0: all
};

struct OutputConfig {
  std::string file;
  std::int64_t stride = 1;
  std::int64_t compression = 4;
  std::int64_t checkpoint_every = 10;  ///< outer iterations; 0: never
  bool xdmf = true;
  std::int64_t particles = 0;  ///< of each population, carried along the best policy
  std::int64_t particle_seed = 0;
};

/// A whole job, checked: what a configuration file says once defaults are filled in.
struct Config {
  std::string title;
  bool control = false;  ///< whether a planner minimises what all pay together
  DomainConfig domain;
  TimeConfig time;
  std::vector<PopulationConfig> populations;  ///< one at least
  SolverConfig solver;
  BackendConfig backend;
  OutputConfig output;

  /// Whether the game goes on for ever: `time` and terminal costs mean nothing then.
  bool ergodic() const { return populations.front().ergodic; }
};

/// Spell a value as configuration files do.
std::string to_string(Boundary boundary);
std::string to_string(Scheme scheme);
std::string to_string(Coupling coupling);

}  // namespace isofield::mfg
