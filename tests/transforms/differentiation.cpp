// Derivatives of operations that are not pointwise, and of functions, in all modes, nested, and
// with `jit`.

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "backend_case.hpp"
#include "transforms/differences.hpp"

namespace isofield::testing {
namespace {

/// Numbers that are far apart, so that differences do not change which is the largest.
UnifiedArray sample(const Shape& shape, unsigned seed = 1) {
  const std::int64_t n = element_count(shape);
  std::vector<double> values;
  for (std::int64_t i = 0; i < n; ++i)
    values.push_back(0.3 + static_cast<double>(i) / static_cast<double>(n));
  std::shuffle(values.begin(), values.end(), std::mt19937(seed));
  return asarray(values, shape);
}

/// A function that is not linear, so that second derivatives say something.
UnifiedArray bent(const UnifiedArray& x) { return x * sin(x) + 0.5 * x; }

template <class F>
void check(F f, const Shape& shape) {
  check_derivatives([&](const UnifiedArray& x) { return f(bent(x)); }, sample(shape));
}

}  // namespace

BACKEND_TEST_CASE(views_have_derivatives) {
  check([](const UnifiedArray& x) { return reshape(x, {3, -1}); }, {2, 6});
  check([](const UnifiedArray& x) { return reshape(x.T(), {4, 3}); }, {2, 6});
  check([](const UnifiedArray& x) { return permute_dims(x, {2, 0, 1}); }, {2, 3, 4});
  check([](const UnifiedArray& x) { return matrix_transpose(x); }, {2, 3, 4});
  check([](const UnifiedArray& x) { return flip(x, -1); }, {2, 3});
  check([](const UnifiedArray& x) { return broadcast_to(x, {4, 2, 3}); }, {2, 1});
  check([](const UnifiedArray& x) { return squeeze(expand_dims(x, 1) * 2.0, 1); }, {2, 3});
}

BACKEND_TEST_CASE(parts_have_derivatives) {
  check([](const UnifiedArray& x) { return x(1); }, {3, 4});
  check([](const UnifiedArray& x) { return x(all_of, -1); }, {3, 4});
  check([](const UnifiedArray& x) { return x(slice(1, 3), slice(0, 4, 2)); }, {3, 4});
  check([](const UnifiedArray& x) { return x(Slice{{}, {}, -2}, newaxis, 2); }, {5, 4});
  check([](const UnifiedArray& x) { return x(0) * x(slice(1, 3)) + x(0); }, {3, 4});
}

BACKEND_TEST_CASE(assignments_have_derivatives) {
  check(
      [](const UnifiedArray& x) {
        UnifiedArray u = zeros({4, 5});
        u(3) = x;
        for (int n = 2; n >= 0; --n) u(n) = u(n + 1) * 0.5 + square(u(n + 1));
        return u;
      },
      {5});
  check(
      [](const UnifiedArray& x) {
        UnifiedArray u = x * 2.0;
        u(slice(1, 3)) = 7.0;
        u(0) *= x(3);
        u(all_of, 1) += sum(x);
        return u * x;
      },
      {4, 3});
  check(
      [](const UnifiedArray& x) {
        UnifiedArray u = x;
        u += x(0);
        u /= 2.0;
        return u;
      },
      {4, 3});
}

BACKEND_TEST_CASE(an_assignment_in_a_differentiated_function_leaves_other_arrays_alone) {
  const UnifiedArray x = sample({4});
  const std::vector<double> before = x.to_vector<double>();
  const auto f = [](const UnifiedArray& a) {
    UnifiedArray u = a;
    const UnifiedArray old = u;
    u(0) = 100.0;
    return sum(old * u);
  };
  // d/da sum(a u): twice a, but 100 at the place that was written.
  BOOST_TEST(near(grad(f)(x)(slice(1, 4)), (x * 2.0)(slice(1, 4)), 0.0));
  BOOST_TEST(grad(f)(x)(0).item<double>() == 100.0);
  BOOST_TEST(x.to_vector<double>() == before);
}

BACKEND_TEST_CASE(joins_and_copies_have_derivatives) {
  check([](const UnifiedArray& x) { return concat({x, x * 2.0, ones({1, 3})}, 0); }, {2, 3});
  check([](const UnifiedArray& x) { return stack({x, square(x)}, 1); }, {2, 3});
  check([](const UnifiedArray& x) { return x.copy() * x; }, {2, 3});
  check([](const UnifiedArray& x) { return clip(x, 0.5, 1.0) * x; }, {2, 3});
}

BACKEND_TEST_CASE(derivatives_are_cast_as_their_operands_were) {
  const UnifiedArray x = sample({4}).astype(float32);
  const auto f = [](const UnifiedArray& a) {
    return sum(square(a.astype(float64)) * ones({4})) + sum(a * sample({4}));
  };
  const UnifiedArray by_x = grad(f)(x);
  BOOST_TEST((by_x.dtype() == float32));
  BOOST_TEST(near(by_x, (x * 2.0 + sample({4})).astype(float32), 1e-6));
}

BACKEND_TEST_CASE(reductions_have_derivatives) {
  for (const bool keepdims : {false, true}) {
    const auto with = [&](auto reduce) {
      check([&](const UnifiedArray& x) { return reduce(x, std::vector{1}); }, {3, 4});
      check(
          [&](const UnifiedArray& x) {
            return reduce(x, std::vector{0, 2}) * x(0, 0, 0);
          },
          {2, 3, 4});
    };
    with([&](const UnifiedArray& x, auto axes) { return sum(x, axes, keepdims); });
    with([&](const UnifiedArray& x, auto axes) { return mean(x, axes, keepdims); });
    with([&](const UnifiedArray& x, auto axes) { return prod(x, axes, keepdims); });
    with([&](const UnifiedArray& x, auto axes) { return min(x, axes, keepdims); });
    with([&](const UnifiedArray& x, auto axes) { return max(x, axes, keepdims); });
  }
  check([](const UnifiedArray& x) { return sum(x) * prod(x) - max(x) / mean(x); }, {3, 2});
}

BACKEND_TEST_CASE(products_have_derivatives_where_there_are_zeros) {
  const auto by = grad([](const UnifiedArray& x) { return prod(x); });
  BOOST_TEST(near(by(asarray({2.0, 0.0, 3.0})), asarray({0.0, 6.0, 0.0}), 0.0));
  BOOST_TEST(near(by(asarray({0.0, 0.0, 3.0})), asarray({0.0, 0.0, 0.0}), 0.0));
}

BACKEND_TEST_CASE(extreme_elements_share_the_derivative) {
  const auto by = grad([](const UnifiedArray& x) { return max(x); });
  BOOST_TEST(near(by(asarray({1.0, 4.0, 4.0, 2.0})), asarray({0.0, 0.5, 0.5, 0.0}), 0.0));
}

BACKEND_TEST_CASE(truths_and_steps_have_no_derivative) {
  const UnifiedArray x = sample({4});
  const auto f = [](const UnifiedArray& a) {
    return sum(where(a > 0.5, floor(a * 3.0), sign(a))) + sum((a < 0.7).astype(float64));
  };
  BOOST_TEST(near(grad(f)(x), zeros({4}), 0.0));
}

// <S x, y> = <x, S' y> to rounding, S' being what a pullback computes.
BACKEND_TEST_CASE(transposes_of_shifts_are_exact) {
  for (const auto boundary :
       {Boundary::periodic, Boundary::clamp, Boundary::reflect, Boundary::constant})
    for (const std::int64_t n : {1, 2, 5, 8})
      for (std::int64_t k = -n - 1; k <= n + 1; ++k)
        for (const int axis : {0, 1}) {
          const Shape shape = axis == 0 ? Shape{n, 3} : Shape{3, n};
          const UnifiedArray x = random_array(shape, -1, 1, 4), y = random_array(shape, -1, 1, 5);
          const auto f = [&](const UnifiedArray& a) { return shift(a, axis, k, boundary, 0.0); };
          const UnifiedArray back = vjp(f, x).second(y);
          BOOST_TEST(std::abs(dot(f(x), y) - dot(x, back)) <= 1e-14,
                     "boundary " << static_cast<int>(boundary) << ", n " << n << ", offset " << k);
          // What is conserved: the transpose's column sums are the shift's row sums.
          if (boundary != Boundary::constant)
            BOOST_TEST(std::abs(sum(back).item<double>() - sum(y).item<double>()) <= 1e-14);
        }
}

BACKEND_TEST_CASE(shifts_have_derivatives) {
  for (const auto boundary :
       {Boundary::periodic, Boundary::clamp, Boundary::reflect, Boundary::constant}) {
    check([&](const UnifiedArray& x) { return shift(x, 0, 1, boundary, 0.7) * x; }, {5, 3});
    check(
        [&](const UnifiedArray& x) {
          return square(shift(shift(x, 0, -2, boundary, 2.0), 1, 1, boundary, 2.0));
        },
        {5, 3});
  }
}

BACKEND_TEST_CASE(products_of_matrices_have_derivatives) {
  const auto with = [](const Shape& a, const Shape& b) {
    const UnifiedArray other_a = sample(a, 8), other_b = sample(b, 9);
    check([&](const UnifiedArray& x) { return linalg::matmul(x, other_b); }, a);
    check([&](const UnifiedArray& x) { return linalg::matmul(other_a, x); }, b);
  };
  with({3, 4}, {4, 2});
  with({4}, {4, 2});
  with({3, 4}, {4});
  with({4}, {4});
  with({5, 3, 4}, {4, 2});
  with({3, 4}, {5, 4, 2});
  with({2, 1, 3, 4}, {5, 4, 2});
  with({4}, {5, 4, 2});
  with({5, 3, 4}, {4});
  check([](const UnifiedArray& x) { return linalg::matmul(x, linalg::matmul(x.T(), x)); }, {3, 2});
  check([](const UnifiedArray& x) { return linalg::vecdot(x, x * 2.0); }, {3});
}

BACKEND_TEST_CASE(tridiagonal_solutions_have_derivatives_by_all_coefficients) {
  for (const bool periodic : {false, true})
    for (const int axis : {0, 1, -1}) {
      const Shape shape{5, 6};
      const UnifiedArray lower = sample(shape, 2) * -0.3, upper = sample(shape, 3) * -0.3,
                         diag = sample(shape, 4) + 2.0, rhs = sample(shape, 5);
      const auto solve = [&](const UnifiedArray& l, const UnifiedArray& d, const UnifiedArray& u,
                             const UnifiedArray& r) {
        return linalg::tridiagonal_solve(l, d, u, r, axis, periodic);
      };
      using A = UnifiedArray;
      check_derivatives([&](const A& x) { return solve(x, diag, upper, rhs); }, lower);
      check_derivatives([&](const A& x) { return solve(lower, x, upper, rhs); }, diag);
      check_derivatives([&](const A& x) { return solve(lower, diag, x, rhs); }, upper);
      check_derivatives([&](const A& x) { return solve(lower, diag, upper, x); }, rhs);
      check_derivatives([&](const A& x) { return solve(-x, x * 4.0 + 1.0, -x, square(x)); }, rhs);
    }
  // Coefficients that are the same for all lines.
  check_derivatives(
      [](const UnifiedArray& x) {
        return linalg::tridiagonal_solve(-0.2, x, -0.3, sample({4, 5}), 1);
      },
      sample({5}) + 2.0);
}

BACKEND_TEST_CASE(gradients_have_the_structure_of_arguments) {
  const UnifiedArray x = sample({3}), y = sample({3}, 2);
  const auto f = [](const std::vector<UnifiedArray>& weights,
                    const std::tuple<UnifiedArray, UnifiedArray>& pair) {
    return sum(weights[0] * weights[1]) + sum(std::get<0>(pair) * 3.0 - std::get<1>(pair));
  };
  const auto [value, by_weights, by_pair] =
      value_and_grad<0, 1>(f)(std::vector{x, y}, std::tuple{x, y});
  BOOST_TEST(value.item<double>() == f({x, y}, {x, y}).item<double>());
  BOOST_REQUIRE(by_weights.size() == 2u);
  BOOST_TEST(near(by_weights[0], y, 0.0));
  BOOST_TEST(near(by_weights[1], x, 0.0));
  BOOST_TEST(near(std::get<0>(by_pair), full({3}, 3.0), 0.0));
  BOOST_TEST(near(std::get<1>(by_pair), full({3}, -1.0), 0.0));
  // Named in another order.
  const auto [by_second, by_first] =
      grad<1, 0>([](const UnifiedArray& a, const UnifiedArray& b) { return sum(a * b * b); })(x, y);
  BOOST_TEST(near(by_first, y * y, 1e-15));
  BOOST_TEST(near(by_second, x * y * 2.0, 1e-15));
}

BACKEND_TEST_CASE(pullbacks_may_be_called_again) {
  const UnifiedArray x = sample({4}), y = sample({4}, 2);
  const auto [value, pull] = vjp(
      [](const UnifiedArray& a, const UnifiedArray& b) { return std::pair(exp(a) * b, sum(b)); },
      std::tuple(x, y));
  BOOST_TEST(near(value.first, exp(x) * y, 0.0));
  for (const double scale : {1.0, -2.0}) {
    const auto [by_x, by_y] = pull(std::pair(full({4}, scale), asarray(Scalar(3.0))));
    BOOST_TEST(near(by_x, exp(x) * y * scale, 1e-15));
    BOOST_TEST(near(by_y, exp(x) * scale + 3.0, 1e-15));
  }
}

BACKEND_TEST_CASE(derivatives_of_any_order_are_those_of_the_sine) {
  const UnifiedArray x = linspace(-1.0, 2.0, 7);
  const auto d = [](auto f) { return grad([f](const UnifiedArray& a) { return sum(f(a)); }); };
  const auto wave = [](const UnifiedArray& a) { return sin(a * 2.0); };
  BOOST_TEST(near(d(d(d(wave)))(x), cos(x * 2.0) * -8.0, 1e-14));
  BOOST_TEST(near(d(d(d(d(wave))))(x), sin(x * 2.0) * 16.0, 1e-14));
}

// d/dx (x * d/dy (x + y)) = 1: an inner derivative must not see the outer direction.
BACKEND_TEST_CASE(nested_derivatives_are_not_confused) {
  const UnifiedArray x = asarray(Scalar(3.0));
  const auto reverse = grad([](const UnifiedArray& a) {
    return a * grad([&](const UnifiedArray& b) { return a + b; })(asarray(Scalar(1.0)));
  });
  BOOST_TEST(reverse(x).item<double>() == 1.0);
  const auto forward = [](const UnifiedArray& a) {
    const auto inner = [&](const UnifiedArray& b) { return a + b; };
    return a * jvp(inner, asarray(Scalar(1.0)), asarray(Scalar(1.0))).second;
  };
  BOOST_TEST(jvp(forward, x, ones_like(x)).second.item<double>() == 1.0);
  BOOST_TEST(grad(forward)(x).item<double>() == 1.0);
  // d/dx (x * d/dy (x y)^2) at y = x: 4 x^3 of the inner's x and y apart.
  const auto product = grad([](const UnifiedArray& a) {
    return a * grad([&](const UnifiedArray& b) { return square(a * b); })(a);
  });
  BOOST_TEST(product(x).item<double>() == 8.0 * 27.0);  // a 2 a^2 a = 2 a^4
}

BACKEND_TEST_CASE(elements_may_be_read_while_differentiating) {
  const auto f = [](const UnifiedArray& a) {
    UnifiedArray u = a;
    while (max(u).item<double>() < 100.0) u = u * 2.0;
    return sum(u);
  };
  BOOST_TEST(near(grad(f)(asarray({1.0, 10.0})), asarray({16.0, 16.0}), 0.0));
}

BACKEND_TEST_CASE(jitted_functions_are_differentiated_and_derivatives_jitted) {
  const UnifiedArray x = sample({30});
  const auto f = [](const UnifiedArray& a) { return sum(bent(shift(a, 0, 1, Boundary::clamp))); };
  const UnifiedArray expected = grad(f)(x);
  const auto jitted = jit(grad(f));
  const auto both = jit([&](const UnifiedArray& a) { return value_and_grad(f)(a); });
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(near(jitted(x), expected, 1e-15));
    const auto [value, by_x] = jit(value_and_grad(f))(x);
    BOOST_TEST(value.item<double>() == f(x).item<double>());
    BOOST_TEST(near(by_x, expected, 1e-15));
    BOOST_TEST(near(std::get<1>(both(x)), expected, 1e-15));
  }
  BOOST_TEST(jitted.traces() == 1);
  BOOST_TEST(near(grad(jit(f))(x), expected, 1e-15));
  BOOST_TEST(near(jit(grad(jit(f)))(x), expected, 1e-15));
  const auto second = grad([&](const UnifiedArray& a) { return sum(square(grad(f)(a))); });
  BOOST_TEST(near(jit(second)(x), second(x), 1e-15));
  BOOST_TEST(near(jvp(jit(f), x, ones_like(x)).second, sum(expected), 1e-14));
}

