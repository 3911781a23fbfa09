// Linear algebra, joins, text, and arrays that go from backend to backend.
#include "reference.hpp"

using namespace isofield;
using namespace isofield::testing;

namespace {

using At = std::vector<std::int64_t>;

/// Gaussian elimination with pivoting, in long double.
std::vector<long double> dense_solve(std::vector<std::vector<long double>> m,
                                     std::vector<long double> r) {
  const std::size_t n = r.size();
  for (std::size_t c = 0; c < n; ++c) {
    std::size_t p = c;
    for (std::size_t i = c; i < n; ++i)
      if (std::abs(m[i][c]) > std::abs(m[p][c])) p = i;
    std::swap(m[c], m[p]);
    std::swap(r[c], r[p]);
    for (std::size_t i = c + 1; i < n; ++i) {
      const long double f = m[i][c] / m[c][c];
      for (std::size_t k = c; k < n; ++k) m[i][k] -= f * m[c][k];
      r[i] -= f * r[c];
    }
  }
  for (std::size_t c = n; c-- > 0;) {
    for (std::size_t k = c + 1; k < n; ++k) r[c] -= m[c][k] * r[k];
    r[c] /= m[c][c];
  }
  return r;
}

/// The systems of tridiagonal_solve, one line at a time.
template <class T>
Plain<T> solved(const Plain<T>& l, const Plain<T>& d, const Plain<T>& u, const Plain<T>& r,
                int axis, bool periodic) {
  Plain<T> x(r.shape);
  const auto n = static_cast<std::size_t>(r.shape[axis]);
  Shape lines = r.shape;
  lines[axis] = 1;
  each_index(lines, [&](const At& line) {
    std::vector<std::vector<long double>> m(n, std::vector<long double>(n, 0));
    std::vector<long double> right(n);
    const auto at = [&](std::size_t i) {
      At p = line;
      p[static_cast<std::size_t>(axis)] = static_cast<std::int64_t>(i);
      return p;
    };
    for (std::size_t i = 0; i < n; ++i) {
      m[i][i] += d[at(i)];
      if (i > 0 || periodic) m[i][(i + n - 1) % n] += l[at(i)];
      if (i + 1 < n || periodic) m[i][(i + 1) % n] += u[at(i)];
      right[i] = r[at(i)];
    }
    const auto y = dense_solve(m, right);
    for (std::size_t i = 0; i < n; ++i) x[at(i)] = static_cast<T>(y[i]);
  });
  return x;
}

template <class T>
Plain<T> product(const Plain<T>& a, const Plain<T>& b, const Shape& shape) {
  Plain<T> result(shape);
  const int rank = shape.size();
  each_index(shape, [&](const At& at) {
    long double total = 0;
    for (std::int64_t k = 0; k < a.shape.back(); ++k) {
      const auto place = [&](const Plain<T>& m, std::int64_t i, std::int64_t j) {
        At p;
        for (int q = 0; q + 2 < m.shape.size(); ++q)
          p.push_back(m.shape[q] == 1 ? 0
                                      : at[static_cast<std::size_t>(rank - m.shape.size() + q)]);
        p.push_back(i);
        p.push_back(j);
        return m[p];
      };
      total += static_cast<long double>(place(a, at[at.size() - 2], k)) * place(b, k, at.back());
    }
    result[at] = static_cast<T>(total);
  });
  return result;
}

}  // namespace

BACKEND_DTYPE_TEST_CASE(tridiagonal_systems_agree_with_dense_solves, float, double) {
  const double tolerance = std::is_same_v<T, float> ? 2e-5 : 1e-13;
  for (const std::int64_t n : {1, 2, 3, 8, 33, 65})
    for (const std::int64_t lines : {1, 3, 4, 17, 40})
      for (const int axis : {0, 1})
        for (const bool periodic : {false, true}) {
          const Shape shape = axis == 0 ? Shape{n, lines} : Shape{lines, n};
          const Plain<T> l = noise<T>(shape, 1, -1, 1), u = noise<T>(shape, 2, -1, 1),
                         r = noise<T>(shape, 3, -1, 1);
          const Plain<T> d = noise<T>(shape, 4, 3, 5);
          const auto got =
              linalg::tridiagonal_solve(l.array(), d.array(), u.array(), r.array(), axis, periodic);
          const auto ok = close<T>(got, solved<T>(l, d, u, r, axis, periodic), tolerance);
          check(ok, to_string(shape), " axis ", axis, " periodic ", periodic);
        }
}

