// System calls that fail, one after the other: the new file is whole, or the old one still is.
#include <hdf5.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <iterator>

#include "io/fault_shim.h"
#include "io/io_test.hpp"

using namespace isofield;
using namespace isofield::io;
using namespace isofield::io::test;

namespace {

struct Fault {
  fault_kind kind;
  bool always;
  const char* text;      // what the message must contain where the write fails
  bool must_not_matter;  // interrupted and short calls are repeated
};

long objects_open() { return static_cast<long>(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL)); }

// Write version 2 over version 1 (or over nothing) while call k fails; tell whether it succeeded.
bool survives(const Folder& folder, const Fault& fault, long k, bool over_old) {
  const auto path = folder / "a.h5";
  std::filesystem::remove(path);
  if (over_old) write_sample(path, 1, Existing::refuse);
  const std::string old = bytes_of(path);
  bool good = true;
  std::string message;
  fault_arm(folder.path().c_str(), k, fault.kind, fault.always);
  try {
    write_sample(path, 2, over_old ? Existing::replace : Existing::refuse);
  } catch (const IoError& error) {
    good = false;
    message = error.what();
  }
  fault_disarm();
  BOOST_TEST_CONTEXT("call " << k << " (" << fault_victim() << "), " << fault.text << ": "
                             << message) {
    BOOST_TEST(folder.names().size() == (good || over_old ? 1U : 0U));  // no temporary is left
    BOOST_TEST(objects_open() == 0);
    if (good) {
      BOOST_TEST(version_of(path) == 2);
    } else {
      BOOST_TEST(!fault.must_not_matter);
      BOOST_TEST(message.find(path.string()) != std::string::npos);
      BOOST_TEST(message.find(fault.text) != std::string::npos);
      BOOST_TEST((bytes_of(path) == old));
    }
  }
  return good;
}

long count_calls(const Folder& folder) {
  write_sample(folder / "a.h5", 1, Existing::replace);
  fault_arm(folder.path().c_str(), 0, FAULT_NONE, 0);
  write_sample(folder / "a.h5", 1, Existing::replace);
  return fault_disarm();
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_failing_call_leaves_a_whole_file) {
  const Folder folder;
  const long calls = count_calls(folder);
  BOOST_TEST_MESSAGE(calls << " calls write one file");
  BOOST_TEST(calls > 20);
  const Fault faults[] = {
      {FAULT_ENOSPC, false, "No space left on device", false},
      {FAULT_ENOSPC, true, "No space left on device", false},
      {FAULT_EIO, false, "Input/output error", false},
      {FAULT_EIO, true, "Input/output error", false},
      {FAULT_EINTR, false, "Interrupted", true},
      {FAULT_SHORT, false, "short", true},
      {FAULT_SHORT, true, "short", true},
  };
  for (const Fault& fault : faults) {
    long failed = 0;
    for (long k = 1; k <= calls; ++k) {
      for (const bool over_old : {true, false})
        failed += survives(folder, fault, k, over_old) ? 0 : 1;
    }
    BOOST_TEST_MESSAGE(fault.text << (fault.always ? " from then on: " : " once: ") << failed
                                  << " of " << 2 * calls << " writes failed");
    BOOST_TEST((failed > 0) == !fault.must_not_matter);
  }
}

BOOST_AUTO_TEST_CASE(a_failed_write_does_not_spoil_the_next) {
  const Folder folder;
  write_sample(folder / "a.h5", 1, Existing::refuse);
  fault_arm(folder.path().c_str(), 12, FAULT_ENOSPC, 1);
  BOOST_CHECK_THROW(write_sample(folder / "a.h5", 2, Existing::replace), IoError);
  fault_disarm();
  write_sample(folder / "a.h5", 3, Existing::replace);
  BOOST_TEST(version_of(folder / "a.h5") == 3);
}

