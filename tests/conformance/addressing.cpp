// How elements are addressed: views, broadcasting, and shifts with a rule beyond the edge.
#include <map>

#include "reference.hpp"

using namespace isofield;
using namespace isofield::testing;

namespace {

using At = std::vector<std::int64_t>;

/// A new array whose element `at` is `x[from(at)]`.
template <class T>
Plain<T> taken(const Plain<T>& x, const Shape& shape, const std::function<At(const At&)>& from) {
  Plain<T> result(shape);
  each_index(shape, [&](const At& at) { result[at] = x[from(at)]; });
  return result;
}

/// What `shift` means, one axis at a time.
template <class T>
Plain<T> shifted(const Plain<T>& x, int axis, std::int64_t offset, Boundary boundary, T fill) {
  Plain<T> result(x.shape);
  const std::int64_t n = x.shape[axis];
  each_index(x.shape, [&](const At& at) {
    std::int64_t i = at[static_cast<std::size_t>(axis)] + offset;
    if (boundary == Boundary::constant && (i < 0 || i >= n)) {
      result[at] = fill;
      return;
    }
    if (boundary == Boundary::periodic) i = ((i % n) + n) % n;
    if (boundary == Boundary::clamp) i = std::clamp<std::int64_t>(i, 0, n - 1);
    while (i < 0 || i >= n) i = i < 0 ? -1 - i : 2 * n - 1 - i;
    At from = at;
    from[static_cast<std::size_t>(axis)] = i;
    result[at] = x[from];
  });
  return result;
}

constexpr Boundary rules[] = {Boundary::periodic, Boundary::clamp, Boundary::reflect,
                              Boundary::constant};

/// One array, contiguous, strided, transposed, reversed and broadcast, all with the same elements.
template <class T>
std::vector<UnifiedArray> layouts_of(const Plain<T>& x) {
  const int rank = x.shape.size();
  std::vector<UnifiedArray> result{x.array()};
  Shape wide = x.shape;
  for (auto& n : wide) n = 2 * n + 1;
  UnifiedArray spread = zeros(wide, dtype_of<T>);
  std::vector<Index> odd;
  for (int k = 0; k < rank; ++k) odd.emplace_back(slice(1, wide[k], 2));
  spread.assign(odd, x.array());
  result.push_back(std::as_const(spread).index(std::span<const Index>(odd)));
  if (rank > 1) result.push_back(x.array().T().copy().T());
  UnifiedArray reversed = x.array();
  for (int k = 0; k < rank; ++k) reversed = flip(reversed, k);
  reversed = reversed.copy();
  for (int k = 0; k < rank; ++k) reversed = flip(reversed, k);
  result.push_back(reversed);
  return result;
}

}  // namespace

BACKEND_DTYPE_TEST_CASE(slices_follow_pythons_rules, double, bool) {
  const Plain<T> x = noise<T>({7});
  const UnifiedArray a = x.array();
  for (const std::int64_t step : {1, 2, 3, 7, 9, -1, -2, -7, -9})
    for (std::int64_t start = -9; start <= 9; ++start)
      for (std::int64_t stop = -9; stop <= 9; ++stop) {
        At picked;  // by Python's definition: clip both ends, then walk
        const auto clip_to = [&](std::int64_t i) {
          if (i < 0) i += 7;
          return step > 0 ? std::clamp<std::int64_t>(i, 0, 7) : std::clamp<std::int64_t>(i, -1, 6);
        };
        for (std::int64_t i = clip_to(start); step > 0 ? i < clip_to(stop) : i > clip_to(stop);
             i += step)
          picked.push_back(i);
        const auto n = static_cast<std::int64_t>(picked.size());
        const auto part = same<T>(a(slice(start, stop, step)), taken<T>(x, {n}, [&](const At& at) {
                                    return At{picked[static_cast<std::size_t>(at[0])]};
                                  }));
        check(part, start, ":", stop, ":", step);
      }
  BOOST_TEST(
      same<T>(a(Slice{{}, {}, -1}), taken<T>(x, {7}, [](const At& at) { return At{6 - at[0]}; })));
  BOOST_TEST(same<T>(a(from(-2)), taken<T>(x, {2}, [](const At& at) { return At{5 + at[0]}; })));
  BOOST_TEST(same<T>(a(upto(-5)), taken<T>(x, {2}, [](const At& at) { return at; })));
}

