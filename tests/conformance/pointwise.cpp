// Every row of the table of operations against a plain loop, on special values and at lengths
// around those of vectors and tiles.
#include <algorithm>
#include <set>
#include <string_view>

#include "reference.hpp"

using namespace isofield;
using namespace isofield::testing;

namespace {

// clang-format off
/// The table's element functions written again, in the plainest way.
namespace math {
template <class T> inline constexpr bool real_float = std::is_floating_point_v<T>;
template <class T> auto abs(T x) {
  if constexpr (std::is_unsigned_v<T>) return x;
  else if constexpr (std::is_integral_v<T>) return x < T(0) ? T(0 - std::uint64_t(x)) : x;
  else return std::abs(x);
}
template <class T> T conj(T x) { if constexpr (is_complex_type<T>) return std::conj(x); else return x; }
template <class T> auto real(T x) { if constexpr (is_complex_type<T>) return x.real(); else return x; }
template <class T> auto imag(T x) { if constexpr (is_complex_type<T>) return x.imag(); else return T(0); }
template <class T> T divide(T a, T b) {
  if constexpr (is_complex_type<T>)
    if (b == T(0)) return {a.real() / std::abs(b.real()), a.imag() / std::abs(b.real())};
  return a / b;
}
template <class T> bool isfinite(T x) {
  if constexpr (is_complex_type<T>) return std::isfinite(x.real()) && std::isfinite(x.imag());
  else return std::isfinite(static_cast<double>(x)) || std::is_integral_v<T>;
}
template <class T> bool isinf(T x) {
  if constexpr (is_complex_type<T>) return std::isinf(x.real()) || std::isinf(x.imag());
  else return std::isinf(static_cast<double>(x));
}
template <class T> bool signbit(T x) { return std::signbit(x); }
template <class T> T copysign(T a, T b) { return std::copysign(a, b); }
template <class T> T nextafter(T a, T b) { return std::nextafter(a, b); }
template <class T> T invert(T x) { if constexpr (std::is_same_v<T, bool>) return !x; else return T(~x); }
template <class T> T left_shift(T a, T b) {
  std::uint64_t x = std::uint64_t(a);
  if (b < T(0) || b >= T(sizeof(T) * 8)) return T(0);
  for (T k = 0; k < b; ++k) x *= 2;
  return T(x);
}
template <class T> T right_shift(T a, T b) {
  if (b < T(0) || b >= T(sizeof(T) * 8)) return a < T(0) ? T(-1) : T(0);
  for (T k = 0; k < b; ++k) a = T(a < T(0) && a % 2 != 0 ? (a - 1) / 2 : a / 2);
  return a;
}
template <class T> T sign(T x) {
  if constexpr (is_complex_type<T>) return x == T(0) ? T(0) : x / std::abs(x);
  else if constexpr (std::is_unsigned_v<T>) return T(x > 0);
  else return x > T(0) ? T(1) : x < T(0) ? T(-1) : x == T(0) ? T(0) : x;
}
template <class T> T maximum(T a, T b) { return a != a ? a : b != b ? b : a > b ? a : b; }
template <class T> T minimum(T a, T b) { return a != a ? a : b != b ? b : a < b ? a : b; }
template <class T> T sqrt(T x) { return std::sqrt(x); }
template <class T> T floor(T x) { if constexpr (real_float<T>) return std::floor(x); else return x; }
template <class T> T ceil(T x) { if constexpr (real_float<T>) return std::ceil(x); else return x; }
template <class T> T trunc(T x) { if constexpr (real_float<T>) return std::trunc(x); else return x; }
template <class T> T round(T x) {  // ties to even
  if constexpr (is_complex_type<T>) {
    return {round(x.real()), round(x.imag())};
  } else if constexpr (real_float<T>) {
    if (!(std::fabs(x) < T(1e15))) return x;
    const T down = std::floor(x), rest = x - down;
    const T up = down + T(1);
    const T nearest = rest < T(0.5) ? down : rest > T(0.5) ? up : std::fmod(down, T(2)) == T(0) ? down : up;
    return std::copysign(nearest, x);
  } else {
    return x;
  }
}
template <class T> T exp(T x) { return std::exp(x); }
template <class T> T expm1(T x) { if constexpr (is_complex_type<T>) return T(std::exp(std::complex<long double>(x)) - 1.0L); else return std::expm1(x); }
template <class T> T log2(T x) { if constexpr (is_complex_type<T>) return T(std::log(std::complex<long double>(x)) / std::log(2.0L)); else return std::log2(x); }
template <class T> T log10(T x) { return std::log10(x); }
template <class T> T asinh(T x) { return std::asinh(x); }
template <class T> T acosh(T x) { return std::acosh(x); }
template <class T> T atanh(T x) { return std::atanh(x); }
template <class T> T logaddexp(T a, T b) {
  using L = long double;
  return std::isinf(a) && a == b ? a : T(std::max(L(a), L(b)) + std::log1p(std::exp(-std::fabs(L(a) - L(b)))));
}
template <class T> T sin(T x) { return std::sin(x); }
template <class T> T cos(T x) { return std::cos(x); }
template <class T> T tan(T x) { return std::tan(x); }
template <class T> T asin(T x) { return std::asin(x); }
template <class T> T acos(T x) { return std::acos(x); }
template <class T> T atan(T x) { return std::atan(x); }
template <class T> T atan2(T a, T b) { return std::atan2(a, b); }
template <class T> T hypot(T a, T b) { return std::hypot(a, b); }
template <class T> T erf(T x) { return std::erf(x); }
template <class T> T log(T x) { return std::log(x); }
template <class T> T log1p(T x) { if constexpr (is_complex_type<T>) return T(std::log(std::complex<long double>(x) + 1.0L)); else return std::log1p(x); }
template <class T> T sinh(T x) { return std::sinh(x); }
template <class T> T cosh(T x) { return std::cosh(x); }
template <class T> T tanh(T x) { return std::tanh(x); }
template <class T> T sigmoid(T x) { return (x < 0 ? std::exp(x) : T(1)) / (T(1) + std::exp(-std::fabs(x))); }
template <class T> T power(T a, T b) {
  if constexpr (is_complex_type<T>) {
    if (b == T(0)) return T(1);
    if (a == T(0)) return b.real() > 0 ? T(0) : T(NAN);
    return T(std::pow(std::complex<long double>(a), std::complex<long double>(b)));
  } else if constexpr (std::is_floating_point_v<T>) {
    return std::pow(a, b);
  } else {
    if (b < T(0)) return a == T(1) ? T(1) : a == T(-1) ? (b % 2 ? T(-1) : T(1)) : T(0);
    std::uint64_t result = 1, base = std::uint64_t(a);
    for (std::uint64_t e = std::uint64_t(b); e; e >>= 1, base *= base)
      if (e & 1) result *= base;
    return T(result);
  }
}
template <class T> T remainder(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    const T r = std::fmod(a, b);
    if (r == T(0)) return std::copysign(T(0), b);
    return (r < T(0)) != (b < T(0)) && r == r ? r + b : r;
  } else {
    if (b == T(0) || (std::is_signed_v<T> && b == T(-1))) return T(0);
    return T(a % b != T(0) && ((a % b < T(0)) != (b < T(0))) ? a % b + b : a % b);
  }
}
template <class T> T floor_divide(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {  // as Python and NumPy: b * (a // b) + a % b is a
    if (b == T(0) || std::isinf(a) || std::isinf(b)) return a / b;
    const T r = std::fmod(a, b);
    T q = (a - r) / b;
    if (r != T(0) && ((r < T(0)) != (b < T(0)))) q -= T(1);
    if (q == T(0)) return std::copysign(T(0), a / b);
    const T down = std::floor(q);
    return q - down > T(0.5) ? down + T(1) : down;
  } else {
    if (b == T(0)) return T(0);
    if (std::is_signed_v<T> && b == T(-1)) return T(0 - std::uint64_t(a));
    return T(a / b - (a % b != T(0) && ((a % b < T(0)) != (b < T(0)))));
  }
}
}  // namespace math
// clang-format on

