#pragma once

#include <isofield/mfg/config.hpp>
#include <isofield/mfg/discrete_problem.hpp>
#include <isofield/mfg/solve.hpp>
#include <string>

namespace isofield::mfg_solve {

/// The file that a run starts from; empty: none.
std::string start_file(const mfg::Config& config, const std::string& resume);

/// How a solve begins.
struct Start {
  mfg::SolveOptions options;
  std::string note;  ///< what is to be told about it; may be empty
};

/// Find how a solve begins: with the configuration's options and, where there is a file to begin
/// with (`resume`, else the configuration's initial guess), with what it holds: a checkpoint of the
/// same computation is gone on with as if it had never stopped, of anything else the value is a
/// start. Throws IoError where the file cannot be read, ConfigError where it is of another grid.
Start find_start(const mfg::Config& config, const std::string& resume,
                 const mfg::DiscreteProblem& problem);

}  // namespace isofield::mfg_solve
