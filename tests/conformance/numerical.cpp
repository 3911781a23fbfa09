// Differences, integrals, tables, counts and quantiles: NumPy 2.4's values, and loops.
#include "available.hpp"
#include "reference.hpp"

using namespace isofield;
using namespace isofield::testing;

namespace {

Plain<double> row(std::vector<double> values) {
  const auto n = static_cast<std::int64_t>(values.size());
  return {{n}, std::move(values)};
}
Plain<std::int64_t> ints(std::vector<std::int64_t> values) {
  const auto n = static_cast<std::int64_t>(values.size());
  return {{n}, std::move(values)};
}

UnifiedArray heights() { return asarray({1.0, 2.0, 4.0, 7.0, 11.0, 16.0}); }
UnifiedArray uneven() { return asarray({0.0, 1.0, 1.5, 3.5, 4.0, 6.0}); }
UnifiedArray digits() { return asarray({3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0}); }

}  // namespace

BACKEND_DTYPE_TEST_CASE(neighbours_are_subtracted, std::int8_t, std::uint16_t, std::int64_t, float,
                        double) {
  if (!available<T>()) return;
  const Plain<T> x = noise<T>({4, 6}, 1, 0, 50);
  Plain<T> expected({4, 5});
  each_index(expected.shape, [&](const auto& at) {
    expected[at] = static_cast<T>(x[{at[0], at[1] + 1}] - x[at]);
  });
  BOOST_TEST(same<T>(diff(x.array()), expected));
  BOOST_TEST(same<T>(diff(x.array().T(), 0).T(), expected));
  BOOST_TEST(same<T>(diff(x.array(), -1, 0), x));
  BOOST_TEST((diff(x.array(), 1, 9).shape() == Shape{4, 0}));
}

BACKEND_TEST_CASE(differences_begin_and_end_with_what_is_given) {
  const UnifiedArray x = heights();
  BOOST_TEST(same<double>(diff(x, -1, 2), row({1, 1, 1, 1})));
  BOOST_TEST(same<double>(diff(x, -1, 1, asarray({0.0}), asarray({20.0, 20.0})),
                          row({1, 1, 2, 3, 4, 5, 4, 0})));
  BOOST_TEST(same<bool>(diff(asarray({true, true, false})), Plain<bool>({2}, {0, 1})));
}

BACKEND_TEST_CASE(derivatives_are_numpys) {
  BOOST_TEST(close<double>(gradient(heights(), 0.5), row({2, 3, 5, 7, 9, 10}), 1e-15));
  BOOST_TEST(close<double>(gradient(heights(), 0.5, -1, 2), row({1, 3, 5, 7, 9, 11}), 1e-14));
  BOOST_TEST(close<double>(gradient(heights(), uneven()), row({1, 3, 3.5, 6.7, 6.9, 2.5}), 1e-14));
  BOOST_TEST(close<double>(gradient(heights(), uneven(), -1, 2), row({-1, 3, 3.5, 6.7, 6.9, -1.9}),
                           1e-13));
  BOOST_TEST(close<double>(gradient(asarray({1, 2, 4})), row({1, 1.5, 2}), 1e-15));
  const UnifiedArray plane = expand_dims(heights(), 1) * asarray({1.0, 2.0});
  BOOST_TEST(close<double>(gradient(plane, 0.5, 0)(all_of, 1), row({4, 6, 10, 14, 18, 20}), 1e-14));
  BOOST_TEST(
      close<double>(gradient(asarray({1.0, 3.0}), asarray({0.0, 4.0})), row({0.5, 0.5}), 1e-15));
}

// The second-order formula is exact for parabolas, wherever the points are.
BACKEND_TEST_CASE(parabolas_are_differentiated_exactly) {
  const UnifiedArray x = uneven(), y = x * x * 3.0 - x;
  BOOST_TEST(close<double>(gradient(y, x, -1, 2), plain<double>(6.0 * x - 1.0), 1e-13));
}