BACKEND_TEST_CASE(tridiagonal_systems_take_stacks_views_scalars_and_pending_operands) {
  const Shape shape{3, 5, 4};
  const Plain<double> l = noise<double>(shape, 1, -1, 1), u = noise<double>(shape, 2, -1, 1),
                      r = noise<double>(shape, 3);
  const Plain<double> d = noise<double>(shape, 4, 3, 5);
  for (const int axis : {0, 1, 2, -1}) {
    const int k = axis < 0 ? 2 : axis;
    const auto x = linalg::tridiagonal_solve(l.array() * 1.0, flip(flip(d.array(), 0).copy(), 0),
                                             u.array().T().copy().T(), r.array() + 0.0, axis);
    BOOST_TEST(close<double>(x, solved<double>(l, d, u, r, k, false), 1e-13));
  }
  const Plain<double> constant({5}, {-1, -1, -1, -1, -1}), four({5}, {4, 4, 4, 4, 4}),
      right = noise<double>({5});
  BOOST_TEST(close<double>(linalg::tridiagonal_solve(-1.0, 4.0, -1.0, right.array(), 0, true),
                           solved<double>(constant, four, constant, right, 0, true), 1e-14));
}

BACKEND_TEST_CASE(unread_corners_may_hold_anything) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const std::int64_t lines : {1, 6, 40})
    for (const int axis : {0, 1}) {
      const Shape shape = axis == 0 ? Shape{4, lines} : Shape{lines, 4};
      Plain<double> l(shape), u(shape), d(shape), r(shape);
      each_index(shape, [&](const At& at) {
        const std::int64_t i = at[static_cast<std::size_t>(axis)];
        l[at] = i == 0 ? nan : -1.0;
        u[at] = i == 3 ? nan : -1.0;
        d[at] = 4.0;
        r[at] = 1.0 + static_cast<double>(i);
      });
      const auto x = linalg::tridiagonal_solve(l.array(), d.array(), u.array(), r.array(), axis);
      BOOST_TEST(!has_nan_or_inf(x));
    }
}

BACKEND_DTYPE_TEST_CASE(products_of_matrices_vectors_and_stacks, float, double) {
  const double tolerance = std::is_same_v<T, float> ? 1e-5 : 1e-13;
  const auto check = [&](const Shape& p, const Shape& q, const Shape& shape) {
    const Plain<T> a = noise<T>(p, 1), b = noise<T>(q, 2);
    BOOST_TEST(close<T>(linalg::matmul(a.array(), b.array()), product<T>(a, b, shape), tolerance));
    BOOST_TEST(close<T>(linalg::matmul(matrix_transpose(matrix_transpose(a.array()).copy()),
                                       flip(flip(b.array(), 0).copy(), 0)),
                        product<T>(a, b, shape), tolerance));
  };
  check({1, 1}, {1, 1}, {1, 1});
  check({3, 4}, {4, 5}, {3, 5});
  check({130, 70}, {70, 33}, {130, 33});
  check({2, 3, 4}, {2, 4, 5}, {2, 3, 5});
  check({3, 4}, {6, 4, 2}, {6, 3, 2});
  check({5, 1, 2, 3}, {4, 3, 2}, {5, 4, 2, 2});
  const Plain<T> m = noise<T>({3, 4}, 1), v = noise<T>({4}, 2), w = noise<T>({3}, 3);
  const Plain<T> row({1, 3}, w.data), column({4, 1}, v.data);
  BOOST_TEST(close<T>(linalg::matmul(m.array(), v.array()),
                      Plain<T>({3}, product<T>(m, column, {3, 1}).data), tolerance));
  BOOST_TEST(close<T>(linalg::matmul(w.array(), m.array()),
                      Plain<T>({4}, product<T>(row, m, {1, 4}).data), tolerance));
  BOOST_TEST(linalg::matmul(v.array(), v.array()).ndim() == 0);
  BOOST_TEST(close<T>(linalg::vecdot(v.array(), v.array()),
                      plain<T>(linalg::matmul(v.array(), v.array())), tolerance));
}

