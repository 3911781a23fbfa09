#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

// System calls that go on after EINTR and short transfers. They return 0 or an errno, but for the
// first.
namespace isofield::io {

/// open() for one of our own processes only; a descriptor, or -1 and errno.
int open_file(const char* path, int flags, unsigned mode = 0);

int write_fully(int descriptor, const void* bytes, std::size_t size, std::uint64_t offset);

/// Read `size` bytes; what lies beyond the end of the file reads as zeros.
int read_fully(int descriptor, void* bytes, std::size_t size, std::uint64_t offset);

int synchronize(int descriptor);
int truncate(int descriptor, std::uint64_t size);

/// The system's words for an errno.
std::string error_text(int error);

}  // namespace isofield::io