// Integer arithmetic wraps; in C++ that is the unsigned type's.
template <class T>
inline constexpr bool wraps = std::is_integral_v<T> && !std::is_same_v<T, bool>;

template <Domain D, class T>
constexpr bool takes = in_domain(D, dtype_of<T>);

template <class T>
struct part_of {
  using type = T;
};
template <class T>
struct part_of<std::complex<T>> {
  using type = T;
};
template <OpResult R, class T>
using result_of =
    std::conditional_t<R == OpResult::boolean, bool,
                       std::conditional_t<R == OpResult::real, typename part_of<T>::type, T>>;

/// `value` computed in T, where the table's own text would overflow in the wrapping type.
#define WRAPS(name, with_floats, with_integers)              \
  template <class T>                                         \
  T name##_value(T a, T b) {                                 \
    if constexpr (wraps<T>) {                                \
      const auto x = std::uint64_t(a), y = std::uint64_t(b); \
      return T(with_integers);                               \
    } else {                                                 \
      return T(with_floats);                                 \
    }                                                        \
  }
WRAPS(add, a + b, x + y)
WRAPS(subtract, a - b, x - y)
WRAPS(multiply, a* b, x* y)
#undef WRAPS

/// Functions that need not round as the C library's do; how well they round is
/// tests/unit/elementary.cpp's.
const std::set<std::string_view> elementary = {
    "exp",   "expm1", "log",  "log1p", "sinh",  "cosh",  "tanh",  "sigmoid",
    "sin",   "cos",   "tan",  "asin",  "acos",  "atan",  "erf",   "power",
    "atan2", "hypot", "log2", "log10", "asinh", "acosh", "atanh", "logaddexp"};
