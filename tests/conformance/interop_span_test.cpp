// std::span and mdspans beside our arrays: who shares memory with whom.
#include <boost/test/unit_test.hpp>
#include <complex>
#include <isofield/interop/span.hpp>
#include <limits>
#include <numeric>

// The reference implementation of std::mdspan comes with Kokkos.
#if __has_include(<mdspan/mdspan.hpp>)
#include <mdspan/mdspan.hpp>
#define ISOFIELD_TEST_MDSPAN 1
#endif

using namespace isofield;

namespace {

const void* address(const UnifiedArray& x) { return x.view().bytes(); }

auto says(const char* part) {
  return [part](const Error& e) { return std::string(e.what()).find(part) != std::string::npos; };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(interop_span)

BOOST_AUTO_TEST_CASE(a_span_reads_an_array_s_own_memory) {
  const UnifiedArray x = reshape(arange(0.0, 12.0), {3, 4}).copy();
  const std::span<const double> all = std_span<double>(x);
  BOOST_TEST(static_cast<const void*>(all.data()) == address(x));
  BOOST_TEST(all.size() == 12u);
  BOOST_TEST(all[7] == 7.0);
  const UnifiedArray row = x.index({1}), column = x.index({all_of, 1});
  BOOST_TEST(std_span<double>(row)[3] == 7.0);
  BOOST_CHECK_EXCEPTION((void)std_span<double>(column), ShapeError, says("copy()"));
  BOOST_CHECK_EXCEPTION((void)std_span<std::int8_t>(x), DTypeError, says("astype"));
}

BOOST_AUTO_TEST_CASE(spans_and_vectors_become_arrays_without_a_copy) {
  std::vector<float> values{1, 2, 3, 4};
  const std::span<const float, 4> fixed(values);
  const UnifiedArray x = from_span(fixed, nullptr);
  BOOST_TEST(address(x) == static_cast<const void*>(values.data()));
  BOOST_TEST(to_string(x.shape()) == "(4,)");
  BOOST_TEST(sum(x).item<float>() == 10.0f);

  auto owner = std::make_shared<std::vector<std::complex<double>>>(3, std::complex(1.0, 2.0));
  const std::weak_ptr<void> watch = owner;
  UnifiedArray z = from_span(std::span(*owner), owner);
  owner.reset();
  BOOST_TEST(!watch.expired());
  BOOST_TEST((sum(z).item<std::complex<double>>() == std::complex(3.0, 6.0)));
  z = UnifiedArray();
  BOOST_TEST(watch.expired());

  const void* const data = values.data();
  UnifiedArray taken = from_vector(std::move(values));
  BOOST_TEST(address(taken) == data);
  taken(0) = 9.0;
  BOOST_TEST(sum(taken).item<float>() == 18.0f);
  BOOST_TEST(from_vector(std::vector<std::uint16_t>()).size() == 0);
}

BOOST_AUTO_TEST_CASE(tier_2_helpers_work_on_spans_of_every_dtype) {
  const auto check = []<class T>(T) {
    T memory[5] = {};
    const std::span<T, 5> target(memory);
    BOOST_TEST(!backend_aware_any(target));
    backend_aware_assign(target, {slice(0, 5, 2)}, ones({3}, dtype_of<T>));
    BOOST_TEST(backend_aware_any(std::span<const T>(memory)));
    const std::vector<T> copy = backend_aware_copy(target);
    BOOST_TEST((copy == std::vector<T>{T(1), T(0), T(1), T(0), T(1)}));
    BOOST_TEST((backend_aware_zeros_like(target) == std::vector<T>(5)));
    BOOST_TEST(!has_nan_or_inf(target));
    if constexpr (kind(dtype_of<T>) == Kind::real || kind(dtype_of<T>) == Kind::complex) {
      memory[3] = std::numeric_limits<double>::infinity();
      BOOST_TEST(has_nan_or_inf(target));
    }
    BOOST_CHECK_THROW(backend_aware_assign(target, {5}, ones({}, dtype_of<T>)), IndexError);
    BOOST_CHECK_THROW(backend_aware_assign(target, {upto(2)}, ones({3}, dtype_of<T>)), ShapeError);
  };
  for (int k = 0; k < dtype_count; ++k) visit_dtype(static_cast<DType>(k), check);
}

#ifdef ISOFIELD_TEST_MDSPAN
using Matrix = Kokkos::mdspan<double, Kokkos::dextents<int, 2>>;
using Look = Kokkos::mdspan<const double, Kokkos::dextents<int, 2>, Kokkos::layout_stride>;

BOOST_AUTO_TEST_CASE(an_mdspan_reads_an_array_s_own_memory) {
  const UnifiedArray x = reshape(arange(0.0, 12.0), {3, 4}).copy();
  const UnifiedArray part = x.T().index({slice(1, 4, 2), from(1)});
  const Look look = std_mdspan<Look>(part);
  BOOST_TEST(static_cast<const void*>(look.data_handle()) == address(part));
  BOOST_TEST(look.extent(0) == 2);
  BOOST_TEST(look(1, 0) == part.index({1, 0}).item<double>());

  using Rows = Kokkos::mdspan<const double, Kokkos::extents<int, 3, Kokkos::dynamic_extent>,
                              Kokkos::layout_stride>;
  BOOST_TEST(std_mdspan<Rows>(x)(2, 3) == 11.0);
  BOOST_CHECK_EXCEPTION((void)std_mdspan<Rows>(part), ShapeError, says("(2, 2)"));
  const UnifiedArray line = x.index({0}), reversed = flip(x, 0);
  const UnifiedArray repeated = broadcast_to(line, {3, 4}).eval(), whole = x.astype(int64);
  BOOST_CHECK_EXCEPTION((void)std_mdspan<Look>(line), ShapeError, says("rank 2"));
  BOOST_CHECK_EXCEPTION((void)std_mdspan<Look>(reversed), ShapeError, says("copy()"));
  BOOST_CHECK_EXCEPTION((void)std_mdspan<Look>(repeated), ShapeError, says("repeats"));
  BOOST_CHECK_THROW((void)std_mdspan<Look>(whole), DTypeError);
  using Small =
      Kokkos::mdspan<const double, Kokkos::dextents<signed char, 1>, Kokkos::layout_stride>;
  const UnifiedArray wide = zeros({200});
  BOOST_CHECK_EXCEPTION((void)std_mdspan<Small>(wide), ShapeError, says("index type"));
}

BOOST_AUTO_TEST_CASE(mdspans_become_arrays_without_a_copy_and_are_never_written) {
  auto memory = std::make_shared<std::vector<double>>(12);
  std::iota(memory->begin(), memory->end(), 0.0);
  using Columns = Kokkos::mdspan<double, Kokkos::dextents<int, 2>, Kokkos::layout_left>;
  UnifiedArray x = from_mdspan(Columns(memory->data(), 3, 4), memory);
  BOOST_TEST(address(x) == static_cast<const void*>(memory->data()));
  BOOST_TEST(x(1, 2).item<double>() == 7.0);
  x(0, 0) = 5.0;
  BOOST_TEST(memory->front() == 0.0);
  double number = 4.0;
  const Kokkos::mdspan<double, Kokkos::extents<int>> single(&number);
  BOOST_TEST(from_mdspan(single, nullptr).item<double>() == 4.0);
}

BOOST_AUTO_TEST_CASE(tier_2_helpers_work_on_mdspans) {
  std::vector<double> memory(12);
  const Matrix m(memory.data(), 3, 4);
  BOOST_TEST(!backend_aware_any(m));
  backend_aware_assign(m, {1, all_of}, asarray({1.0, 2.0, 3.0, 4.0}));
  BOOST_TEST(m(1, 3) == 4.0);
  BOOST_TEST(backend_aware_any(m));
  const UnifiedArray copy = backend_aware_copy(m);
  BOOST_TEST(address(copy) != static_cast<const void*>(memory.data()));
  BOOST_TEST(sum(copy).item<double>() == 10.0);
  BOOST_TEST(to_string(backend_aware_zeros_like(m).shape()) == "(3, 4)");
  BOOST_TEST(!has_nan_or_inf(m));
  m(2, 0) = std::numeric_limits<double>::quiet_NaN();
  BOOST_TEST(has_nan_or_inf(m));
}
#endif

BOOST_AUTO_TEST_SUITE_END()
