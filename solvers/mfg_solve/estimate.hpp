#pragma once

#include <isofield/mfg/solve.hpp>
#include <optional>
#include <string>

namespace isofield::mfg_solve {

/// How long a solve may take, from short trials on coarser grids.
struct Estimate {
  std::optional<double> seconds;  ///< nothing where trials did not tell
  double trial_seconds = 0.0;     ///< spent on them
  bool at_least = false;          ///< whether a trial ended before it had converged

  /// As people say it: "about 40 s, by trials on coarser grids of 0.3 s".
  std::string words() const;
};

/// Solve the problem on coarser grids, for a second or two in all, and draw the line on: the time
/// of an iteration grows with the unknowns, the number of iterations is taken for that of the
/// trial. A small problem is solved itself. Nothing is written.
Estimate estimate_time(const mfg::Problem& problem, mfg::SolveOptions options);

}  // namespace isofield::mfg_solve