BACKEND_TEST_CASE(joins_put_arrays_side_by_side) {
  const UnifiedArray a = counting<double>({2, 3}).array(), b = full({2, 1}, 9.0), c = zeros({0, 3});
  BOOST_TEST(same<double>(concat({a, b}, 1), {{2, 4}, {0, 1, 2, 9, 3, 4, 5, 9}}));
  BOOST_TEST(same<double>(concat({a, c, a(slice(0, 1))}), {{3, 3}, {0, 1, 2, 3, 4, 5, 0, 1, 2}}));
  BOOST_TEST(same<double>(concat({a.T(), a.T() + 1.0}, -1),
                          {{3, 4}, {0, 3, 1, 4, 1, 4, 2, 5, 2, 5, 3, 6}}));
  BOOST_TEST(same<double>(stack({a, a * 2.0}), {{2, 2, 3}, {0, 1, 2, 3, 4, 5, 0, 2, 4, 6, 8, 10}}));
  BOOST_TEST(same<double>(stack({a(0), a(1)}, -1), {{3, 2}, {0, 3, 1, 4, 2, 5}}));
  BOOST_TEST(same<double>(concat({ones({1}, float32), ones({1})}), {{2}, {1, 1}}));
  BOOST_TEST(same<double>(stack({asarray(1.0), asarray(2.0)}), {{2}, {1, 2}}));
}

BACKEND_TEST_CASE(arrays_print_as_numpy_prints_them) {
  const std::string tail = ", backend=" + variant().backend + ")";
  BOOST_TEST(to_string(asarray({1.0, 2.5, -0.1})) ==
             "array([ 1. ,  2.5, -0.1], shape=(3,), dtype=float64" + tail);
  BOOST_TEST(to_string(asarray(3.0)) == "array(3., shape=(), dtype=float64" + tail);
  BOOST_TEST(to_string(asarray({true, false})) ==
             "array([ True, False], shape=(2,), dtype=bool" + tail);
  BOOST_TEST(to_string(counting<std::int64_t>({2, 2}).array().T()) ==
             "array([[0, 2],\n       [1, 3]], shape=(2, 2), dtype=int64" + tail);
  BOOST_TEST(to_string(arange(0.0, 1001.0)) ==
             "array([   0.,    1.,    2., ...,  998.,  999., 1000.], shape=(1001,), dtype=float64" +
                 tail);
  BOOST_TEST(to_string(reshape(arange(0, 1200), {600, 2})) ==
             "array([[   0,    1],\n       [   2,    3],\n       [   4,    5],\n       ...,\n"
             "       [1194, 1195],\n       [1196, 1197],\n       [1198, 1199]], shape=(600, 2), "
             "dtype=int64" +
                 tail);
  BOOST_TEST(to_string(asarray({1e-10, 2500.0})) ==
             "array([1.0e-10, 2.5e+03], shape=(2,), dtype=float64" + tail);
  BOOST_TEST(to_string(asarray({std::complex<double>(0.5, -2.0)})) ==
             "array([0.5-2.j], shape=(1,), dtype=complex128" + tail);
  BOOST_TEST(to_string(zeros({0}, float32)) == "array([], shape=(0,), dtype=float32" + tail);
  BOOST_TEST(to_string(asarray({std::numeric_limits<double>::infinity(), -std::nan("")})) ==
             "array([inf, nan], shape=(2,), dtype=float64" + tail);
}

BACKEND_TEST_CASE(conversion_on_one_device_shares_pointers) {
  const UnifiedArray a = counting<double>({3, 4}).array();
  if (!a.device().is_host()) return;
  for (const auto& status : list_backends()) {
    if (!status.available || !get_backend(status.spelling).device().is_host()) continue;
    UnifiedArray b = a.to_backend(status.spelling);
    BOOST_TEST(b.view().bytes() == a.view().bytes());
    BOOST_TEST(&b.backend() == &get_backend(status.spelling));
    const UnifiedArray part = a.T()(slice(3, 0, -1));
    const UnifiedArray moved = part.to_backend(status.spelling);
    BOOST_TEST(moved.view().bytes() == part.view().bytes());
    BOOST_TEST(same<double>(moved, plain<double>(part)));
    if (&b.backend() == &a.backend()) continue;
    b(0, 0) = 100.0;  // neither sees the other's writes
    BOOST_TEST(a(0, 0).item<double>() == 0.0);
    UnifiedArray c = a.copy();
    const UnifiedArray d = c.to_backend(status.spelling);
    c(1, 1) = -1.0;
    BOOST_TEST(d(1, 1).item<double>() == 5.0);
  }
}

BACKEND_TEST_CASE(converted_arrays_outlive_those_they_come_from) {
  for (const auto& status : list_backends()) {
    if (!status.available) continue;
    UnifiedArray moved = zeros({1});
    {
      const UnifiedArray a = counting<double>({1000}).array(), b = a.to_backend(status.spelling);
      moved = b.to_backend("eigen") + 1.0;
    }
    for (int i = 0; i < 4; ++i) (void)full({1000}, 7.0, &default_backend()).eval();
    BOOST_TEST(same<double>(moved, counting<double>({1000}, 1)));
  }
}
