// Elements in order, searched, counted, folded one after the other: against plain loops and the
// standard library.
#include <algorithm>
#include <map>
#include <numeric>

#include "available.hpp"
#include "reference.hpp"

using namespace isofield;
using namespace isofield::testing;

namespace {

using At = std::vector<std::int64_t>;

template <class T>
Plain<T> row(std::vector<Stored<T>> values) {
  const auto n = static_cast<std::int64_t>(values.size());
  return {{n}, std::move(values)};
}

/// Whether a comes before b; NaN comes last.
template <class T>
bool before(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return a < b || (std::isnan(b) && !std::isnan(a));
  return a < b;
}

template <class T>
std::vector<std::int64_t> places_in_order(const std::vector<Stored<T>>& line, bool descending) {
  std::vector<std::int64_t> places(line.size());
  std::iota(places.begin(), places.end(), std::int64_t{0});
  std::stable_sort(places.begin(), places.end(), [&](std::int64_t i, std::int64_t j) {
    const T a = static_cast<T>(line[static_cast<std::size_t>(i)]),
            b = static_cast<T>(line[static_cast<std::size_t>(j)]);
    return descending ? before<T>(b, a) : before<T>(a, b);
  });
  return places;
}

/// Numbers with what tends to break among them, and many that are equal.
template <class T>
Plain<T> mixed(const Shape& shape, unsigned seed) {
  Plain<T> x = noise<T>(shape, seed, 0, 100);
  if constexpr (!std::is_same_v<T, bool>) {
    const auto special = special_values<T>();
    std::mt19937 generator(seed);
    for (auto& v : x.data)
      if (generator() % 3 == 0) v = special[generator() % special.size()];
  }
  return x;
}

/// Apply `f(line in, line out)` to the lines along an axis.
template <class T, class U, class F>
Plain<U> along(const Plain<T>& x, int axis, std::int64_t length, F&& f) {
  Shape shape = x.shape, across = x.shape;
  shape[axis] = length;
  across[axis] = 1;
  Plain<U> result(shape);
  each_index(across, [&](At at) {
    std::vector<Stored<T>> in;
    for (std::int64_t i = 0; i < x.shape[axis]; ++i) {
      at[static_cast<std::size_t>(axis)] = i;
      in.push_back(x[at]);
    }
    const std::vector<Stored<U>> out = f(in);
    for (std::int64_t i = 0; i < length; ++i) {
      at[static_cast<std::size_t>(axis)] = i;
      result[at] = out[static_cast<std::size_t>(i)];
    }
  });
  return result;
}

#define REAL_DTYPES                                                                         \
  bool, std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t, std::uint16_t, \
      std::uint32_t, std::uint64_t, float, double
#define NUMERIC_DTYPES                                                                \
  std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t, std::uint16_t, \
      std::uint32_t, std::uint64_t, float, double

}  // namespace

BACKEND_DTYPE_TEST_CASE(sorting_is_stable_along_any_axis, REAL_DTYPES) {
  if (!available<T>()) return;
  for (const Shape& shape :
       {Shape{1}, Shape{5}, Shape{3000}, Shape{4, 700}, Shape{600, 3}, Shape{2, 300, 2}})
    for (int axis = 0; axis < shape.size(); ++axis)
      for (const bool descending : {false, true}) {
        const Plain<T> x = mixed<T>(shape, 7);
        const auto places = along<T, std::int64_t>(x, axis, shape[axis], [&](const auto& line) {
          return places_in_order<T>(line, descending);
        });
        const auto values = along<T, T>(x, axis, shape[axis], [&](const auto& line) {
          std::vector<Stored<T>> out;
          for (const auto i : places_in_order<T>(line, descending))
            out.push_back(line[static_cast<std::size_t>(i)]);
          return out;
        });
        BOOST_TEST(same<std::int64_t>(argsort(x.array(), axis, descending), places));
        BOOST_TEST(same<T>(sort(x.array(), axis, descending), values));
      }
}

