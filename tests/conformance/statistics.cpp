// Sums, products, means and variances: their dtypes and values; creation in every dtype; limits.
#include <isofield/data_types.hpp>
#include <numeric>

#include "reference.hpp"

using namespace isofield;
using namespace isofield::testing;

BACKEND_DTYPE_TEST_CASE(sums_and_products_accumulate_in_wide_dtypes, EVERY_DTYPE) {
  const Plain<T> x = noise<T>({3, 40}, 1, 0, 3);
  constexpr bool integer = std::is_integral_v<T>;
  using Sum =
      std::conditional_t<integer,
                         std::conditional_t<std::is_unsigned_v<T> && !std::is_same_v<T, bool>,
                                            std::uint64_t, std::int64_t>,
                         T>;
  Plain<Sum> total({3}), product({3});
  for (std::size_t i = 0; i < 3; ++i) {
    product.data[i] = Sum(1);
    for (std::size_t j = 0; j < 40; ++j) {
      total.data[i] += static_cast<Sum>(x.data[i * 40 + j]);
      product.data[i] *= static_cast<Sum>(x.data[i * 40 + j]);
    }
  }
  const double tolerance = integer ? 0 : sizeof(T) <= 4 || dtype_of<T> == complex64 ? 2e-5 : 1e-13;
  BOOST_TEST(close(sum(x.array(), {1}), total, tolerance));
  BOOST_TEST(close(sum(x.array(), {-1}, true), Plain<Sum>({3, 1}, total.data), tolerance));
  const UnifiedArray p = prod(x.array(), {1});
  BOOST_TEST((p.dtype() == dtype_of<Sum>));
  if constexpr (integer) BOOST_TEST(same<Sum>(p, product));
}

BACKEND_TEST_CASE(a_dtype_can_be_asked_for) {
  BOOST_TEST((sum(ones({4}, int8), int8).dtype() == int8));
  BOOST_TEST((sum(ones({4}, int32), {0}, false, float64).dtype() == float64));
  BOOST_TEST((sum(ones({3}, float32), float64).item<double>() == 3.0));
  BOOST_TEST((prod(full({3}, 2, uint8), uint16).dtype() == uint16));
  BOOST_TEST(error_of<DTypeError>([] {
               sum(ones({2}, complex64), float32);
             }).starts_with("sum: dtype float32 does not hold it"));
}

BACKEND_DTYPE_TEST_CASE(extremes_are_of_real_dtypes, EVERY_DTYPE) {
  const Plain<T> x = noise<T>({257}, 2, -100, 100);
  if constexpr (is_complex_type<T> || std::is_same_v<T, bool>) {
    BOOST_CHECK_THROW(max(x.array()), DTypeError);
    BOOST_CHECK_THROW(min(x.array()), DTypeError);
  } else {
    BOOST_TEST(same<T>(max(x.array()), {{}, {*std::max_element(x.data.begin(), x.data.end())}}));
    BOOST_TEST(same<T>(min(x.array()), {{}, {*std::min_element(x.data.begin(), x.data.end())}}));
  }
  BOOST_TEST(any(x.array()).template item<bool>());
}

BACKEND_TEST_CASE(variances_take_a_correction_and_do_not_cancel) {
  const UnifiedArray x = asarray({1e9 + 1, 1e9 + 2, 1e9 + 4, 1e9 + 9});
  BOOST_TEST(var(x).item<double>() == 9.5);
  BOOST_TEST(var(x, {0}, 1.0).item<double>() == 38.0 / 3);
  BOOST_TEST(isofield::std(x).item<double>() == std::sqrt(9.5));
  const Plain<double> y = noise<double>({4, 5, 6});
  Plain<double> expected({4, 1, 6});
  each_index({4, 6}, [&](const auto& at) {
    double middle = 0, total = 0;
    for (std::int64_t j = 0; j < 5; ++j) middle += y[{at[0], j, at[1]}] / 5;
    for (std::int64_t j = 0; j < 5; ++j) total += std::pow(y[{at[0], j, at[1]}] - middle, 2);
    expected[{at[0], 0, at[1]}] = total / 4;
  });
  BOOST_TEST(close(var(y.array(), {1}, 1.0, true), expected, 1e-14));
  BOOST_TEST(std::isnan(var(asarray({3.0}), {0}, 1.0).item<double>()));
  BOOST_TEST(error_of<DTypeError>([] {
               var(ones({2}, int64));
             }).starts_with("var: needs a real-valued floating-point dtype, got int64"));
  BOOST_TEST((mean(ones({2}, complex64)).dtype() == complex64));
}

BACKEND_DTYPE_TEST_CASE(arrays_are_made_in_every_dtype, EVERY_DTYPE) {
  constexpr DType dtype = dtype_of<T>;
  BOOST_TEST(same<T>(zeros({3}, dtype), {{3}, {Stored<T>(0), Stored<T>(0), Stored<T>(0)}}));
  BOOST_TEST(same<T>(full({2}, 1, dtype), {{2}, {Stored<T>(1), Stored<T>(1)}}));
  BOOST_TEST(same<T>(eye(2, 3, 1, dtype), {{2, 3}, {0, 1, 0, 0, 0, 1}}));
  BOOST_TEST(same<T>(eye(3, 2, -1, dtype), {{3, 2}, {0, 0, 1, 0, 0, 1}}));
  BOOST_TEST(same<T>(eye(2, 2, 5, dtype), {{2, 2}, {0, 0, 0, 0}}));
  BOOST_TEST((ones_like(zeros({2, 2}), dtype).dtype() == dtype));
  const Plain<T> x = noise<T>({7}, 3, 0, 50);
  UnifiedArray a = zeros({7}, dtype);
  a(Slice{}) = x.array();
  BOOST_TEST(same<T>(a, x));
  BOOST_TEST((a(3).template item<T>() == static_cast<T>(x.data[3])));
  BOOST_TEST(same<T>(a.T().copy(), x));
}

