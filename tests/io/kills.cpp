// Processes killed while they write.
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <random>
#include <thread>

#include "io/io_test.hpp"

using namespace isofield::io;
using namespace isofield::io::test;

namespace {

// Write one version after the other until killed.
[[noreturn]] void write_for_ever(const std::filesystem::path& path, int version) {
  try {
    for (;;) write_sample(path, ++version, Existing::replace, 20, 500);
  } catch (...) {
    ::_exit(1);
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(killed_writers_leave_a_whole_file_and_their_temporaries_go) {
  const Folder folder;
  const auto path = folder / "a.h5";
  const auto begin = std::chrono::steady_clock::now();
  write_sample(path, 0, Existing::refuse, 20, 500);
  // Kills fall anywhere in the first few writes, however slow the machine is.
  const std::chrono::duration<double> one_write = std::chrono::steady_clock::now() - begin;
  std::mt19937 random(20261121);
  std::uniform_real_distribution<double> writes(0.0, 4.0);
  int left_behind = 0, version = 0;
  for (int kill = 0; kill < 60; ++kill) {
    const pid_t child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) write_for_ever(path, version);
    std::this_thread::sleep_for(one_write * writes(random));
    ::kill(child, SIGKILL);
    int status = 0;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    BOOST_TEST((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
    const int now = version_of(path);
    BOOST_TEST(now >= version);
    version = now;
    left_behind += static_cast<int>(folder.names().size()) - 1;
  }
  BOOST_TEST_MESSAGE(left_behind << " temporaries left behind, " << version << " versions written");
  BOOST_TEST(version > 0);
  write_sample(path, version + 1, Existing::replace);
  BOOST_TEST(folder.names().size() == 1U);
}

// HDF5 asks for a shared lock before it reads, and fails where it does not get it.
BOOST_AUTO_TEST_CASE(a_file_can_be_locked_by_readers_from_the_moment_it_has_its_name) {
  const Folder folder;
  const auto path = folder / "a.h5";
  write_sample(path, 0, Existing::refuse);
  const pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) write_for_ever(path, 0);
  int opened = 0, refused = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  while (std::chrono::steady_clock::now() < end) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    BOOST_REQUIRE(descriptor >= 0);
    ++opened;
    if (::flock(descriptor, LOCK_SH | LOCK_NB) != 0) ++refused;
    ::close(descriptor);
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  BOOST_TEST(opened > 1000);
  BOOST_TEST(refused == 0);
}

BOOST_AUTO_TEST_CASE(temporaries_of_living_processes_stay) {
  const Folder folder;
  FileWriter first(folder / "a.h5");
  first.write("/x", std::vector<double>{1});
  const pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    try {
      write_sample(folder / "a.h5", 5, Existing::refuse);
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  BOOST_TEST(status == 0);
  BOOST_CHECK_THROW(first.commit(), FileExistsError);
  BOOST_TEST(version_of(folder / "a.h5") == 5);
}