BACKEND_TEST_CASE(nan_is_above_all_and_zeros_keep_their_signs) {
  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  const UnifiedArray x = asarray({0.0, nan, -0.0, inf, -1.0, 0.0, -inf});
  BOOST_TEST(same<double>(sort(x), row<double>({-inf, -1, 0.0, -0.0, 0.0, inf, nan})));
  BOOST_TEST(same<double>(sort(x, 0, true), row<double>({nan, inf, 0.0, -0.0, 0.0, -1, -inf})));
  BOOST_TEST(same<std::int64_t>(argsort(x, 0, true), row<std::int64_t>({1, 3, 0, 2, 5, 4, 6})));
}

BACKEND_TEST_CASE(empty_lines_are_in_order) {
  BOOST_TEST((sort(zeros({0})).shape() == Shape{0}));
  BOOST_TEST((argsort(zeros({3, 0})).shape() == Shape{3, 0}));
  BOOST_TEST((sort(zeros({0, 3})).shape() == Shape{0, 3}));
}

BACKEND_DTYPE_TEST_CASE(the_first_of_the_largest_is_found, REAL_DTYPES) {
  if (!available<T>()) return;
  for (const Shape& shape : {Shape{1}, Shape{50}, Shape{40, 30}, Shape{3, 20, 20}})
    for (int axis = 0; axis < shape.size(); ++axis) {
      const Plain<T> x = mixed<T>(shape, 11);
      const auto first = [&](bool smallest) {
        return along<T, std::int64_t>(x, axis, 1, [&](const auto& line) {
          std::size_t best = 0;
          for (std::size_t i = 1; i < line.size(); ++i) {
            if (static_cast<T>(line[best]) != static_cast<T>(line[best])) break;
            const bool beyond = smallest ? line[i] < line[best] : line[i] > line[best];
            if (beyond || static_cast<T>(line[i]) != static_cast<T>(line[i])) best = i;
          }
          return std::vector<std::int64_t>{static_cast<std::int64_t>(best)};
        });
      };
      BOOST_TEST(same<std::int64_t>(argmax(x.array(), axis, true), first(false)));
      BOOST_TEST(same<std::int64_t>(argmin(x.array(), axis, true), first(true)));
    }
}

BACKEND_TEST_CASE(places_of_extremes_count_in_C_order_without_an_axis) {
  const UnifiedArray x = reshape(asarray({1.0, 5.0, 2.0, 5.0, 0.0, 3.0}), {2, 3});
  BOOST_TEST(argmax(x).item<std::int64_t>() == 1);
  BOOST_TEST(argmin(x.T()).item<std::int64_t>() == 3);
  BOOST_TEST((argmax(x, {}, true).shape() == Shape{1, 1}));
  BOOST_TEST((argmax(x, 1).shape() == Shape{2}));
  BOOST_TEST(argmax(asarray(3.0)).item<std::int64_t>() == 0);
}

BACKEND_DTYPE_TEST_CASE(places_are_searched_from_both_sides, NUMERIC_DTYPES) {
  if (!available<T>()) return;
  Plain<T> line = mixed<T>({300}, 3);
  std::stable_sort(line.data.begin(), line.data.end(), before<T>);
  const Plain<T> x = mixed<T>({20, 30}, 4);
  Plain<std::int64_t> left(x.shape), right(x.shape);
  for (std::size_t i = 0; i < x.data.size(); ++i) {
    left.data[i] = std::lower_bound(line.data.begin(), line.data.end(), x.data[i], before<T>) -
                   line.data.begin();
    right.data[i] = std::upper_bound(line.data.begin(), line.data.end(), x.data[i], before<T>) -
                    line.data.begin();
  }
  BOOST_TEST(same<std::int64_t>(searchsorted(line.array(), x.array()), left));
  BOOST_TEST(same<std::int64_t>(searchsorted(line.array(), x.array(), Side::right), right));
}

BACKEND_TEST_CASE(a_sorter_puts_a_line_in_order) {
  const UnifiedArray line = asarray({3.0, 1.0, 2.0});
  BOOST_TEST(same<std::int64_t>(searchsorted(line, asarray({1.5, 3.0}), Side::left, argsort(line)),
                                row<std::int64_t>({1, 2})));
  BOOST_TEST(searchsorted(asarray({1.0, 2.0}), 1.5).item<std::int64_t>() == 1);
  BOOST_TEST(same<std::int64_t>(searchsorted(zeros({0}), asarray({1.5})), row<std::int64_t>({0})));
}

