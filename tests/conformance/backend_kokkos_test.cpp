// What is Kokkos' own: its capabilities, its threads, its refusals.
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <isofield/isofield.hpp>

using namespace isofield;

namespace {

bool mentions(const std::vector<std::pair<std::string, std::string>>& list, std::string_view key,
              std::string_view text) {
  for (const auto& [k, value] : list)
    if (k == key) return value.find(text) != std::string::npos;
  return false;
}

/// Enough work for many pieces: a fused stencil and a sum.
std::vector<double> stencil(BaseBackend& backend) {
  const std::int64_t n = 300000;
  const UnifiedArray x = linspace(0.0, 1.0, n, true, float64, &backend);
  const UnifiedArray u = sin(x * 20.0) * exp(-x);
  const UnifiedArray l =
      shift(u, 0, 1, Boundary::periodic) - 2.0 * u + shift(u, 0, -1, Boundary::reflect);
  std::vector<double> values = l.to_vector<double>();
  values.push_back(sum(l * l).item<double>());
  return values;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kokkos_backend)

BOOST_AUTO_TEST_CASE(capabilities_name_the_version_and_who_multiplies) {
  const Capabilities& can = get_backend("kokkos").capabilities();
  BOOST_TEST(can.dtypes.size() == all_dtypes.size());
  BOOST_TEST(can.threads >= 1);
  BOOST_TEST(mentions(can.details, "Kokkos", "."));
  BOOST_TEST(mentions(can.details, "execution space", ""));
  BOOST_TEST(mentions(can.delegated, "matmul", "host kernels"));
}

BOOST_AUTO_TEST_CASE(device_spaces_are_refused_with_a_way_out) {
  BOOST_CHECK_EXCEPTION(get_backend("kokkos:cuda:0"), NotAvailable, [](const NotAvailable& e) {
    return std::string(e.what()).find("kokkos") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(memory_is_aligned_to_a_cache_line) {
  for (const std::int64_t n : {1, 3, 33, 1000, 1000000}) {
    const UnifiedArray x = full({n}, 1.5, &get_backend("kokkos"));
    const auto address = reinterpret_cast<std::uintptr_t>(x.view().bytes());
    BOOST_TEST(address % 64 == 0u);
    BOOST_TEST(x.to_vector<double>().back() == 1.5);
  }
}

BOOST_AUTO_TEST_CASE(values_do_not_depend_on_the_number_of_threads) {
  BaseBackend& backend = get_backend("kokkos");
  const int before = backend.capabilities().threads;
  const std::vector<double> expected = stencil(get_backend("eigen"));
  for (const int threads : {1, 2, 3}) {
    backend.set_threads(threads);
    BOOST_TEST(backend.capabilities().threads == threads);
    BOOST_TEST(stencil(backend) == expected, boost::test_tools::per_element());
  }
  backend.set_threads(before);
}

BOOST_AUTO_TEST_CASE(memory_that_is_not_there_is_an_ordinary_error) {
  BOOST_CHECK_THROW(get_backend("kokkos").allocate(std::size_t{1} << 58), std::bad_alloc);
}

BOOST_AUTO_TEST_SUITE_END()
