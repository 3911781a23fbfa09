// Arrays as indices: what they select is told by loops, the shapes of mixed expressions by NumPy's
// rules.
#include "available.hpp"
#include "reference.hpp"

using namespace isofield;
using namespace isofield::testing;

namespace {

using At = std::vector<std::int64_t>;

UnifiedArray ints(std::vector<std::int64_t> values) {
  return asarray(std::span<const std::int64_t>(values),
                 Shape{static_cast<std::int64_t>(values.size())});
}

/// An array of the shape whose element at `at` is `f(at)`.
template <class T, class F>
Plain<T> made(const Shape& shape, F&& f) {
  Plain<T> result(shape);
  each_index(shape, [&](const At& at) { result[at] = f(at); });
  return result;
}

}  // namespace

BACKEND_DTYPE_TEST_CASE(take_reads_slices_along_any_axis, EVERY_DTYPE) {
  if (!available<T>()) return;
  const Plain<T> x = noise<T>({4, 5, 6});
  const std::vector<std::int64_t> places = {3, -1, 0, 3, -4};
  for (int axis = -3; axis < 3; ++axis) {
    const int k = (axis + 3) % 3;
    Shape shape = x.shape;
    shape[k] = 5;
    const Plain<T> expected = made<T>(shape, [&](At at) {
      auto& i = at[static_cast<std::size_t>(k)];
      i = places[static_cast<std::size_t>(i)];
      if (i < 0) i += x.shape[k];
      return x[at];
    });
    BOOST_TEST(same<T>(take(x.array(), ints(places), axis), expected));
    BOOST_TEST(same<T>(take(flip(flip(x.array(), 1), 1), ints(places), axis), expected));
  }
}

BACKEND_TEST_CASE(take_gives_the_shape_of_the_indices_in_place_of_the_axis) {
  const UnifiedArray x = counting<double>({3, 4}).array();
  const UnifiedArray places = reshape(ints({0, 1, 2, 3, 3, 2}), {2, 3});
  BOOST_TEST(same<double>(take(x, places, 1), made<double>({3, 2, 3}, [](const At& at) {
                            const std::int64_t at_1[] = {0, 1, 2, 3, 3, 2};
                            return static_cast<double>(4 * at[0] + at_1[3 * at[1] + at[2]]);
                          })));
  BOOST_TEST(same<double>(take(x, 2, 0), counting<double>({4}, 8)));
  BOOST_TEST((take(x, zeros({0}, int64), 1).shape() == Shape{3, 0}));
  BOOST_TEST(same<double>(take(x(1), ints({-1})), Plain<double>({1}, {7})));
}

BACKEND_DTYPE_TEST_CASE(take_along_axis_reads_an_element_of_each_line, bool, std::int64_t, float,
                        double) {
  const Plain<T> x = noise<T>({4, 5, 6});
  for (int axis = 0; axis < 3; ++axis) {
    Shape shape = x.shape;
    shape[axis] = 7;
    const std::int64_t n = x.shape[axis];
    const auto places =
        noise<std::int64_t>(shape, 3, static_cast<double>(-n), static_cast<double>(n - 1));
    const Plain<T> expected = made<T>(shape, [&](At at) {
      const std::int64_t i = places[at];
      at[static_cast<std::size_t>(axis)] = i < 0 ? i + n : i;
      return x[at];
    });
    BOOST_TEST(same<T>(take_along_axis(x.array(), places.array(), axis), expected));
  }
  // Lines and indices broadcast off the axis.
  const UnifiedArray row = reshape(ints({2, 0}), {1, 1, 2});
  BOOST_TEST(same<T>(take_along_axis(x.array(), row), made<T>({4, 5, 2}, [&](At at) {
                       at[2] = at[2] == 0 ? 2 : 0;
                       return x[at];
                     })));
}

