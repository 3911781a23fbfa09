// write_sample FILE.h5 AXES [CELLS [LEVELS [POPULATIONS [DTYPE [PARTICLES]]]]]: a result file to
// read or draw.
#include <cstdio>
#include <exception>
#include <span>

#include "io/sample_results.hpp"

int main(int argc, char** argv) try {
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  const auto number = [&](std::size_t k, std::size_t otherwise) {
    return k < arguments.size() ? std::stoul(arguments[k]) : otherwise;
  };
  if (argc < 3) return 2;
  auto results = isofield::mfg::test::sample_results(number(2, 1), number(3, 20), number(4, 6),
                                                     number(5, 1), number(7, 0));
  if (argc > 6) results.dtype = arguments[6];
  const std::string warning = isofield::mfg::write_results(results, arguments[1]);
  if (!warning.empty()) std::fprintf(stderr, "%s\n", warning.c_str());
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 5;
}