BACKEND_TEST_CASE(integrals_are_numpys) {
  BOOST_TEST(trapezoid(heights(), 0.5).item<double>() == 16.25);
  BOOST_TEST(trapezoid(heights(), uneven()).item<double>() == 45.5);
  BOOST_TEST(
      same<double>(trapezoid(stack({heights(), heights() * 2.0}, 1), 1.0, 0), row({32.5, 65})));
  BOOST_TEST(trapezoid(zeros({0})).item<double>() == 0.0);
}

BACKEND_TEST_CASE(tables_are_read_between_their_points) {
  const UnifiedArray x = asarray({-1.0, 0.0, 0.5, 1.2, 6.0, 7.0});
  BOOST_TEST(close<double>(interp(x, uneven(), heights()), row({1, 1, 1.5, 2.8, 16, 16}), 1e-15));
  BOOST_TEST(close<double>(interp(x, uneven(), heights(), -5.0, 50.0),
                           row({-5, 1, 1.5, 2.8, 16, 50}), 1e-15));
  BOOST_TEST(
      same<double>(interp(asarray({1.0, 3.0}), asarray({2.0}), asarray({9.0})), row({9, 9})));
  BOOST_TEST(std::isnan(interp(std::nan(""), uneven(), heights()).item<double>()));
}

BACKEND_TEST_CASE(numbers_are_counted) {
  const UnifiedArray x = asarray({3, 1, 1, 5, 3, 3});
  BOOST_TEST(same<std::int64_t>(bincount(x), ints({0, 2, 0, 3, 0, 1})));
  BOOST_TEST(same<std::int64_t>(bincount(x, {}, 8), ints({0, 2, 0, 3, 0, 1, 0, 0})));
  BOOST_TEST(same<double>(bincount(x, asarray({0.5, 1.0, 2.0, 4.0, 8.0, 16.0})),
                          row({0, 3, 0, 24.5, 0, 4})));
  BOOST_TEST(same<std::int64_t>(bincount(zeros({0}, int64)), ints({})));
  BOOST_TEST(same<std::int64_t>(bincount(x.astype(uint8)), ints({0, 2, 0, 3, 0, 1})));
}

BACKEND_TEST_CASE(histograms_are_numpys) {
  const Histogram four = histogram(digits(), 4),
                  given = histogram(digits(), asarray({1.0, 2.0, 5.0, 9.0})),
                  three = histogram(digits(), 3, 2.0, 5.0);
  BOOST_TEST(same<std::int64_t>(four.counts, ints({3, 2, 2, 1})));
  BOOST_TEST(same<double>(four.edges, row({1, 3, 5, 7, 9})));
  BOOST_TEST(same<std::int64_t>(given.counts, ints({2, 3, 3})));
  BOOST_TEST(same<std::int64_t>(three.counts, ints({1, 1, 2})));
  BOOST_TEST(same<std::int64_t>(histogram(asarray({2.0, 2.0}), 2).counts, ints({0, 2})));
  BOOST_TEST(same<std::int64_t>(histogram(asarray({0.5, std::nan("")}), 2, 0.0, 1.0).counts,
                                ints({0, 1})));
}

BACKEND_TEST_CASE(quantiles_are_numpys) {
  const UnifiedArray q = asarray({0.0, 0.1, 0.25, 0.5, 0.9, 1.0});
  const auto of = [&](Quantile method) { return quantile(digits(), q, {}, false, method); };
  BOOST_TEST(close<double>(of(Quantile::linear), row({1, 1, 1.75, 3.5, 6.9, 9}), 1e-15));
  BOOST_TEST(same<double>(of(Quantile::lower), row({1, 1, 1, 3, 6, 9})));
  BOOST_TEST(same<double>(of(Quantile::higher), row({1, 1, 2, 4, 9, 9})));
  BOOST_TEST(same<double>(of(Quantile::midpoint), row({1, 1, 1.5, 3.5, 7.5, 9})));
  BOOST_TEST(same<double>(of(Quantile::nearest), row({1, 1, 2, 4, 6, 9})));
}