BACKEND_DTYPE_TEST_CASE(masks_select_in_C_order, bool, std::int16_t, float, double,
                        std::complex<double>) {
  for (const Shape& shape :
       {Shape{1}, Shape{7}, Shape{1000}, Shape{40, 50}, Shape{3, 4, 5}, Shape{300, 400}}) {
    const Plain<T> x = noise<T>(shape);
    const Plain<bool> mask = noise<bool>(shape, 5);
    std::vector<Stored<T>> expected;
    for (std::size_t i = 0; i < x.data.size(); ++i)
      if (mask.data[i]) expected.push_back(x.data[i]);
    const Shape flat{static_cast<std::int64_t>(expected.size())};
    BOOST_TEST(same<T>(x.array()(mask.array()), Plain<T>(flat, expected)));
    const UnifiedArray constant = x.array();
    BOOST_TEST(same<T>(constant(mask.array()), Plain<T>(flat, expected)));
    BOOST_TEST(same<T>(flip(constant, 0)(flip(mask.array(), 0)),
                       plain<T>(flip(constant, 0)(flip(mask.array(), 0).copy()))));
  }
}

BACKEND_TEST_CASE(masks_of_fewer_axes_select_slices) {
  const Plain<double> x = counting<double>({3, 4, 5});
  const UnifiedArray a = x.array(), rows = asarray({true, false, true}),
                     columns = asarray({false, true, true, false});
  BOOST_TEST(same<double>(a(rows), made<double>({2, 4, 5}, [&](At at) {
                            at[0] *= 2;
                            return x[at];
                          })));
  BOOST_TEST(same<double>(a(all_of, columns), made<double>({3, 2, 5}, [&](At at) {
                            at[1] += 1;
                            return x[at];
                          })));
  BOOST_TEST(same<double>(a(ellipsis, asarray({true, false, false, false, true})),
                          made<double>({3, 4, 2}, [&](At at) {
                            at[2] *= 4;
                            return x[at];
                          })));
  BOOST_TEST(same<double>(a(1, columns, 2), made<double>({2}, [&](At at) {
                            return x[{1, at[0] + 1, 2}];
                          })));
  const UnifiedArray plane = counting<double>({3, 4}).array() > 9.0;
  BOOST_TEST(same<double>(a(plane), made<double>({2, 5}, [&](At at) {
                            return x[{2, at[0] + 2, at[1]}];
                          })));
  BOOST_TEST((a(zeros({3}, bool_)).shape() == Shape{0, 4, 5}));
  BOOST_TEST((zeros({0, 2})(zeros({0}, bool_)).shape() == Shape{0, 2}));
}

// np.zeros((2, 3, 4, 5))[...].shape for each.
BACKEND_TEST_CASE(selected_axes_stay_in_place_if_they_are_side_by_side) {
  const UnifiedArray x = zeros({2, 3, 4, 5}), i = ints({0, 1}),
                     j = reshape(ints({0, 1, 0}), {3, 1});
  BOOST_TEST((x(i).shape() == Shape{2, 3, 4, 5}));
  BOOST_TEST((x(all_of, i, i).shape() == Shape{2, 2, 5}));
  BOOST_TEST((x(all_of, i, j).shape() == Shape{2, 3, 2, 5}));
  BOOST_TEST((x(i, all_of, j).shape() == Shape{3, 2, 3, 5}));
  BOOST_TEST((x(all_of, i, ellipsis, j).shape() == Shape{3, 2, 2, 4}));
  BOOST_TEST((x(0, all_of, i).shape() == Shape{2, 3, 5}));
  BOOST_TEST((zeros({3, 2, 4})(all_of, i, ellipsis, i).shape() == Shape{2, 3}));
  BOOST_TEST((x(all_of, 0, i).shape() == Shape{2, 2, 5}));
  BOOST_TEST((x(all_of, i, 0).shape() == Shape{2, 2, 5}));
  BOOST_TEST((x(i, newaxis, i).shape() == Shape{2, 1, 4, 5}));
  BOOST_TEST((x(newaxis, i, slice(0, 2)).shape() == Shape{1, 2, 2, 4, 5}));
  BOOST_TEST((x(asarray(1)).shape() == Shape{3, 4, 5}));
  BOOST_TEST((x(asarray(true)).shape() == Shape{1, 2, 3, 4, 5}));
  BOOST_TEST((x(asarray(false)).shape() == Shape{0, 2, 3, 4, 5}));
  BOOST_TEST((x(all_of, asarray(true), all_of, i).shape() == Shape{2, 2, 3, 5}));
  BOOST_TEST((asarray(1.0)(asarray(true)).shape() == Shape{1}));
  BOOST_TEST((x(i, asarray({true, false, true})).shape() == Shape{2, 4, 5}));
}

