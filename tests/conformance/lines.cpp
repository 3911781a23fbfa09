// Tridiagonal systems of all sizes: few and long lines, signs, and what breaks elimination.
#include <isofield/error.hpp>
#include <isofield/host.hpp>

#include "reference.hpp"

using namespace isofield;
using namespace isofield::testing;

namespace {

/// Lines along the last axis: (lines, n).
template <class T>
struct Systems {
  Plain<T> lower, diag, upper, rhs;

  UnifiedArray solve(int axis, bool periodic) const {
    if (axis == 1)
      return linalg::tridiagonal_solve(lower.array(), diag.array(), upper.array(), rhs.array(), 1,
                                       periodic);
    const auto turned = [](const Plain<T>& x) { return x.array().T().copy(); };
    return linalg::tridiagonal_solve(turned(lower), turned(diag), turned(upper), turned(rhs), 0,
                                     periodic)
        .T()
        .copy();
  }
};

template <class T>
Systems<T> random_systems(std::int64_t lines, std::int64_t n) {
  const Shape shape{lines, n};
  return {noise<T>(shape, 1, -1, 1), noise<T>(shape, 2, 2.1, 4), noise<T>(shape, 3, -1, 1),
          noise<T>(shape, 4, -1, 1)};
}

/// Random systems; closed ones hold NaN where nothing is to be read.
template <class T>
Systems<T> systems_with_corners(std::int64_t lines, std::int64_t n, bool periodic) {
  Systems<T> s = random_systems<T>(lines, n);
  for (std::int64_t line = 0; line < lines && !periodic; ++line) {
    s.lower.data[static_cast<std::size_t>(line * n)] = std::numeric_limits<T>::quiet_NaN();
    s.upper.data[static_cast<std::size_t>(line * n + n - 1)] = std::numeric_limits<T>::quiet_NaN();
  }
  return s;
}

/// One line by Thomas' algorithm in long double; a cycle is opened at its last unknown.
template <class T>
std::vector<long double> reference(const Systems<T>& s, std::int64_t line, bool periodic) {
  const auto n = static_cast<std::size_t>(s.rhs.shape[1]);
  const auto at = [&](const Plain<T>& x, std::size_t i) {
    return static_cast<long double>(x.data[static_cast<std::size_t>(line) * n + i]);
  };
  // The first m unknowns, for two right sides: rhs, and the coupling to the last unknown.
  const std::size_t m = periodic ? n - 1 : n;
  std::vector<long double> f(n), x(n), z(n);
  for (std::size_t i = 0; i < m; ++i) {
    const long double l = i > 0 ? at(s.lower, i) : 0;
    const long double pivot = at(s.diag, i) - (i > 0 ? l * f[i - 1] : 0);
    long double w = 0;
    if (periodic) w = (i == 0 ? at(s.lower, 0) : 0) + (i + 1 == m ? at(s.upper, i) : 0);
    f[i] = at(s.upper, i) / pivot;
    x[i] = (at(s.rhs, i) - (i > 0 ? l * x[i - 1] : 0)) / pivot;
    z[i] = (w - (i > 0 ? l * z[i - 1] : 0)) / pivot;
  }
  for (std::size_t i = m - 1; i-- > 0;) {
    x[i] -= f[i] * x[i + 1];
    z[i] -= f[i] * z[i + 1];
  }
  if (!periodic) return x;
  const long double l = at(s.lower, m), u = at(s.upper, m);
  x[m] = (at(s.rhs, m) - l * x[m - 1] - u * x[0]) / (at(s.diag, m) - l * z[m - 1] - u * z[0]);
  for (std::size_t i = 0; i < m; ++i) x[i] -= z[i] * x[m];
  return x;
}

template <class T>
Plain<T> reference(const Systems<T>& s, bool periodic) {
  Plain<T> x(s.rhs.shape);
  auto to = x.data.begin();
  for (std::int64_t line = 0; line < s.rhs.shape[0]; ++line)
    for (const long double value : reference(s, line, periodic)) *to++ = static_cast<T>(value);
  return x;
}

/// The matrix of a diffusion with drift against the wind: weakly dominant by rows, or by columns
/// when `transposed`, plus `excess` on the diagonal.
template <class T>
Systems<T> m_matrices(std::int64_t lines, std::int64_t n, double excess, bool transposed,
                      bool periodic) {
  Systems<T> s = random_systems<T>(lines, n);
  for (auto& x : s.lower.data) x = -std::abs(x) * T(1e3);
  for (auto& x : s.upper.data) x = -std::abs(x) * T(1e3);
  const auto index = [&](std::int64_t line, std::int64_t i) {
    return static_cast<std::size_t>(line * n + (i + n) % n);
  };
  for (std::int64_t line = 0; line < lines; ++line)
    for (std::int64_t i = 0; i < n; ++i) {
      const bool first = i == 0 && !periodic, last = i == n - 1 && !periodic;
      const double low =
          transposed ? s.upper.data[index(line, i - 1)] : s.lower.data[index(line, i)];
      const double up =
          transposed ? s.lower.data[index(line, i + 1)] : s.upper.data[index(line, i)];
      s.diag.data[index(line, i)] =
          static_cast<T>(excess - (first ? 0.0 : low) - (last ? 0.0 : up));
    }
  // A mass here and there, nothing elsewhere.
  for (std::size_t i = 0; i < s.rhs.data.size(); ++i)
    s.rhs.data[i] = i % 97 == 13 ? std::abs(s.rhs.data[i]) : T(0);
  return s;
}

/// Counts what is asked of it.
class Counting final : public host::HostBackend {
 public:
  Counting() : HostBackend("counting", std::make_unique<InOrder>()) {}
  StoragePtr allocate(std::size_t bytes) override {
    if (bytes >= large) ++allocations;
    return HostBackend::allocate(bytes);
  }
  void run(const Launch& launch) override {
    ++runs;
    HostBackend::run(launch);
  }
  std::size_t large = 0;
  int allocations = 0, runs = 0;