BACKEND_TEST_CASE(index_expressions_mix_integers_slices_ellipses_and_new_axes) {
  const Plain<double> x = counting<double>({2, 3, 4});
  const UnifiedArray a = x.array();
  BOOST_TEST(a(1, 2, 3).item<double>() == 23.0);
  BOOST_TEST(a(-1, -1, -1).item<double>() == 23.0);
  BOOST_TEST(same<double>(a(1, ellipsis, 2), {{3}, {14, 18, 22}}));
  BOOST_TEST(same<double>(a(ellipsis, slice(1, 3), 0), {{2, 2}, {4, 8, 16, 20}}));
  BOOST_TEST((a(newaxis, 0, newaxis).shape() == Shape{1, 1, 3, 4}));
  BOOST_TEST((a(all_of, newaxis, 1).shape() == Shape{2, 1, 4}));
  BOOST_TEST((a(slice(5, 2)).shape() == Shape{0, 3, 4}));
  BOOST_TEST(
      same<double>(a(slice(1, 2), slice(2, 0, -1), slice(0, 4, 3)), {{1, 2, 2}, {20, 23, 16, 19}}));
}

BACKEND_TEST_CASE(views_move_elements_as_numpy_does) {
  const Plain<double> x = counting<double>({2, 3, 4});
  const UnifiedArray a = x.array();
  BOOST_TEST(same<double>(permute_dims(a, {2, 0, 1}), taken<double>(x, {4, 2, 3}, [](const At& at) {
                            return At{at[1], at[2], at[0]};
                          })));
  BOOST_TEST(same<double>(permute_dims(a, {-1, 0, -2}), plain<double>(permute_dims(a, {2, 0, 1}))));
  BOOST_TEST(same<double>(a.T(), taken<double>(x, {4, 3, 2}, [](const At& at) {
                            return At{at[2], at[1], at[0]};
                          })));
  BOOST_TEST(same<double>(matrix_transpose(a), taken<double>(x, {2, 4, 3}, [](const At& at) {
                            return At{at[0], at[2], at[1]};
                          })));
  BOOST_TEST(same<double>(flip(a, 1), taken<double>(x, {2, 3, 4}, [](const At& at) {
                            return At{at[0], 2 - at[1], at[2]};
                          })));
  BOOST_TEST(same<double>(reshape(a, {4, -1}), counting<double>({4, 6})));
  BOOST_TEST(same<double>(reshape(a.T(), {24}), Plain<double>({24}, plain<double>(a.T()).data)));
  BOOST_TEST(same<double>(reshape(flip(a, 2), {6, 4}),
                          Plain<double>({6, 4}, plain<double>(flip(a, 2)).data)));
  BOOST_TEST(same<double>(reshape(a(all_of, slice(0, 2)), {16}),
                          Plain<double>({16}, plain<double>(a(all_of, slice(0, 2))).data)));
  BOOST_TEST((expand_dims(a, -1).shape() == Shape{2, 3, 4, 1}));
  BOOST_TEST((expand_dims(a, 0).shape() == Shape{1, 2, 3, 4}));
  BOOST_TEST(same<double>(squeeze(expand_dims(a, 1), 1), x));
  BOOST_TEST(same<double>(broadcast_to(asarray({1.0, 2.0}), {2, 2}), {{2, 2}, {1, 2, 1, 2}}));
  BOOST_TEST(same<double>(broadcast_to(reshape(asarray({1.0, 2.0}), {2, 1}), {2, 2}),
                          {{2, 2}, {1, 1, 2, 2}}));
  BOOST_TEST(
      same<double>(flip(a, 0) + a.T().T() * 2.0, plain<double>(flip(a, 0).copy() + a * 2.0)));
}

BACKEND_TEST_CASE(views_share_memory_where_the_layout_allows) {
  const UnifiedArray a = counting<double>({4, 6}).array();
  const auto shares = [&](const UnifiedArray& v) { return v.storage()->data == a.storage()->data; };
  BOOST_TEST(shares(a.T()));
  BOOST_TEST(shares(flip(a, 0)));
  BOOST_TEST(shares(reshape(a, {2, 2, 6})));
  BOOST_TEST(shares(reshape(a(all_of, slice(0, 6, 2)), {2, 2, 3})));
  BOOST_TEST(shares(broadcast_to(a, {3, 4, 6})));
  BOOST_TEST(!shares(reshape(a.T(), {24})));
}

