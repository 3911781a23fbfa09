#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "isofield/error.hpp"

namespace isofield::io {

/// Say what happens where a file of the wanted name exists already.
enum class Existing { refuse, replace };

/// Tell that a file is not replaced because nobody allowed it.
class FileExistsError : public IoError {
 public:
  using IoError::IoError;
};

/// Tell how a file came under its name.
struct Published {
  std::uint64_t bytes = 0;
  std::string warning;  ///< empty, or why the file may not survive a power failure
};

/// Write a file beside its destination and give it its name only when it is whole.
///
/// The temporary is created exclusively in the destination's folder (a hidden name that ends in
/// ".part"), with the permissions that the umask leaves or those of the file it replaces. Until
/// publish() returns, the destination is what it was; without publish() the temporary disappears
/// with this object. Temporaries that killed processes of this machine left for the same
/// destination are removed at the start. All members throw IoError naming the destination.
class SafeFile {
 public:
  /// Open the temporary; a symbolic link is followed. Throws FileExistsError, IoError.
  SafeFile(const std::filesystem::path& destination, Existing existing);
  SafeFile(SafeFile&& other) noexcept;
  SafeFile& operator=(SafeFile&&) = delete;
  ~SafeFile();

  /// The name as the caller gave it.
  const std::filesystem::path& destination() const noexcept { return given_; }
  const std::filesystem::path& temporary() const noexcept { return temporary_; }

  /// The temporary's descriptor, open for reading and writing, owned by this object.
  int descriptor() const noexcept { return descriptor_; }

  /// Append bytes to the temporary.
  void write(std::string_view bytes);

  /// Flush the temporary to the device, so that publish() can hardly fail.
  void synchronize();

  /// Synchronize, rename to the destination, synchronize the folder; the object is then empty.
  /// With Existing::refuse the last moment decides: a file that appeared meanwhile stays.
  Published publish();

  /// Throw IoError "cannot write 'DESTINATION': REASON".
  [[noreturn]] void fail(const std::string& reason) const;

 private:
  void create_temporary();
  void keep_permissions();
  void rename_to_destination(int folder);
  void discard() noexcept;

  std::filesystem::path given_, target_, temporary_;
  Existing existing_;
  int descriptor_ = -1;
  std::uint64_t written_ = 0;
};

/// Write a text file that appears whole or not at all.
Published write_text(const std::filesystem::path& destination, std::string_view text,
                     Existing existing);

}  // namespace isofield::io
