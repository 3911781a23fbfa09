#pragma once

#include <string_view>

namespace isofield::mfg_solve {

/// Print a text to stdout; throw IoError where it cannot be written: a full disk or a closed pipe
/// is an error like any other.
void print_stdout(std::string_view text);

}  // namespace isofield::mfg_solve
