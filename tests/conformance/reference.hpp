#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <isofield/isofield.hpp>
#include <limits>
#include <random>
#include <sstream>
#include <type_traits>
#include <vector>

#include "backend_case.hpp"

/// Plain arrays to compare with: elements in C order, loops over them, nothing clever.
namespace isofield::testing {

/// std::vector<bool> is not a vector of bools.
template <class T>
using Stored = std::conditional_t<std::is_same_v<T, bool>, unsigned char, T>;

template <class T>
struct Plain {
  Shape shape;
  std::vector<Stored<T>> data;

  Plain() = default;
  explicit Plain(Shape s) : shape(std::move(s)) {
    data.resize(static_cast<std::size_t>(element_count(shape)));
  }
  Plain(Shape s, std::vector<Stored<T>> d) : shape(std::move(s)), data(std::move(d)) {}

  UnifiedArray array(BaseBackend* backend = nullptr) const {
    return asarray_bytes(data.data(), data.size() * sizeof(Stored<T>), dtype_of<T>, shape, backend);
  }
  std::size_t position(const std::vector<std::int64_t>& at) const {
    std::int64_t p = 0;
    for (int k = 0; k < shape.size(); ++k) p = p * shape[k] + at[static_cast<std::size_t>(k)];
    return static_cast<std::size_t>(p);
  }
  Stored<T>& operator[](const std::vector<std::int64_t>& at) { return data[position(at)]; }
  const Stored<T>& operator[](const std::vector<std::int64_t>& at) const {
    return data[position(at)];
  }
};

/// Call `f(index)` for every index of a shape, in C order.
inline void each_index(const Shape& shape,
                       const std::function<void(const std::vector<std::int64_t>&)>& f) {
  std::vector<std::int64_t> at(static_cast<std::size_t>(shape.size()), 0);
  for (std::int64_t i = 0, n = element_count(shape); i < n; ++i) {
    f(at);
    for (int k = shape.size() - 1; k >= 0; --k) {
      if (++at[static_cast<std::size_t>(k)] < shape[k]) break;
      at[static_cast<std::size_t>(k)] = 0;
    }
  }
}

template <class T>
Plain<T> plain(const UnifiedArray& x) {
  Plain<T> result(x.shape());
  x.copy_to(result.data.data(), result.data.size() * sizeof(Stored<T>), dtype_of<T>);
  return result;
}

/// 0, 1, 2, ... in C order, cast to T.
template <class T>
Plain<T> counting(const Shape& shape, double start = 0, double step = 1) {
  Plain<T> result(shape);
  for (std::size_t i = 0; i < result.data.size(); ++i)
    result.data[i] = static_cast<Stored<T>>(start + step * static_cast<double>(i));
  return result;
}

/// Reproducible numbers: for floats in [low, high), for integers in [low, high], for bool both.
template <class T>
Plain<T> noise(const Shape& shape, unsigned seed = 1, double low = -2, double high = 2) {
  std::mt19937 generator(seed);
  Plain<T> result(shape);
  for (auto& x : result.data) {
    const double u = static_cast<double>(generator()) / 4294967296.0;
    if constexpr (std::is_same_v<T, bool>)
      x = u < 0.5;
    else if constexpr (std::is_integral_v<T>)  // a negative number of an unsigned type wraps
      x = static_cast<T>(static_cast<std::int64_t>(std::floor(low + u * (high - low + 1))));
    else if constexpr (is_complex_type<T>)
      x = T(static_cast<typename T::value_type>(low + u * (high - low)),
            static_cast<typename T::value_type>(low + (high - low) * std::fmod(u * 4096, 1.0)));
    else
      x = static_cast<T>(low + u * (high - low));
  }
  return result;
}

/// What tends to break: NaN, infinities, zeros, extremes, subnormals, ordinary numbers.
template <class T>
std::vector<Stored<T>> special_values() {
  using L = std::numeric_limits<T>;
  if constexpr (std::is_same_v<T, bool>)
    return {0, 1};
  else if constexpr (std::is_unsigned_v<T>)
    return {0, 1, 2, 3, 7, 8, 10, 31, 63, 64, 100, L::max(), L::max() - 1, L::max() / 2};
  else if constexpr (std::is_integral_v<T> && sizeof(T) < 4)
    return {0, 1, -1, 2, -2, 3, 7, -7, 10, 63, 64, L::max(), L::min(), L::max() - 1, L::min() + 1};
  else if constexpr (is_complex_type<T>)
    return {T(0),        T(1),        T(-1),           T(0, 1), T(0, -1),
            T(1, 1),     T(-2, 0.5f), T(0.5f, -0.25f), T(3, 4), T(-1e-3f, 1e-4f),
            T(-0.0f, 2), T(10, -7)};
  else if constexpr (std::is_integral_v<T>)
    return {0,  1,  -1, 2,       -2,       3,        7,        -7,           10,
            62, 63, 64, 1000003, -1000003, L::max(), L::min(), L::max() - 1, L::min() + 1};
  else
    return {T(0),         T(-0.0),       T(1),           T(-1),         T(0.5),
            T(-0.5),      T(1.5),        T(2.5),         T(-2.5),       T(3),
            T(-3),        T(0.1),        T(7.25),        T(-7.25),      T(88.5),
            T(-88.5),     T(710),        T(-710),        T(1e-3),       T(1e10),
            T(-1e10),     L::max(),      L::lowest(),    L::min(),      L::denorm_min(),
            L::epsilon(), L::infinity(), -L::infinity(), L::quiet_NaN()};
}

template <class T>
bool same_bits(T a, T b) {
  if constexpr (is_complex_type<T>)
    return same_bits(a.real(), b.real()) && same_bits(a.imag(), b.imag());
  else if constexpr (std::is_floating_point_v<T>)
    return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
  else
    return a == b;
}

template <class T>
using Matches = std::function<bool(Stored<T>, Stored<T>)>;

/// `a` has the shape, the dtype and elements that match; the first one that does not is told.
template <class T>
boost::test_tools::assertion_result matches(const UnifiedArray& a, const Plain<T>& expected,
                                            const Matches<T>& match) {
  boost::test_tools::assertion_result result(true);
  const auto fail = [&](const std::string& text) {
    result = boost::test_tools::assertion_result(false);
    result.message() << text;
    return result;
  };
  if (a.shape() != expected.shape)
    return fail("shape " + to_string(a.shape()) + " instead of " + to_string(expected.shape));
  if (a.dtype() != dtype_of<T>) return fail("dtype " + std::string(name(a.dtype())));
  const Plain<T> got = plain<T>(a);
  for (std::size_t i = 0; i < got.data.size(); ++i) {
    if (match(got.data[i], expected.data[i])) continue;
    std::ostringstream text;
    text.precision(17);
    text << "element " << i << " of shape " << to_string(a.shape()) << ": " << +got.data[i]
         << " instead of " << +expected.data[i];
    return fail(text.str());
  }
  return result;
}

/// Elements are the same bit for bit (any NaN for any other).
template <class T>
boost::test_tools::assertion_result same(const UnifiedArray& a, const Plain<T>& expected) {
  return matches<T>(a, expected, same_bits<Stored<T>>);
}

/// Elements differ by `tolerance` at most, relative to the larger of 1 and the expected one.
template <class T>
boost::test_tools::assertion_result close(const UnifiedArray& a, const Plain<T>& expected,
                                          double tolerance) {
  return matches<T>(a, expected, [tolerance](T x, T y) {
    if (same_bits(x, y)) return true;
    using Number = std::conditional_t<is_complex_type<T>, std::complex<double>, double>;
    return std::abs(static_cast<Number>(x) - static_cast<Number>(y)) <=
           tolerance * std::max(1.0, std::abs(static_cast<Number>(y)));
  });
}

/// Fail where `ok` says so, and name the case by `parts`. Boost's own messages are put together
/// when temporaries that go into them have gone.
template <class... Part>
void check(const boost::test_tools::assertion_result& ok, const Part&... parts) {
  if (ok) return;
  std::ostringstream text;
  (text << ... << parts) << ": " << ok.message();
  const std::string shown = text.str();
  BOOST_ERROR(shown);
}

/// The text of the E that `f` throws; empty if it throws none.
template <class E, class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  }
  return "";
}

}  // namespace isofield::testing
