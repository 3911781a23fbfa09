#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace isofield::mfg {

/// How a run ended, or that it goes on and the file is a checkpoint.
enum class RunStatus : std::uint8_t { converged, not_converged, failed, interrupted, checkpoint };

/// Spell a status as result files do: "not_converged".
std::string to_string(RunStatus status);

/// What a node of the grid is, as `/grid/mask` has it.
enum class NodeKind : std::uint8_t { free, obstacle, exit };

/// Value and density of one population, each of shape (kept levels, nx[, ny[, nz]]) in C order.
struct PopulationResult {
  std::string name = "0";
  std::vector<double> u;
  std::vector<double> m;
  std::optional<double> lambda;  ///< ergodic constant
  /// Particles: positions of shape (kept levels, count, axes) and whether each is inside, (kept
  /// levels, count); empty where there are none.
  std::vector<double> particles;
  std::vector<std::uint8_t> particles_inside;
};

/// One entry an outer iteration in each column; a column left empty is written as NaN.
struct ConvergenceTable {
  std::vector<std::int64_t> iteration;
  std::vector<double> residual, hjb_residual, fp_residual, exploitability, seconds;
};

/// Sums over the grid; what is left empty is written as NaN.
struct Diagnostics {
  std::vector<double> mass;  ///< shape (kept levels) or, of P > 1 populations, (kept levels, P)
  std::vector<double> kinetic_cost, running_cost, terminal_cost;  ///< one value a population
};

/// A named array of the solver's own, which a checkpoint needs to go on.
struct StateArray {
  std::string name;
  std::vector<std::uint64_t> extents;  ///< empty: a scalar
  std::vector<double> values;
};

/// All that a result file holds. Quantities have the units of the configuration.
struct Results {
  std::string title;
  std::string config;   ///< the whole TOML text in force
  std::string version;  ///< of Isofield; empty: this one
  std::string created;  ///< ISO 8601, UTC; empty: now
  std::string backend, device;
  std::string dtype = "float64";  ///< "float32" stores u and m so
  std::int64_t threads = 1;
  RunStatus status = RunStatus::converged;
  std::int64_t iterations = 0;
  double residual = 0;
  double wall_seconds = 0;

  std::vector<std::vector<double>> axes;  ///< nodes of x[, y[, z]]
  std::vector<double> times;              ///< of the kept levels
  std::vector<std::uint8_t> mask;         ///< a NodeKind of each; empty: all free
  std::vector<PopulationResult> populations;
  ConvergenceTable convergence;
  Diagnostics diagnostics;
  std::vector<StateArray> state;  ///< stored as /state/NAME, always float64

  /// Number of nodes of the grid.
  std::uint64_t nodes() const;
};

struct WriteOptions {
  int compression = 4;     ///< deflate level, 0 to 9
  bool overwrite = false;  ///< replace an existing file
  bool xdmf = true;        ///< write NAME.xdmf beside NAME.h5, which ParaView opens
};

/// Write a result file that appears whole or not at all, with its sidecar.
///
/// Returns an empty text, or a warning: the file may not survive a power failure, or the sidecar
/// is not there. Throws ShapeError where the parts of `results` do not fit together,
/// io::FileExistsError where a file is in the way, IoError where it cannot be written; an older
/// file is then what it was.
std::string write_results(const Results& results, const std::filesystem::path& path,
                          const WriteOptions& options = {});

/// Throw what write_results() would throw before it writes: for a look before a long run.
void check_destination(const std::filesystem::path& path, const WriteOptions& options = {});

/// Read a result file after comparing it with its checksums. Throws IoError where it is missing,
/// damaged, changed since or none of ours. `run` is the group of one run of a family,
/// "/members/0003"; empty: the file is of one run.
Results read_results(const std::filesystem::path& path, const std::string& run = "");

/// The sidecar's name: "two_rooms.h5" has "two_rooms.xdmf".
std::filesystem::path xdmf_path(const std::filesystem::path& path);

}  // namespace isofield::mfg