BACKEND_DTYPE_TEST_CASE(places_that_are_not_zero_are_listed, bool, std::int64_t, float, double) {
  for (const Shape& shape :
       {Shape{0}, Shape{1}, Shape{2000}, Shape{30, 50}, Shape{5, 1, 7}, Shape{70, 80, 90}}) {
    const Plain<T> x = noise<T>(shape, 5, 0, 1);
    std::vector<std::vector<std::int64_t>> places(static_cast<std::size_t>(shape.size()));
    each_index(shape, [&](const At& at) {
      if (x[at] != 0)
        for (std::size_t k = 0; k < at.size(); ++k) places[k].push_back(at[k]);
    });
    const auto found = nonzero(x.array());
    BOOST_TEST(found.size() == places.size());
    for (std::size_t k = 0; k < places.size(); ++k)
      BOOST_TEST(same<std::int64_t>(found[k], row<std::int64_t>(places[k])));
    BOOST_TEST(count_nonzero(x.array()).template item<std::int64_t>() ==
               static_cast<std::int64_t>(places[0].size()));
  }
  BOOST_TEST(same<std::int64_t>(count_nonzero(eye(3), {0}), row<std::int64_t>({1, 1, 1})));
}

BACKEND_DTYPE_TEST_CASE(different_elements_are_listed_once, bool, std::int8_t, std::int64_t,
                        std::uint16_t, float, double) {
  if (!available<T>()) return;
  for (const Shape& shape : {Shape{1}, Shape{9}, Shape{30, 40}, Shape{}}) {
    const Plain<T> x = noise<T>(shape, 21, 0, 6);
    std::map<T, std::pair<std::int64_t, std::int64_t>> seen;  // first place, count
    for (std::size_t i = 0; i < x.data.size(); ++i) {
      auto [entry, fresh] =
          seen.try_emplace(static_cast<T>(x.data[i]), static_cast<std::int64_t>(i), 0);
      ++entry->second.second;
    }
    std::vector<Stored<T>> values;
    std::vector<std::int64_t> indices, counts;
    Plain<std::int64_t> inverse(shape);
    std::map<T, std::int64_t> number;
    for (const auto& [value, entry] : seen) {
      number[value] = static_cast<std::int64_t>(values.size());
      values.push_back(value);
      indices.push_back(entry.first);
      counts.push_back(entry.second);
    }
    for (std::size_t i = 0; i < x.data.size(); ++i)
      inverse.data[i] = number[static_cast<T>(x.data[i])];
    const UniqueAll all = unique_all(x.array());
    BOOST_TEST(same<T>(all.values, row<T>(values)));
    BOOST_TEST(same<std::int64_t>(all.indices, row<std::int64_t>(indices)));
    BOOST_TEST(same<std::int64_t>(all.inverse_indices, inverse));
    BOOST_TEST(same<std::int64_t>(all.counts, row<std::int64_t>(counts)));
    BOOST_TEST(same<T>(unique_values(x.array()), row<T>(values)));
    BOOST_TEST(same<std::int64_t>(unique_counts(x.array()).counts, row<std::int64_t>(counts)));
    BOOST_TEST(same<std::int64_t>(unique_inverse(x.array()).inverse_indices, inverse));
  }
}

BACKEND_TEST_CASE(nan_differs_from_nan_and_zeros_are_equal) {
  const double nan = std::nan("");
  const UniqueAll all = unique_all(asarray({nan, 0.0, -0.0, nan, 1.0}));
  BOOST_TEST(same<double>(all.values, row<double>({0.0, 1.0, nan, nan})));
  BOOST_TEST(same<std::int64_t>(all.indices, row<std::int64_t>({1, 4, 0, 3})));
  BOOST_TEST(same<std::int64_t>(all.inverse_indices, row<std::int64_t>({2, 0, 0, 3, 1})));
  BOOST_TEST(same<std::int64_t>(all.counts, row<std::int64_t>({2, 1, 1, 1})));
  const UniqueAll none = unique_all(zeros({0, 2}));
  BOOST_TEST((none.values.shape() == Shape{0}));
  BOOST_TEST((none.inverse_indices.shape() == Shape{0, 2}));
  BOOST_TEST((none.counts.shape() == Shape{0}));
}