BACKEND_TEST_CASE(mixed_expressions_read_what_their_indices_name) {
  const Plain<double> x = counting<double>({4, 5, 6});
  const UnifiedArray a = x.array(), i = ints({3, 3, 0}), j = reshape(ints({4, 1}), {2, 1});
  const std::int64_t at_i[] = {3, 3, 0}, at_j[] = {4, 1};
  BOOST_TEST(same<double>(a(i, j), made<double>({2, 3, 6}, [&](At at) {
                            return x[{at_i[at[1]], at_j[at[0]], at[2]}];
                          })));
  BOOST_TEST(same<double>(a(i, all_of, j), made<double>({2, 3, 5}, [&](At at) {
                            return x[{at_i[at[1]], at[2], at_j[at[0]]}];
                          })));
  BOOST_TEST(same<double>(a(slice(3, 0, -1), i), made<double>({3, 3, 6}, [&](At at) {
                            return x[{3 - at[0], at_i[at[1]], at[2]}];
                          })));
  BOOST_TEST(same<double>(a(i, slice(0, 5, 2), 1), made<double>({3, 3}, [&](At at) {
                            return x[{at_i[at[0]], 2 * at[1], 1}];
                          })));
  BOOST_TEST(same<double>(a(2, j, i), made<double>({2, 3}, [&](At at) {
                            return x[{2, at_j[at[0]], at_i[at[1]]}];
                          })));
  BOOST_TEST(same<double>(a.T()(ellipsis, i), made<double>({6, 5, 3}, [&](At at) {
                            return x[{at_i[at[2]], at[1], at[0]}];
                          })));
  BOOST_TEST(same<double>(a(i)(asarray({true, false, true})), made<double>({2, 5, 6}, [&](At at) {
                            return x[{at[0] == 0 ? 3 : 0, at[1], at[2]}];
                          })));
}

BACKEND_TEST_CASE(arrays_of_rank_32_are_indexed) {
  Shape shape(32, 1);
  shape[0] = 2;
  shape[31] = 3;
  const UnifiedArray x = counting<double>(shape).array();
  Shape expected = shape;
  expected[31] = 2;
  BOOST_TEST(same<double>(x(ellipsis, ints({2, 0})), Plain<double>(expected, {2, 0, 5, 3})));
  BOOST_TEST(same<double>(x(x > 3.0), Plain<double>({2}, {4, 5})));
}

BACKEND_DTYPE_TEST_CASE(values_are_written_where_indices_name, EVERY_DTYPE) {
  if (!available<T>()) return;
  const Plain<T> x = noise<T>({4, 5, 6}), v = noise<T>({3, 6}, 9);
  const std::int64_t rows[] = {2, 0, 1}, columns[] = {4, 1, 1};
  Plain<T> expected = x;
  each_index({3, 6}, [&](const At& at) { expected[{rows[at[0]], columns[at[0]], at[1]}] = v[at]; });
  UnifiedArray a = x.array();
  a(ints({2, 0, 1}), ints({-1, 1, 1})) = v.array();
  BOOST_TEST(same<T>(a, expected));
  UnifiedArray b = x.array().T().copy().T();
  b(ints({2, 0, 1}), ints({-1, 1, 1})) = v.array();
  BOOST_TEST(same<T>(b, expected));
  BOOST_TEST(same<T>(x.array(), x));
}

