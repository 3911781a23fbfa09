// Cosine, sine and Hartley transforms: the sums that define them, in long double, and what follows
// from them.
#include <numbers>
#include <thread>

#include "reference.hpp"

using namespace isofield;
using namespace isofield::testing;
using fft::Norm;

namespace {

using At = std::vector<std::int64_t>;
using Transform = FourierTransform::Kind;

constexpr Transform kinds[] = {Transform::dct1, Transform::dct2, Transform::dct3,
                               Transform::dct4, Transform::dst1, Transform::dst2,
                               Transform::dst3, Transform::dst4, Transform::hartley};
constexpr Norm norms[] = {Norm::backward, Norm::ortho, Norm::forward};

/// Entry (k, j) of the matrix of a transform of n elements, without a norm.
long double entry(Transform kind, std::int64_t n, std::int64_t k, std::int64_t j) {
  const auto angle = [](std::int64_t times, std::int64_t over) {  // of pi; reduced exactly
    return std::numbers::pi_v<long double> * static_cast<long double>(times % (2 * over)) /
           static_cast<long double>(over);
  };
  switch (kind) {
    case Transform::dct1: return (j == 0 || j == n - 1 ? 1 : 2) * std::cos(angle(j * k, n - 1));
    case Transform::dct2: return 2 * std::cos(angle((2 * j + 1) * k, 2 * n));
    case Transform::dct3: return (j == 0 ? 1 : 2) * std::cos(angle(j * (2 * k + 1), 2 * n));
    case Transform::dct4: return 2 * std::cos(angle((2 * j + 1) * (2 * k + 1), 4 * n));
    case Transform::dst1: return 2 * std::sin(angle((j + 1) * (k + 1), n + 1));
    case Transform::dst2: return 2 * std::sin(angle((2 * j + 1) * (k + 1), 2 * n));
    case Transform::dst3:
      return (j == n - 1 ? 1 : 2) * std::sin(angle((j + 1) * (2 * k + 1), 2 * n));
    case Transform::dst4: return 2 * std::sin(angle((2 * j + 1) * (2 * k + 1), 4 * n));
    default: break;  // hartley; those of complex numbers are complex_fourier.cpp's
  }
  return std::cos(angle(2 * j * k, n)) + std::sin(angle(2 * j * k, n));
}

UnifiedArray transform(Transform kind, const UnifiedArray& x, const std::vector<int>& axes = {-1},
                       Norm norm = Norm::backward) {
  const int number = static_cast<int>(kind);
  if (kind == Transform::hartley) return fft::hartley(x, axes, norm);
  return kind < Transform::dst1 ? fft::dct(x, number + 1, axes, norm)
                                : fft::dst(x, number - 3, axes, norm);
}

UnifiedArray inverse(Transform kind, const UnifiedArray& x, const std::vector<int>& axes,
                     Norm norm) {
  const int number = static_cast<int>(kind);
  if (kind == Transform::hartley)
    return fft::hartley(x, axes,
                        norm == Norm::backward  ? Norm::forward
                        : norm == Norm::forward ? Norm::backward
                                                : Norm::ortho);
  return kind < Transform::dst1 ? fft::idct(x, number + 1, axes, norm)
                                : fft::idst(x, number - 3, axes, norm);
}

std::int64_t shortest(Transform kind) { return kind == Transform::dct1 ? 2 : 1; }

/// The sums along one axis, and how large they could be: errors are relative to that.
template <class T>
Plain<T> sums(Transform kind, const Plain<T>& x, int axis) {
  Plain<T> y(x.shape);
  const std::int64_t n = x.shape[axis];
  std::vector<long double> matrix;
  for (std::int64_t k = 0; k < n; ++k)
    for (std::int64_t j = 0; j < n; ++j) matrix.push_back(entry(kind, n, k, j));
  each_index(x.shape, [&](const At& at) {
    long double total = 0;
    At from = at;
    for (std::int64_t j = 0; j < n; ++j) {
      from[static_cast<std::size_t>(axis)] = j;
      total +=
          matrix[static_cast<std::size_t>(at[static_cast<std::size_t>(axis)] * n + j)] * x[from];
    }
    y[at] = static_cast<T>(total);
  });
  return y;
}

template <class T>
double largest(const Plain<T>& x) {
  double most = 1;
  for (const T v : x.data) most = std::max(most, std::abs(static_cast<double>(v)));
  return most;
}

template <class T>
constexpr double rounding = std::is_same_v<T, float> ? 1e-6 : 1e-15;

/// Elements differ by some roundings of the largest.
template <class T>
void expect(const UnifiedArray& found, const Plain<T>& expected, const std::string& what) {
  const double tolerance = 10 * rounding<T> * largest(expected);
  BOOST_TEST_CONTEXT(what)
  BOOST_TEST(matches<T>(found, expected, [&](T a, T b) {
    return std::abs(static_cast<double>(a) - static_cast<double>(b)) <= tolerance;
  }));
}

std::string text(Transform kind) { return std::string(name(kind)); }

UnifiedArray numbers(const Shape& shape, unsigned seed = 1) {
  return noise<double>(shape, seed).array();
}

}  // namespace