 private:
  class InOrder final : public host::Executor {
    int concurrency() const override { return 1; }
    void parallel_for(std::int64_t n, void (*body)(void*, std::int64_t), void* context) override {
      for (std::int64_t i = 0; i < n; ++i) body(context, i);
    }
  };
};

Counting& counting_backend() {
  static auto* backend = new Counting;
  return *backend;
}

/// A linearised implicit step along an axis: all operands are expressions.
UnifiedArray implicit_step(const UnifiedArray& u, const UnifiedArray& cost, int axis, Boundary rule,
                           bool periodic) {
  const UnifiedArray p = maximum((u - shift(u, axis, -1, rule)) * 3.0, 0.0);
  const UnifiedArray q = minimum((shift(u, axis, 1, rule) - u) * 3.0, 0.0);
  const UnifiedArray lower = -(0.5 * p + 0.1), upper = 0.5 * q - 0.1;
  return linalg::tridiagonal_solve(lower, 1.0 - lower - upper, upper,
                                   u + 0.1 * cost + square(p) + square(q), axis, periodic);
}

/// The same from operands that have been computed before.
UnifiedArray implicit_step_of_arrays(const UnifiedArray& u, const UnifiedArray& cost, int axis,
                                     Boundary rule, bool periodic) {
  const UnifiedArray p = maximum((u - shift(u, axis, -1, rule)) * 3.0, 0.0).eval();
  const UnifiedArray q = minimum((shift(u, axis, 1, rule) - u) * 3.0, 0.0).eval();
  const UnifiedArray lower = (-(0.5 * p + 0.1)).eval(), upper = (0.5 * q - 0.1).eval();
  return linalg::tridiagonal_solve(lower, (1.0 - lower - upper).eval(), upper,
                                   (u + 0.1 * cost + square(p) + square(q)).eval(), axis, periodic);
}

}  // namespace