BACKEND_TEST_CASE(a_chain_of_operations_is_one_program_back) {
  const UnifiedArray x = sample({1000});
  const auto f = [](const UnifiedArray& a) {
    UnifiedArray y = a;
    for (int i = 0; i < 20; ++i) y = tanh(std::move(y));
    return sum(std::move(y));
  };
  if (variant().eager) return;
  const UnifiedArray one = ones({});
  const auto [value, pull] = vjp(f, x);
  pull(one).eval();
  Profile profile;
  pull(one).eval();
  profile.stop();
  std::int64_t programs = 0;
  for (const auto& row : profile.rows()) programs += row.calls;
  BOOST_TEST(programs == 1);
}

BACKEND_TEST_CASE(what_cannot_be_differentiated_is_said_with_the_place) {
  const auto says = [](const char* text) {
    return [text](const Error& e) {
      BOOST_TEST_MESSAGE(e.what());
      return std::string(e.what()).find(text) != std::string::npos &&
             std::string(e.what()).find("differentiation.cpp:") != std::string::npos;
    };
  };
  const UnifiedArray x = sample({3});
  const auto id = [](const UnifiedArray& a) { return a; };
  BOOST_CHECK_EXCEPTION(grad(id)(arange(0, 3, 1, int64)), DTypeError,
                        says("grad: array 0 of the arguments has dtype int64"));
  BOOST_CHECK_EXCEPTION(grad(id)(x), ShapeError,
                        says("grad: the function's value must have rank 0, got shape (3,)"));
  BOOST_CHECK_EXCEPTION(jvp(id, x, ones({4})), ShapeError,
                        says("jvp: a tangent of shape (4,) for an array of shape (3,)"));
  BOOST_CHECK_EXCEPTION(vjp(id, x).second(x.astype(float32)), DTypeError,
                        says("vjp: a cotangent of dtype float32"));
  UnifiedArray escaped;
  grad([&](const UnifiedArray& a) {
    escaped = a;
    return sum(a);
  })(x);
  BOOST_CHECK_EXCEPTION(escaped.to_vector<double>(), Error,
                        says("grad: an array made inside the function was used outside of it"));
}

}  // namespace isofield::testing