BACKEND_DTYPE_TEST_CASE(transforms_are_the_sums_that_define_them, float, double) {
  for (const Transform kind : kinds)
    for (const std::int64_t n : {1, 2, 3, 4, 5, 7, 8, 12, 15, 16, 30, 97, 120, 127, 211}) {
      if (n < shortest(kind)) continue;
      const Plain<T> x = noise<T>({n}, static_cast<unsigned>(n));
      expect(transform(kind, x.array()), sums(kind, x, 0), text(kind) + " of " + std::to_string(n));
    }
}

BACKEND_DTYPE_TEST_CASE(lines_of_any_number_lie_along_any_axis, float, double) {
  for (const Transform kind : {Transform::dct2, Transform::dst1, Transform::hartley})
    for (const std::int64_t lines : {1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33})
      for (const std::int64_t n : {6, 7}) {
        const std::string what = text(kind) + ", lines " + std::to_string(lines);
        const Plain<T> rows = noise<T>({lines, n}), columns = noise<T>({n, lines}),
                       between = noise<T>({3, n, lines});
        expect(transform(kind, rows.array(), {1}), sums(kind, rows, 1), what);
        expect(transform(kind, columns.array(), {0}), sums(kind, columns, 0), what);
        expect(transform(kind, between.array(), {-2}), sums(kind, between, 1), what);
      }
}

BACKEND_TEST_CASE(several_axes_are_transformed_one_after_the_other) {
  const Plain<double> x = noise<double>({4, 5, 6});
  for (const Transform kind : kinds) {
    const Plain<double> expected = sums(kind, sums(kind, sums(kind, x, 0), 1), 2);
    expect(transform(kind, x.array(), {0, 1, 2}), expected, text(kind));
    expect(transform(kind, x.array(), {-1, 0, 1}), expected, text(kind));
    expect(transform(kind, x.array(), {2, 0}), sums(kind, sums(kind, x, 0), 2), text(kind));
  }
}

BACKEND_TEST_CASE(views_of_any_layout_are_transformed_where_they_lie) {
  const UnifiedArray x = numbers({8, 9, 10});
  const UnifiedArray views[] = {permute_dims(x, {2, 0, 1}),
                                flip(x, 1),
                                x(slice(1, 8, 3), all_of, slice(9, 0, -2)),
                                broadcast_to(x(2)(slice(0, 1)), {7, 3, 10}),
                                x(all_of, 4),
                                x.T()};
  for (const Transform kind :
       {Transform::dct2, Transform::dct3, Transform::dct4, Transform::hartley})
    for (const UnifiedArray& view : views) {
      const Plain<double> copy = plain<double>(view);
      for (int axis = 0; axis < copy.shape.size(); ++axis)
        expect(transform(kind, view, {axis}), sums(kind, copy, axis), text(kind));
    }
}

