#include "backend_case.hpp"

#include <isofield/array.hpp>
#include <isofield/registry.hpp>

namespace isofield::testing {
namespace {

namespace utf = boost::unit_test;

struct Known {
  const char* backend;
  bool in_build;  ///< then it must open; otherwise it may be missing
};
constexpr Known known[] = {
    {"eigen", true},
    {"kokkos", ISOFIELD_TESTS_WITH_KOKKOS},
    {"torch:cpu", ISOFIELD_TESTS_WITH_TORCH},
    {"torch:cuda:0", false},
};

Variant current;

/// Why a backend cannot be used here; empty if it can.
std::string missing(const std::string& backend) {
  std::string reason = "this build does not have it";
  for (const auto& status : list_backends()) {
    if (status.spelling == backend) return status.available ? "" : status.reason;
    if (backend.starts_with(status.spelling + ":")) reason = status.reason;
  }
  return reason;
}

utf::test_case* make_case(const Known& where, bool eager, const std::string& suffix, void (*body)(),
                          const char* file, std::size_t line) {
  const Variant v{where.backend, eager};
  const auto run = [v, body] {
    const ScopedBackend backend(v.backend);
    const ScopedEager mode(v.eager);
    current = v;
    body();
  };
  utf::test_case* result = utf::make_test_case(run, v.name() + suffix, file, line);
  if (!where.in_build) {
    const std::string backend = where.backend;
    result->add_precondition([backend](utf::test_unit_id) {
      const std::string reason = missing(backend);
      boost::test_tools::assertion_result usable(reason.empty());
      usable.message() << backend << ": " << reason;
      return usable;
    });
  }
  return result;
}

}  // namespace

std::string Variant::name() const { return backend + (eager ? "_eager" : "_lazy"); }

const Variant& variant() { return current; }

bool register_backend_case(const char* name, const char* file, std::size_t line,
                           std::vector<std::pair<std::string, void (*)()>> bodies) {
  auto* suite = new utf::test_suite(name, file, line);
  for (const auto& where : known)
    for (const bool eager : {false, true})
      for (const auto& [suffix, body] : bodies)
        suite->add(make_case(where, eager, suffix, body, file, line));
  utf::framework::current_auto_test_suite().add(suite);
  return true;
}

}  // namespace isofield::testing
