#include "standard_output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <isofield/error.hpp>

namespace isofield::mfg_solve {

void print_stdout(std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0) throw IoError("cannot write to standard output");
}

void print_message(std::FILE* stream, std::string_view text) noexcept {
  // A stream that failed once may take text again: the disk may have room by then.
  std::clearerr(stream);
  [[maybe_unused]] const auto written = std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

void say(std::string_view message) {
  print_message(stderr, fmt::format("mfg_solve: {}\n", message));
}

void occupy_standard_descriptors() noexcept {
  for (int descriptor = 0; descriptor <= 2; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) != -1) continue;
    // The lowest free number is this one. Opened so that using it fails, as it would have.
    [[maybe_unused]] const int opened = open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY);
  }
}

}  // namespace isofield::mfg_solve
