#include "isofield/io/safe_file.hpp"

#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/posix_io.hpp"

namespace isofield::io {
namespace {

namespace fs = std::filesystem;

std::string quoted(const fs::path& path) { return "'" + path.string() + "'"; }

[[noreturn]] void fail_to_write(const fs::path& path, const std::string& reason) {
  throw IoError("cannot write " + quoted(path) + ": " + reason);
}

[[noreturn]] void refuse_to_replace(const fs::path& path) {
  throw FileExistsError("cannot write " + quoted(path) + ": the file exists already");
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// Where process numbers mean the same: this host, this namespace of processes.
std::string process_space() {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  struct stat space {};
  if (::stat("/proc/self/ns/pid", &space) != 0) space.st_ino = 0;
  const auto digest =
      std::hash<std::string>{}(std::string(host).append(std::to_string(space.st_ino)));
  char text[9];
  std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(digest & 0xffffffffU));
  return text;
}

// The names of temporaries: ".NAME.SPACE.PROCESS.COUNT.part".
std::string temporary_prefix(const fs::path& target) {
  constexpr std::size_t longest = 180;  // leaves room within the usual 255 bytes of a name
  std::string prefix(1, '.');
  prefix.append(target.filename().string(), 0, longest);
  return prefix.append(1, '.').append(process_space()).append(1, '.');
}

bool process_is_dead(std::string_view name_after_prefix) {
  long process = 0;
  const char* end = name_after_prefix.data() + name_after_prefix.size();
  const auto parsed = std::from_chars(name_after_prefix.data(), end, process);
  if (parsed.ec != std::errc{} || parsed.ptr == end || *parsed.ptr != '.' || process <= 0)
    return false;
  return ::kill(static_cast<pid_t>(process), 0) != 0 && errno == ESRCH;
}

// A temporary whose owner is dead and that nobody has locked is of no use to anybody.
void remove_leftovers(const fs::path& target) noexcept try {
  const std::string prefix = temporary_prefix(target);
  for (const auto& entry : fs::directory_iterator(folder_of(target))) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix) || !name.ends_with(".part")) continue;
    if (!process_is_dead(std::string_view(name).substr(prefix.size()))) continue;
    const int descriptor = open_file(entry.path().c_str(), O_RDWR | O_NOFOLLOW);
    if (descriptor < 0) continue;
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) ::unlink(entry.path().c_str());
    ::close(descriptor);
  }
} catch (...) {
  // Tidying up is a courtesy; what prevents it will be met again, and told, by the write itself.
}

// Exchanges nothing and overwrites nothing: 0, or the errno (EEXIST where the name is taken).
int rename_without_replacing(const char* from, const char* to) {
#ifdef RENAME_NOREPLACE
  if (::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
#endif
  // File systems without that flag (NFS) know links, which do not replace either.
  if (::link(from, to) != 0) return errno;
  ::unlink(from);
  return 0;
}

}  // namespace

SafeFile::SafeFile(const fs::path& destination, Existing existing)
    : given_(destination), target_(destination), existing_(existing) {
  if (target_.native().find('\0') != std::string::npos) {
    // The system would take what stands before it, and so do messages.
    throw IoError("cannot write " + quoted(given_.c_str()) + ": a NUL follows in the name");
  }
  if (!target_.has_filename()) fail("the name is empty or that of a folder");
  std::error_code error;
  const auto status = fs::status(target_, error);
  if (status.type() == fs::file_type::none) fail(error.message());  // a name too long, a loop
  // A link that points to nothing yet says where the file is wanted.
  while (!fs::exists(status) && fs::is_symlink(target_, error)) {
    target_ = folder_of(target_) / fs::read_symlink(target_, error);
  }
  if (fs::exists(status)) {
    if (fs::is_directory(status)) fail("it is a folder");
    if (!fs::is_regular_file(status)) fail("it is not a regular file");
    if (existing_ == Existing::refuse) refuse_to_replace(given_);
    target_ = fs::canonical(target_, error);  // what a symbolic link points to is replaced
    if (error) fail(error.message());
  } else if (!fs::is_directory(folder_of(target_), error)) {
    fail("there is no folder " + quoted(folder_of(target_)));
  }
  remove_leftovers(target_);
  create_temporary();
}

