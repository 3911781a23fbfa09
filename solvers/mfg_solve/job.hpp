#pragma once

#include <isofield/mfg/config.hpp>
#include <optional>
#include <string>

#include "progress.hpp"

namespace isofield::mfg_solve {

/// What the command line asks for beside the configuration.
struct Options {
  bool json = false;       ///< summary as one JSON object
  bool quiet = false;      ///< neither progress nor log, only errors
  bool verbose = false;    ///< more log
  bool profile = false;    ///< print what each kernel took
  bool overwrite = false;  ///< replace an existing output file
  Progress::Mode progress = Progress::Mode::automatic;
  std::string resume{};       ///< a checkpoint to go on from; empty: none
  std::string config_toml{};  ///< the configuration in force, for the output file
};

/// Validate further what needs the machine, print the plan to stdout and return an exit code;
/// nothing is solved and no file is touched.
int check(const mfg::Config& config, const Options& options);

/// Solve, write the results, print the summary and return an exit code. Throws the library's typed
/// errors, which main() turns into exit codes.
int run(const mfg::Config& config, const Options& options);

/// Print every backend with its devices, and why those that are not available are not.
int list_backends(const Options& options);

}  // namespace isofield::mfg_solve
