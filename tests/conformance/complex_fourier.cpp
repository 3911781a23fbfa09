// Complex Fourier transforms: the sums that define them, in long double, and what follows from
// them.
#include <numbers>

#include "reference.hpp"

using namespace isofield;
using namespace isofield::testing;
using fft::Norm;

namespace {

using At = std::vector<std::int64_t>;
using Wide = std::complex<long double>;

constexpr Norm norms[] = {Norm::backward, Norm::ortho, Norm::forward};
constexpr std::int64_t lengths[] = {1, 2, 3, 4, 5, 8, 13, 31, 64, 100};

template <class T>
constexpr double rounding = real_dtype(dtype_of<T>) == float32 ? 1e-5 : 2e-14;

long double factor_of(Norm norm, bool inverse, std::int64_t n) {
  const auto length = static_cast<long double>(n);
  if (norm == Norm::ortho) return 1 / std::sqrt(length);
  return (norm == Norm::forward) != inverse ? 1 / length : 1;
}

/// sum_j x[j] e^(-+ 2 pi i j k / n) along one axis, of x cut or filled with zeros to n.
template <class T>
Plain<T> sums(const Plain<T>& x, int axis, std::int64_t n, bool inverse, Norm norm) {
  Shape shape = x.shape;
  shape[axis] = n;
  Plain<T> y(shape);
  const auto a = static_cast<std::size_t>(axis);
  each_index(shape, [&](const At& at) {
    Wide total = 0;
    At from = at;
    for (std::int64_t j = 0; j < std::min(n, x.shape[axis]); ++j) {
      from[a] = j;
      const long double angle = 2 * std::numbers::pi_v<long double> *
                                static_cast<long double>(j * at[a] % n) /
                                static_cast<long double>(n);
      total += static_cast<Wide>(x[from]) * std::polar(1.0L, inverse ? angle : -angle);
    }
    y[at] = static_cast<T>(total * factor_of(norm, inverse, n));
  });
  return y;
}

template <class T>
UnifiedArray numbers(const Shape& shape, unsigned seed = 1) {
  return noise<T>(shape, seed).array();
}

/// The elements agree up to roundings of the largest.
template <class T>
bool agree(const UnifiedArray& found, const UnifiedArray& expected) {
  if (found.shape() != expected.shape() || found.dtype() != expected.dtype()) return false;
  if (found.size() == 0) return true;
  const double scale = std::max(1.0, max(abs(expected)).template item<double>());
  return max(abs(found - expected)).template item<double>() <= rounding<T> * scale;
}

}  // namespace

BACKEND_DTYPE_TEST_CASE(complex_transforms_are_their_sums, std::complex<float>,
                        std::complex<double>) {
  for (const std::int64_t n : lengths)
    for (const int axis : {0, 1}) {
      for (const std::int64_t lines : {1, 3, 9}) {
        const Plain<T> x = noise<T>(axis == 0 ? Shape{n, lines} : Shape{lines, n});
        for (const Norm norm : norms) {
          check(
              agree<T>(fft::fft(x.array(), {}, axis, norm), sums(x, axis, n, false, norm).array()),
              "fft ", to_string(x.shape), " axis ", axis);
          check(
              agree<T>(fft::ifft(x.array(), {}, axis, norm), sums(x, axis, n, true, norm).array()),
              "ifft ", to_string(x.shape), " axis ", axis);
        }
      }
    }
}

BACKEND_DTYPE_TEST_CASE(lines_are_cut_or_filled_with_zeros, std::complex<float>,
                        std::complex<double>) {
  const Plain<T> x = noise<T>({3, 10, 4});
  for (const std::int64_t n : {1, 4, 9, 11, 25}) {
    BOOST_TEST(agree<T>(fft::fft(x.array(), n, 1), sums(x, 1, n, false, Norm::backward).array()));
    BOOST_TEST(agree<T>(fft::ifft(x.array(), n, -1, Norm::ortho),
                        sums(x, 2, n, true, Norm::ortho).array()));
  }
  const Plain<T> one = sums(x, 0, 5, false, Norm::backward);
  const UnifiedArray two = sums(one, 1, 7, false, Norm::backward).array();
  BOOST_TEST(
      agree<T>(fft::fftn(x.array(), std::vector<std::int64_t>{5, 7}, std::vector{0, 1}), two));
  BOOST_TEST(
      agree<T>(fft::fftn(x.array(), std::vector<std::int64_t>{7, 5}, std::vector{-2, 0}), two));
}