BACKEND_TEST_CASE(the_inverse_gives_back_what_went_in_under_every_norm) {
  for (const Transform kind : kinds)
    for (const Norm norm : norms)
      for (const Shape& shape : {Shape{2, 3}, Shape{16, 31}, Shape{37, 64}}) {
        const UnifiedArray x = numbers(shape);
        const UnifiedArray y = transform(kind, x, {0, 1}, norm);
        BOOST_TEST(close<double>(inverse(kind, y, {0, 1}, norm), plain<double>(x), 1e-13),
                   text(kind));
        if (norm == Norm::ortho)  // an orthogonal matrix keeps lengths
          BOOST_TEST(std::abs(sum(y * y).item<double>() - sum(x * x).item<double>()) < 1e-11,
                     text(kind));
      }
}

BACKEND_TEST_CASE(a_cosine_has_one_coefficient) {
  const std::int64_t n = 48;
  const UnifiedArray cell = arange(0.0, 48.0) + 0.5;
  const double angle = std::numbers::pi / static_cast<double>(n);
  for (const int k : {0, 1, 5, 47}) {
    Plain<double> expected({n});
    expected.data[static_cast<std::size_t>(k)] = k == 0 ? 96.0 : 48.0;
    BOOST_TEST(close<double>(fft::dct(cos(cell * (k * angle))), expected, 1e-12));
  }
  // cos + sin of 2 pi 3 i / n is the third row of the Hartley transform's matrix.
  const UnifiedArray turn = arange(0.0, 48.0) * (6.0 * angle);
  Plain<double> expected({n});
  expected.data[3] = 48.0;
  BOOST_TEST(close<double>(fft::hartley(cos(turn) + sin(turn)), expected, 1e-12));
}

BACKEND_TEST_CASE(laplacians_become_numbers_in_the_coefficients) {
  const std::int64_t n = 40;
  const UnifiedArray x = numbers({n, 6}), mode = expand_dims(arange(0.0, 40.0), 1);
  const auto laplacian = [&](Boundary rule) {
    return shift(x, 0, 1, rule) - 2.0 * x + shift(x, 0, -1, rule);
  };
  const auto eigenvalue = [&](double step) { return -4.0 * square(sin(mode * step)); };
  const double pi = std::numbers::pi;
  BOOST_TEST(close<double>(fft::dct(laplacian(Boundary::clamp), 2, {0}),
                           plain<double>(eigenvalue(pi / 80) * fft::dct(x, 2, {0})), 1e-13));
  BOOST_TEST(close<double>(fft::hartley(laplacian(Boundary::periodic), {0}),
                           plain<double>(eigenvalue(pi / 40) * fft::hartley(x, {0})), 1e-13));
  const UnifiedArray odd = -4.0 * square(sin((mode + 1.0) * (pi / 82)));
  BOOST_TEST(close<double>(fft::dst(laplacian(Boundary::constant), 1, {0}),
                           plain<double>(odd * fft::dst(x, 1, {0})), 1e-13));
}

BACKEND_TEST_CASE(pending_operands_are_computed_first) {
  const UnifiedArray x = numbers({10, 12});
  const UnifiedArray sum = x + 1.0;
  const UnifiedArray y = fft::dct(2.0 * sum, 2, {0});
  BOOST_TEST(same<double>(y, plain<double>(fft::dct((2.0 * sum).copy(), 2, {0}))));
  BOOST_TEST(close<double>(fft::idct(y, 2, {0}), plain<double>(2.0 * x + 2.0), 1e-14));
}

BACKEND_TEST_CASE(arrays_without_elements_stay_empty) {
  BOOST_TEST((fft::dct(zeros({0, 3}), 2, {1}).shape() == Shape{0, 3}));
  BOOST_TEST((fft::hartley(zeros({4, 0, 3}), {0, 2}).shape() == Shape{4, 0, 3}));
}

