// Derivatives of functions, in all modes, nested, and with `jit`.

#include <boost/test/unit_test.hpp>

#include "backend_case.hpp"
#include "transforms/differences.hpp"

namespace isofield::testing {
namespace {

/// A function that is not linear, so that second derivatives say something.
UnifiedArray bent(const UnifiedArray& x) { return x * sin(x) + 0.5 * x; }

}  // namespace

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
