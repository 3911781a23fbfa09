#pragma once

#include <string>

#include "isofield/io/hdf5.hpp"
#include "isofield/mfg/results.hpp"

namespace isofield::mfg::layout {

/// Write what a result file holds of one run into a group; empty: the root. The parts of the
/// results fit together.
void write_run(const Results& results, io::FileWriter& file, const std::string& group,
               int compression, bool with_points);

}  // namespace isofield::mfg::layout
