// Kokkos views beside our arrays: who shares memory with whom.
#include <boost/test/unit_test.hpp>
#include <isofield/interop/kokkos.hpp>
#include <limits>

using namespace isofield;

namespace {

struct Application {
  Kokkos::ScopeGuard guard{Kokkos::InitializationSettings().set_disable_warnings(true)};
};
BOOST_GLOBAL_FIXTURE(Application);

const void* address(const UnifiedArray& x) { return x.view().bytes(); }

using Matrix = Kokkos::View<double**, Kokkos::HostSpace>;

Matrix counted() {
  Matrix view("counted", 3, 4);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 4; ++j) view(i, j) = static_cast<double>(4 * i + j);
  return view;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(interop_kokkos)

BOOST_AUTO_TEST_CASE(a_view_reads_an_array_s_own_memory_with_any_strides) {
  for (const char* spelling : {"kokkos", "eigen"}) {
    const UnifiedArray x =
        reshape(arange(0.0, 12.0, 1.0, float64, &get_backend(spelling)), {3, 4}).copy();
    const auto view = kokkos_view<double**>(x);
    BOOST_TEST(static_cast<const void*>(view.data()) == address(x));
    BOOST_TEST(view(2, 1) == 9.0);
    const UnifiedArray part = x.T().index({slice(1, 4, 2), from(1)});
    const auto strided = kokkos_view<double**>(part);
    BOOST_TEST(strided.extent(0) == 2u);
    BOOST_TEST(strided(1, 0) == part.index({1, 0}).item<double>());
    double total = 0;
    Kokkos::parallel_reduce(
        Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>(0, 3),
        [=](int i, double& s) {
          for (int j = 0; j < 4; ++j) s += view(i, j);
        },
        total);
    BOOST_TEST(total == 66.0);
  }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_viewed_is_refused_with_a_way_out) {
  const UnifiedArray x = zeros({2, 3}), reversed = flip(x, 1);
  const auto text = [](const char* part) {
    return [part](const Error& e) { return std::string(e.what()).find(part) != std::string::npos; };
  };
  BOOST_CHECK_EXCEPTION((void)kokkos_view<float**>(x), DTypeError, text("astype"));
  BOOST_CHECK_EXCEPTION((void)kokkos_view<double*>(x), ShapeError, text("rank"));
  BOOST_CHECK_EXCEPTION((void)kokkos_view<double**>(reversed), ShapeError, text("copy()"));
}

BOOST_AUTO_TEST_CASE(a_view_is_used_without_a_copy_kept_alive_and_never_written) {
  Matrix view = counted();
  UnifiedArray x = from_kokkos(view);
  BOOST_TEST(address(x) == static_cast<const void*>(view.data()));
  BOOST_TEST(x.backend().name() == "kokkos");
  BOOST_TEST(view.use_count() == 2);
  BOOST_TEST(sum(x).item<double>() == 66.0);
  x(0, 0) = 100.0;
  BOOST_TEST(view(0, 0) == 0.0);
  x = from_kokkos(Kokkos::subview(view, Kokkos::ALL, std::pair<int, int>(1, 3)));
  BOOST_TEST(x.to_vector<double>() == (std::vector<double>{1, 2, 5, 6, 9, 10}),
             boost::test_tools::per_element());
  x = UnifiedArray();
  BOOST_TEST(view.use_count() == 1);
  const Kokkos::View<float***, Kokkos::LayoutLeft, Kokkos::HostSpace> left("left", 2, 3, 4);
  left(1, 2, 3) = 5.0F;
  BOOST_TEST(from_kokkos(left).index({1, 2, 3}).item<float>() == 5.0F);
}

BOOST_AUTO_TEST_CASE(tier_2_helpers_work_on_views) {
  Matrix view = backend_aware_zeros_like(counted());
  BOOST_TEST(!backend_aware_any(view));
  backend_aware_assign(view, {1, all_of}, 2.0);
  backend_aware_assign(view, {all_of, 3}, asarray({1.0, 5.0, 7.0}));
  backend_aware_assign(
      view, {upto(2), upto(2)},
      Kokkos::subview(counted(), std::pair<int, int>(0, 2), std::pair<int, int>(0, 2)));
  BOOST_TEST(from_kokkos(view).to_vector<double>() ==
                 (std::vector<double>{0, 1, 0, 1, 4, 5, 2, 5, 0, 0, 0, 7}),
             boost::test_tools::per_element());
  BOOST_CHECK_THROW(backend_aware_assign(view, {7, 0}, 1.0), IndexError);
  const auto copy = backend_aware_copy(view);
  BOOST_TEST(copy.data() != view.data());
  BOOST_TEST(copy(2, 3) == 7.0);
  BOOST_TEST(backend_aware_any(copy));
  BOOST_TEST(!has_nan_or_inf(view));
  view(1, 1) = std::numeric_limits<double>::quiet_NaN();
  BOOST_TEST(has_nan_or_inf(view));
}

BOOST_AUTO_TEST_SUITE_END()
