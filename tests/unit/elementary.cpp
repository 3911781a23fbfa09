// Elementary functions against MPFR: test_elementary [-- POINTS] for how many points each function
// is tried at.
#include <mpfr.h>

#include <algorithm>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <isofield/isofield.hpp>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

using namespace isofield;

namespace {

std::int64_t points() {
  const auto& suite = boost::unit_test::framework::master_test_suite();
  return suite.argc > 1 ? std::atoll(suite.argv[1]) : 30000;
}

/// A number of MPFR's, with digits enough that its own rounding does not count.
class Exact {
 public:
  Exact() { mpfr_init2(value_, 100); }
  ~Exact() { mpfr_clear(value_); }
  Exact(const Exact&) = delete;
  Exact& operator=(const Exact&) = delete;
  operator mpfr_ptr() { return value_; }

 private:
  mpfr_t value_;
};

using Function = int (*)(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t);

int sigmoid_of(mpfr_ptr result, mpfr_srcptr x, mpfr_rnd_t rounding) {
  mpfr_neg(result, x, rounding);
  mpfr_exp(result, result, rounding);
  mpfr_add_ui(result, result, 1, rounding);
  return mpfr_ui_div(result, 1, result, rounding);
}

/// How far `found` is from `exact`, in units of the last place of `exact`; infinite where one is
/// NaN, infinite or zero, or has the other sign, and should not.
template <class T>
double ulps(T found, mpfr_ptr exact, mpfr_ptr difference) {
  using L = std::numeric_limits<T>;
  constexpr double wrong = std::numeric_limits<double>::infinity();
  if (mpfr_nan_p(exact) || std::isnan(found))
    return mpfr_nan_p(exact) && std::isnan(found) ? 0 : wrong;
  if (std::signbit(found) != (mpfr_signbit(exact) != 0)) return wrong;
  if (mpfr_inf_p(exact)) return std::isinf(found) ? 0 : wrong;
  if (mpfr_zero_p(exact)) return found == 0 ? 0 : wrong;
  const auto exponent = std::max<mpfr_exp_t>(mpfr_get_exp(exact), L::min_exponent);
  if (std::isinf(found)) {  // the number after the largest
    if (exponent > L::max_exponent) return 0;
    mpfr_set_si_2exp(difference, found < 0 ? -1 : 1, L::max_exponent, MPFR_RNDN);
  } else {
    mpfr_set_d(difference, static_cast<double>(found), MPFR_RNDN);
  }
  mpfr_sub(difference, difference, exact, MPFR_RNDN);
  mpfr_mul_2si(difference, difference, L::digits - exponent, MPFR_RNDN);
  return std::fabs(mpfr_get_d(difference, MPFR_RNDN));
}

/// Special values; patterns that are equally likely; numbers from [low, high]; magnitudes from
/// 2^-12 to 16.
template <class T>
std::vector<T> arguments(double low, double high, std::int64_t n = points()) {
  using L = std::numeric_limits<T>;
  using Word = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
  std::vector<T> x;
  for (const T positive :
       {T(0), L::denorm_min(), L::min(), L::epsilon(), L::epsilon() / 2, T(0.5), T(1), T(2), T(3),
        T(10), T(100), L::max(), L::infinity(), L::quiet_NaN()})
    for (const T value : {positive, -positive})
      for (const T near : {value, std::nextafter(value, T(0)), std::nextafter(value, 2 * value)})
        x.push_back(near);
  std::mt19937_64 generator(20);
  const auto uniform = [&] { return static_cast<double>(generator() >> 11) * 0x1p-53; };
  for (std::int64_t i = 0; i < n; i += 3) {
    x.push_back(std::bit_cast<T>(static_cast<Word>(generator())));
    x.push_back(static_cast<T>(low + (high - low) * uniform()));
    const double small = std::ldexp(1.0 + uniform(), static_cast<int>(generator() % 16) - 12);
    x.push_back(static_cast<T>(generator() % 2 ? small : -small));
  }
  return x;
}

template <class T>
UnifiedArray array(const std::vector<T>& x) {
  return asarray(x, {static_cast<std::int64_t>(x.size())});
}

struct Wide {
  double low, high;
};

template <class T, class Ours>
void keeps(const char* name, Ours ours, Function exact, Wide range, double bound) {
  const std::vector<T> x = arguments<T>(range.low, range.high);
  const UnifiedArray a = array(x);
  const std::vector<T> y = ours(a).template to_vector<T>();
  Exact argument, value, difference;
  double worst = 0;
  T where = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    mpfr_set_d(argument, static_cast<double>(x[i]), MPFR_RNDN);
    exact(value, argument, MPFR_RNDN);
    const double error = ulps(y[i], value, difference);
    if (error > worst) worst = error, where = x[i];
  }
  BOOST_TEST_MESSAGE(name << ' ' << isofield::name(dtype_of<T>) << ": at most " << worst
                          << " ulp, at " << where);
  BOOST_TEST(worst <= bound, name << ' ' << isofield::name(dtype_of<T>) << " of " << where << " is "
                                  << worst << " ulp off, more than " << bound);
}

}  // namespace

