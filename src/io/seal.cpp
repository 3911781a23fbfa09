#include "io/seal.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "io/crc64.hpp"
#include "io/posix_io.hpp"

namespace isofield::io::seal {
namespace {

constexpr std::string_view heading = "isofield sealed file 1\n";

// The seal's text for the file as it is now.
int describe(int descriptor, std::string& text) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return errno;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  std::vector<char> part(1 << 20);
  Crc64 crc;
  for (std::uint64_t from = block; from < size; from += part.size()) {
    const std::size_t number = std::min<std::uint64_t>(part.size(), size - from);
    if (const int error = read_fully(descriptor, part.data(), number, from)) return error;
    crc.update(part.data(), number);
  }
  text = std::string(heading) + "crc64 " + crc.text() + "\nbytes " + std::to_string(size) + "\n";
  return 0;
}

Finding compare(int descriptor) {
  std::string written(block, '\0'), now;
  if (const int error = read_fully(descriptor, written.data(), block, 0)) {
    return {false, error_text(error)};
  }
  if (!written.starts_with(heading)) return {};
  if (const int error = describe(descriptor, now)) return {true, error_text(error)};
  now.resize(block);
  if (written == now) return {true};
  return {true, "it was damaged, cut short or changed after it was written"};
}

}  // namespace

int put(int descriptor) {
  std::string text;
  if (const int error = describe(descriptor, text)) return error;
  text.resize(block);
  return write_fully(descriptor, text.data(), text.size(), 0);
}

Finding check(const std::string& path) {
  const int descriptor = open_file(path.c_str(), O_RDONLY);
  if (descriptor < 0) return {false, error_text(errno)};
  Finding finding = compare(descriptor);
  ::close(descriptor);
  return finding;
}

}  // namespace isofield::io::seal
