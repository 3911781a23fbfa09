#include "standard_output.hpp"

#include <cstdio>
#include <isofield/error.hpp>

namespace isofield::mfg_solve {

void print_stdout(std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0) throw IoError("cannot write to standard output");
}

}  // namespace isofield::mfg_solve