BACKEND_DTYPE_TEST_CASE(transforms_of_real_lines_are_half_of_the_complex_ones, float, double) {
  using C = std::complex<T>;
  for (const std::int64_t n : lengths)
    for (const int axis : {0, 1})
      for (const std::int64_t lines : {1, 9})
        for (const Norm norm : norms) {
          const Shape shape = axis == 0 ? Shape{n, lines} : Shape{lines, n};
          const UnifiedArray x = numbers<T>(shape);
          const UnifiedArray whole = fft::fft(x, {}, axis, norm);
          BOOST_TEST((whole.dtype() == dtype_of<C>));
          const UnifiedArray half = axis == 0 ? whole(slice(0, n / 2 + 1)).copy()
                                              : whole(all_of, slice(0, n / 2 + 1)).copy();
          const UnifiedArray y = fft::rfft(x, {}, axis, norm);
          check(agree<T>(y, half), "rfft ", to_string(shape), " axis ", axis);
          check(agree<T>(fft::irfft(y, n, axis, norm), x), "irfft ", to_string(shape), axis);
          check(agree<T>(fft::ihfft(x, {}, axis, norm),
                         conj(fft::rfft(x, {}, axis,
                                        norm == Norm::backward  ? Norm::forward
                                        : norm == Norm::forward ? Norm::backward
                                                                : Norm::ortho))),
                "ihfft ", to_string(shape), " axis ", axis);
          check(agree<T>(fft::hfft(fft::ihfft(x, {}, axis, norm), n, axis, norm), x), "hfft ",
                to_string(shape), " axis ", axis);
        }
}

BACKEND_DTYPE_TEST_CASE(real_lines_are_cut_and_filled, float, double) {
  const UnifiedArray x = numbers<T>({5, 12});
  for (const std::int64_t n : {1, 5, 12, 16, 31}) {
    const UnifiedArray y = fft::rfft(x, n);
    BOOST_TEST(agree<T>(y, fft::fft(x, n)(all_of, slice(0, n / 2 + 1)).copy()));
    BOOST_TEST(y.shape()[1] == n / 2 + 1);
  }
  const UnifiedArray z = fft::rfft(x);  // 7 terms
  for (const std::int64_t n : {3, 8, 11, 12, 20}) {
    const UnifiedArray y = fft::irfft(z, n);
    BOOST_TEST(y.shape()[1] == n);
    const UnifiedArray back = fft::rfft(y);
    const std::int64_t common = std::min<std::int64_t>(n / 2, 6);
    BOOST_TEST(agree<T>(back(all_of, slice(1, common)).copy(), z(all_of, slice(1, common)).copy()));
  }
  BOOST_TEST(fft::irfft(z).shape()[1] == 12);
}

BACKEND_TEST_CASE(transforms_along_all_axes_are_those_along_each) {
  using C = std::complex<double>;
  const UnifiedArray x = numbers<C>({6, 5, 8}), r = real(x).copy();
  for (const Norm norm : norms) {
    const UnifiedArray y = fft::fft(fft::fft(fft::fft(x, {}, 0, norm), {}, 1, norm), {}, 2, norm);
    BOOST_TEST(agree<C>(fft::fftn(x, {}, {}, norm), y));
    BOOST_TEST(agree<C>(fft::ifftn(y, {}, {}, norm), x));
    BOOST_TEST(agree<C>(fft::fftn(x, {}, std::vector{2, 0}, norm),
                        fft::fft(fft::fft(x, {}, 2, norm), {}, 0, norm)));
    const UnifiedArray h = fft::rfftn(r, {}, {}, norm);
    BOOST_TEST(agree<C>(h, fft::fftn(r, {}, {}, norm).index({ellipsis, slice(0, 5)}).copy()));
    BOOST_TEST(agree<C>(fft::irfftn(h, {}, {}, norm), r));
    const std::vector<std::int64_t> s{7, 9};
    BOOST_TEST(
        agree<C>(fft::rfftn(r, s, {}, norm), fft::fft(fft::rfft(r, 9, 2, norm), 7, 1, norm)));
    BOOST_TEST(agree<C>(fft::irfftn(x, s, std::vector{0, 1}, norm),
                        fft::irfft(fft::ifft(x, 7, 0, norm), 9, 1, norm)));
  }
}

