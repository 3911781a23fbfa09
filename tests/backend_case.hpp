#pragma once

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "isofield/dtype.hpp"

/// Test cases that run on every backend of the build, lazily and eagerly.
///
///   BACKEND_TEST_CASE(copies_do_not_share_later_writes) { ... }
///   BACKEND_DTYPE_TEST_CASE(sums_agree, float, double) { ... T ... }
///
/// The body runs once for each of eigen, kokkos, torch:cpu and torch:cuda:0, which is then the
/// default backend. A backend that this build does not have, or whose device is missing, is skipped
/// with the reason printed; one that the build has and that does not open fails.
namespace isofield::testing {

/// One way to run a case.
struct Variant {
  std::string backend;
  bool eager = false;
  std::string name() const;  ///< "torch:cpu_eager"
};

/// The variant that the running case is in.
const Variant& variant();

/// Add a suite `name` with one case a variant; `dtype` is added to the cases' names.
bool register_backend_case(const char* name, const char* file, std::size_t line,
                           std::vector<std::pair<std::string, void (*)()>> bodies);

template <template <class> class Case, class... T>
bool register_dtype_case(const char* name, const char* file, std::size_t line) {
  return register_backend_case(
      name, file, line, {{"_" + std::string(isofield::name(dtype_of<T>)), &Case<T>::run}...});
}

}  // namespace isofield::testing

#define BACKEND_TEST_CASE(name)                                                           \
  static void name();                                                                     \
  [[maybe_unused]] static const bool registered_##name =                                  \
      isofield::testing::register_backend_case(#name, __FILE__, __LINE__, {{"", &name}}); \
  static void name()

#define EVERY_DTYPE                                                                         \
  bool, std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t, std::uint16_t, \
      std::uint32_t, std::uint64_t, float, double, std::complex<float>, std::complex<double>

#define BACKEND_DTYPE_TEST_CASE(name, ...)                                                  \
  template <class T>                                                                        \
  struct name {                                                                             \
    static void run();                                                                      \
  };                                                                                        \
  [[maybe_unused]] static const bool registered_##name =                                    \
      isofield::testing::register_dtype_case<name, __VA_ARGS__>(#name, __FILE__, __LINE__); \
  template <class T>                                                                        \
  void name<T>::run()