BACKEND_TEST_CASE(complex_numbers_are_told_apart) {
  using C = std::complex<double>;
  const UnifiedArray x = asarray({C(1, 2), C(0, 5), C(1, 2), C(1, -1), C(0, 5)});
  const UniqueAll all = unique_all(x);
  BOOST_TEST((all.values.to_vector<C>() == std::vector<C>{C(0, 5), C(1, -1), C(1, 2)}));
  BOOST_TEST(same<std::int64_t>(all.counts, row<std::int64_t>({2, 1, 2})));
  BOOST_TEST(same<std::int64_t>(all.inverse_indices, row<std::int64_t>({2, 0, 2, 1, 0})));
  BOOST_TEST(same<std::int64_t>(all.indices, row<std::int64_t>({1, 3, 0})));
  BOOST_TEST(same<bool>(isin(x, asarray({C(1, -1), C(7, 0)})), row<bool>({0, 0, 0, 1, 0})));
}

BACKEND_TEST_CASE(elements_are_found_in_others) {
  const double nan = std::nan("");
  const UnifiedArray x = reshape(asarray({1.0, 2.0, nan, 4.0}), {2, 2});
  BOOST_TEST(same<bool>(isin(x, asarray({4.0, nan, 1.0, 9.0})), Plain<bool>({2, 2}, {1, 0, 0, 1})));
  BOOST_TEST(same<bool>(isin(x, asarray({4.0, nan}), true), Plain<bool>({2, 2}, {1, 1, 1, 0})));
  BOOST_TEST(same<bool>(isin(x, zeros({0})), Plain<bool>({2, 2})));
  BOOST_TEST(same<bool>(isin(x, 2.0), Plain<bool>({2, 2}, {0, 1, 0, 0})));
  BOOST_TEST(isin(3, asarray({1, 3})).item<bool>());
}

BACKEND_DTYPE_TEST_CASE(running_folds_are_loops, NUMERIC_DTYPES) {
  if (!available<T>()) return;
  const auto wide = [] {
    if constexpr (std::is_floating_point_v<T>)
      return T{};
    else if constexpr (std::is_signed_v<T>)
      return std::int64_t{};
    else
      return std::uint64_t{};
  };
  using W = decltype(wide());
  if (!available<W>()) return;
  // LibTorch's devices add up float32 in float64.
  const double rounding = std::is_same_v<T, float> ? 1e-5 : std::is_same_v<T, double> ? 1e-13 : 0;
  for (const Shape& shape : {Shape{1}, Shape{40}, Shape{7, 9}, Shape{5, 300}, Shape{3, 4, 20}})
    for (int axis = 0; axis < shape.size(); ++axis) {
      const Plain<T> x = noise<T>(shape, 2, 0, 3);
      const auto fold = [&](W initial, bool include, auto combine) {
        return along<T, W>(x, axis, shape[axis] + include, [&](const auto& line) {
          std::vector<W> out;
          W total = initial;
          if (include) out.push_back(total);
          bool first = !include;
          for (const T v : line) {
            total = first ? static_cast<W>(v) : combine(total, static_cast<W>(v));
            first = false;
            out.push_back(total);
          }
          return out;
        });
      };
      const auto plus = [](W a, W b) { return static_cast<W>(a + b); };
      const auto times = [](W a, W b) {
        if constexpr (std::is_integral_v<W>)
          return static_cast<W>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
        else
          return a * b;
      };
      BOOST_TEST(close<W>(cumulative_sum(x.array(), axis), fold(0, false, plus), rounding));
      BOOST_TEST(
          close<W>(cumulative_sum(x.array(), axis, {}, true), fold(0, true, plus), rounding));
      BOOST_TEST(close<W>(cumulative_prod(x.array(), axis), fold(1, false, times), rounding));
      BOOST_TEST(
          close<W>(cumulative_prod(x.array(), axis, {}, true), fold(1, true, times), rounding));
      const auto least = along<T, T>(x, axis, shape[axis], [&](auto line) {
        std::partial_sum(line.begin(), line.end(), line.begin(),
                         [](T a, T b) { return std::min(a, b); });
        return line;
      });
      BOOST_TEST(same<T>(cumulative_min(x.array(), axis), least));
    }
}

