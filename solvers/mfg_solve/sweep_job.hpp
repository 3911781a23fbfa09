#pragma once

#include "job.hpp"
#include "sweep.hpp"

namespace isofield::mfg_solve {

/// check() of a family of runs: print what all of them would do.
int check_family(const Family& family, const Options& options);

/// run() of a family: solve one member after the other and write them to one file. A member that
/// fails does not lose the others; each that is done has a file of its own until all are.
int run_family(const Family& family, const Options& options);

}  // namespace isofield::mfg_solve