struct OnEigen {
  OnEigen() { set_backend("eigen"); }
};

BOOST_FIXTURE_TEST_SUITE(elementary, OnEigen)

// Where functions of one argument vary, in float64 and float32.
struct Row {
  const char* name;
  UnifiedArray (*ours)(const UnifiedArray&);
  Function exact;
  Wide wide64, wide32;
};
#define ROW(name, exact, ...)                                                          \
  Row {                                                                                \
#name, [](const UnifiedArray& x) { return isofield::name(x); }, exact, __VA_ARGS__ \
  }
const Row rows[] = {
    ROW(exp, mpfr_exp, {-746, 710}, {-104, 89}),
    ROW(expm1, mpfr_expm1, {-40, 710}, {-20, 89}),
    ROW(log, mpfr_log, {0, 3}, {0, 3}),
    ROW(log1p, mpfr_log1p, {-1, 3}, {-1, 3}),
    ROW(sinh, mpfr_sinh, {-711, 711}, {-90, 90}),
    ROW(cosh, mpfr_cosh, {-711, 711}, {-90, 90}),
    ROW(sin, mpfr_sin, {-1.1e5, 1.1e5}, {-1.1e5, 1.1e5}),
    ROW(cos, mpfr_cos, {-1.1e5, 1.1e5}, {-1.1e5, 1.1e5}),
    ROW(tan, mpfr_tan, {-1.1e5, 1.1e5}, {-1.1e5, 1.1e5}),
    ROW(asin, mpfr_asin, {-1, 1}, {-1, 1}),
    ROW(acos, mpfr_acos, {-1, 1}, {-1, 1}),
    ROW(atan, mpfr_atan, {-5, 5}, {-5, 5}),
    ROW(erf, mpfr_erf, {-6.5, 6.5}, {-4.5, 4.5}),
    ROW(tanh, mpfr_tanh, {-20, 20}, {-10, 10}),
    ROW(sigmoid, sigmoid_of, {-746, 40}, {-104, 20}),
    ROW(log2, mpfr_log2, {0, 3}, {0, 3}),
    ROW(log10, mpfr_log10, {0, 3}, {0, 3}),
    ROW(asinh, mpfr_asinh, {-5, 5}, {-5, 5}),
    ROW(acosh, mpfr_acosh, {1, 5}, {1, 5}),
    ROW(atanh, mpfr_atanh, {-1, 1}, {-1, 1}),
};
const Row& row(std::string_view name) {
  return *std::find_if(std::begin(rows), std::end(rows),
                       [=](const Row& r) { return r.name == name; });
}

/// Two arguments at each point: special values against each other, then what a function adds.
template <class T>
struct Pairs {
  std::vector<T> x = {}, y = {};
  std::mt19937_64 generator{21};

  Pairs() {
    const std::vector<T> special = arguments<T>(-1, 1, 0);
    for (const T a : special)
      for (const T b : special) add(a, b);
  }
  void add(T a, T b) { x.push_back(a), y.push_back(b); }
  double uniform() { return static_cast<double>(generator() >> 11) * 0x1p-53; }
  int integer(int n) { return static_cast<int>(generator() % static_cast<unsigned>(n)); }
  T any() {
    using Word = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
    return std::bit_cast<T>(static_cast<Word>(generator()));
  }
};

/// What gives powers of every size.
template <class T>
Pairs<T> bases_and_exponents() {
  Pairs<T> p;
  for (const T b : {T(0x1p52), T(0x1p52) + 1, T(0x1p53), T(4503599627370497.5), T(-7), T(7.5)})
    for (const T a : arguments<T>(-1, 1, 0)) p.add(a, b);
  const double most = std::numeric_limits<T>::max_exponent * 1.04;
  const auto sized = [&](double a) {
    return T((2 * p.uniform() - 1) * most / std::fabs(std::log2(a)));
  };
  for (std::int64_t i = 0; i < points(); i += 4) {
    const T any = std::fabs(p.any());
    p.add(any, sized(static_cast<double>(any)));
    const T middle = T(0.5 + 1.5 * p.uniform());
    p.add(middle, sized(static_cast<double>(middle)));
    const T near_one = T(1 + std::ldexp(p.uniform() - 0.5, -p.integer(50)));
    p.add(near_one, sized(static_cast<double>(near_one)));
    p.add(T(20 * p.uniform() - 10), T(p.integer(101) - 50));
  }
  return p;
}

/// Points of the plane, in every direction and at every distance.
template <class T>
Pairs<T> points_of_the_plane() {
  Pairs<T> p;
  using L = std::numeric_limits<T>;
  for (std::int64_t i = 0; i < points(); i += 4) {
    p.add(p.any(), p.any());
    const auto coordinate = [&] { return 2 * p.uniform() - 1; };
    p.add(T(coordinate()), T(coordinate()));
    const int size =
        L::min_exponent - L::digits + p.integer(L::max_exponent - L::min_exponent + L::digits);
    p.add(T(std::ldexp(coordinate(), size)), T(std::ldexp(coordinate(), size)));
    const T a = T(coordinate());
    p.add(a, T(static_cast<double>(a) * std::ldexp(coordinate(), p.integer(20) - 10)));
  }
  return p;
}

