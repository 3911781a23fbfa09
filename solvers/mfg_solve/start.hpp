#pragma once

#include <isofield/mfg/config.hpp>
#include <isofield/mfg/discrete_problem.hpp>
#include <isofield/mfg/solve.hpp>
#include <string>

namespace isofield::mfg_solve {

/// The file that a run starts from; empty: none.
std::string start_file(const mfg::Config& config, const std::string& resume);

/// State options for a solve: those of the configuration and, where a file is to begin with
/// (`resume`, else the configuration's initial guess), the value it holds. Throws IoError where the
/// file cannot be read, ConfigError where it is of another grid.
mfg::SolveOptions start_options(const mfg::Config& config, const std::string& resume,
                                const mfg::DiscreteProblem& problem);

}  // namespace isofield::mfg_solve
