// Whole arrays rearranged: against loops over places.
#include "reference.hpp"

using namespace isofield;
using namespace isofield::testing;

namespace {

using At = std::vector<std::int64_t>;

template <class T, class F>
Plain<T> made(const Shape& shape, F&& f) {
  Plain<T> result(shape);
  each_index(shape, [&](const At& at) { result[at] = f(at); });
  return result;
}

Plain<double> row(std::vector<double> values) {
  const auto n = static_cast<std::int64_t>(values.size());
  return {{n}, std::move(values)};
}

}  // namespace

BACKEND_TEST_CASE(axes_are_added_removed_reversed_and_moved_together) {
  const Plain<double> x = counting<double>({2, 3, 4});
  const UnifiedArray a = x.array();
  BOOST_TEST((expand_dims(a, std::vector<int>{0, -1}).shape() == Shape{1, 2, 3, 4, 1}));
  BOOST_TEST((expand_dims(a, std::vector<int>{1, 3}).shape() == Shape{2, 1, 3, 1, 4}));
  BOOST_TEST((squeeze(zeros({1, 2, 1, 3, 1}), std::vector<int>{0, -1}).shape() == Shape{2, 1, 3}));
  BOOST_TEST(same<double>(flip(a), made<double>({2, 3, 4}, [&](const At& at) {
                            return x[{1 - at[0], 2 - at[1], 3 - at[2]}];
                          })));
  BOOST_TEST(
      same<double>(flip(a, std::vector<int>{0, -1}), made<double>({2, 3, 4}, [&](const At& at) {
                     return x[{1 - at[0], at[1], 3 - at[2]}];
                   })));
  BOOST_TEST((moveaxis(a, 0, -1).shape() == Shape{3, 4, 2}));
  BOOST_TEST(
      (moveaxis(a, std::vector<int>{0, 1}, std::vector<int>{-1, -2}).shape() == Shape{4, 3, 2}));
  BOOST_TEST(same<double>(moveaxis(a, 2, 0), made<double>({4, 2, 3}, [&](const At& at) {
                            return x[{at[1], at[2], at[0]}];
                          })));
}

BACKEND_DTYPE_TEST_CASE(what_rolls_out_comes_in_again, bool, std::int32_t, double) {
  const Plain<T> x = noise<T>({4, 5});
  for (const std::int64_t by : {0, 1, -1, 7, -13}) {
    const auto wrapped = [](std::int64_t i, std::int64_t n) { return ((i % n) + n) % n; };
    BOOST_TEST(same<T>(roll(x.array(), by, 1), made<T>({4, 5}, [&](const At& at) {
                         return x[{at[0], wrapped(at[1] - by, 5)}];
                       })));
    BOOST_TEST(same<T>(roll(x.array(), {by, 2}, {0, -1}), made<T>({4, 5}, [&](const At& at) {
                         return x[{wrapped(at[0] - by, 4), wrapped(at[1] - 2, 5)}];
                       })));
    BOOST_TEST(same<T>(roll(x.array(), by), made<T>({4, 5}, [&](const At& at) {
                         const std::int64_t i = wrapped(at[0] * 5 + at[1] - by, 20);
                         return x[{i / 5, i % 5}];
                       })));
  }
  BOOST_TEST((roll(zeros({0, 3}), 2).shape() == Shape{0, 3}));
  BOOST_TEST((roll(zeros({0, 3}), 2, 0).shape() == Shape{0, 3}));
}

BACKEND_TEST_CASE(elements_are_repeated) {
  const Plain<double> x = counting<double>({2, 3});
  BOOST_TEST(same<double>(repeat(x.array(), 2, 1), made<double>({2, 6}, [&](const At& at) {
                            return x[{at[0], at[1] / 2}];
                          })));
  BOOST_TEST(same<double>(repeat(x.array(), 2), row({0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5})));
  BOOST_TEST((repeat(x.array(), 0, 0).shape() == Shape{0, 3}));
  BOOST_TEST(same<double>(repeat(x.array(), asarray({2, 0, 1}), 1), {{2, 3}, {0, 0, 2, 3, 3, 5}}));
  BOOST_TEST(same<double>(repeat(x.array(), asarray({3}), 0),
                          repeat(x.array(), 3, 0).to_vector<double>().size() == 18
                              ? plain<double>(repeat(x.array(), 3, 0))
                              : x));
}

