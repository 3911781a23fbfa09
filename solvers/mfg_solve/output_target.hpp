#pragma once

#include <cstdint>
#include <isofield/mfg/config.hpp>

namespace isofield::mfg_solve {

/// Count the time levels that the output keeps: every stride-th, and the last.
std::int64_t kept_levels(const mfg::Config& config);

/// Bytes of u and m in the output, uncompressed.
double output_bytes(const mfg::Config& config);

/// Throw IoError unless the output file can be written where it is asked for: the folder is there
/// and writable, nothing is in the way unless `overwrite`, and the disk has room. Touches nothing.
void check_output(const mfg::Config& config, bool overwrite);

}  // namespace isofield::mfg_solve