BACKEND_TEST_CASE(ranks_from_zero_to_eight_broadcast) {
  Shape shape;
  for (int rank = 0; rank <= 8; ++rank) {
    const Plain<double> x = noise<double>(shape, 1);
    Shape ones_shape = shape;
    for (int k = 0; k < rank; k += 2) ones_shape[k] = 1;
    const Plain<double> y = noise<double>(ones_shape, 2);
    const Plain<double> expected = [&] {
      Plain<double> e(shape);
      each_index(shape, [&](const At& at) {
        At low = at;
        for (std::size_t k = 0; k < low.size(); k += 2) low[k] = 0;
        e[at] = x[at] * 2.0 - y[low];
      });
      return e;
    }();
    BOOST_TEST(same<double>(x.array() * 2.0 - y.array(), expected));
    const std::vector<UnifiedArray> all = layouts_of(x);
    for (const auto& a : all) BOOST_TEST(same<double>(a * 2.0 - y.array(), expected));
    shape.push_back(rank % 3 + 1);
  }
}

BACKEND_TEST_CASE(rank_thirty_two_works_and_rank_thirty_three_is_refused) {
  Shape shape(32, 1);
  shape[31] = 3;
  shape[5] = 2;
  const UnifiedArray a = reshape(counting<double>({6}).array(), shape);
  BOOST_TEST(same<double>(reshape(a.T() + 1.0, {3, 2}), {{3, 2}, {1, 4, 2, 5, 3, 6}}));
  BOOST_TEST(sum(a, {31}).ndim() == 31);
  BOOST_TEST(sum(a).item<double>() == 15.0);
  BOOST_TEST(flip(a, 5).ndim() == 32);
  BOOST_CHECK_THROW(expand_dims(a, 0), ShapeError);
}

BACKEND_TEST_CASE(empty_arrays_go_through_everything) {
  const UnifiedArray a = zeros({0, 3}), b = zeros({3, 0});
  BOOST_TEST(((a + 1.0).shape() == Shape{0, 3}));
  BOOST_TEST(((a + ones({3})).shape() == Shape{0, 3}));
  BOOST_TEST((a.T().shape() == Shape{3, 0}));
  BOOST_TEST((reshape(a, {3, 0, 2}).shape() == Shape{3, 0, 2}));
  BOOST_TEST((reshape(a.T(), {0}).shape() == Shape{0}));
  BOOST_TEST((flip(a, 0).shape() == Shape{0, 3}));
  BOOST_TEST((concat({a, ones({2, 3})}).shape() == Shape{2, 3}));
  BOOST_TEST((broadcast_to(zeros({1, 3}), {0, 3}).shape() == Shape{0, 3}));
  BOOST_TEST(same<double>(linalg::matmul(b, a), Plain<double>({3, 3})));
  BOOST_TEST((linalg::matmul(a, b).shape() == Shape{0, 0}));
  BOOST_TEST((linalg::tridiagonal_solve(a, a, a, a, 1).shape() == Shape{0, 3}));
  BOOST_TEST((shift(a, 1, 1, Boundary::periodic).shape() == Shape{0, 3}));
  BOOST_TEST((shift(a, 0, 1, Boundary::constant).copy().shape() == Shape{0, 3}));
  BOOST_TEST(a.astype(int64).to_vector<std::int64_t>().empty());
  UnifiedArray c = ones({3});
  c(slice(3, 3)) = zeros({0});
  BOOST_TEST(same<double>(c, {{3}, {1, 1, 1}}));
}

BACKEND_DTYPE_TEST_CASE(shifts_follow_their_rule_along_one_axis, double, bool) {
  for (const std::int64_t n : {1, 2, 3, 64, 193, 1000}) {
    const Plain<T> x = noise<T>({n});
    for (const UnifiedArray& a : layouts_of(x))
      for (const Boundary rule : rules)
        for (const std::int64_t offset :
             {std::int64_t{1}, std::int64_t{-1}, std::int64_t{2}, n - 1, -n, n + 1, -2 * n - 1,
              5 * n + 2, std::int64_t{1} << 62, -(std::int64_t{1} << 62)}) {
          const std::int64_t near =
              std::abs(offset) > 100 * n
                  ? (rule == Boundary::periodic || rule == Boundary::reflect ? offset % (2 * n)
                     : offset < 0                                            ? -n
                                                                             : n)
                  : offset;
          const auto ok =
              same<T>(shift(a, 0, offset, rule, T(1)), shifted<T>(x, 0, near, rule, T(1)));
          check(ok, "n ", n, " offset ", offset, " rule ", int(rule));
        }
  }
}