BACKEND_DTYPE_TEST_CASE(operands_computed_in_the_sweep_give_the_same_bits, float, double) {
  const Shape shapes[] = {{1},       {40},      {101},     {700},      {70000},
                          {1, 300},  {3, 200},  {300, 3},  {40, 1500}, {7, 33, 12},
                          {64, 300}, {300, 64}, {2, 65, 1}};
  for (const Shape& shape : shapes)
    for (int axis = 0; axis < shape.size(); ++axis)
      for (const auto& [rule, periodic] : {std::pair{Boundary::clamp, false},
                                           {Boundary::periodic, true},
                                           {Boundary::constant, false}}) {
        const UnifiedArray u = noise<T>(shape, 1).array(), cost = noise<T>(shape, 2).array();
        const Plain<T> expected = plain<T>(implicit_step_of_arrays(u, cost, axis, rule, periodic));
        const auto step = jit(
            [&, rule = rule, periodic = periodic](const UnifiedArray& a, const UnifiedArray& b) {
              return implicit_step(a, b, axis, rule, periodic);
            });
        for (int k = 0; k < 3; ++k) {
          const auto ok = same<T>(
              k == 0 ? implicit_step(u, cost, axis, rule, periodic) : step(u, cost), expected);
          check(ok, to_string(shape), " axis ", axis, " periodic ", periodic, " call ", k);
        }
      }
}

BACKEND_TEST_CASE(operands_may_be_scalars_rows_columns_and_views) {
  const Shape shape{6, 90};
  const Plain<double> u = noise<double>(shape, 1), row = noise<double>({90}, 2),
                      column = noise<double>({6, 1}, 3);
  for (const int axis : {0, 1}) {
    const auto whole = [&](const UnifiedArray& x) { return broadcast_to(x, shape).copy(); };
    const UnifiedArray expected = linalg::tridiagonal_solve(
        whole(row.array()), whole(column.array()) + 6.0, full(shape, -1.0), u.array(), axis);
    BOOST_TEST(same<double>(linalg::tridiagonal_solve(row.array(), column.array() + 6.0, -1.0,
                                                      flip(flip(u.array(), 1).copy(), 1), axis),
                            plain<double>(expected)));
    BOOST_TEST(same<double>(linalg::tridiagonal_solve(row.array(), whole(column.array()) + 6.0,
                                                      -1.0, u.array().T().copy().T(), axis),
                            plain<double>(expected)));
  }
}

BACKEND_TEST_CASE(what_a_variable_holds_is_stored_by_a_sweep) {
  const Plain<double> numbers = noise<double>({50, 40}, 1);
  const UnifiedArray u = numbers.array(), half = 0.5 * u, diag = 5.0 + abs(half), rhs = diag;
  const auto solve = [](const UnifiedArray& x) {
    const UnifiedArray d = 5.0 + abs(0.5 * x);
    return std::tuple{linalg::tridiagonal_solve(-1.0 + 0.0 * x, d, -1.0, d, 0), d};
  };
  const UnifiedArray x = linalg::tridiagonal_solve(-1.0 + 0.0 * u, diag, -1.0, rhs, 0);
  const auto [y, d] = jit(solve)(u);
  for (std::size_t i = 0; i < numbers.data.size(); ++i) {
    const double want = 5.0 + std::abs(0.5 * numbers.data[i]);
    const auto r = static_cast<std::int64_t>(i) / 40, c = static_cast<std::int64_t>(i) % 40;
    if (diag(r, c).item<double>() != want || d(r, c).item<double>() != want)
      BOOST_TEST(diag(r, c).item<double>() == want);
  }
  BOOST_TEST(same<double>(half, plain<double>(0.5 * u)));
  BOOST_TEST(same<double>(y, plain<double>(x)));
  BOOST_TEST(same<double>(
      x, plain<double>(linalg::tridiagonal_solve((-1.0 + 0.0 * u).eval(), diag, -1.0, diag, 0))));
}