BACKEND_TEST_CASE(what_is_written_twice_keeps_the_last_value) {
  UnifiedArray a = zeros({3});
  a(ints({1, 1, 2, 1})) = asarray({1.0, 2.0, 3.0, 4.0});
  BOOST_TEST(same<double>(a, Plain<double>({3}, {0, 4, 3})));
  a(ints({1, 1})) += 1.0;  // read once, written twice
  BOOST_TEST(same<double>(a, Plain<double>({3}, {0, 5, 3})));
}

BACKEND_TEST_CASE(values_broadcast_to_what_is_selected) {
  const Plain<double> x = counting<double>({3, 4});
  UnifiedArray a = x.array();
  a(ints({0, 2})) = asarray({7.0, 8.0, 9.0, 10.0});
  Plain<double> expected = x;
  for (const std::int64_t i : {0, 2})
    for (std::int64_t j = 0; j < 4; ++j) expected[{i, j}] = static_cast<double>(7 + j);
  BOOST_TEST(same<double>(a, expected));
  a(all_of, ints({3})) = -1.0;
  for (std::int64_t i = 0; i < 3; ++i) expected[{i, 3}] = -1;
  BOOST_TEST(same<double>(a, expected));
  a(ints({1}), slice(0, 2)) *= 10.0;
  expected[{1, 0}] = 40;
  expected[{1, 1}] = 50;
  BOOST_TEST(same<double>(a, expected));
}

BACKEND_TEST_CASE(a_mask_s_axis_without_elements_fits_any) {
  UnifiedArray x = zeros({1, 3});
  BOOST_TEST(to_string(x(zeros({0}, bool_)).shape()) == "(0, 3)");
  BOOST_TEST(to_string(x(zeros({0, 0}, bool_)).shape()) == "(0,)");
  BOOST_TEST(to_string(x(zeros({1, 0}, bool_)).shape()) == "(0,)");
  x(zeros({0, 3}, bool_)) = 5.0;
  BOOST_TEST(!any(x).item<bool>());
  x = zeros({2, 3});
  x(zeros({0}, bool_)) = 5.0;
  x(all_of, zeros({0}, bool_)) += 5.0;
  x(zeros({2, 0}, bool_)) = zeros({0});
  BOOST_TEST(same<double>(x, Plain<double>({2, 3})));
}

BACKEND_TEST_CASE(masks_are_written_through) {
  const Plain<double> x = counting<double>({3, 4});
  UnifiedArray a = x.array(), b = a;
  a(a > 5.0) = 0.0;
  Plain<double> expected = x;
  for (auto& v : expected.data) v = v > 5 ? 0 : v;
  BOOST_TEST(same<double>(a, expected));
  a(a == 0.0) = asarray({1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0});
  double next = 1;
  for (auto& v : expected.data) v = v == 0 ? next++ : v;
  BOOST_TEST(same<double>(a, expected));
  BOOST_TEST(same<double>(b, x));
  b(b > 5.0) += 1.0;
  expected = x;
  for (auto& v : expected.data) v = v > 5 ? v + 1 : v;
  BOOST_TEST(same<double>(b, expected));
  UnifiedArray c = x.array();
  c(asarray({true, false, true})) = asarray({-1.0, -2.0, -3.0, -4.0});
  expected = x;
  for (std::int64_t j = 0; j < 4; ++j)
    expected[{0, j}] = expected[{2, j}] = static_cast<double>(-1 - j);
  BOOST_TEST(same<double>(c, expected));
  c = x.array();
  c(1, asarray({true, false, true, true})) = 9.0;
  c(all_of, asarray({false, true, false, false})) = reshape(asarray({5.0, 6.0, 7.0}), {3, 1});
  expected = x;
  for (const std::int64_t j : {0, 2, 3}) expected[{1, j}] = 9;
  for (std::int64_t i = 0; i < 3; ++i) expected[{i, 1}] = static_cast<double>(5 + i);
  BOOST_TEST(same<double>(c, expected));
}