BACKEND_TEST_CASE(arrays_are_laid_out_like_tiles) {
  const Plain<double> x = counting<double>({2, 3});
  BOOST_TEST(same<double>(tile(x.array(), {2, 3}), made<double>({4, 9}, [&](const At& at) {
                            return x[{at[0] % 2, at[1] % 3}];
                          })));
  BOOST_TEST(same<double>(tile(x.array(), {2}), made<double>({2, 6}, [&](const At& at) {
                            return x[{at[0], at[1] % 3}];
                          })));
  BOOST_TEST(same<double>(tile(x.array(), {2, 1, 2}), made<double>({2, 2, 6}, [&](const At& at) {
                            return x[{at[1], at[2] % 3}];
                          })));
  BOOST_TEST((tile(x.array(), {0, 1}).shape() == Shape{0, 3}));
  BOOST_TEST((tile(zeros({0}), {3}).shape() == Shape{0}));
  const Shape large(32, 1);
  Shape twice = large;
  twice[31] = 2;
  BOOST_TEST((tile(zeros(large), {2}).shape() == twice));
}

BACKEND_TEST_CASE(arrays_come_apart_and_together) {
  const Plain<double> x = counting<double>({2, 3});
  const auto columns = unstack(x.array(), 1);
  BOOST_TEST(columns.size() == 3u);
  BOOST_TEST(same<double>(columns[1], row({1, 4})));
  BOOST_TEST(same<double>(stack(columns, 1), x));
  BOOST_TEST(same<double>(concat({x.array(), ones({1})}, {}), row({0, 1, 2, 3, 4, 5, 1})));
  BOOST_TEST((broadcast_shapes({{2, 1}, {3}, {4, 1, 1}}) == Shape{4, 2, 3}));
  const auto both = broadcast_arrays({zeros({2, 1}), zeros({3})});
  BOOST_TEST((both[0].shape() == Shape{2, 3} && both[1].shape() == Shape{2, 3}));
}

// np.pad(np.arange(3.), (4, 5), mode=...)
BACKEND_TEST_CASE(arrays_are_padded) {
  const UnifiedArray a = arange(0.0, 3.0);
  BOOST_TEST(same<double>(pad(a, {{4, 5}}, Pad::edge), row({0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 2})));
  BOOST_TEST(
      same<double>(pad(a, {{4, 5}}, Pad::reflect), row({0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1})));
  BOOST_TEST(
      same<double>(pad(a, {{4, 5}}, Pad::symmetric), row({2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1})));
  BOOST_TEST(same<double>(pad(a, {{4, 5}}, Pad::wrap), row({2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1})));
  BOOST_TEST(same<double>(pad(a, {{1, 2}}, Pad::constant, 7.5), row({7.5, 0, 1, 2, 7.5, 7.5})));
  const Plain<double> x = counting<double>({2, 3});
  BOOST_TEST(same<double>(
      pad(x.array(), {{1, 0}, {0, 2}}, Pad::edge), made<double>({3, 5}, [&](const At& at) {
        return x[{std::max<std::int64_t>(at[0] - 1, 0), std::min<std::int64_t>(at[1], 2)}];
      })));
  BOOST_TEST(same<double>(pad(asarray({1.0}), {{2, 2}}, Pad::reflect), row({1, 1, 1, 1, 1})));
}

BACKEND_TEST_CASE(grids_are_made_of_coordinates) {
  const UnifiedArray x = arange(0.0, 3.0), y = arange(0.0, 2.0);
  const auto xy = meshgrid({x, y}), ij = meshgrid({x, y}, Indexing::ij);
  BOOST_TEST(same<double>(xy[0], {{2, 3}, {0, 1, 2, 0, 1, 2}}));
  BOOST_TEST(same<double>(xy[1], {{2, 3}, {0, 0, 0, 1, 1, 1}}));
  BOOST_TEST(same<double>(ij[0], {{3, 2}, {0, 0, 1, 1, 2, 2}}));
  BOOST_TEST((meshgrid({x, y, x})[2].shape() == Shape{2, 3, 3}));
  BOOST_TEST((meshgrid({x})[0].shape() == Shape{3}));
  BOOST_TEST(meshgrid({}).empty());
}

BACKEND_DTYPE_TEST_CASE(triangles_are_cut_out, bool, std::int32_t, double, std::complex<float>) {
  const Plain<T> x = noise<T>({2, 4, 3});
  for (const std::int64_t k : {-5, -1, 0, 1, 2, 9}) {
    BOOST_TEST(same<T>(tril(x.array(), k), made<T>(x.shape, [&](const At& at) {
                         return at[2] - at[1] <= k ? x[at] : Stored<T>{};
                       })));
    BOOST_TEST(same<T>(triu(x.array(), k), made<T>(x.shape, [&](const At& at) {
                         return at[2] - at[1] >= k ? x[at] : Stored<T>{};
                       })));
  }
}