BOOST_AUTO_TEST_CASE(an_implicit_step_along_two_axes_takes_one_temporary) {
  Counting& backend = counting_backend();
  const Shape shape{64, 48};
  backend.large = 64 * 48 * sizeof(double);
  const UnifiedArray u = noise<double>(shape, 1).array(&backend),
                     cost = noise<double>(shape, 2).array(&backend);
  const auto step = [](const UnifiedArray& a, const UnifiedArray& b) {
    return implicit_step(implicit_step(a, b, 0, Boundary::clamp, false), b, 1, Boundary::clamp,
                         false);
  };
  const auto traced = jit(step);
  const UnifiedArray first = step(u, cost);
  backend.allocations = backend.runs = 0;
  const UnifiedArray second = traced(u, cost);
  BOOST_TEST(backend.allocations == 2);  // the temporary and the result
  const UnifiedArray third = traced(u, cost);
  BOOST_TEST(backend.allocations == 3);  // a replay makes the result alone
  BOOST_TEST(backend.runs == 0);
  BOOST_TEST(same<double>(second, plain<double>(first)));
  BOOST_TEST(same<double>(third, plain<double>(first)));
}

BACKEND_DTYPE_TEST_CASE(lines_of_every_length_agree_with_elimination_in_long_double, float,
                        double) {
  const double tolerance = std::is_same_v<T, float> ? 5e-6 : 1e-14;
  for (const std::int64_t lines : {1, 2, 9, 20})
    for (const std::int64_t n :
         {3, 4, 5, 63, 64, 65, 101, 127, 128, 133, 511, 512, 513, 1000, 4097})
      for (const int axis : {0, 1})
        for (const bool periodic : {false, true}) {
          if (lines > 2 && n > 600) continue;
          const Systems<T> s = systems_with_corners<T>(lines, n, periodic);
          const auto ok = close<T>(s.solve(axis, periodic), reference(s, periodic), tolerance);
          check(ok, lines, " lines of ", n, ", axis ", axis, ", periodic ", periodic);
        }
}

BACKEND_DTYPE_TEST_CASE(long_lines_agree_with_elimination_in_long_double, float, double) {
  const double tolerance = std::is_same_v<T, float> ? 5e-6 : 1e-14;
  for (const std::int64_t n : {65535, 65536, 100003})
    for (const std::int64_t lines : {1, 2})
      for (const bool periodic : {false, true}) {
        const Systems<T> s = systems_with_corners<T>(lines, n, periodic);
        const int axis = lines == 2 && periodic ? 0 : 1;
        BOOST_TEST(close<T>(s.solve(axis, periodic), reference(s, periodic), tolerance));
      }
}

// Heat that leaves slowly: the smaller the excess, the worse the condition.
BACKEND_TEST_CASE(parts_of_weakly_dominant_lines_lose_no_more_digits_than_their_condition_costs) {
  for (const std::int64_t n : {101, 1000, 70000})
    for (const double excess : {1.0, 1e-3, 1e-6}) {
      Systems<double> s = random_systems<double>(1, n);
      std::fill(s.lower.data.begin(), s.lower.data.end(), -1.0);
      std::fill(s.upper.data.begin(), s.upper.data.end(), -1.0);
      std::fill(s.diag.data.begin(), s.diag.data.end(), 2.0 + excess);
      s.diag.data.front() = s.diag.data.back() = 1.0 + excess;
      for (std::size_t i = 0; i < s.rhs.data.size(); ++i) s.rhs.data[i] = i % 100 == 50 ? 1.0 : 0.0;
      const auto want = reference(s, 0, false);
      const auto got = s.solve(1, false).to_vector<double>();
      double worst = 0.0;  // of all elements, each against itself
      for (std::size_t i = 0; i < got.size(); ++i)
        worst = std::max(worst, static_cast<double>(std::abs(got[i] / want[i] - 1.0L)));
      BOOST_TEST(worst <= 4e-16 * (20.0 + 1.0 / excess), n << " " << excess << ": " << worst);
    }
}

