#include "io/posix_io.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace isofield::io {
namespace {

constexpr std::size_t largest_transfer = std::size_t{1}
                                         << 30;  // Linux moves less than 2 GiB a call

template <class Call>
int retry(Call call) {
  while (call() != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

}  // namespace

int open_file(const char* path, int flags, unsigned mode) {
  int descriptor = -1;
  do {
    descriptor = ::open(path, flags | O_CLOEXEC, mode);
  } while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

int write_fully(int descriptor, const void* bytes, std::size_t size, std::uint64_t offset) {
  const char* from = static_cast<const char*>(bytes);
  while (size > 0) {
    const auto moved =
        ::pwrite(descriptor, from, std::min(size, largest_transfer), static_cast<off_t>(offset));
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return errno;
    if (moved == 0) return EIO;  // would go on for ever
    from += moved;
    size -= static_cast<std::size_t>(moved);
    offset += static_cast<std::uint64_t>(moved);
  }
  return 0;
}

int read_fully(int descriptor, void* bytes, std::size_t size, std::uint64_t offset) {
  char* to = static_cast<char*>(bytes);
  while (size > 0) {
    const auto moved =
        ::pread(descriptor, to, std::min(size, largest_transfer), static_cast<off_t>(offset));
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return errno;
    if (moved == 0) {
      std::memset(to, 0, size);
      return 0;
    }
    to += moved;
    size -= static_cast<std::size_t>(moved);
    offset += static_cast<std::uint64_t>(moved);
  }
  return 0;
}

int synchronize(int descriptor) {
  return retry([&] { return ::fsync(descriptor); });
}

int truncate(int descriptor, std::uint64_t size) {
  return retry([&] { return ::ftruncate(descriptor, static_cast<off_t>(size)); });
}

std::string error_text(int error) { return std::generic_category().message(error); }

}  // namespace isofield::io