BACKEND_TEST_CASE(medians_lie_in_the_middle_of_lines) {
  const UnifiedArray x = reshape(digits(), {2, 4});
  BOOST_TEST(same<double>(median(x, 1), row({2, 5.5})));
  BOOST_TEST((median(x, 0, true).shape() == Shape{1, 4}));
  BOOST_TEST((median(x, {}, true).shape() == Shape{1, 1}));
  BOOST_TEST((quantile(x, asarray({0.5, 0.7}), 0, true).shape() == Shape{2, 1, 4}));
  BOOST_TEST(median(x.astype(int64)).item<double>() == 3.5);
  BOOST_TEST(std::isnan(median(asarray({1.0, std::nan(""), 2.0})).item<double>()));
  BOOST_TEST(percentile(x, 100.0).item<double>() == 9.0);
  const double inf = std::numeric_limits<double>::infinity();
  BOOST_TEST(median(asarray({-inf, 1.0, inf})).item<double>() == 1.0);
  BOOST_TEST(median(asarray({inf, inf})).item<double>() == inf);
  BOOST_TEST((median(x.astype(float32)).dtype() == float32));
}

BACKEND_TEST_CASE(weighted_means_are_numpys) {
  const UnifiedArray x = reshape(digits(), {2, 4}), weights = asarray({1.0, 2.0, 3.0, 4.0});
  BOOST_TEST(close<double>(average(x, weights, 1), row({2.1, 5.3}), 1e-15));
  BOOST_TEST(close<double>(average(x, weights, -1), row({2.1, 5.3}), 1e-15));
  BOOST_TEST(same<double>(average(x, ones({2, 4}), 0), row({4, 5, 3, 3.5})));
  BOOST_TEST(average(x, x).item<double>() == 173.0 / 31.0);
  BOOST_TEST(average(asarray({1, 2}), asarray({3, 1})).item<double>() == 1.25);
}

BACKEND_TEST_CASE(covariances_and_correlations_are_numpys) {
  const UnifiedArray x = reshape(digits(), {2, 4});
  BOOST_TEST(close<double>(cov(x), {{2, 2}, {2.25, -23.0 / 6.0, -23.0 / 6.0, 25.0 / 3.0}}, 1e-15));
  BOOST_TEST(close<double>(cov(x(0), 0), {{1, 1}, {1.6875}}, 1e-15));
  const double r = -23.0 / 6.0 / std::sqrt(2.25 * 25.0 / 3.0);
  BOOST_TEST(close<double>(corrcoef(x), {{2, 2}, {1, r, r, 1}}, 1e-15));
  using C = std::complex<double>;
  const UnifiedArray z = asarray(std::vector<C>{{1, 1}, 2.0, {0, 3}, 0.0, 1.0, {0, 1}}, {2, 3});
  const UnifiedArray covariances = cov(z);
  BOOST_TEST(std::abs(covariances(0, 0).item<C>() - 10.0 / 3.0) < 1e-15);
  BOOST_TEST(std::abs(covariances(0, 1).item<C>() - C(4.0 / 3.0, -1.0 / 6.0)) < 1e-15);
  BOOST_TEST(std::abs(covariances(1, 0).item<C>() - C(4.0 / 3.0, 1.0 / 6.0)) < 1e-15);
}

BACKEND_TEST_CASE(the_normal_density_has_its_mass_mean_and_deviation) {
  const double h = 1.0 / 64;
  const UnifiedArray x = arange(-12.0, 16.0, h), p = gaussian(x, 2.0, 1.25);
  BOOST_TEST(std::abs(h * sum(p).item<double>() - 1.0) < 1e-14);
  BOOST_TEST(std::abs(h * sum(x * p).item<double>() - 2.0) < 1e-14);
  BOOST_TEST(std::abs(h * sum((x - 2.0) * (x - 2.0) * p).item<double>() - 1.5625) < 1e-14);
  BOOST_TEST(std::abs(gaussian(asarray(0.0)).item<double>() - 0.3989422804014327) < 1e-16);
  BOOST_TEST((gaussian(zeros({3, 1}, float32), zeros({2}, float32)).shape() == Shape{3, 2}));
  BOOST_TEST((gaussian(zeros({3}, float32)).dtype() == float32));
}