BACKEND_TEST_CASE(running_folds_follow_the_standard) {
  const double nan = std::nan("");
  BOOST_TEST(same<double>(cumulative_max(asarray({1.0, 3.0, 2.0, nan, 5.0})),
                          row<double>({1, 3, 3, nan, nan})));
  BOOST_TEST((cumulative_sum(asarray({1, 2}), 0, float32).dtype() == float32));
  BOOST_TEST((cumulative_sum(zeros({0})).shape() == Shape{0}));
  BOOST_TEST(same<double>(cumulative_sum(zeros({0}), {}, {}, true), row<double>({0})));
  BOOST_TEST((cumulative_prod(zeros({3, 0}), 0, {}, true).shape() == Shape{4, 0}));
}

BACKEND_TEST_CASE(ordering_is_recorded) {
  const auto f = jit([](const UnifiedArray& x) {
    return cumulative_sum(sort(x * 2.0)) + take(x, argsort(x)) + argmax(x).astype(float64);
  });
  for (const double scale : {1.0, -1.0, 3.0}) {
    const UnifiedArray x = asarray({3.0, 1.0, 2.0, 5.0}) * scale;
    const UnifiedArray expected =
        cumulative_sum(sort(x * 2.0)) + take(x, argsort(x)) + argmax(x).astype(float64);
    BOOST_TEST(same<double>(f(x), plain<double>(expected)));
  }
}

// Statements stand on one line, so that __LINE__ is theirs.
// clang-format off
// clang-format off
#define EXPECT_ERROR(type, text, statement) \
  BOOST_TEST(error_of<type>([&] { statement; }) == (text))

namespace {
std::string told(int line, const char* dtype = "float64") {
  return " [" + variant().backend + ", " + dtype + "] at ordering.cpp:" + std::to_string(line);
}
}  // namespace

BACKEND_TEST_CASE(what_cannot_be_ordered_is_told) {
  const UnifiedArray a = zeros({3, 4}), c = zeros({2}, complex128);
  EXPECT_ERROR(DTypeError, "sort: complex numbers have no order, got complex128" + told(__LINE__, "complex128"), sort(c));
  EXPECT_ERROR(DTypeError, "argmax: complex numbers have no order, got complex128" + told(__LINE__, "complex128"), argmax(c));
  EXPECT_ERROR(IndexError, "argsort: axis 2 is out of range for an array of rank 2" + told(__LINE__), argsort(a, 2));
  EXPECT_ERROR(ShapeError, "argmin: axis 1 of shape (2, 0) is empty" + told(__LINE__), argmin(zeros({2, 0}), 1));
  EXPECT_ERROR(ShapeError, "searchsorted: a sorter of shape (2,) for shape (4,)" + told(__LINE__), searchsorted(zeros({4}), 1.0, Side::left, asarray({0, 1})));
  EXPECT_ERROR(ShapeError, "searchsorted: shape (3, 4) is not one axis" + told(__LINE__), searchsorted(a, a));
  EXPECT_ERROR(ShapeError, "cumulative_sum: an axis must be given for shape (3, 4)" + told(__LINE__), cumulative_sum(a));
  EXPECT_ERROR(ShapeError, "nonzero: an array of rank 0 has no places" + told(__LINE__), nonzero(asarray(1.0)));
}

BACKEND_TEST_CASE(a_number_of_different_elements_is_not_recorded) {
  const auto f = jit([](const UnifiedArray& y) { return unique_values(y); });
  const std::string text = error_of<ShapeError>([&] { f(zeros({3})); });
  BOOST_TEST(text.find("unique_values: the shape of the result depends on the elements of an array of shape (3,), which a function that jit traces does not have") == 0);
}