BACKEND_TEST_CASE(a_mask_beside_a_reversed_axis_writes_where_it_is_true) {
  const Plain<double> x = counting<double>({2, 4});
  const Slice reversed{{}, {}, -1};
  Plain<double> expected = x;
  for (std::int64_t i = 0; i < 2; ++i)
    for (const std::int64_t j : {0, 3}) expected[{i, j}] = -1;
  UnifiedArray a = x.array();
  a(reversed, asarray({true, false, false, true})) = -1.0;
  BOOST_TEST(same<double>(a, expected));
  a = x.array();
  a(reversed, asarray({true, false, false, true})) += 100.0;
  for (std::int64_t i = 0; i < 2; ++i)
    for (const std::int64_t j : {0, 3}) expected[{i, j}] = x[{i, j}] + 100;
  BOOST_TEST(same<double>(a, expected));
}

BACKEND_TEST_CASE(writing_by_indices_leaves_other_owners_alone) {
  UnifiedArray a = counting<double>({6}).array();
  const UnifiedArray before = a, part = a(slice(2, 5));
  a(ints({0, 3})) = 50.0;
  BOOST_TEST(same<double>(before, counting<double>({6})));
  BOOST_TEST(same<double>(part, counting<double>({3}, 2)));
  UnifiedArray own = zeros({64});
  const void* memory = own.storage()->data;
  own(ints({1, 5})) = 3.0;
  BOOST_TEST(own.storage()->data == memory);
  own(ints({2, 3})) = own(ints({1, 0}));
  BOOST_TEST(same<double>(own(slice(0, 6)), Plain<double>({6}, {0, 3, 3, 0, 0, 3})));
}

BACKEND_TEST_CASE(an_array_may_index_itself) {
  UnifiedArray a = ints({2, 0, 1});
  BOOST_TEST(same<std::int64_t>(a(a), Plain<std::int64_t>({3}, {1, 2, 0})));
  a(a) = a(Slice{{}, {}, -1});
  BOOST_TEST(same<std::int64_t>(a, Plain<std::int64_t>({3}, {0, 2, 1})));
}

BACKEND_DTYPE_TEST_CASE(scatter_applies_values_in_order, std::int8_t, std::int64_t, std::uint16_t,
                        float, double) {
  if (!available<T>()) return;
  const Plain<T> x = noise<T>({5, 3}), v = noise<T>({7, 3}, 4);
  const std::vector<std::int64_t> rows = {4, 0, 0, -1, 2, 0, 4};
  for (const Scatter how :
       {Scatter::set, Scatter::add, Scatter::multiply, Scatter::min, Scatter::max}) {
    Plain<T> expected = x;
    each_index(v.shape, [&](const At& at) {
      const std::int64_t i = rows[static_cast<std::size_t>(at[0])];
      T& e = expected[{i < 0 ? i + 5 : i, at[1]}];
      const T w = v[at];
      e = how == Scatter::set        ? w
          : how == Scatter::add      ? static_cast<T>(e + w)
          : how == Scatter::multiply ? static_cast<T>(e * w)
          : how == Scatter::min      ? std::min(e, w)
                                     : std::max(e, w);
    });
    BOOST_TEST(same<T>(scatter(x.array(), ints(rows), v.array(), 0, how), expected));
    BOOST_TEST(same<T>(scatter(x.array().T(), ints(rows), v.array().T(), 1, how).T(), expected));
  }
}