BACKEND_DTYPE_TEST_CASE(m_matrices_keep_what_is_not_negative, float, double) {
  for (const std::int64_t lines : {1, 3, 20})
    for (const std::int64_t n : {2, 5, 40, 64, 101, 401, 1000, 70000})
      for (const bool transposed : {false, true})
        for (const bool periodic : {false, true})
          for (const double excess : {1.0, 1e3}) {
            if (lines > 1 && n > 1000) continue;
            const Systems<T> s = m_matrices<T>(lines, n, excess, transposed, periodic);
            for (const int axis : {0, 1}) {
              const UnifiedArray x = s.solve(axis, periodic);
              const double least = min(x).template item<double>();
              if (!(least >= 0.0))
                BOOST_TEST(least >= 0.0, lines << " lines of " << n << ", axis " << axis
                                               << ", transposed " << transposed << ", periodic "
                                               << periodic << ", excess " << excess);
            }
          }
}

// Rows of a transposed matrix add up to `excess`, so the sum of the unknowns is known.
BACKEND_TEST_CASE(sums_are_those_of_the_right_side_where_columns_add_up) {
  for (const std::int64_t n : {50, 101, 1000, 70000})
    for (const bool periodic : {false, true}) {
      const Systems<double> s = m_matrices<double>(1, n, 1.0, true, periodic);
      const double have = sum(s.solve(1, periodic)).item<double>();
      const double want = sum(s.rhs.array()).item<double>();
      BOOST_TEST(std::abs(have - want) <= 1e-10 * want,
                 n << " " << periodic << ": " << have << " instead of " << want);
    }
}

// Elimination row by row may work where parts of a line, taken alone, are singular.
BACKEND_TEST_CASE(lines_whose_parts_are_singular_are_solved_row_by_row) {
  for (const std::int64_t n : {64, 100, 640, 70000})
    for (const bool periodic : {false, true}) {
      Systems<double> s = random_systems<double>(1, n);
      for (std::size_t i = 1; i + 1 < static_cast<std::size_t>(n); i += 3) {
        s.diag.data[i] = 0.0;  // the row before and its neighbour hold it
        s.lower.data[i] = s.upper.data[i] = 1.0;
        s.upper.data[i - 1] = -1.0;
      }
      BOOST_TEST(close<double>(s.solve(1, periodic), reference(s, periodic), 1e-11));
    }
}

BACKEND_TEST_CASE(elimination_that_breaks_tells_line_and_row) {
  const auto text = [](const std::string& line, std::int64_t row, const Shape& shape, int at) {
    return "tridiagonal_solve: elimination breaks at row " + std::to_string(row) + " of line (" +
           line + "), shape " + to_string(shape) +
           ": the pivot is zero or not finite; there is no pivoting, the systems should be "
           "diagonally dominant [" +
           variant().backend + ", float64] at lines.cpp:" + std::to_string(at);
  };
  // Rows 0 and 1 are the same: the second pivot is 0.
  const auto diag = [](const Shape& shape, std::vector<std::int64_t> zero, int axis) {
    Plain<double> d(shape, std::vector<double>(static_cast<std::size_t>(element_count(shape)), 3));
    zero[static_cast<std::size_t>(axis)] += 1;
    d[zero] = 1.0 / 3.0;
    return d.array();
  };
  int line = 0;
  std::string got;
  // clang-format off
  const auto solve = [&](const UnifiedArray& d, int axis, bool periodic) {
    got = error_of<SolverError>([&] { line = __LINE__; linalg::tridiagonal_solve(1.0, d, 1.0, ones_like(d), axis, periodic); });
  };
  // clang-format on
  for (const bool periodic : {false, true}) {
    solve(diag({5, 40}, {0, 34}, 0), 0, periodic);
    BOOST_TEST(got == text(":, 34", 1, {5, 40}, line));
    solve(diag({40, 5}, {34, 0}, 1), 1, periodic);
    BOOST_TEST(got == text("34, :", 1, {40, 5}, line));
    solve(diag({2, 100, 3}, {1, 0, 2}, 1), 1, periodic);
    BOOST_TEST(got == text("1, :, 2", 1, {2, 100, 3}, line));
    solve(diag({100}, {0}, 0), 0, periodic);
    BOOST_TEST(got == text(":", 1, {100}, line));
    solve(diag({70000}, {0}, 0), 0, periodic);
    BOOST_TEST(got == text(":", 1, {70000}, line));
  }
  // The first of several lines counts; the last pivot, and the one that closes a cycle, are pivots.
  UnifiedArray d = full({3, 50}, 3.0);
  d(0, 2) = 0.0;
  d(0, 40) = 0.0;
  solve(d, 0, false);
  BOOST_TEST(got == text(":, 2", 0, {3, 50}, line));
  solve(full({2, 2}, 1.0), 1, false);
  BOOST_TEST(got == text("0, :", 1, {2, 2}, line));
  solve(full({1, 4}, -2.0), 1, true);
  BOOST_TEST(got == text("0, :", 3, {1, 4}, line));
  solve(full({1}, -2.0), 0, true);
  BOOST_TEST(got == text(":", 0, {1}, line));
}