BACKEND_TEST_CASE(signals_may_lie_in_any_way_and_be_pending) {
  using C = std::complex<double>;
  const UnifiedArray big = numbers<C>({9, 12, 5});
  const UnifiedArray views[] = {big(slice(8, 0, -2)), permute_dims(big, {2, 0, 1}), flip(big, 1),
                                big(all_of, slice(1, 11, 3)), broadcast_to(big(0), {4, 12, 5})};
  for (const UnifiedArray& view : views)
    for (const int axis : {0, 1, 2}) {
      BOOST_TEST(agree<C>(fft::fft(view, {}, axis), fft::fft(view.copy(), {}, axis)));
      BOOST_TEST(agree<C>(fft::fft(view * 2.0, {}, axis), 2.0 * fft::fft(view.copy(), {}, axis)));
      BOOST_TEST(agree<C>(fft::irfft(view, 7, axis), fft::irfft(view.copy(), 7, axis)));
      BOOST_TEST(agree<C>(fft::rfft(real(view), {}, axis), fft::rfft(real(view).copy(), {}, axis)));
    }
  const UnifiedArray wave = numbers<C>({64, 1000});  // shared by threads
  const UnifiedArray back = fft::ifft(fft::fft(wave));
  BOOST_TEST(agree<C>(back, wave));
  BOOST_TEST(std::abs(sum(square(abs(fft::fftn(wave, {}, {}, Norm::ortho)))).item<double>() /
                          sum(square(abs(wave))).item<double>() -
                      1) < 1e-13);
}

BACKEND_TEST_CASE(empty_stacks_have_empty_transforms) {
  const UnifiedArray none = zeros({0, 8}, complex128);
  BOOST_TEST(to_string(fft::fft(none).shape()) == "(0, 8)");
  BOOST_TEST(to_string(fft::rfft(zeros({0, 8})).shape()) == "(0, 5)");
  BOOST_TEST(to_string(fft::irfft(none).shape()) == "(0, 14)");
  BOOST_TEST(
      same<std::complex<double>>(fft::fft(zeros({2, 0}), 2), Plain<std::complex<double>>({2, 2})));
}

BACKEND_TEST_CASE(frequencies_stand_where_terms_do) {
  BOOST_TEST(same<double>(fft::fftfreq(5), {{5}, {0, 0.2, 0.4, -0.4, -0.2}}));
  BOOST_TEST(same<double>(fft::fftfreq(4, 0.5), {{4}, {0, 0.5, -1, -0.5}}));
  BOOST_TEST(same<double>(fft::rfftfreq(5), {{3}, {0, 0.2, 0.4}}));
  BOOST_TEST(same<float>(fft::rfftfreq(4, 0.25, float32), {{3}, {0, 1, 2}}));
  BOOST_TEST(same<double>(fft::fftshift(fft::fftfreq(5)), {{5}, {-0.4, -0.2, 0, 0.2, 0.4}}));
  const UnifiedArray x = counting<double>({3, 4}).array();
  BOOST_TEST(same<double>(fft::fftshift(x), {{3, 4}, {10, 11, 8, 9, 2, 3, 0, 1, 6, 7, 4, 5}}));
  BOOST_TEST(same<double>(fft::fftshift(x, std::vector{0}),
                          {{3, 4}, {8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6, 7}}));
  BOOST_TEST(same<double>(fft::ifftshift(fft::fftshift(x)), plain<double>(x)));
}

BACKEND_TEST_CASE(complex_transforms_are_recorded) {
  using C = std::complex<double>;
  const auto body = [](const UnifiedArray& x) {
    const UnifiedArray y = fft::fft(x * 2.0, {}, 0);
    return std::tuple{y,
                      fft::irfft(y, 9, 1),
                      fft::fftn(real(x)),
                      fft::rfftn(real(x)),
                      fft::fftshift(y),
                      fft::ifft(x, 17)};
  };
  const auto f = jit(body);
  for (unsigned seed = 1; seed < 4; ++seed) {
    const UnifiedArray x = numbers<C>({6, 7}, seed);
    std::apply(
        [&](const auto&... replayed) {
          const auto check = [](const UnifiedArray& a, const UnifiedArray& b) {
            BOOST_TEST(agree<C>(a, b));
          };
          std::apply([&](const auto&... direct) { (check(replayed, direct), ...); }, body(x));
        },
        f(x));
  }
}