BACKEND_TEST_CASE(scatter_along_axis_undoes_take_along_axis) {
  const Plain<double> x = noise<double>({4, 6});
  const UnifiedArray places = reshape(
      ints({5, 4, 3, 2, 1, 0, 0, 1, 2, 3, 4, 5, 1, 0, 3, 2, 5, 4, 2, 1, 0, 5, 4, 3}), {4, 6});
  const UnifiedArray taken = take_along_axis(x.array(), places);
  BOOST_TEST(same<double>(scatter_along_axis(zeros({4, 6}), places, taken), x));
  BOOST_TEST(same<double>(scatter_along_axis(zeros({4, 6}).T(), places.T(), taken.T(), 0).T(), x));
}

BACKEND_TEST_CASE(one_hot_has_a_one_at_each_index) {
  const UnifiedArray hot = one_hot(ints({2, 0, 5}), 3);
  BOOST_TEST(same<double>(hot, Plain<double>({3, 3}, {0, 0, 1, 1, 0, 0, 0, 0, 0})));
  BOOST_TEST(error_of<ShapeError>([] {
               one_hot(ints({0}), std::numeric_limits<std::int64_t>::max());
             }) == "shape (9223372036854775807,) of int64 takes more bytes than fit in 64 bits");
  BOOST_TEST((one_hot(zeros({2, 2}, int64), 4, bool_).shape() == Shape{2, 2, 4}));
}

BACKEND_TEST_CASE(indexing_is_recorded) {
  const auto f = jit([](const UnifiedArray& x, const UnifiedArray& i) {
    UnifiedArray y = x * 2.0;
    y(i) = take(x, i) + 1.0;
    y(y > 6.0) = 0.0;
    return y + x(flip(i, 0));
  });
  for (const std::int64_t shift : {0, 1, 2}) {
    const UnifiedArray x = counting<double>({4}, static_cast<double>(shift)).array(),
                       i = ints({3, 0, 1, 3});
    std::vector<double> expected(4), from(4);
    for (std::size_t k = 0; k < 4; ++k)
      from[k] = static_cast<double>(k) + static_cast<double>(shift);
    for (std::size_t k = 0; k < 4; ++k) expected[k] = 2 * from[k];
    for (const std::size_t k : {3, 0, 1}) expected[k] = from[k] + 1;
    for (auto& v : expected) v = v > 6 ? 0 : v;
    const std::size_t back[] = {3, 1, 0, 3};
    for (std::size_t k = 0; k < 4; ++k) expected[k] += from[back[k]];
    BOOST_TEST(same<double>(f(x, i), Plain<double>({4}, expected)));
  }
  // Indices are looked at in each replay.
  BOOST_TEST(error_of<IndexError>([&] {
               f(zeros({4}), ints({0, 1, 4, 2}));
             }).find("4 at (2,) of the indices is out of range for axis 0 of length 4") !=
             std::string::npos);
}

// Statements stand on one line, so that __LINE__ is theirs.
// clang-format off
// clang-format off
#define EXPECT_ERROR(type, text, statement) \
  BOOST_TEST(error_of<type>([&] { statement; }) == (text))

namespace {
std::string told(int line, const char* dtype = "float64") {
  return " [" + variant().backend + ", " + dtype + "] at indexing.cpp:" + std::to_string(line);
}
}  // namespace