SafeFile::SafeFile(SafeFile&& other) noexcept
    : given_(std::move(other.given_)),
      target_(std::move(other.target_)),
      temporary_(std::exchange(other.temporary_, {})),
      existing_(other.existing_),
      descriptor_(std::exchange(other.descriptor_, -1)),
      written_(other.written_) {}

SafeFile::~SafeFile() { discard(); }

void SafeFile::discard() noexcept {
  if (descriptor_ < 0) return;
  ::unlink(temporary_.c_str());
  ::close(std::exchange(descriptor_, -1));
}

void SafeFile::fail(const std::string& reason) const { fail_to_write(given_, reason); }

void SafeFile::create_temporary() {
  static std::atomic<unsigned> count{0};
  const std::string prefix = temporary_prefix(target_) + std::to_string(::getpid()) + ".";
  do {
    temporary_ = folder_of(target_) / (prefix + std::to_string(count++) + ".part");
    descriptor_ = open_file(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) {
    fail("no file can be created in " + quoted(folder_of(target_)) + ": " + error_text(errno));
  }
  // Says "in use" to other processes; a file system without locks is no worse off.
  [[maybe_unused]] const int locked = ::flock(descriptor_, LOCK_EX | LOCK_NB);
}

void SafeFile::write(std::string_view bytes) {
  if (const int error = write_fully(descriptor_, bytes.data(), bytes.size(), written_)) {
    fail(error_text(error));
  }
  written_ += bytes.size();
}

void SafeFile::synchronize() {
  if (const int error = io::synchronize(descriptor_)) fail(error_text(error));
}

void SafeFile::keep_permissions() {
  struct stat old {};
  if (existing_ == Existing::replace && ::stat(target_.c_str(), &old) == 0) {
    // Best effort: a file system without permissions refuses, and has none to keep.
    [[maybe_unused]] const int changed = ::fchmod(descriptor_, old.st_mode & 07777U);
  }
}

void SafeFile::rename_to_destination(int folder) {
  const bool replace = existing_ == Existing::replace;
  int error = 0;
  if (!replace) {
    error = rename_without_replacing(temporary_.c_str(), target_.c_str());
  } else if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
    error = errno;
  }
  if (error == 0) return;
  if (folder >= 0) ::close(folder);
  if (error == EEXIST && !replace) refuse_to_replace(given_);
  fail("the finished file cannot be given its name: " + error_text(error));
}

Published SafeFile::publish() {
  if (descriptor_ < 0) fail("it was published already");
  keep_permissions();
  synchronize();
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) fail(error_text(errno));
  const int folder = open_file(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY);
  // Readers of the new name share the lock: h5py and others ask for it, and take no for an error.
  [[maybe_unused]] const int shared = ::flock(descriptor_, LOCK_SH | LOCK_NB);
  rename_to_destination(folder);

  // From here on the new file is in place and whole: what fails now is a warning.
  ::close(std::exchange(descriptor_, -1));
  Published result{static_cast<std::uint64_t>(status.st_size), {}};
  // A folder that cannot be read can be written to; EINVAL: a file system that needs no sync.
  const int error = folder >= 0 ? io::synchronize(folder) : 0;
  if (folder >= 0) ::close(folder);
  if (error != 0 && error != EINVAL) {
    result.warning = quoted(given_) + " is written, but the folder could not be synchronized (" +
                     error_text(error) + "): a power failure may bring the older state back";
  }
  return result;
}

Published write_text(const fs::path& destination, std::string_view text, Existing existing) {
  SafeFile file(destination, existing);
  file.write(text);
  return file.publish();
}

}  // namespace isofield::io