template <class T>
bool close(T x, T y) {
  if constexpr (std::is_floating_point_v<T>) {
    using L = std::numeric_limits<T>;
    return std::fabs(x - y) <= 4 * std::max(L::denorm_min(), L::epsilon() * std::fabs(y));
  } else if constexpr (is_complex_type<T>) {  // of the modulus, and poles are where they are
    using L = std::numeric_limits<typename T::value_type>;
    if (!math::isfinite(x) || !math::isfinite(y)) return !math::isfinite(x) && !math::isfinite(y);
    return std::abs(x - y) <= 32 * L::epsilon() * std::max(std::abs(y), L::epsilon());
  } else {
    return x == y;
  }
}

/// Whether two numbers differ in the last place of 1 alone.
template <class T>
bool near_one(T x, T y) {
  if constexpr (std::is_floating_point_v<T>)
    return std::fabs(x - y) <= 4 * std::numeric_limits<T>::epsilon();
  else
    return x == y;
}

template <class T, class R>
void check(const char* name, const UnifiedArray& got, const Shape& shape,
           const std::vector<Stored<R>>& expected) {
  const bool vague = std::string_view(name) == "maximum" || std::string_view(name) == "minimum" ||
                     std::string_view(name) == "relu";  // either zero will do
  const bool rounds = elementary.contains(name);
  const bool cancels = std::string_view(name) == "logaddexp";
  BOOST_TEST_CONTEXT(name)
  BOOST_TEST(matches<R>(got, {shape, expected}, [=](Stored<R> x, Stored<R> y) {
    return same_bits(x, y) || (vague && x == y) || ((rounds || is_complex_type<T>)&&close(x, y)) ||
           (cancels && near_one(x, y));
  }));
}

// The table's expression for one element, with wrapping integers.
template <class T, class R, class F>
std::vector<Stored<R>> each(const Plain<T>& a, F f) {
  std::vector<Stored<R>> result;
  for (const auto x : a.data) result.push_back(static_cast<Stored<R>>(f(static_cast<T>(x))));
  return result;
}
template <class T, class R, class F>
std::vector<Stored<R>> each(const Plain<T>& a, const Plain<T>& b, F f) {
  std::vector<Stored<R>> result;
  for (std::size_t i = 0; i < a.data.size(); ++i)
    result.push_back(
        static_cast<Stored<R>>(f(static_cast<T>(a.data[i]), static_cast<T>(b.data[i]))));
  return result;
}