using FunctionOfTwo = int (*)(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t);

template <class T, class Ours>
void keeps(const char* name, Ours ours, FunctionOfTwo exact, const Pairs<T>& p, double bound) {
  const std::vector<T> z = ours(array(p.x), array(p.y)).template to_vector<T>();
  Exact a, b, value, difference;
  double worst = 0;
  std::size_t where = 0;
  for (std::size_t i = 0; i < p.x.size(); ++i) {
    mpfr_set_d(a, static_cast<double>(p.x[i]), MPFR_RNDN);
    mpfr_set_d(b, static_cast<double>(p.y[i]), MPFR_RNDN);
    exact(value, a, b, MPFR_RNDN);
    const double error = ulps(z[i], value, difference);
    if (error > worst) worst = error, where = i;
  }
  BOOST_TEST_MESSAGE(name << ' ' << isofield::name(dtype_of<T>) << ": at most " << worst
                          << " ulp, at " << p.x[where] << ", " << p.y[where]);
  BOOST_TEST(worst <= bound, name << ' ' << isofield::name(dtype_of<T>) << " of " << p.x[where]
                                  << " and " << p.y[where] << " is " << worst
                                  << " ulp off, more than " << bound);
}

template <class T>
void check_of_two(std::string_view function, double bound) {
  if (function == "power")
    keeps<T>(
        "power", [](const auto& a, const auto& b) { return power(a, b); }, mpfr_pow,
        bases_and_exponents<T>(), bound);
  else if (function == "atan2")
    keeps<T>(
        "atan2", [](const auto& a, const auto& b) { return atan2(a, b); }, mpfr_atan2,
        points_of_the_plane<T>(), bound);
  else
    keeps<T>(
        "hypot", [](const auto& a, const auto& b) { return hypot(a, b); }, mpfr_hypot,
        points_of_the_plane<T>(), bound);
}

void check(std::string_view function, double bound64, double bound32) {
  if (function == "power" || function == "atan2" || function == "hypot") {
    check_of_two<double>(function, bound64);
    check_of_two<float>(function, bound32);
    return;
  }
  const Row& r = row(function);
  keeps<double>(r.name, r.ours, r.exact, r.wide64, bound64);
  keeps<float>(r.name, r.ours, r.exact, r.wide32, bound32);
}

#define BOUND(function, bound64, bound32)                          \
  BOOST_AUTO_TEST_CASE(function##_is_as_close_as_the_table_says) { \
    check(#function, bound64, bound32);                            \
  }
#include "program/elementary/bounds.def"
#undef BOUND

BOOST_AUTO_TEST_CASE(values_that_are_numbers_are_exact) {
  for (const DType dtype : {float64, float32}) {
    const auto at = [&](auto f, double x) {
      return f(asarray(x).astype(dtype)).astype(float64).template item<double>();
    };
    BOOST_TEST(at([](const auto& x) { return exp(x); }, 0.0) == 1.0);
    BOOST_TEST(at([](const auto& x) { return cosh(x); }, 0.0) == 1.0);
    BOOST_TEST(at([](const auto& x) { return cos(x); }, 0.0) == 1.0);
    BOOST_TEST(at([](const auto& x) { return erf(x); }, 40.0) == 1.0);
    BOOST_TEST(at([](const auto& x) { return power(x, 3.0); }, 7.0) == 343.0);
    BOOST_TEST(at([](const auto& x) { return sigmoid(x); }, 0.0) == 0.5);
    BOOST_TEST(at([](const auto& x) { return log(x); }, 1.0) == 0.0);
    BOOST_TEST(at([](const auto& x) { return tanh(x); }, 40.0) == 1.0);
    BOOST_TEST(at([](const auto& x) { return acos(x); }, 1.0) == 0.0);
    BOOST_TEST(at([](const auto& x) { return hypot(x, 4.0); }, 3.0) == 5.0);
    BOOST_TEST(at([](const auto& x) { return hypot(x, x); }, 0.0) == 0.0);
  }
}

BOOST_AUTO_TEST_CASE(odd_functions_are_odd_and_even_ones_even) {
  const auto check = [](auto tag) {
    using T = decltype(tag);
    const UnifiedArray x = array(arguments<T>(-20, 20));
    const auto same = [](const UnifiedArray& a, const UnifiedArray& b) {
      return all((a == b) || (isnan(a) && isnan(b))).item<bool>();
    };
    BOOST_TEST(same(sinh(-x), -sinh(x)));
    BOOST_TEST(same(tanh(-x), -tanh(x)));
    BOOST_TEST(same(sin(-x), -sin(x)));
    BOOST_TEST(same(tan(-x), -tan(x)));
    BOOST_TEST(same(erf(-x), -erf(x)));
    BOOST_TEST(same(asin(-x), -asin(x)));
    BOOST_TEST(same(atan(-x), -atan(x)));
    BOOST_TEST(same(cos(-x), cos(x)));
    BOOST_TEST(same(cosh(-x), cosh(x)));
  };
  check(double{});
  check(float{});
}

BOOST_AUTO_TEST_SUITE_END()