BACKEND_TEST_CASE(traced_functions_replay_transforms) {
  const auto body = [](const UnifiedArray& x, const UnifiedArray& factor) {
    const UnifiedArray modes = fft::dct(fft::hartley(x + 1.0, {1}), 2, {0}, Norm::ortho) * factor;
    UnifiedArray whole = zeros({2, 16, 18});
    whole(0) = fft::idct(fft::hartley(modes, {1}, Norm::forward), 2, {0}, Norm::ortho);
    whole(1) = fft::dst(x.T(), 4, {0, 1}).T();
    return std::tuple{whole, sum(modes)};
  };
  const auto step = jit(body);
  for (unsigned seed = 1; seed < 4; ++seed) {
    const UnifiedArray x = numbers({16, 18}, seed), factor = numbers({16, 1}, seed + 9);
    const auto [a, b] = step(x, factor);
    const auto [c, d] = body(x, factor);
    BOOST_TEST(same<double>(a, plain<double>(c)));
    BOOST_TEST(same<double>(b, plain<double>(d)));
    // Arguments that lie otherwise, and in parts of arrays.
    const auto [e, f] = step(numbers({18, 16}, seed).T(), factor);
    const auto [g, h] = body(numbers({18, 16}, seed).T(), factor);
    BOOST_TEST(same<double>(e, plain<double>(g)));
    BOOST_TEST(same<double>(f, plain<double>(h)));
  }
  BOOST_TEST(step.traces() == 1);
}

BACKEND_TEST_CASE(threads_share_plans_while_others_are_made_and_dropped) {
  std::vector<Plain<double>> expected;
  for (std::int64_t n = 2; n < 50; ++n)
    expected.push_back(plain<double>(fft::dct(numbers({3, n}), 2)));
  std::atomic<int> wrong = 0;
  BaseBackend& backend = default_backend();
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {
      const ScopedBackend scope(backend);
      for (int round = 0; round < 3; ++round)
        for (std::int64_t i = 0; i < 48; ++i) {
          const std::int64_t n = 2 + (i * 5 + t * 17) % 48;
          const UnifiedArray y = fft::dct(numbers({3, n}), 2);
          if (!same<double>(y, expected[static_cast<std::size_t>(n - 2)])) ++wrong;
        }
    });
  for (auto& t : threads) t.join();
  BOOST_TEST(wrong == 0);
}

BACKEND_TEST_CASE(numbers_of_threads_do_not_change_a_bit) {
  const UnifiedArray x = numbers({300, 401});
  std::vector<Plain<double>> results;
  for (const int threads : {1, 2, 3}) {
    default_backend().set_threads(threads);
    results.push_back(plain<double>(fft::dct(x, 2, {0, 1})));
    results.push_back(plain<double>(fft::hartley(x.T(), {0, 1})));
  }
  default_backend().set_threads(0);
  for (std::size_t i = 2; i < results.size(); ++i)
    BOOST_TEST((results[i].data == results[i % 2].data));
}

BACKEND_TEST_CASE(profiles_name_the_transform) {
  const UnifiedArray x = numbers({30, 20});
  Profile profile;
  fft::dct(x, 2, {0, 1}).eval();
  fft::idct(x, 2, {0, 1}).eval();
  fft::dct(x, 2, {1}).eval();
  profile.stop();
  int calls = 0;
  for (const ProfileRow& row : profile.rows()) {
    if (row.kernel != "dct type 2" && row.kernel != "dct type 3") continue;
    BOOST_TEST(row.calls == (row.kernel == "dct type 2" ? 2 : 1));
    BOOST_TEST((row.shape == Shape{30, 20}));
    BOOST_TEST(row.bytes == static_cast<double>(row.calls) * 2 * 8 * 600);
    calls += static_cast<int>(row.calls);
  }
  BOOST_TEST(calls == 3);
}
