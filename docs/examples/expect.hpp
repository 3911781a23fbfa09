#pragma once

#include <cstdio>
#include <cstdlib>
#include <source_location>

/// End the program where a page would say something wrong.
inline void expect(bool holds, std::source_location where = std::source_location::current()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%u: not so\n", where.file_name(), static_cast<unsigned>(where.line()));
  std::exit(1);
}