BACKEND_TEST_CASE(shifts_along_any_axes_are_those_along_each) {
  for (const Shape& shape : {Shape{1, 1}, Shape{3, 5}, Shape{4, 191}, Shape{4, 192}, Shape{5, 193},
                             Shape{3, 1000}, Shape{300, 4}, Shape{3, 4, 5}, Shape{2, 3, 200}}) {
    const Plain<double> x = noise<double>(shape);
    const std::vector<UnifiedArray> all = layouts_of(x);
    const int last = shape.size() - 1;
    unsigned turn = 0;
    for (const Boundary p : rules)
      for (const Boundary q : rules)
        for (const std::int64_t i : {-7, -1, 1, 2})
          for (const std::int64_t j : {-3, 1, 11, 60, -130}) {
            const UnifiedArray& a = all[turn++ % all.size()];
            const Plain<double> expected =
                shifted<double>(shifted<double>(x, 0, i, p, 5.0), last, j, q, 7.0);
            const UnifiedArray got = shift(shift(a, 0, i, p, 5.0), last, j, q, 7.0);
            const auto ok = same<double>(got + 1.0 - got,
                                         plain<double>(expected.array() + 1.0 - expected.array()));
            check(ok, to_string(shape), " by ", i, " ", int(p), ", ", j, " ", int(q));
          }
  }
}

BACKEND_TEST_CASE(beyond_a_corner_the_last_fill_holds_to_the_bit) {
  const auto corner = [](const UnifiedArray& x, Scalar first, Scalar last) {
    return shift(shift(x, 0, 1, Boundary::constant, first), 1, 1, Boundary::constant, last)(1, 1);
  };
  const UnifiedArray x = ones({2, 2});
  BOOST_TEST(std::signbit(corner(x, 0.0, -0.0).item<double>()));
  BOOST_TEST(!std::signbit(corner(x, -0.0, 0.0).item<double>()));
  const UnifiedArray n = ones({2, 2}, int64);
  const std::int64_t large = (std::int64_t{1} << 53) + 1;  // the same double as its predecessor
  BOOST_TEST(corner(n, large - 1, large).item<std::int64_t>() == large);
  BOOST_TEST(corner(n, large, large - 1).item<std::int64_t>() == large - 1);
}

BACKEND_TEST_CASE(slices_take_any_step) {
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  const UnifiedArray x = counting<double>({3, 4}).array();
  BOOST_TEST(same<double>(x(Slice{{}, {}, most}), {{1, 4}, {0, 1, 2, 3}}));
  BOOST_TEST(same<double>(x(Slice{{}, {}, least}), {{1, 4}, {8, 9, 10, 11}}));
  BOOST_TEST(same<double>(x(0, Slice{least, most, most / 2}) + 1.0, {{1}, {1}}));
}

BACKEND_TEST_CASE(shifts_of_broadcast_arrays_and_of_shifts_are_right) {
  const Plain<double> x = noise<double>({200});
  Plain<double> repeated({6, 200});
  each_index(repeated.shape, [&](const At& at) { repeated[at] = x[{at[1]}]; });
  const UnifiedArray b = broadcast_to(x.array(), {6, 200});
  for (const Boundary rule : rules) {
    BOOST_TEST(
        same<double>(shift(b, 1, 2, rule, 3.0) * 1.0, shifted<double>(repeated, 1, 2, rule, 3.0)));
    BOOST_TEST(same<double>(shift(b, 0, -1, rule, 3.0) * 1.0,
                            shifted<double>(repeated, 0, -1, rule, 3.0)));
    BOOST_TEST(same<double>(
        shift(shift(b, 1, 1, rule, 3.0), 1, 1, Boundary::clamp),
        shifted<double>(shifted<double>(repeated, 1, 1, rule, 3.0), 1, 1, Boundary::clamp, 0.0)));
  }
  BOOST_TEST(
      same<double>(shift(x.array() * 2.0, 0, 1, Boundary::clamp),
                   shifted<double>(plain<double>(x.array() * 2.0), 0, 1, Boundary::clamp, 0.0)));
}

BACKEND_TEST_CASE(stencils_mix_shifts_and_scalars_in_one_program) {
  for (const Shape& shape :
       {Shape{40, 191}, Shape{40, 192}, Shape{7, 1000}, Shape{1, 400}, Shape{400, 1}}) {
    const Plain<double> x = noise<double>(shape);
    const auto get = [&](int axis, std::int64_t offset) {
      return shifted<double>(x, axis, offset, Boundary::reflect, 0.0);
    };
    const Plain<double> l = get(1, -1), r = get(1, 1), u = get(0, -1), d = get(0, 1);
    Plain<double> expected(shape);
    for (std::size_t i = 0; i < x.data.size(); ++i)
      expected.data[i] =
          x.data[i] + 0.1 * (l.data[i] + r.data[i] + u.data[i] + d.data[i] - 4.0 * x.data[i]);
    for (const UnifiedArray& a : layouts_of(x)) {
      const auto s = [&](int axis, std::int64_t offset) {
        return shift(a, axis, offset, Boundary::reflect);
      };
      BOOST_TEST(
          same<double>(a + 0.1 * (s(1, -1) + s(1, 1) + s(0, -1) + s(0, 1) - 4.0 * a), expected));
    }
  }
}

