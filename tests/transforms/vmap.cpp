// A function called for a batch does what it does one by one.

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "backend_case.hpp"
#include "transforms/batches.hpp"

namespace isofield::testing {
namespace {

template <class F, class... X>
bool works(F f, const X&... x) {
  try {
    return f(x...).dtype() == DType::float64;
  } catch (const DTypeError&) {
    return false;
  }
}

template <class F>
void check_row(F f, const UnifiedArray& shift) {
  if constexpr (std::is_invocable_v<F, UnifiedArray, UnifiedArray>) {
    const UnifiedArray shared = numbers({4}, 8) + shift;
    if (!works(f, shared, shared)) return;
    check_batch([&](const UnifiedArray& x) { return f(x, shared); }, {2, 4});
    check_batch([&](const UnifiedArray& x) { return f(shared, x); }, {4});
    check_batch([&](const UnifiedArray& x) { return f(x(0), x); }, {2, 4});  // of other rank
    check_batch([&](const UnifiedArray& x) { return f(numbers({2, 1, 4}, 9), x); }, {3, 4});
  } else {
    if (!works(f, numbers({4}) + shift)) return;
    check_batch([&](const UnifiedArray& x) { return f(x + shift); }, {2, 4});
  }
}

}  // namespace

#define UNARY(name, ...)                                        \
  BACKEND_TEST_CASE(name##_of_a_batch) {                        \
    check_row([](UnifiedArray x) { return isofield::name(x); }, \
              full({}, Op::name == Op::acosh ? 1.0 : 0.0));     \
  }
#define BINARY(name, ...)                                                                      \
  BACKEND_TEST_CASE(name##_of_a_batch) {                                                       \
    check_row([](UnifiedArray a, UnifiedArray b) { return isofield::name(a, b); }, zeros({})); \
  }
#include <isofield/ops.def>

BACKEND_TEST_CASE(operations_that_are_not_pointwise_take_batches) {
  using A = const UnifiedArray&;
  const UnifiedArray m = numbers({4, 2}, 7);
  check_batch([](A x) { return where(x > 0.5, x, x * 2.0); }, {2, 4});
  check_batch([](A x) { return reshape(x, {4, 2}) * 2.0; }, {2, 4});
  check_batch([](A x) { return permute_dims(x, {2, 0, 1}); }, {2, 4, 3});
  check_batch([](A x) { return x.T(); }, {2, 4});
  check_batch([](A x) { return flip(x, 0); }, {2, 4});
  check_batch([](A x) { return broadcast_to(x, {5, 2, 4}); }, {4});
  check_batch([](A x) { return x(1, newaxis, slice(0, 4, 2)); }, {2, 4});
  check_batch([](A x) { return concat({x, ones({1, 4}), x * 2.0}); }, {2, 4});
  check_batch([](A x) { return stack({x, ones({4})}, 1); }, {4});
  check_batch([](A x) { return x.copy().astype(float32).astype(float64); }, {4});
  check_batch([](A x) { return sum(x, {1}) + mean(x) + prod(x, {-1}) + max(x) - min(x, {1}); },
              {2, 4});
  check_batch(
      [](A x) { return shift(x, 0, 1, Boundary::clamp) * shift(x, -1, -2, Boundary::reflect); },
      {3, 4});
  check_batch([&](A x) { return linalg::matmul(x, m); }, {3, 4});
  check_batch([&](A x) { return linalg::matmul(x, m); }, {4});
  check_batch([&](A x) { return linalg::matmul(m, x); }, {2});
  check_batch([&](A x) { return linalg::matmul(x, x.T()); }, {3, 4});
  check_batch([&](A x) { return linalg::matmul(x, x); }, {4});
  check_batch([&](A x) { return linalg::matmul(numbers({5, 2, 3}, 6), x); }, {3, 4});
  check_batch([](A x) { return linalg::tridiagonal_solve(-0.1, x + 1.0, -0.2, x, 0); }, {5});
  check_batch([](A x) { return linalg::tridiagonal_solve(-0.1, x(0) + 1.0, -0.2, x, -1, true); },
              {2, 5});
}

BACKEND_TEST_CASE(assignments_take_batches) {
  using A = const UnifiedArray&;
  check_batch(
      [](A x) {
        UnifiedArray u = zeros({3, 4});
        u(2) = x;
        for (int n = 1; n >= 0; --n) u(n) = u(n + 1) * x;
        u(all_of, 0) = sum(x);
        return u;
      },
      {4});
  check_batch(
      [](A x) {
        UnifiedArray u = x;
        u(slice(1, 3)) = 1.0;
        u(0, 1) += x(0, 0);
        return u;
      },
      {3, 2});
}

BACKEND_TEST_CASE(operations_on_places_take_batches) {
  using A = const UnifiedArray&;
  const UnifiedArray at = asarray({std::int64_t{2}, std::int64_t{0}, std::int64_t{-1}});
  const UnifiedArray mask = asarray(std::vector<bool>{true, false, true}, {3});
  check_batch([&](A x) { return take(x, at, 1); }, {2, 4});
  check_batch([&](A x) { return take(x, argsort(x(0)), 1); }, {2, 4});
  check_batch([&](A x) { return take(numbers({4, 2}, 3), argsort(x), 0) * sum(x); }, {4});
  check_batch([&](A x) { return take_along_axis(x, argsort(x, 0), 0) * x; }, {3, 2});
  check_batch([&](A x) { return sort(x, -1, true) * x; }, {3, 4});
  check_batch([&](A x) { return x(at) + x(mask, newaxis)(0); }, {3});
  check_batch([&](A x) { return scatter(x, at, x(all_of, slice(0, 3)), 1, Scatter::add); }, {2, 4});
  check_batch([&](A x) { return scatter(x, argsort(x(0)), x * 2.0, 1); }, {2, 4});
  check_batch([&](A x) { return cumulative_sum(x, 0) + cumulative_max(x, 1); }, {2, 4});
  check_batch(
      [&](A x) {
        UnifiedArray u = zeros({3});
        u(at) = x * 2.0;
        return u;
      },
      {3});
}

BACKEND_TEST_CASE(batches_lie_along_any_axis) {
  const UnifiedArray a = numbers({2, 3, 4}, 1), b = numbers({4, 3}, 2), c = numbers({2}, 3);
  const auto f = [](const UnifiedArray& x, const UnifiedArray& y, const UnifiedArray& z) {
    return std::pair(linalg::matmul(x, y), z);
  };
  const auto [product, shared] = vmap(f, {1, -1, std::nullopt}, {1, 0})(a, b, c);
  for (std::int64_t i = 0; i < 3; ++i)
    BOOST_TEST(near(product(all_of, i), linalg::matmul(a(all_of, i), b(all_of, i)), 1e-15));
  BOOST_TEST(near(shared, broadcast_to(c, {3, 2}), 0.0));
  // Nested: all pairs.
  const UnifiedArray xs = numbers({3, 4}, 4), ys = numbers({5, 4}, 5);
  const auto dots =
      vmap(vmap([](const UnifiedArray& x, const UnifiedArray& y) { return sum(x * y); },
                {std::nullopt, 0}),
           {0, std::nullopt});
  BOOST_TEST(near(dots(xs, ys), linalg::matmul(xs, ys.T()), 1e-15));
}

BACKEND_TEST_CASE(batches_are_jitted_and_are_no_loops) {
  const UnifiedArray xs = numbers({50, 6});
  const auto f = [](const UnifiedArray& x) { return tanh(x) * 2.0 + x; };
  const auto jitted = jit(vmap(f));
  BOOST_TEST(near(jitted(xs), f(xs), 0.0));
  BOOST_TEST(near(vmap(jit(f))(xs), f(xs), 0.0));
  if (variant().eager) return;
  Profile profile;
  vmap(f)(xs).eval();
  profile.stop();
  BOOST_TEST(profile.rows().size() == 1u);
  BOOST_TEST(profile.rows()[0].calls == 1);
}

BACKEND_TEST_CASE(what_a_batch_cannot_do_is_said_with_the_place) {
  const auto says = [](const char* text) {
    return [text](const Error& e) {
      BOOST_TEST_MESSAGE(e.what());
      return std::string(e.what()).find(text) != std::string::npos &&
             std::string(e.what()).find("vmap.cpp:") != std::string::npos;
    };
  };
  const auto add = [](const UnifiedArray& x, const UnifiedArray& y) { return x + y; };
  const auto read = [](const UnifiedArray& x) { return x * max(x).item<double>(); };
  const UnifiedArray a = numbers({3, 2}), b = numbers({4, 2});
  BOOST_CHECK_EXCEPTION(vmap(add)(a, b), ShapeError, says("vmap: batches of 3 and of 4"));
  BOOST_CHECK_EXCEPTION(vmap(add, {5, 0})(a, a), IndexError, says("vmap: in_axes"));
  BOOST_CHECK_EXCEPTION(vmap(add, {0})(a, a), ArgumentError,
                        says("vmap: 1 in_axes for 2 arguments"));
  BOOST_CHECK_EXCEPTION(vmap(add, {std::nullopt, std::nullopt})(a, a), ArgumentError,
                        says("vmap: no argument has an axis to map over"));
  BOOST_CHECK_EXCEPTION(vmap(read)(a), Error, says("vmap: the elements of one array of a batch"));
  random::Generator g(1);
  const auto draw = [&](const UnifiedArray& x) { return x + g.uniform({2}); };
  BOOST_CHECK_EXCEPTION(vmap(draw)(a), Error, [](const Error& e) {
    return std::string_view(e.what()).starts_with("random::uniform: numbers drawn inside of");
  });
  BOOST_TEST((jacobian(draw)(a(0)).to_vector<double>() == std::vector<double>{1, 0, 0, 1}));
}

}  // namespace isofield::testing