BACKEND_TEST_CASE(elimination_that_breaks_with_computed_operands_is_told) {
  for (const Shape& shape : {Shape{90, 70}, Shape{70, 90}, Shape{200}})
    for (int axis = 0; axis < shape.size(); ++axis) {
      const UnifiedArray u = full(shape, 3.0);
      const UnifiedArray zero = u - 3.0;
      const std::string text = error_of<SolverError>(
          [&] { linalg::tridiagonal_solve(zero + 1.0, u * 0.0, zero + 1.0, u + 1.0, axis); });
      BOOST_TEST(text.starts_with("tridiagonal_solve: elimination breaks at row 0 of line ("));
    }
}

BACKEND_TEST_CASE(elimination_that_breaks_in_a_replay_is_told_and_the_next_works) {
  int line = 0;
  const auto f = jit([&](const UnifiedArray& d, const UnifiedArray& r) {
    line = __LINE__ + 1;
    return linalg::tridiagonal_solve(-1.0, d, -1.0, r, 0) + 1.0;
  });
  const UnifiedArray good = full({8}, 4.0), r = ones({8});
  UnifiedArray bad = good.copy();
  bad(0) = 0.0;
  const UnifiedArray expected = f(good, r);
  for (int k = 0; k < 2; ++k) {
    const std::string text = error_of<SolverError>([&] { f(bad, r); });
    BOOST_TEST(text.starts_with("tridiagonal_solve: elimination breaks at row 0 of line (:)"));
    BOOST_TEST(text.ends_with("float64] at lines.cpp:" + std::to_string(line)));
    BOOST_TEST(same<double>(f(good, r), plain<double>(expected)));
  }
}

BACKEND_TEST_CASE(nan_and_infinity_go_in_and_out_of_their_own_line) {
  const double bad[] = {std::numeric_limits<double>::quiet_NaN(),
                        std::numeric_limits<double>::infinity()};
  for (const double value : bad)
    for (const std::int64_t n : {3, 100, 700, 70000})
      for (const std::int64_t lines : {1, 3, 12})
        for (const int operand : {0, 1, 2, 3})
          for (const bool periodic : {false, true}) {
            if (lines > 1 && n > 1000) continue;
            Systems<double> s = random_systems<double>(lines, n);
            Plain<double>* const of[] = {&s.lower, &s.diag, &s.upper, &s.rhs};
            const std::int64_t hit = lines / 2;
            of[operand]->data[static_cast<std::size_t>(hit * n + n / 2)] = value;
            for (const int axis : {0, 1}) {
              const UnifiedArray x = s.solve(axis, periodic);
              const Plain<double> clean = reference(random_systems<double>(lines, n), periodic);
              for (std::int64_t k = 0; k < lines; ++k) {
                // An infinite diagonal leaves 0 there and decouples the rest.
                if (k == hit && !(operand == 1 && std::isinf(value)))
                  BOOST_TEST(has_nan_or_inf(x(k)));
                else if (k != hit)
                  BOOST_TEST(close<double>(x(k),
                                           Plain<double>({n}, {clean.data.begin() + k * n,
                                                               clean.data.begin() + (k + 1) * n}),
                                           1e-14));
              }
            }
          }
}
