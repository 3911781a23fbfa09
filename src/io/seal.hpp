#pragma once

#include <cstdint>
#include <string>

namespace isofield::io {

/// A checksum of a whole file, kept in the block before its HDF5 part.
///
/// HDF5 1.10 crashes or never returns on some damaged files (its global heap, where texts and
/// references live, has no checksums). So a file is compared with its seal before HDF5 reads more
/// of it than the checksummed beginning.
namespace seal {

inline constexpr std::uint64_t block = 512;  ///< bytes before the HDF5 part, its "user block"

/// Seal the open file; returns an errno or 0.
int put(int descriptor);

/// What a look at a file's seal found.
struct Finding {
  bool sealed = false;
  std::string reason{};  ///< why the file cannot be read or is not what was sealed; may be empty
};

Finding check(const std::string& path);

}  // namespace seal
}  // namespace isofield::io