template <class T>
T unary_wrapping(Op op, T x) {
  if constexpr (wraps<T>) {
    if (op == Op::negative) return T(0 - std::uint64_t(x));
    if (op == Op::square) return T(std::uint64_t(x) * std::uint64_t(x));
  }
  return x;
}
constexpr bool unary_wraps(Op op) { return op == Op::negative || op == Op::square; }

template <class T>
void check_unary(const Plain<T>& values) {
  const UnifiedArray a = values.array();
#define UNARY(op, dom, res, expression, ...)                                \
  if constexpr (takes<Domain::dom, T>) {                                    \
    using R = result_of<OpResult::res, T>;                                  \
    const auto f = [](T x) {                                                \
      if constexpr (wraps<T> && unary_wraps(Op::op))                        \
        return R(unary_wrapping(Op::op, x));                                \
      else                                                                  \
        return static_cast<R>(expression);                                  \
    };                                                                      \
    check<T, R>(#op, isofield::op(a), values.shape, each<T, R>(values, f)); \
  }
#define BINARY(op, dom, res, expression, ...)
#include <isofield/ops.def>
#undef UNARY
#undef BINARY
}

template <class T>
void check_binary(const Plain<T>& x, const Plain<T>& y, const UnifiedArray& p,
                  const UnifiedArray& q) {
#define UNARY(op, dom, res, expression, ...)
#define BINARY(op, dom, res, expression, ...)                           \
  if constexpr (takes<Domain::dom, T>) {                                \
    using R = result_of<OpResult::res, T>;                              \
    const auto f = [](T a, T b) {                                       \
      if constexpr (wraps<T> && Op::op == Op::add)                      \
        return add_value(a, b);                                         \
      else if constexpr (wraps<T> && Op::op == Op::subtract)            \
        return subtract_value(a, b);                                    \
      else if constexpr (wraps<T> && Op::op == Op::multiply)            \
        return multiply_value(a, b);                                    \
      else                                                              \
        return static_cast<R>(expression);                              \
    };                                                                  \
    check<T, R>(#op, isofield::op(p, q), x.shape, each<T, R>(x, y, f)); \
  }
#include <isofield/ops.def>
#undef UNARY
#undef BINARY
}

/// Every special value against every other, as two arrays.
template <class T>
std::pair<Plain<T>, Plain<T>> all_pairs() {
  const auto values = special_values<T>();
  const auto n = static_cast<std::int64_t>(values.size());
  Plain<T> a({n, n}), b({n, n});
  each_index({n, n}, [&](const auto& at) {
    a[at] = values[static_cast<std::size_t>(at[0])];
    b[at] = values[static_cast<std::size_t>(at[1])];
  });
  return {a, b};
}

}  // namespace

BACKEND_DTYPE_TEST_CASE(unary_rows_do_what_the_table_says, EVERY_DTYPE) {
  const auto values = special_values<T>();
  check_unary(Plain<T>({static_cast<std::int64_t>(values.size())}, values));
  for (const std::int64_t n : {1, 15, 63, 257, 1025}) check_unary(noise<T>({n}, 3, -3, 3));
}

BACKEND_DTYPE_TEST_CASE(binary_rows_do_what_the_table_says, EVERY_DTYPE) {
  const auto [a, b] = all_pairs<T>();
  check_binary(a, b, a.array(), b.array());
  for (const std::int64_t n : {1, 15, 63, 257, 1025}) {
    const Plain<T> x = noise<T>({n}, 4, -3, 3), y = noise<T>({n}, 5, -3, 3);
    check_binary(x, y, x.array(), y.array());
  }
}

BACKEND_DTYPE_TEST_CASE(binary_rows_take_broadcast_and_strided_operands, EVERY_DTYPE) {
  const Plain<T> x = noise<T>({9, 40}, 6, -3, 3), line = noise<T>({40}, 7, -3, 3);
  Plain<T> repeated({9, 40}), turned({40, 9});
  each_index(repeated.shape, [&](const auto& at) { repeated[at] = line[{at[1]}]; });
  each_index(turned.shape, [&](const auto& at) { turned[at] = x[{at[1], at[0]}]; });
  check_binary(x, repeated, x.array(), line.array());
  check_binary(repeated, x, line.array(), turned.array().T());
}

BACKEND_DTYPE_TEST_CASE(scalars_stand_on_either_side, float, double) {
  const Plain<T> x = noise<T>({300}, 8, -3, 3);
  const UnifiedArray a = x.array();
  const T s = T(0.7);
  Plain<T> constant({300});
  for (auto& c : constant.data) c = s;
#define UNARY(op, dom, res, expression, ...)
#define BINARY(op, dom, res, expression, ...)                                               \
  if constexpr (takes<Domain::dom, T>) {                                                    \
    using R = result_of<OpResult::res, T>;                                                  \
    BOOST_TEST_CONTEXT(#op) {                                                               \
      BOOST_TEST(same<R>(isofield::op(a, s), plain<R>(isofield::op(a, constant.array())))); \
      BOOST_TEST(same<R>(isofield::op(s, a), plain<R>(isofield::op(constant.array(), a)))); \
    }                                                                                       \
  }
#include <isofield/ops.def>
#undef UNARY
#undef BINARY
}

BACKEND_DTYPE_TEST_CASE(where_takes_every_mix_of_arrays_and_scalars, float, double, std::int64_t,
                        bool) {
  for (const std::int64_t n : {1, 40, 1500}) {
    const Plain<bool> c = noise<bool>({n}, 1);
    const Plain<T> x = noise<T>({n}, 2), y = noise<T>({n}, 3);
    const auto expected = [&](bool sx, bool sy) {
      Plain<T> e({n});
      for (std::size_t i = 0; i < e.data.size(); ++i)
        e.data[i] = c.data[i] ? (sx ? Stored<T>(1) : x.data[i]) : (sy ? Stored<T>(0) : y.data[i]);
      return e;
    };
    const UnifiedArray p = c.array(), a = x.array(), b = y.array();
    BOOST_TEST(same<T>(where(p, a, b), expected(false, false)));
    BOOST_TEST(same<T>(where(p, T(1), b), expected(true, false)));
    BOOST_TEST(same<T>(where(p, a, T(0)), expected(false, true)));
    BOOST_TEST(same<T>(where(true, a, b), x));
    BOOST_TEST(same<T>(where(false, a, b), y));
    BOOST_TEST(same<T>(where(!p, b, a), expected(false, false)));
  }
  BOOST_TEST(same<std::int64_t>(where(asarray({true, false}), 1, 2), {{2}, {1, 2}}));
}

template <class U, class T>
Stored<U> plainly_cast(T x) {
  if constexpr (is_complex_type<T> && !is_complex_type<U> && !std::is_same_v<U, bool>)
    return plainly_cast<U>(x.real());
  else if constexpr (std::is_same_v<U, bool>)
    return x != T(0);
  else if constexpr (is_complex_type<U> && !is_complex_type<T>)
    return U(static_cast<typename U::value_type>(x));
  else if constexpr (std::is_floating_point_v<T> && std::is_integral_v<U>)
    return static_cast<U>(static_cast<std::int64_t>(x));  // negative numbers wrap
  else
    return static_cast<U>(x);
}

BACKEND_DTYPE_TEST_CASE(casts_go_between_all_dtypes, EVERY_DTYPE) {
  const Plain<T> x = noise<T>({1100}, 9, -100, 100);
  const UnifiedArray a = x.array();
  for (const DType to : all_dtypes)
    visit_dtype(to, [&](auto tag) {
      using U = decltype(tag);
      if constexpr (is_complex_type<T> && !is_complex_type<U> && !std::is_same_v<U, bool>) {
        BOOST_CHECK_THROW(a.astype(to), DTypeError);
        return;
      }
      Plain<U> e({1100});
      for (std::size_t i = 0; i < e.data.size(); ++i)
        e.data[i] = plainly_cast<U>(static_cast<T>(x.data[i]));
      BOOST_TEST(same<U>(a.astype(to), e));
    });
}

BACKEND_TEST_CASE(operators_are_the_functions) {
  const UnifiedArray a = noise<double>({50}, 1).array(), b = noise<double>({50}, 2).array();
  BOOST_TEST(same<double>(-a, plain<double>(negative(a))));
  BOOST_TEST(same<double>(a + b * 2.0 - a / b,
                          plain<double>(subtract(add(a, multiply(b, 2.0)), divide(a, b)))));
  BOOST_TEST(same<double>(1.0 - a, plain<double>(subtract(1.0, a))));
  BOOST_TEST(same<bool>(a == b, plain<bool>(equal(a, b))));
  BOOST_TEST(same<bool>(a != b, plain<bool>(not_equal(a, b))));
  BOOST_TEST(same<bool>(a <= b, plain<bool>(less_equal(a, b))));
  BOOST_TEST(same<bool>(a >= 0.0, plain<bool>(greater_equal(a, 0.0))));
  BOOST_TEST(same<bool>(
      !(a < b) || (a > b && b < 0.0),
      plain<bool>(logical_or(logical_not(less(a, b)), logical_and(greater(a, b), less(b, 0.0))))));
  BOOST_TEST(same<double>(clip(a, -0.5, 0.5), plain<double>(minimum(maximum(a, -0.5), 0.5))));
}

BACKEND_TEST_CASE(dtypes_promote_within_their_kind) {
  BOOST_TEST(((ones({2}, float32) + ones({2})).dtype() == float64));
  BOOST_TEST(((ones({2}, float32) + 1.0).dtype() == float32));
  BOOST_TEST(((ones({2}, float32) + 1).dtype() == float32));
  BOOST_TEST(((ones({2}, int64) + 1).dtype() == int64));
  BOOST_TEST((result_type(float32, float64) == float64));
  BOOST_TEST(((ones({2}, float32) < ones({2})).dtype() == bool_));
  BOOST_TEST((add(1, 2.5).item<double>() == 3.5));
  BOOST_TEST((add(2.5, 1).item<double>() == 3.5));
  BOOST_TEST((add(1, 2).dtype() == int64));
}

BACKEND_TEST_CASE(dtypes_promote_as_the_standard_says) {
  // Rows and columns: int8 int16 int32 int64 uint8 uint16 uint32 uint64.
  const DType integers[8] = {int8, int16, int32, int64, uint8, uint16, uint32, uint64};
  const DType none = bool_;
  const DType expected[8][8] = {{int8, int16, int32, int64, int16, int32, int64, none},
                                {int16, int16, int32, int64, int16, int32, int64, none},
                                {int32, int32, int32, int64, int32, int32, int64, none},
                                {int64, int64, int64, int64, int64, int64, int64, none},
                                {int16, int16, int32, int64, uint8, uint16, uint32, uint64},
                                {int32, int32, int32, int64, uint16, uint16, uint32, uint64},
                                {int64, int64, int64, int64, uint32, uint32, uint32, uint64},
                                {none, none, none, none, uint64, uint64, uint64, uint64}};
  for (int i = 0; i < 8; ++i)
    for (int j = 0; j < 8; ++j)
      if (expected[i][j] == none)
        BOOST_CHECK_THROW(result_type(integers[i], integers[j]), DTypeError);
      else
        BOOST_TEST((result_type(integers[i], integers[j]) == expected[i][j]));
  BOOST_TEST((result_type(float32, complex64) == complex64));
  BOOST_TEST((result_type(float64, complex64) == complex128));
  BOOST_TEST((result_type(complex128, float32) == complex128));
  BOOST_TEST(((ones({2}, float32) * std::complex<double>(0, 1)).dtype() == complex64));
  BOOST_TEST(((ones({2}, complex64) + 1.5).dtype() == complex64));
  BOOST_TEST((abs(ones({2}, complex64)).dtype() == float32));
  BOOST_TEST(error_of<DTypeError>([] {
               ones({2}, uint8) + 300;
             }).starts_with("add: 300 does not fit into dtype uint8"));
  BOOST_TEST(error_of<DTypeError>([] {
               ones({2}, int32) + 0.5;
             }).starts_with("add: a scalar of kind float64 does not go with dtype int32"));
}
