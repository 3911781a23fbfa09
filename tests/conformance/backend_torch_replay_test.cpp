// Programs replayed as at:: operations, which is how they run on cuda and mps, against the host
// kernels.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdlib>
#include <isofield/isofield.hpp>
#include <limits>

using namespace isofield;

namespace {

struct AskForReplay {
  AskForReplay() { setenv("ISOFIELD_TORCH_REPLAY", "1", 1); }
};
BOOST_GLOBAL_FIXTURE(AskForReplay);

BaseBackend& torch() { return get_backend("torch:cpu"); }
BaseBackend& eigen() { return get_backend("eigen"); }

constexpr double a_nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

void same(const UnifiedArray& found, const UnifiedArray& expected, double tolerance,
          std::string_view what) {
  BOOST_TEST_CONTEXT(what) {
    BOOST_TEST(found.shape() == expected.shape());
    BOOST_TEST(name(found.dtype()) == name(expected.dtype()));
    const std::vector<double> f = found.astype(float64).to_vector<double>(),
                              e = expected.astype(float64).to_vector<double>();
    BOOST_REQUIRE(f.size() == e.size());
    for (std::size_t i = 0; i < f.size(); ++i) {
      // Which zero is the larger is nobody's business.
      const bool signs = f[i] != 0 || what == "maximum" || what == "minimum" || what == "relu" ||
                         std::signbit(f[i]) == std::signbit(e[i]);
      BOOST_TEST(signs, "element " << i << " is " << f[i] << ", on the host " << e[i]);
      const bool equal = f[i] == e[i] || (std::isnan(f[i]) && std::isnan(e[i])) ||
                         std::abs(f[i] - e[i]) <= tolerance * (1 + std::abs(e[i]));
      BOOST_TEST(equal, "element " << i << " is " << f[i] << ", on the host " << e[i]);
    }
  }
}

/// Compute on both backends and compare.
template <class F>
void agree(F&& compute, std::string_view what, double tolerance = 0) {
  same(compute(torch()), compute(eigen()), tolerance, what);
}

UnifiedArray reals(BaseBackend& b, DType dtype = float64) {
  return asarray(std::vector<double>{-2.5, -1, -0.5, -0.0, 0.25, 0.5, 1, 1.5, 2.5, a_nan, infinity,
                                     -infinity},
                 {12}, &b)
      .astype(dtype);
}
UnifiedArray integers(BaseBackend& b) {
  constexpr std::numeric_limits<std::int64_t> limits;
  return asarray(std::vector<std::int64_t>{limits.min(), -7, -2, -1, 0, 1, 2, 3, 8, limits.max()},
                 {10}, &b);
}
UnifiedArray booleans(BaseBackend& b) { return integers(b) > 0; }

UnifiedArray complexes(BaseBackend& b) {
  return asarray(
      std::vector<std::complex<double>>{{1, 2}, {-0.5, 0.25}, {0.75, -1.5}, {-2, -0.125}}, {4}, &b);
}
/// Every pair of these, as the parts of a number.
UnifiedArray special_complexes(BaseBackend& b) {
  std::vector<std::complex<double>> values;
  for (const double x : {0.0, -0.0, 1.5, -0.5, infinity, -infinity, a_nan})
    for (const double y : {0.0, -0.0, 2.5, -0.5, infinity, -infinity, a_nan})
      values.push_back({x, y});
  return asarray(values, {49}, &b);
}
/// The same of complex results, whose parts are compared.
template <class F>
void agree_by_parts(F&& compute, std::string_view what) {
  const UnifiedArray found = compute(torch()), expected = compute(eigen());
  if (!is_complex(expected.dtype())) return same(found, expected, 4e-15, what);
  same(real(found) + 0.0, real(expected) + 0.0, 4e-15, what);  // zeros may have either sign
  same(imag(found) + 0.0, imag(expected) + 0.0, 4e-15, what);
}

/// All pairs: one operand a column.
UnifiedArray column(const UnifiedArray& x) { return expand_dims(x, 1); }

UnifiedArray grid(BaseBackend& b, const Shape& shape) {
  // The same numbers on both: sines of their own would differ in the last place.
  std::vector<double> values;
  for (std::int64_t i = 0; i < element_count(shape); ++i)
    values.push_back(std::sin(1.7 * static_cast<double>(i)));
  return asarray(values, shape, &b);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(torch_replay)

BOOST_AUTO_TEST_CASE(the_backend_says_that_it_replays) {
  bool said = false;
  for (const auto& [key, value] : torch().capabilities().details)
    said = said || (key == "programs" && value.find("at::") != std::string::npos);
  BOOST_TEST(said);
}

BOOST_AUTO_TEST_CASE(every_operation_gives_the_host_s_values){
#define UNARY(op, domain, result, value, ...)                                           \
  {                                                                                     \
    constexpr Domain d = Domain::domain;                                                \
    if constexpr (in_domain(d, bool_))                                                  \
      agree([](BaseBackend& b) { return isofield::op(booleans(b)); }, #op);             \
    if constexpr (in_domain(d, int64))                                                  \
      agree([](BaseBackend& b) { return isofield::op(integers(b)); }, #op);             \
    if constexpr (in_domain(d, float64)) {                                              \
      agree([](BaseBackend& b) { return isofield::op(reals(b)); }, #op, 2e-15);         \
      agree([](BaseBackend& b) { return isofield::op(reals(b, float32)); }, #op, 1e-6); \
    }                                                                                   \
    if constexpr (in_domain(d, complex128))                                             \
      agree_by_parts([](BaseBackend& b) { return isofield::op(complexes(b)); }, #op);   \
  }
#define BINARY(op, domain, result, value, ...)                                                    \
  {                                                                                               \
    constexpr Domain d = Domain::domain;                                                          \
    if constexpr (in_domain(d, bool_))                                                            \
      agree([](BaseBackend& b) { return isofield::op(column(booleans(b)), booleans(b)); }, #op);  \
    if constexpr (in_domain(d, int64))                                                            \
      agree([](BaseBackend& b) { return isofield::op(column(integers(b)), integers(b)); }, #op);  \
    if constexpr (in_domain(d, float64))                                                          \
      agree([](BaseBackend& b) { return isofield::op(column(reals(b)), reals(b)); }, #op, 2e-15); \
    if constexpr (in_domain(d, complex128))                                                       \
      agree_by_parts(                                                                             \
          [](BaseBackend& b) { return isofield::op(column(complexes(b)), complexes(b)); }, #op);  \
  }
#include <isofield/ops.def>
#undef UNARY
#undef BINARY
}

BOOST_AUTO_TEST_CASE(special_values_of_complex_functions_are_the_host_s) {
  const auto check = [](auto function, const char* what) {
    agree_by_parts([&](BaseBackend& b) { return function(special_complexes(b)); }, what);
  };
  check([](const UnifiedArray& z) { return exp(z); }, "exp");
  check([](const UnifiedArray& z) { return expm1(z); }, "expm1");
  check([](const UnifiedArray& z) { return asin(z); }, "asin");
  check([](const UnifiedArray& z) { return acos(z); }, "acos");
  check([](const UnifiedArray& z) { return tanh(z); }, "tanh");
  check([](const UnifiedArray& z) { return sign(z); }, "sign");
  check([](const UnifiedArray& z) { return z / std::complex<double>(0.0, -0.0); }, "over zero");
  check([](const UnifiedArray& z) { return z / zeros({49}, complex128, &z.backend()); },
        "over zeros");
}

BOOST_AUTO_TEST_CASE(less_exact_products_need_a_permission_and_leave_nothing_behind) {
  const UnifiedArray a = grid(torch(), {40, 40}).astype(float32);
  const auto error = [&] {
    const UnifiedArray exact = linalg::matmul(a.astype(float64), a.astype(float64));
    return max(abs(linalg::matmul(a, a).astype(float64) - exact)).item<double>();
  };
  BOOST_TEST(error() < 1e-5);
  auto traced = jit([](const UnifiedArray& x) { return linalg::matmul(x, x); });
  {
    const ScopedMatmulPrecision scope(Precision::bfloat16);
    BOOST_TEST(error() > 1e-4);
    BOOST_TEST(error() < 0.2);
    traced(a);
  }
  BOOST_TEST((matmul_precision() == Precision::exact));
  BOOST_TEST(error() < 1e-5);
  const UnifiedArray exact = linalg::matmul(a, a);
  BOOST_TEST(max(abs(traced(a) - exact)).item<double>() > 1e-4);  // as when it was traced
  const ScopedMatmulPrecision scope(Precision::tf32);
  BOOST_TEST(error() < 1e-2);
}

BOOST_AUTO_TEST_CASE(dtypes_that_torch_lacks_are_refused) {
  BOOST_CHECK_THROW(ones({2}, uint16, &torch()) + 1, DTypeError);
}

BOOST_AUTO_TEST_CASE(scalars_and_casts_and_choices) {
  agree([](BaseBackend& b) { return 2.0 / (reals(b) + 1) - maximum(reals(b), 0.5); }, "scalars");
  agree_by_parts([](BaseBackend& b) { return complexes(b) * std::complex(0.5, -2.0) + 1; },
                 "complex scalars");
  agree([](BaseBackend& b) { return reals(b) * std::numeric_limits<std::uint64_t>::max(); },
        "scalars beyond int64");
  agree([](BaseBackend& b) { return where(reals(b) > 0.3, reals(b), -1.0); }, "where");
  agree([](BaseBackend& b) { return where(booleans(b), integers(b), 5); }, "where of integers");
  agree([](BaseBackend& b) { return booleans(b).astype(int64) + integers(b); }, "bool to int64");
  agree([](BaseBackend& b) { return integers(b).astype(float32) * 0.5; }, "int64 to float32");
  agree([](BaseBackend& b) { return (grid(b, {50}) * 9.0).astype(int64); }, "float64 to int64");
  agree([](BaseBackend& b) { return integers(b).astype(bool_); }, "int64 to bool");
  agree([](BaseBackend& b) { return full({}, 2.5, &b) * 3.0; }, "rank 0");
}

BOOST_AUTO_TEST_CASE(shifts_follow_every_boundary_rule_at_any_distance) {
  for (const Boundary boundary :
       {Boundary::periodic, Boundary::clamp, Boundary::reflect, Boundary::constant})
    for (const std::int64_t offset : {1, -1, 2, -3, 4, -5, 11, -13})
      for (const int axis : {0, 1})
        agree(
            [&](BaseBackend& b) {
              const UnifiedArray u = grid(b, {5, 4});
              return shift(u, axis, offset, boundary, 7.5) - u;
            },
            "axis " + std::to_string(axis) + " by " + std::to_string(offset) + " rule " +
                std::to_string(static_cast<int>(boundary)));
  agree(
      [](BaseBackend& b) {
        const UnifiedArray u = grid(b, {5, 4});
        return shift(shift(u, 0, 1, Boundary::reflect), 1, -1, Boundary::constant, 2.0) * u;
      },
      "two axes");
}

BOOST_AUTO_TEST_CASE(reductions_over_any_axes_with_nan) {
  const auto each = [](auto&& f, std::string_view what, double tolerance) {
    agree(
        [&](BaseBackend& b) {
          return f(grid(b, {3, 4, 5}) + 1.5, std::vector<int>{});
        },
        what, tolerance);
    for (const std::vector<int>& axes :
         {std::vector<int>{0}, std::vector<int>{1}, std::vector<int>{2}, std::vector<int>{0, 2}})
      for (const bool keepdims : {false, true})
        agree(
            [&](BaseBackend& b) {
              UnifiedArray x = grid(b, {3, 4, 5}) * 2.0;
              x(1, 2, 3) = a_nan;
              return f(x, axes, keepdims);
            },
            what, tolerance);
  };
  each([](const UnifiedArray& x, const auto&... a) { return sum(x, a...); }, "sum", 1e-14);
  each([](const UnifiedArray& x, const auto&... a) { return prod(x, a...); }, "prod", 1e-13);
  each([](const UnifiedArray& x, const auto&... a) { return min(x, a...); }, "min", 0);
  each([](const UnifiedArray& x, const auto&... a) { return max(x, a...); }, "max", 0);
  each([](const UnifiedArray& x, const auto&... a) { return mean(x, a...); }, "mean", 1e-14);
  each([](const UnifiedArray& x, const auto&... a) { return any(x > 1.9, a...); }, "any", 0);
  each([](const UnifiedArray& x, const auto&... a) { return all(x < 1.9, a...); }, "all", 0);
  agree([](BaseBackend& b) { return sum(integers(b)); }, "sum of integers");
  agree([](BaseBackend& b) { return sum(zeros({0, 3}, float64, &b), {0}); }, "sum of nothing");
  agree([](BaseBackend& b) { return all(zeros({0}, bool_, &b)); }, "all of nothing");
}

BOOST_AUTO_TEST_CASE(views_in_and_out_of_any_layout) {
  agree([](BaseBackend& b) { return grid(b, {4, 6}).T() + grid(b, {6, 4}); }, "transposed");
  agree([](BaseBackend& b) { return flip(grid(b, {4, 6}), 1) * 2.0; }, "flipped");
  agree([](BaseBackend& b) { return grid(b, {9}).index({slice(1, 8, 3)}) + 1.0; }, "strided");
  agree(
      [](BaseBackend& b) {
        return broadcast_to(grid(b, {1, 3}), {4, 3}) + grid(b, {4, 1});
      },
      "broadcast");
  agree(
      [](BaseBackend& b) {
        UnifiedArray u = grid(b, {6, 5});
        u(slice(1, 6, 2), all_of) = grid(b, {3, 5}) * 3.0;
        u(Slice{{}, {}, -1}, 2) = grid(b, {6});
        u += 1.0;
        return u;
      },
      "written in parts");
}

BOOST_AUTO_TEST_CASE(several_results_in_one_program) {
  agree(
      [](BaseBackend& b) {
        const UnifiedArray u = grid(b, {7, 3});
        const UnifiedArray common = exp(u) + 1.0;
        const UnifiedArray p = common * 2.0, q = common - u;
        eval(p, q, common);
        return concat({p, q, common, u});
      },
      "three outputs", 1e-15);
}

BOOST_AUTO_TEST_CASE(outputs_may_repeat_and_lie_on_inputs) {
  using Source = Program::Source;
  Program program;
  program.rank = 1;
  program.inputs = {float64};
  program.leaves = {{0, {}}};
  program.immediates = {float64};
  program.code = {{Op::add, float64, float64, {{{Source::leaf, 0}, {Source::immediate, 0}, {}}}}};
  program.outputs = {{Source::result, 0}, {Source::result, 0}, {Source::leaf, 0}};
  for (const bool in_place : {false, true}) {
    const UnifiedArray x = asarray({1.0, 2.0, 3.0}, &torch()).copy(),
                       first = zeros({3}, float64, &torch()).copy(), second = first.copy(),
                       third = first.copy();
    const std::vector<View> in = {x.view()},
                            out = {in_place ? x.view() : first.view(), second.view(), third.view()};
    const std::vector<Scalar> ten = {10.0};
    torch().run({program, x.shape(), in, ten, out});
    const std::vector<double> sum{11, 12, 13}, same_as_before{1, 2, 3};
    BOOST_TEST((in_place ? x : first).to_vector<double>() == sum);
    BOOST_TEST(second.to_vector<double>() == sum);
    BOOST_TEST(third.to_vector<double>() == same_as_before);
  }
}

BOOST_AUTO_TEST_CASE(tridiagonal_systems_along_either_axis) {
  for (const std::int64_t n : {1, 2, 3, 5, 16, 33})
    for (const int axis : {0, 1})
      for (const bool periodic : {false, true})
        agree(
            [&](BaseBackend& b) {
              const Shape shape = axis == 0 ? Shape{n, 3} : Shape{3, n};
              const UnifiedArray lower = grid(b, shape) - 0.3;
              const UnifiedArray upper = grid(b, shape) * 0.7 + 0.2;
              return linalg::tridiagonal_solve(lower, abs(lower) + abs(upper) + 0.5, upper,
                                               grid(b, shape) + 2.0, axis, periodic);
            },
            "n " + std::to_string(n) + " axis " + std::to_string(axis) +
                (periodic ? " periodic" : ""),
            1e-12);
}

BOOST_AUTO_TEST_CASE(products) {
  agree(
      [](BaseBackend& b) {
        return linalg::matmul(grid(b, {2, 9, 8}), grid(b, {8, 7}));
      },
      "stack times matrix", 1e-14);
  agree(
      [](BaseBackend& b) {
        return linalg::matmul(flip(grid(b, {9, 8}), 1), grid(b, {9, 8}).T());
      },
      "any layout", 1e-14);
}

BOOST_AUTO_TEST_CASE(traced_functions_on_parts_of_arrays) {
  // A trace's memory is not the arrays' own: it begins where its arguments do.
  auto step = jit([](const UnifiedArray& u, const UnifiedArray& m) {
    const UnifiedArray forward = shift(u, 0, 1, Boundary::clamp) - u;
    return linalg::matmul(m, expand_dims(exp(forward) * 0.5, 1)) + sum(u);
  });
  for (const std::int64_t row : {0, 1, 2})
    agree(
        [&](BaseBackend& b) {
          const UnifiedArray u = grid(b, {3, 8}), m = grid(b, {3, 8, 8});
          return step(u.index({row}), m.index({row}));
        },
        "row " + std::to_string(row), 1e-14);
}

BOOST_AUTO_TEST_SUITE_END()