BACKEND_TEST_CASE(rearranging_is_recorded) {
  const auto f = jit([](const UnifiedArray& x) {
    return sum(pad(roll(x, 1, 0), {{1, 1}}, Pad::wrap) * tile(arange(0.0, 5.0), {5, 1})) +
           sum(tril(x)) + sum(repeat(x, 2, 0));
  });
  for (const unsigned seed : {1u, 2u}) {
    const UnifiedArray x = noise<double>({3, 3}, seed).array();
    const UnifiedArray expected =
        sum(pad(roll(x, 1, 0), {{1, 1}}, Pad::wrap) * tile(arange(0.0, 5.0), {5, 1})) +
        sum(tril(x)) + sum(repeat(x, 2, 0));
    BOOST_TEST(close<double>(f(x), plain<double>(expected), 1e-14));
  }
}

// Statements stand on one line, so that __LINE__ is theirs.
// clang-format off
// clang-format off
#define EXPECT_ERROR(type, text, statement) \
  BOOST_TEST(error_of<type>([&] { statement; }) == (text))

namespace {
std::string told(int line, const char* dtype = "float64") {
  return " [" + variant().backend + ", " + dtype + "] at manipulation.cpp:" + std::to_string(line);
}
}  // namespace

BACKEND_TEST_CASE(what_cannot_be_rearranged_is_told) {
  const UnifiedArray a = zeros({3, 4});
  EXPECT_ERROR(IndexError, "expand_dims: there is no place 4 for a new axis in a result of rank 4" + told(__LINE__), expand_dims(a, std::vector<int>{0, 4}));
  EXPECT_ERROR(IndexError, "flip: axis -2 appears twice" + told(__LINE__), flip(a, std::vector<int>{0, -2}));
  EXPECT_ERROR(ShapeError, "squeeze: axis 1 of shape (3, 4) does not have length 1" + told(__LINE__), squeeze(a, std::vector<int>{1}));
  EXPECT_ERROR(ShapeError, "moveaxis: 2 axes do not go to 1 positions" + told(__LINE__), moveaxis(a, std::vector<int>{0, 1}, std::vector<int>{0}));
  EXPECT_ERROR(ShapeError, "roll: 2 shifts for 1 axes" + told(__LINE__), roll(a, {1, 2}, {0}));
  EXPECT_ERROR(IndexError, "roll: axis 2 is out of range for an array of rank 2" + told(__LINE__), roll(a, 1, 2));
  EXPECT_ERROR(ShapeError, "repeat: -1 repeats" + told(__LINE__), repeat(a, -1));
  EXPECT_ERROR(ShapeError, "repeat: repeats of shape (2,) do not fit an axis of length 3" + told(__LINE__), repeat(a, asarray({1, 2}), 0));
  EXPECT_ERROR(ShapeError, "repeat: a number of repeats is negative" + told(__LINE__), repeat(a, asarray({1, -2, 0}), 0));
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const std::string beyond = " of float64 takes more bytes than fit in 64 bits";
  EXPECT_ERROR(ShapeError, "shape (9223372036854775807,)" + beyond + told(__LINE__), repeat(a, most));
  EXPECT_ERROR(ShapeError, "shape (9223372036854775807,)" + beyond + told(__LINE__), repeat(a, 1 + most / 6));
  EXPECT_ERROR(ShapeError, "repeat: more elements than fit in 64 bits" + told(__LINE__), repeat(a, full({3}, most), 0));
  EXPECT_ERROR(ShapeError, "shape (9223372036854775807,)" + beyond + told(__LINE__), pad(zeros({2}), {{most, most}}));
  EXPECT_ERROR(ShapeError, "shape (9223372036854775807,)" + beyond + told(__LINE__), pad(zeros({2}), {{most, most}}, Pad::edge));
  EXPECT_ERROR(ShapeError, "tile: -2 repetitions" + told(__LINE__), tile(a, {-2}));
  EXPECT_ERROR(IndexError, "unstack: axis 2 is out of range for an array of rank 2" + told(__LINE__), unstack(a, 2));
  EXPECT_ERROR(ShapeError, "pad: 3 widths for shape (3, 4)" + told(__LINE__), pad(a, {{1, 1}, {1, 1}, {1, 1}}));
  EXPECT_ERROR(ShapeError, "pad: widths -1 and 0 of axis 0 are not both positive or 0" + told(__LINE__), pad(a, {{-1, 0}}));
  EXPECT_ERROR(ShapeError, "pad: axis 0 of shape (0,) is empty" + told(__LINE__), pad(zeros({0}), {{1, 1}}, Pad::edge));
  EXPECT_ERROR(DTypeError, "pad: 0.5 does not go into dtype int64" + told(__LINE__, "int64"), pad(zeros({1}, int64), {{1, 1}}, Pad::constant, 0.5));
  EXPECT_ERROR(ShapeError, "tril: shape (4,) has fewer than two axes" + told(__LINE__), tril(zeros({4})));
}