BACKEND_TEST_CASE(whole_numbers_are_exact_however_large) {
  const std::int64_t large = std::int64_t{1} << 53;
  BOOST_TEST(
      same<std::int64_t>(arange(large + 1, large + 4), {{3}, {large + 1, large + 2, large + 3}}));
  BOOST_TEST(same<std::int64_t>(arange(5, 0, -2), {{3}, {5, 3, 1}}));
  BOOST_TEST(same<std::int64_t>(arange(0, 0), {{0}, {}}));
  BOOST_TEST(same<std::int64_t>(arange(3, 1), {{0}, {}}));
  const std::uint64_t top = std::numeric_limits<std::uint64_t>::max();
  BOOST_TEST(same<std::uint64_t>(arange(top - 2, top, 1, uint64), {{2}, {top - 2, top - 1}}));
  BOOST_TEST(same<double>(arange(0.0, 1.0, 0.25), {{4}, {0, 0.25, 0.5, 0.75}}));
  BOOST_TEST(same<float>(arange(0, 3, 1, float32), {{3}, {0, 1, 2}}));
  using C = std::complex<double>;
  BOOST_TEST(same<C>(linspace(C(0), C(0, 2), 3), {{3}, {C(0), C(0, 1), C(0, 2)}}));
}

BACKEND_TEST_CASE(complex_numbers_do_not_become_real_unasked) {
  BOOST_TEST(error_of<DTypeError>([] { ones({2}, complex128).astype(float64); })
                 .starts_with("astype: complex numbers do not go into dtype float64; say which "
                              "part: real, imag, abs ["));
  UnifiedArray x = zeros({2});
  BOOST_CHECK_THROW((x(0) = std::complex<double>(1, 1)), DTypeError);
  UnifiedArray z = zeros({2}, complex64);
  z(1) = 2.5;
  z(0) = std::complex<double>(1, -1);
  BOOST_TEST(same<std::complex<float>>(z, {{2}, {{1, -1}, {2.5, 0}}}));
  BOOST_TEST((z(0).item<std::complex<double>>() == std::complex<double>(1, -1)));
}

BACKEND_TEST_CASE(bits_have_operators) {
  const UnifiedArray a = asarray<std::uint8_t>({12, 10, 255}),
                     b = asarray<std::uint8_t>({10, 3, 1});
  BOOST_TEST(same<std::uint8_t>(a & b, {{3}, {8, 2, 1}}));
  BOOST_TEST(same<std::uint8_t>(a | b, {{3}, {14, 11, 255}}));
  BOOST_TEST(same<std::uint8_t>(a ^ b, {{3}, {6, 9, 254}}));
  BOOST_TEST(same<std::uint8_t>(~a, {{3}, {243, 245, 0}}));
  BOOST_TEST(same<std::uint8_t>(a << 1, {{3}, {24, 20, 254}}));
  BOOST_TEST(same<std::uint8_t>(a >> 2, {{3}, {3, 2, 63}}));
  BOOST_TEST(same<std::uint8_t>(a % b, {{3}, {2, 1, 0}}));
  BOOST_TEST(same<bool>((a > 11) & (b < 5), {{3}, {0, 0, 1}}));
}

BACKEND_TEST_CASE(clip_keeps_the_dtype_and_takes_either_bound) {
  const UnifiedArray x = asarray<float>({-2, 0.5, 3});
  BOOST_TEST(same<float>(clip(x, 0.0, 1.0), {{3}, {0, 0.5, 1}}));
  BOOST_TEST(same<float>(clip(x, {}, 1.0), {{3}, {-2, 0.5, 1}}));
  BOOST_TEST(same<float>(clip(x, 0.0), {{3}, {0, 0.5, 3}}));
  BOOST_TEST(same<float>(clip(x, asarray({0.0, 1.0, 1.0}), {}), {{3}, {0, 1, 3}}));
}

BACKEND_TEST_CASE(limits_and_kinds_of_dtypes) {
  BOOST_TEST(finfo(float32).bits == 32);
  BOOST_TEST(finfo(complex128).eps == std::numeric_limits<double>::epsilon());
  BOOST_TEST((finfo(complex64).dtype == float32));
  BOOST_TEST(iinfo(int16).min == -32768);
  BOOST_TEST(iinfo(uint64).max == std::numeric_limits<std::uint64_t>::max());
  BOOST_CHECK_THROW(finfo(int8), DTypeError);
  BOOST_CHECK_THROW(iinfo(float32), DTypeError);
  BOOST_TEST(can_cast(int8, int16));
  BOOST_TEST(!can_cast(float64, float32));
  BOOST_TEST(!can_cast(int32, float64));
  BOOST_TEST(isdtype(uint8, "integral"));
  BOOST_TEST(!isdtype(uint8, "signed integer"));
  BOOST_CHECK_THROW(isdtype(uint8, "whole"), DTypeError);
  BOOST_TEST((result_type({ones({1}, int8), ones({1}, uint8), 3}) == int16));
}
