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
template <class T> T abs(T x) { return std::is_floating_point_v<T> ? T(std::fabs(x)) : (x < T(0) ? T(0 - std::uint64_t(x)) : x); }
template <class T> T sign(T x) { return x > T(0) ? T(1) : x < T(0) ? T(-1) : x; }
template <class T> T maximum(T a, T b) { return a != a ? a : b != b ? b : a > b ? a : b; }
template <class T> T minimum(T a, T b) { return a != a ? a : b != b ? b : a < b ? a : b; }
template <class T> T sqrt(T x) { return std::sqrt(x); }
template <class T> T floor(T x) { return std::floor(x); }
template <class T> T ceil(T x) { return std::ceil(x); }
template <class T> T trunc(T x) { return std::trunc(x); }
template <class T> T round(T x) {  // ties to even
  if (!(std::fabs(x) < T(1e15))) return x;
  const T down = std::floor(x), rest = x - down;
  const T up = down + T(1);
  const T nearest = rest < T(0.5) ? down : rest > T(0.5) ? up : std::fmod(down, T(2)) == T(0) ? down : up;
  return std::copysign(nearest, x);
}
template <class T> T exp(T x) { return std::exp(x); }
template <class T> T expm1(T x) { return std::expm1(x); }
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
template <class T> T log1p(T x) { return std::log1p(x); }
template <class T> T sinh(T x) { return std::sinh(x); }
template <class T> T cosh(T x) { return std::cosh(x); }
template <class T> T tanh(T x) { return std::tanh(x); }
template <class T> T sigmoid(T x) { return (x < 0 ? std::exp(x) : T(1)) / (T(1) + std::exp(-std::fabs(x))); }
template <class T> T power(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
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
    if (b == T(0) || b == T(-1)) return T(0);
    return a % b != T(0) && ((a % b < T(0)) != (b < T(0))) ? a % b + b : a % b;
  }
}
template <class T> T floor_divide(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {  // as Python and NumPy: b * (a // b) + a % b is a
    if (b == T(0)) return a / b;
    const T r = std::fmod(a, b);
    T q = (a - r) / b;
    if (r != T(0) && ((r < T(0)) != (b < T(0)))) q -= T(1);
    if (q == T(0)) return std::copysign(T(0), a / b);
    const T down = std::floor(q);
    return q - down > T(0.5) ? down + T(1) : down;
  } else {
    if (b == T(0)) return T(0);
    if (b == T(-1)) return T(0 - std::uint64_t(a));
    return a / b - (a % b != T(0) && ((a % b < T(0)) != (b < T(0))));
  }
}
}  // namespace math
// clang-format on

// Integer arithmetic wraps; in C++ that is the unsigned type's.
template <class T>
using Wrapping = std::conditional_t<std::is_same_v<T, std::int64_t>, std::uint64_t, T>;

template <class T>
T opposite(T x) {
  return T(Wrapping<T>(0) - Wrapping<T>(x));
}

template <Domain D, class T>
constexpr bool takes = D == Domain::any || (D == Domain::boolean && std::is_same_v<T, bool>) ||
                       (D == Domain::inexact && std::is_floating_point_v<T>) ||
                       (D == Domain::numeric && !std::is_same_v<T, bool>);

enum class Result { same, boolean };