BACKEND_TEST_CASE(indices_that_make_no_sense_are_told) {
  const UnifiedArray a = zeros({3, 4});
  UnifiedArray b = a;
  const UnifiedArray far = ints({0, 1, 3});
  EXPECT_ERROR(IndexError, "index: 3 at (2,) of the indices is out of range for axis 0 of length 3, shape (3, 4)" + told(__LINE__), a(far));
  EXPECT_ERROR(IndexError, "index: 9223372036854775807 at (0,) of the indices is out of range for axis 0 of length 3, shape (3, 4)" + told(__LINE__), a(ints({std::numeric_limits<std::int64_t>::max()})));
  EXPECT_ERROR(IndexError, "index: -5 at (1, 0) of the indices is out of range for axis 1 of length 4, shape (3, 4)" + told(__LINE__), a(all_of, reshape(ints({0, -5}), {2, 1})));
  EXPECT_ERROR(IndexError, "index: 3 at (2,) of the indices is out of range for axis 0 of length 3, shape (3, 4)" + told(__LINE__), b(far) = 1.0);
  BOOST_TEST(same<double>(b, plain<double>(a)));
  EXPECT_ERROR(IndexError, "index: a mask of shape (4,) does not fit axis 0 of length 3, shape (3, 4)" + told(__LINE__), a(zeros({4}, bool_)));
  EXPECT_ERROR(IndexError, "index: arrays of indices are integers or bool, not float64, shape (3, 4)" + told(__LINE__), a(zeros({4})));
  EXPECT_ERROR(IndexError, "index: 3 indices for an array of rank 2, shape (3, 4)" + told(__LINE__), a(far, far, far));
  EXPECT_ERROR(IndexError, "index: shapes (3,) and (2,) do not broadcast: 3 != 2 along axis 0, shape (3, 4)" + told(__LINE__), a(far, ints({0, 1})));
  EXPECT_ERROR(ShapeError, "assign: shapes (2,) and (3, 4) do not broadcast: 4 != 2 along axis 1" + told(__LINE__), b(ints({0, 1, 2})) = zeros({2}));
  EXPECT_ERROR(ShapeError, "assign: shapes (2,) and (0,) do not broadcast: 2 != 0 along axis 0" + told(__LINE__), b(b > 1.0) = zeros({2}));
  EXPECT_ERROR(IndexError, "take: 9 at (0,) of the indices is out of range for axis 1 of length 4, shape (3, 4)" + told(__LINE__), take(a, ints({9}), 1));
  EXPECT_ERROR(IndexError, "take_along_axis: 9 at (1, 0) of the indices is out of range for axis 1 of length 4, shape (3, 4)" + told(__LINE__), take_along_axis(a, reshape(ints({0, 9, 9}), {3, 1})));
  EXPECT_ERROR(ShapeError, "take: an axis must be given for shape (3, 4)" + told(__LINE__), take(a, far));
  EXPECT_ERROR(DTypeError, "take: indices must be integers, not float64" + told(__LINE__), take(a, a, 0));
  EXPECT_ERROR(IndexError, "take: axis 2 is out of range for an array of rank 2" + told(__LINE__), take(a, far, 2));
  EXPECT_ERROR(ShapeError, "take_along_axis: indices of shape (3,) do not have the rank of shape (3, 4)" + told(__LINE__), take_along_axis(a, far));
  EXPECT_ERROR(IndexError, "scatter: -4 at (0,) of the indices is out of range for axis 0 of length 3, shape (3, 4)" + told(__LINE__), scatter(a, ints({-4}), 1.0));
  EXPECT_ERROR(DTypeError, "scatter: values of dtype float64 do not go into an array of dtype int64; convert them with astype" + told(__LINE__), scatter(far, far, a));
}

BACKEND_TEST_CASE(masked_updates_are_recorded) {
  const auto f = jit([](const UnifiedArray& x) {
    UnifiedArray y = x;
    y(x > 1.0) *= 10.0;
    y(all_of, asarray({false, true})) = -1.0;
    return y;
  });
  BOOST_TEST(same<double>(f(counting<double>({3, 2}).array()), Plain<double>({3, 2}, {0, -1, 20, -1, 40, -1})));
  BOOST_TEST(same<double>(f(counting<double>({3, 2}, -3).array()), Plain<double>({3, 2}, {-3, -1, -1, -1, 1, -1})));
}

BACKEND_TEST_CASE(a_shape_that_depends_on_elements_is_not_recorded) {
  const UnifiedArray x = zeros({3});
  const auto f = jit([](const UnifiedArray& y) { return sum(y(y > 0.0)); });
  EXPECT_ERROR(ShapeError, "index: the shape of the result depends on the elements of an array of shape (3,), which a function that jit traces does not have" + told(__LINE__ - 1, "bool"), f(x));
}
