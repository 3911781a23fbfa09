// Transforms that are fitted to data: standardisation, ranges, principal components.
#include <isofield/features.hpp>
#include <isofield/random.hpp>

#include "reference.hpp"

using namespace isofield;
using namespace isofield::testing;

BACKEND_TEST_CASE(standardised_features_have_mean_0_and_deviation_1) {
  const UnifiedArray x = random::Generator(1).normal({200, 3}, 5, 2) * asarray({1.0, 10.0, 0.1});
  const auto fitted = features::standardize_features(x);
  const UnifiedArray y = fitted.transform(x);
  BOOST_TEST(close<double>(mean(y, {0}), {{3}, {0, 0, 0}}, 1e-13));
  BOOST_TEST(close<double>(isofield::std(y, {0}), {{3}, {1, 1, 1}}, 1e-13));
  BOOST_TEST(close(fitted.inverse_transform(y), plain<double>(x), 1e-13));
  const UnifiedArray constant = full({4, 2}, 3.0);
  BOOST_TEST(same<double>(features::standardize_features(constant).transform(constant),
                          plain<double>(zeros({4, 2}))));
}

BACKEND_TEST_CASE(normalised_features_fill_their_range) {
  const UnifiedArray x = asarray<double>({1, 10, 7, 2, 20, 7, 5, 40, 7}, nullptr);
  const UnifiedArray data = reshape(x, {3, 3});
  const auto fitted = features::normalize_features(data, -1, 1);
  const UnifiedArray y = fitted.transform(data);
  BOOST_TEST(close<double>(y, {{3, 3}, {-1, -1, -1, -0.5, -1.0 / 3, -1, 1, 1, -1}}, 1e-14));
  BOOST_TEST(close(fitted.inverse_transform(y), plain<double>(data), 1e-14));
}

// Data on a plane in five dimensions: two components say all, along known directions.
BACKEND_TEST_CASE(principal_components_find_the_plane_that_data_lie_in) {
  random::Generator g(2);
  const UnifiedArray a = g.normal({300, 1}, 0, 3), b = g.normal({300, 1}, 0, 1);
  const UnifiedArray first = asarray({0.6, 0.8, 0.0, 0.0, 0.0}),
                     second = asarray({0.0, 0.0, 1.0, 0.0, 0.0});
  const UnifiedArray x = a * first + b * second + 2.0;
  const auto fitted = features::pca(x, 2);
  BOOST_TEST(fitted.components.shape() == Shape({2, 5}));
  BOOST_TEST(close(linalg::matmul(fitted.components, fitted.components.T()), plain<double>(eye(2)),
                   1e-12));
  // The plane: what is left of the known directions outside of it.
  const UnifiedArray known = stack({first, second});
  const UnifiedArray inside =
      linalg::matmul(linalg::matmul(known, fitted.components.T()), fitted.components);
  BOOST_TEST(close(inside, plain<double>(known), 1e-12));
  BOOST_TEST(close(fitted.inverse_transform(fitted.transform(x)), plain<double>(x), 1e-12));
  BOOST_TEST(
      close(var(fitted.transform(x), {0}, 1.0), plain<double>(fitted.explained_variance), 1e-12));
  BOOST_TEST(std::abs(sum(fitted.explained_variance_ratio).item<double>() - 1.0) < 1e-12);
  BOOST_TEST(fitted.explained_variance(0).item<double>() >
             5 * fitted.explained_variance(1).item<double>());
}

BACKEND_TEST_CASE(data_that_do_not_fit_are_told) {
  const auto fitted = features::standardize_features(ones({3, 2}));
  BOOST_TEST(
      error_of<ShapeError>([&] {
        fitted.transform(ones({3, 4}));
      }).starts_with("Standardizer::transform: needs data (samples, 2), got shape (3, 4) ["));
  BOOST_TEST(error_of<ShapeError>([] {
               features::pca(ones({3}));
             }).starts_with("pca: needs data (samples, features), got shape (3,) ["));
  BOOST_TEST(error_of<ShapeError>([] {
               features::pca(ones({3, 2}), 3);
             }).starts_with("pca: 3 components of data of shape (3, 2); there are 1 to 2 ["));
  BOOST_TEST(error_of<DTypeError>([] {
               features::normalize_features(ones({3, 2}, int64));
             }).starts_with("normalize_features: needs a real-valued floating-point dtype"));
  BOOST_TEST(error_of<ShapeError>([] {
               features::standardize_features(zeros({0, 2}));
             }).starts_with("standardize_features: there are no samples in shape (0, 2) ["));
}
