#pragma once

namespace isofield::mfg_solve {

/// What the command tells the shell.
enum ExitCode : int {
  exit_converged = 0,      ///< the results are written
  exit_error = 1,          ///< an error of our own
  exit_usage = 2,          ///< bad usage or configuration
  exit_not_converged = 3,  ///< the results are written and say so
  exit_breakdown = 4,      ///< NaN, Inf or negative mass; the last good state is written
  exit_io = 5,             ///< cannot read or write; an older file stays as it was
  exit_not_available = 6,  ///< the backend or device is not there
  exit_interrupted = 130,  ///< a checkpoint is written
};

}  // namespace isofield::mfg_solve