// Statements stand on one line, so that __LINE__ is theirs.
// clang-format off
// clang-format off
#define EXPECT_ERROR(type, text, statement) \
  BOOST_TEST(error_of<type>([&] { statement; }) == (text))

namespace {
std::string told(int line, const char* dtype = "float64") {
  return " [" + variant().backend + ", " + dtype + "] at numerical.cpp:" + std::to_string(line);
}
}  // namespace

BACKEND_TEST_CASE(what_makes_no_numbers_is_told) {
  const UnifiedArray a = zeros({3, 4}), b = zeros({3});
  EXPECT_ERROR(ShapeError, "average: weights of shape (3,) for elements of shape (3, 4)" + told(__LINE__), average(a, b, 1));
  EXPECT_ERROR(ShapeError, "average: weights of shape (3,) for elements of shape (3, 4)" + told(__LINE__), average(a, b));
  EXPECT_ERROR(ShapeError, "cov: shape (1, 1, 2) is not (variables, observations)" + told(__LINE__), cov(zeros({1, 1, 2})));
  EXPECT_ERROR(ShapeError, "cov: 1 observations with 1 degrees of freedom taken" + told(__LINE__), cov(zeros({3, 1})));
  EXPECT_ERROR(ArgumentError, "diff: n must not be negative, got -1" + told(__LINE__), diff(a, 0, -1));
  EXPECT_ERROR(ArgumentError, "gradient: edge_order must be 1 or 2, not 3" + told(__LINE__), gradient(a, 1.0, 0, 3));
  EXPECT_ERROR(ShapeError, "gradient: needs at least 2 elements along the axis, got 1" + told(__LINE__), gradient(zeros({3, 1})));
  EXPECT_ERROR(ShapeError, "gradient: coordinates of shape (3,) do not fit lines of 4 elements" + told(__LINE__), gradient(a, b));
  EXPECT_ERROR(ShapeError, "trapezoid: coordinates of shape (3,) do not fit lines of 4 elements" + told(__LINE__), trapezoid(a, b));
  EXPECT_ERROR(ShapeError, "interp: points of shapes (3, 4) and (3,) are no two equal axes with elements" + told(__LINE__), interp(a, a, b));
  EXPECT_ERROR(IndexError, "bincount: -2 is negative" + told(__LINE__, "int32"), bincount(asarray({1, -2})));
  EXPECT_ERROR(ShapeError, "bincount: shape (3, 4) is not one axis" + told(__LINE__, "int64"), bincount(a.astype(int64)));
  EXPECT_ERROR(DTypeError, "bincount: indices must be integers, not float64" + told(__LINE__), bincount(b));
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const std::string beyond = "shape (9223372036854775807,) of ";
  BOOST_TEST(error_of<ShapeError>([&] { bincount(full({1}, most)); }) == beyond + "int64 takes more bytes than fit in 64 bits");
  BOOST_TEST(error_of<ShapeError>([&] { histogram(a, most); }) == beyond + "float64 takes more bytes than fit in 64 bits");
  EXPECT_ERROR(ShapeError, "histogram: 0 bins" + told(__LINE__), histogram(a, 0));
  EXPECT_ERROR(ShapeError, "histogram: edges are not in ascending order" + told(__LINE__), histogram(a, asarray({1.0, 0.0})));
  EXPECT_ERROR(ShapeError, "quantile: a part is not in [0, 1]" + told(__LINE__), quantile(a, 1.5));
  EXPECT_ERROR(ShapeError, "median: axis 0 of shape (0,) is empty" + told(__LINE__), median(zeros({0})));
  EXPECT_ERROR(DTypeError, "median: complex numbers have no order, got complex64" + told(__LINE__, "complex64"), median(zeros({2}, complex64)));
  EXPECT_ERROR(DTypeError, "cumulative_max: needs a real-valued dtype, got bool" + told(__LINE__, "bool"), cumulative_max(zeros({2}, bool_)));
}
