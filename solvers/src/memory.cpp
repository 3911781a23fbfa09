#include "isofield/mfg/memory.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <isofield/error.hpp>
#include <isofield/registry.hpp>
#include <limits>
#include <string>

namespace isofield::mfg {

namespace {

constexpr double unlimited = std::numeric_limits<double>::infinity();

// What the kernel allows this process and its neighbours, in either version of control groups.
double group_limit() {
  for (const char* const path :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream file(path);
    if (double bytes = 0.0; file >> bytes) return bytes;
  }
  return unlimited;
}

double machine_memory() {
  const double pages = static_cast<double>(sysconf(_SC_PHYS_PAGES));
  const double bytes = pages * static_cast<double>(sysconf(_SC_PAGE_SIZE));
  return bytes > 0.0 ? bytes : unlimited;
}

double process_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return unlimited;
  return static_cast<double>(limit.rlim_cur);
}

std::string size_of(double bytes) {
  return bytes < 1e9 ? fmt::format("{:.1f} MB", bytes / 1e6)
                     : fmt::format("{:.1f} GB", bytes / 1e9);
}

}  // namespace

double least_memory(const Problem& problem, DType dtype) {
  double values = 4.0 * 2.0 * static_cast<double>(problem.levels()) *
                  static_cast<double>(problem.populations.size());
  for (const Axis& axis : problem.axes) values *= static_cast<double>(axis.cells);
  return values * static_cast<double>(itemsize(dtype));
}

double allowed_memory() { return std::min({machine_memory(), group_limit(), process_limit()}); }

void check_memory(const Problem& problem, DType dtype) {
  const double needed = least_memory(problem, dtype), there = allowed_memory();
  if (needed <= there || !default_backend().device().is_host()) return;
  throw OutOfMemory(fmt::format(
      "this needs {} of memory at least, and {} {}; a coarser grid or fewer time steps need less",
      size_of(needed), there < machine_memory() ? "this process may have" : "the machine has",
      size_of(there)));
}

}  // namespace isofield::mfg
