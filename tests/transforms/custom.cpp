// Jacobians, Hessians, and functions with a way back of one's own.

#include <boost/test/unit_test.hpp>

#include "backend_case.hpp"
#include "transforms/differences.hpp"

namespace isofield::testing {
BACKEND_TEST_CASE(jacobians_are_those_of_known_functions) {
  const UnifiedArray a = sample({3, 4}, 2), x = sample({4});
  // d(A x)/dx = A; more results than arguments, and fewer.
  BOOST_TEST(
      near(jacobian([&](const UnifiedArray& v) { return linalg::matmul(a, v); })(x), a, 1e-15));
  const UnifiedArray y = sample({3});
  BOOST_TEST(
      near(jacobian([&](const UnifiedArray& v) { return linalg::matmul(v, a); })(y), a.T(), 1e-15));
  // Of an array by an array: d(2 x)_ij / dx_kl.
  const UnifiedArray unit = jacobian([](const UnifiedArray& v) { return v * 2.0; })(sample({2, 3}));
  BOOST_TEST(near(unit, reshape(eye(6) * 2.0, {2, 3, 2, 3}), 0.0));
  // By another argument than the first.
  const auto product = [](const UnifiedArray& u, const UnifiedArray& v) { return u * v; };
  BOOST_TEST(near(jacobian<1>(product)(x, x + 1.0), eye(4) * x, 1e-15));
}

BACKEND_TEST_CASE(hessians_are_those_of_known_functions) {
  const UnifiedArray a = sample({4, 4}, 2), x = sample({4});
  const auto quadratic = [&](const UnifiedArray& v) {
    return 0.5 * linalg::vecdot(v, linalg::matmul(a, v));
  };
  BOOST_TEST(near(hessian(quadratic)(x), (a + a.T()) * 0.5, 1e-14));
  // Rosenbrock's function at (1, 1).
  const auto rosenbrock = [](const UnifiedArray& v) {
    return square(1.0 - v(0)) + 100.0 * square(v(1) - square(v(0)));
  };
  BOOST_TEST(near(hessian(rosenbrock)(ones({2})),
                  asarray(std::vector{802.0, -400.0, -400.0, 200.0}, {2, 2}), 1e-15));
  BOOST_TEST(near(jit(hessian(rosenbrock))(ones({2})), hessian(rosenbrock)(ones({2})), 0.0));
  const auto rows = vmap(hessian(quadratic))(stack({x, x * 2.0}));
  BOOST_TEST(near(rows(1), (a + a.T()) * 0.5, 1e-14));
}

BACKEND_TEST_CASE(stopped_gradients_are_constants) {
  const UnifiedArray x = sample({3});
  const auto f = [](const UnifiedArray& a) { return sum(a * stop_gradient(square(a))); };
  BOOST_TEST(near(grad(f)(x), square(x), 1e-15));
  BOOST_TEST(near(jvp(f, x, ones_like(x)).second, sum(square(x)), 1e-15));
  BOOST_TEST(near(grad(grad([&](const UnifiedArray& s) { return f(x * s); }))(ones({})), zeros({}),
                  1e-15));
  BOOST_TEST(near(vmap(grad(f))(stack({x, x + 1.0}))(1), square(x + 1.0), 1e-15));
}

BACKEND_TEST_CASE(custom_derivatives_take_the_place_of_others) {
  const UnifiedArray x = sample({4}), y = sample({4}, 2);
  // x y, with twice the derivative by y.
  const auto f = custom_vjp([](const UnifiedArray& a, const UnifiedArray& b) { return a * b; },
                            [](const UnifiedArray& a, const UnifiedArray& b) {
                              return std::pair(a * b, std::tuple(a, b));
                            },
                            [](const auto& kept, const UnifiedArray& ct) {
                              const auto& [a, b] = kept;
                              return std::tuple(ct * b, ct * a * 2.0);
                            });
  const auto loss = [&](const UnifiedArray& a, const UnifiedArray& b) {
    return sum(square(f(a, b)));
  };
  BOOST_TEST(near(f(x, y), x * y, 0.0));
  const auto [by_x, by_y] = grad<0, 1>(loss)(x, y);
  BOOST_TEST(near(by_x, 2.0 * x * y * y, 1e-15));
  BOOST_TEST(near(by_y, 4.0 * x * x * y, 1e-15));
  BOOST_TEST(near(jit(grad<1>(loss))(x, y), by_y, 1e-15));
  // Batches, also of one operand alone.
  const UnifiedArray xs = stack({x, x + 1.0});
  BOOST_TEST(near(vmap(f, {0, std::nullopt})(xs, y), xs * y, 0.0));
  const auto total = [&](const UnifiedArray& b) {
    return sum(square(vmap(f, {0, std::nullopt})(xs, b)));
  };
  BOOST_TEST(near(grad(total)(y), 4.0 * sum(square(xs), {0}) * y, 1e-14));
  BOOST_TEST(
      near(vmap(grad<1>(loss), {0, std::nullopt})(xs, y)(1), grad<1>(loss)(x + 1.0, y), 1e-15));
  // Derivatives of derivatives are those of what was given.
  const auto twice = grad([&](const UnifiedArray& b) { return sum(grad<1>(loss)(x, b)); });
  BOOST_TEST(near(twice(y), 4.0 * x * x, 1e-14));
  BOOST_CHECK_THROW(jvp(loss, std::tuple(x, y), std::tuple(x, y)), NotAvailable);
}

BACKEND_TEST_CASE(tangents_of_ones_own_take_the_place_of_others) {
  const UnifiedArray x = sample({4}), y = sample({4}, 2);
  // x y by code that transforms cannot look into, with twice the derivative by y.
  const auto elements = [](const UnifiedArray& a, const UnifiedArray& b) {
    std::vector<double> values = a.to_vector<double>(), factors = b.to_vector<double>();
    for (std::size_t i = 0; i < values.size(); ++i) values[i] *= factors[i];
    return asarray(values, a.shape(), &a.backend()).astype(a.dtype());
  };
  using Pair = std::tuple<UnifiedArray, UnifiedArray>;
  const auto f = custom_jvp(elements, [](const Pair& at, const Pair& d) {
    return std::get<0>(d) * std::get<1>(at) + 2.0 * std::get<0>(at) * std::get<1>(d);
  });
  BOOST_TEST(near(f(x, y), x * y, 0.0));
  const auto squares = [&](const UnifiedArray& a, const UnifiedArray& b) {
    return square(f(a, b));
  };
  const auto [value, by] = jvp(squares, std::tuple(x, y), std::tuple(y, x));
  BOOST_TEST(near(value, square(x * y), 1e-15));
  BOOST_TEST(near(by, 2.0 * x * y * (y * y + 2.0 * x * x), 1e-14));
  // Along one argument alone.
  BOOST_TEST(
      near(jvp([&](const UnifiedArray& b) { return f(x, b); }, y, y).second, 2.0 * x * y, 1e-15));
  // A batch of directions.
  const auto along = [&](const UnifiedArray& d) {
    return jvp([&](const UnifiedArray& b) { return f(x, b); }, y, d).second;
  };
  BOOST_TEST(near(vmap(along)(stack({y, x})), stack({2.0 * x * y, 2.0 * x * x}), 1e-15));
  BOOST_CHECK_EXCEPTION(grad([&](const UnifiedArray& a) { return sum(f(a, y)); })(x), NotAvailable,
                        [](const NotAvailable& e) {
                          return std::string_view(e.what()).starts_with(
                              "custom_jvp: there is no derivative in reverse mode at custom.cpp:");
                        });
}

// x = cos(x) a: by the implicit function theorem dx/da = cos x / (1 + a sin x).
BACKEND_TEST_CASE(fixed_points_are_differentiated_by_the_implicit_function_theorem) {
  const auto step = [](const UnifiedArray& x, const UnifiedArray& a) { return a * cos(x); };
  const auto solve = [step](const UnifiedArray& a) {
    UnifiedArray x = zeros_like(a), last;
    do {
      last = x;
      x = step(x, a).eval();
    } while (max(abs(x - last)).item<double>() > 1e-15);
    return x;
  };
  const auto fixed_point = custom_vjp(
      solve,
      [solve](const UnifiedArray& a) {
        const UnifiedArray x = solve(a);
        return std::pair(x, std::tuple(x, a));
      },
      [step](const auto& kept, const UnifiedArray& ct) {
        // w = ct + (ds/dx)' w, then (ds/da)' w.
        const auto pull = vjp(step, kept).second;
        UnifiedArray w = ct, last;
        do {
          last = w;
          w = (ct + std::get<0>(pull(w))).eval();
        } while (max(abs(w - last)).template item<double>() > 1e-15);
        return std::get<1>(pull(w));
      });
  const UnifiedArray a = asarray({0.3, 0.5, 0.7});
  const UnifiedArray x = solve(a);
  const UnifiedArray by = grad([&](const UnifiedArray& v) { return sum(fixed_point(v)); })(a);
  BOOST_TEST(near(by, cos(x) / (1.0 + a * sin(x)), 1e-13));
}

BACKEND_TEST_CASE(checkpoints_change_no_derivative) {
  const UnifiedArray x = sample({5}), y = sample({5}, 2);
  const auto plain = [](const UnifiedArray& a, const UnifiedArray& b) {
    return std::pair(shift(a * b, 0, 1, Boundary::periodic) * a, sin(b));
  };
  const auto loss = [](auto f) {
    return [f](const UnifiedArray& a, const UnifiedArray& b) {
      const auto [p, q] = f(a, b);
      const auto [r, s] = f(p, q);
      return sum(square(r) * s);
    };
  };
  const auto f = loss(plain);
  const auto g = loss(checkpoint(plain));
  const auto [by_x, by_y] = grad<0, 1>(f)(x, y);
  const auto [again_x, again_y] = grad<0, 1>(g)(x, y);
  BOOST_TEST(near(again_x, by_x, 1e-15));
  BOOST_TEST(near(again_y, by_y, 1e-15));
  BOOST_TEST(near(jit(grad(g))(x, y), by_x, 1e-15));
  BOOST_TEST(near(hessian(g)(x, y), hessian(f)(x, y), 1e-13));
  BOOST_TEST(near(vmap(grad(g), {0, std::nullopt})(stack({x, y}), y)(0), by_x, 1e-15));
  const auto total = [&](const UnifiedArray& a) { return sum(vmap(g, {0, std::nullopt})(a, y)); };
  BOOST_TEST(near(grad(total)(stack({x, y}))(0), by_x, 1e-15));
  // What is captured is not seen.
  const auto captures = [&](const UnifiedArray& a) {
    return sum(checkpoint([&](const UnifiedArray& b) { return a * b; })(a));
  };
  BOOST_CHECK_THROW(grad(captures)(x), Error);
}

}  // namespace isofield::testing