BOOST_AUTO_TEST_CASE(unsynchronized_folder_is_a_warning) {
  // Of the last three calls (close the file, synchronize the folder, close it) the one in between:
  // the file is in place and whole by then.
  const Folder folder;
  const long calls = count_calls(folder);
  fault_arm(folder.path().c_str(), calls - 1, FAULT_EIO, 0);
  const Published published = write_sample(folder / "a.h5", 2, Existing::replace);
  fault_disarm();
  BOOST_TEST(std::string(fault_victim()) == "fsync");
  BOOST_TEST(published.warning.find("a.h5' is written") != std::string::npos);
  BOOST_TEST(published.warning.find("power failure") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(file_size_limit_keeps_the_old_file) {
  const Folder folder;
  write_sample(folder / "a.h5", 1, Existing::refuse);
  const std::string old = bytes_of(folder / "a.h5");
  struct rlimit before {};
  BOOST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  int failed = 0;
  for (rlim_t limit = 0; limit <= 400000; limit += limit < 8192 ? 512 : 24000) {
    const struct rlimit small { limit, before.rlim_max };
    ::setrlimit(RLIMIT_FSIZE, &small);
    std::string message;
    try {
      write_sample(folder / "a.h5", 2, Existing::replace, 50, 1000);
    } catch (const IoError& error) {
      message = error.what();
    }
    ::setrlimit(RLIMIT_FSIZE, &before);
    if (message.empty()) {
      BOOST_TEST(version_of(folder / "a.h5") == 2);
      write_bytes(folder / "a.h5", old);
    } else {
      ++failed;
      BOOST_TEST(message.find("a.h5': File too large") != std::string::npos);
      BOOST_TEST((bytes_of(folder / "a.h5") == old));
    }
    BOOST_TEST(folder.names().size() == 1U);
  }
  std::signal(SIGXFSZ, handler);
  BOOST_TEST(failed > 10);
}

namespace {

constexpr int cannot_mount = 77;

// A small disk that this process alone sees; any user may have one where the system allows it.
bool mount_small_disk(const std::filesystem::path& folder) {
  const std::string user = "0 " + std::to_string(::geteuid()) + " 1";
  const std::string group = "0 " + std::to_string(::getegid()) + " 1";
  if (::geteuid() == 0) {
    if (::unshare(CLONE_NEWNS) != 0) return false;
  } else {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    write_bytes("/proc/self/setgroups", "deny");
    write_bytes("/proc/self/uid_map", user);
    write_bytes("/proc/self/gid_map", group);
  }
  return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=200k") == 0;
}

// Write over version 1 on a disk that is too small for some of the new files. The number of faults.
int fill_disk(const std::filesystem::path& folder) {
  if (!mount_small_disk(folder)) return cannot_mount;
  const auto path = folder / "a.h5";
  write_sample(path, 1, Existing::refuse);
  const std::string old = bytes_of(path);
  int wrong = 0, failed = 0;
  for (std::uint64_t levels = 20; levels <= 200; levels += 20) {
    try {
      write_sample(path, 2, Existing::replace, levels, 1000);
      wrong += version_of(path) == 2 ? 0 : 1;
      write_bytes(path, old);
    } catch (const IoError& error) {
      ++failed;
      const std::string message = error.what();
      wrong += message.find("a.h5': No space left on device") == std::string::npos ? 1 : 0;
      wrong += bytes_of(path) == old ? 0 : 1;
    }
    wrong += std::distance(std::filesystem::directory_iterator(folder), {}) == 1 ? 0 : 1;
  }
  return failed > 2 && failed < 10 ? wrong : 50 + failed;
}

}  // namespace

BOOST_AUTO_TEST_CASE(full_disk_keeps_the_old_file) {
  const Folder folder;
  const pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    int result = 99;
    try {
      result = fill_disk(folder.path());
    } catch (...) {
    }
    ::_exit(result);
  }
  int status = 0;
  BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
  BOOST_REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == cannot_mount) {
    BOOST_TEST_MESSAGE("skipped: this system lets no user mount a small disk");
    return;
  }
  BOOST_TEST(WEXITSTATUS(status) == 0);
}