/// `value` computed in T, where the table's own text would overflow in the wrapping type.
#define WRAPS(name, with_floats, with_integers)              \
  template <class T>                                         \
  T name##_value(T a, T b) {                                 \
    if constexpr (std::is_same_v<T, std::int64_t>) {         \
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
const std::set<std::string_view> elementary = {"exp",  "expm1",   "log", "log1p", "sinh",  "cosh",
                                               "tanh", "sigmoid", "sin", "cos",   "tan",   "asin",
                                               "acos", "atan",    "erf", "power", "atan2", "hypot"};
template <class T>
bool close(T x, T y) {
  if constexpr (std::is_floating_point_v<T>) {
    using L = std::numeric_limits<T>;
    return std::fabs(x - y) <= 4 * std::max(L::denorm_min(), L::epsilon() * std::fabs(y));
  } else {
    return x == y;
  }
}

template <class T, class R>
void check(const char* name, const UnifiedArray& got, const Shape& shape,
           const std::vector<Stored<R>>& expected) {
  const bool vague = std::string_view(name) == "maximum" || std::string_view(name) == "minimum" ||
                     std::string_view(name) == "relu";  // either zero will do
  const bool rounds = elementary.contains(name);
  BOOST_TEST_CONTEXT(name)
  BOOST_TEST(matches<R>(got, {shape, expected}, [=](Stored<R> x, Stored<R> y) {
    return same_bits(x, y) || (vague && x == y) || (rounds && close(x, y));
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
  if constexpr (std::is_same_v<T, std::int64_t>) {
    if (op == Op::negative) return opposite(x);
    if (op == Op::square) return T(std::uint64_t(x) * std::uint64_t(x));
  }
  return x;
}
constexpr bool unary_wraps(Op op) { return op == Op::negative || op == Op::square; }

template <class T>
void check_unary(const Plain<T>& values) {
  const UnifiedArray a = values.array();
#define UNARY(op, dom, res, expression)                                     \
  if constexpr (takes<Domain::dom, T>) {                                    \
    using R = std::conditional_t<Result::res == Result::boolean, bool, T>;  \
    const auto f = [](T x) {                                                \
      if constexpr (std::is_same_v<T, std::int64_t> && unary_wraps(Op::op)) \
        return R(unary_wrapping(Op::op, x));                                \
      else                                                                  \
        return static_cast<R>(expression);                                  \
    };                                                                      \
    check<T, R>(#op, isofield::op(a), values.shape, each<T, R>(values, f)); \
  }
#define BINARY(op, dom, res, expression)
#include <isofield/ops.def>
#undef UNARY
#undef BINARY
}

template <class T>
void check_binary(const Plain<T>& x, const Plain<T>& y, const UnifiedArray& p,
                  const UnifiedArray& q) {
#define UNARY(op, dom, res, expression)
#define BINARY(op, dom, res, expression)                                            \
  if constexpr (takes<Domain::dom, T>) {                                            \
    using R = std::conditional_t<Result::res == Result::boolean, bool, T>;          \
    const auto f = [](T a, T b) {                                                   \
      if constexpr (std::is_same_v<T, std::int64_t> && Op::op == Op::add)           \
        return add_value(a, b);                                                     \
      else if constexpr (std::is_same_v<T, std::int64_t> && Op::op == Op::subtract) \
        return subtract_value(a, b);                                                \
      else if constexpr (std::is_same_v<T, std::int64_t> && Op::op == Op::multiply) \
        return multiply_value(a, b);                                                \
      else                                                                          \
        return static_cast<R>(expression);                                          \
    };                                                                              \
    check<T, R>(#op, isofield::op(p, q), x.shape, each<T, R>(x, y, f));             \
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

BACKEND_DTYPE_TEST_CASE(unary_rows_do_what_the_table_says, float, double, std::int64_t, bool) {
  const auto values = special_values<T>();
  check_unary(Plain<T>({static_cast<std::int64_t>(values.size())}, values));
  for (const std::int64_t n : {1, 15, 63, 257, 1025}) check_unary(noise<T>({n}, 3, -3, 3));
}

BACKEND_DTYPE_TEST_CASE(binary_rows_do_what_the_table_says, float, double, std::int64_t, bool) {
  const auto [a, b] = all_pairs<T>();
  check_binary(a, b, a.array(), b.array());
  for (const std::int64_t n : {1, 15, 63, 257, 1025}) {
    const Plain<T> x = noise<T>({n}, 4, -3, 3), y = noise<T>({n}, 5, -3, 3);
    check_binary(x, y, x.array(), y.array());
  }
}

BACKEND_DTYPE_TEST_CASE(binary_rows_take_broadcast_and_strided_operands, float, double,
                        std::int64_t, bool) {
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
#define UNARY(op, dom, res, expression)
#define BINARY(op, dom, res, expression)                                                    \
  if constexpr (Domain::dom != Domain::boolean) {                                           \
    using R = std::conditional_t<Result::res == Result::boolean, bool, T>;                  \
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

BACKEND_DTYPE_TEST_CASE(casts_go_between_all_dtypes, float, double, std::int64_t, bool) {
  const Plain<T> x = noise<T>({1100}, 9, -100, 100);
  const UnifiedArray a = x.array();
  const auto to = [&](auto tag) {
    using U = decltype(tag);
    Plain<U> e({1100});
    for (std::size_t i = 0; i < e.data.size(); ++i)
      e.data[i] =
          std::is_same_v<U, bool> ? Stored<U>(x.data[i] != 0) : static_cast<Stored<U>>(x.data[i]);
    BOOST_TEST(same<U>(a.astype(dtype_of<U>), e));
  };
  to(float{});
  to(double{});
  to(std::int64_t{});
  to(bool{});
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