// Ends of rows: leaves read the same columns from different rows, planes and rules.
BACKEND_TEST_CASE(neighbours_of_one_column_share_what_is_gathered) {
  struct Neighbour {
    std::int64_t plane, row, column;
    Boundary rule;
  };
  for (const Shape& shape : {Shape{3, 9, 64}, Shape{2, 300, 40}, Shape{1, 40, 48}})
    for (const Boundary rule : rules) {
      const Plain<double> x = noise<double>(shape);
      const std::vector<Neighbour> neighbours = {{0, 0, -1, rule},
                                                 {0, 0, 1, rule},
                                                 {0, -1, 0, rule},
                                                 {0, 2, 0, rule},
                                                 {1, 0, 0, rule},
                                                 {1, 1, -1, rule},
                                                 {-1, 1, 1, rule},
                                                 {0, -1, 1, rule},
                                                 {0, -1, 1, Boundary::clamp},
                                                 {0, -1, 0, Boundary::periodic}};
      Plain<double> expected = x;
      for (const Neighbour& n : neighbours) {
        Plain<double> part = shifted<double>(x, 0, n.plane, n.rule, 2.0);
        part = shifted<double>(part, 1, n.row, n.rule, 3.0);
        part = shifted<double>(part, 2, n.column, n.rule, 4.0);
        for (std::size_t i = 0; i < expected.data.size(); ++i)
          expected.data[i] = expected.data[i] * 0.5 + part.data[i];
      }
      const auto sum = [&](const UnifiedArray& a) {
        UnifiedArray result = a;
        for (const Neighbour& n : neighbours)
          result =
              result * 0.5 + shift(shift(shift(a, 0, n.plane, n.rule, 2.0), 1, n.row, n.rule, 3.0),
                                   2, n.column, n.rule, 4.0);
        return result;
      };
      for (const UnifiedArray& a : layouts_of(x)) {
        const auto ok = same<double>(sum(a), expected);
        check(ok, to_string(shape), " rule ", int(rule));
      }
      const auto replayed = jit(sum);  // runs are laid down once code is final
      for (int k = 0; k < 40; ++k) {
        const auto ok = same<double>(replayed(x.array()), expected);
        check(ok, to_string(shape), " replay ", k);
      }
    }
}

BACKEND_TEST_CASE(replayed_stencils_of_any_length_are_those_of_lazy_arrays) {
  for (const std::int64_t n : {1, 2, 3, 24, 25, 100, 1000, 20000})
    for (const Boundary rule : rules) {
      const Plain<double> x = noise<double>({n});
      const Plain<double> left = shifted<double>(x, 0, -1, rule, 2.0),
                          right = shifted<double>(x, 0, 2, rule, 3.0);
      Plain<double> expected = x;
      for (std::size_t i = 0; i < x.data.size(); ++i)
        expected.data[i] = left.data[i] * 3.0 - x.data[i] + right.data[i];
      const auto stencil = jit([&](const UnifiedArray& a) {
        return shift(a, 0, -1, rule, 2.0) * 3.0 - a + shift(a, 0, 2, rule, 3.0);
      });
      for (int k = 0; k < 20; ++k) {
        const auto ok = same<double>(stencil(x.array()), expected);
        check(ok, n, " elements, replay ", k);
      }
    }
}

BACKEND_TEST_CASE(shifts_across_most_of_a_row_keep_to_their_row) {
  for (const std::int64_t n : {35, 257, 267, 338}) {
    const Plain<double> x = noise<double>({77, n});
    const UnifiedArray a = x.array();
    for (const std::int64_t offset : {n / 2, n - 25, n - 1})
      for (const Boundary rule : {Boundary::reflect, Boundary::constant})
        for (const std::int64_t by : {-offset, offset}) {
          const auto result =
              same<double>(shift(a, 1, by, rule, 0.5) * 2.0,
                           plain<double>(shifted(x, 1, by, rule, 0.5).array() * 2.0));
          check(result, "rows of ", n, " by ", by);
        }
  }
}
