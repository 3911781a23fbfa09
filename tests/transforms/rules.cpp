// Derivatives of operations that are not pointwise, against differences.

#include <boost/test/unit_test.hpp>

#include "backend_case.hpp"
#include "transforms/differences.hpp"

namespace isofield::testing {
namespace {

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

BACKEND_TEST_CASE(transforms_of_lines_have_derivatives) {
  for (const auto norm : {fft::Norm::backward, fft::Norm::ortho, fft::Norm::forward}) {
    for (int type = 1; type <= 4; ++type) {
      check([&](const UnifiedArray& x) { return fft::dct(x, type, {0, 1}, norm); }, {4, 5});
      check([&](const UnifiedArray& x) { return fft::idct(x, type, {-1}, norm); }, {4, 5});
      check([&](const UnifiedArray& x) { return fft::dst(x, type, {0, 1}, norm); }, {4, 5});
      check([&](const UnifiedArray& x) { return fft::idst(x, type, {0}, norm); }, {4, 5});
    }
    check([&](const UnifiedArray& x) { return fft::hartley(x, {0, 1}, norm); }, {4, 5});
  }
}

BACKEND_TEST_CASE(determinants_of_singular_matrices_have_derivatives) {
  const auto by = grad([](const UnifiedArray& x) { return linalg::det(x); });
  // Cofactors, which say how the determinant leaves 0.
  const UnifiedArray singular = asarray<double>({1, 2, 3, 4, 5, 6, 7, 8, 9}, {3, 3});
  const UnifiedArray cofactors = asarray<double>({-3, 6, -3, 6, -12, 6, -3, 6, -3}, {3, 3});
  BOOST_TEST(near(by(singular), cofactors, 1e-13));
  BOOST_TEST(near(by(zeros({3, 3})), zeros({3, 3}), 0.0));
  BOOST_TEST(near(by(asarray<double>({0, 2, 0, 0}, {2, 2})), asarray<double>({0, 0, -2, 0}, {2, 2}),
                  1e-15));
  check_derivatives([](const UnifiedArray& x) { return linalg::det(x); }, eye(3));
  // In a batch and a trace, where nobody can look which are singular.
  const UnifiedArray both = stack({singular, eye(3)});
  const UnifiedArray expected = stack({cofactors, eye(3)});
  BOOST_TEST(near(vmap(by)(both), expected, 1e-13));
  BOOST_TEST(near(jit(by)(singular), cofactors, 1e-13));
  BOOST_TEST(
      near(grad([](const UnifiedArray& x) { return sum(linalg::det(x)); })(both), expected, 1e-13));
}

BACKEND_TEST_CASE(equal_values_do_not_spoil_derivatives) {
  using A = const UnifiedArray&;
  const UnifiedArray unit = eye(3);
  // The sum and the product of eigenvalues and of singular values are smooth where they are equal.
  BOOST_TEST(near(grad([](A x) { return sum(linalg::eigvalsh(x)); })(unit), unit, 1e-14));
  BOOST_TEST(near(grad([](A x) { return sum(linalg::eigh(x).eigenvalues); })(unit), unit, 1e-14));
  BOOST_TEST(near(grad([](A x) { return prod(linalg::svdvals(x)); })(unit), unit, 1e-14));
  BOOST_TEST(near(grad([](A x) { return sum(linalg::svd(x).S); })(unit), unit, 1e-14));
  BOOST_TEST(near(grad([](A x) { return sum(real(linalg::eigvals(x))); })(unit), unit, 1e-14));
  // So are inverses, and what projects on the space of all vectors.
  check_derivatives([](A x) { return linalg::pinv(x); }, unit);
  check_derivatives([](A x) { return linalg::pinv(x); }, concat({unit, unit}));
  const auto projected = [](A x) {
    const auto [w, v] = linalg::eigh(x);
    return sum(square(linalg::matmul(v, v.T())));
  };
  BOOST_TEST(near(grad(projected)(unit), zeros({3, 3}), 1e-14));
  // Vectors where a singular value is 0, of which only the others are used.
  const UnifiedArray flat = asarray<double>({2, 0, 0, 0, 0, 0}, {3, 2});
  const auto largest = [](A x) {
    const auto [u, s, v] = linalg::svd(x, false);
    return s(0) * square(v(0, 0));
  };
  BOOST_TEST(near(grad(largest)(flat), flat * 0.5, 1e-14));
}

BACKEND_TEST_CASE(a_rank_below_full_has_a_pseudo_inverse_that_is_differentiated) {
  // Along changes that keep the rank.
  const UnifiedArray u = sample({4, 2}, 3), v = sample({2, 3}, 4);
  check_derivatives([&](const UnifiedArray& x) { return linalg::pinv(linalg::matmul(x, v), 1e-9); },
                    u, 1e-7);
  check_derivatives(
      [&](const UnifiedArray& x) {
        return linalg::lstsq(linalg::matmul(u, x), sample({4}, 5), 1e-9).x;
      },
      v, 1e-7);
}

BACKEND_TEST_CASE(norms_have_the_derivative_0_at_0) {
  const UnifiedArray x = zeros({3});
  for (const double ord : {1.0, 2.0, 3.0})
    BOOST_TEST(near(grad([&](const UnifiedArray& a) {
                      return linalg::vector_norm(a, std::nullopt, false, ord);
                    })(x),
                    x, 0.0));
  BOOST_TEST(near(grad([](const UnifiedArray& a) { return linalg::norm(a); })(x), x, 0.0));
}

BACKEND_TEST_CASE(decompositions_without_a_derivative_say_so) {
  using A = const UnifiedArray&;
  const UnifiedArray tall = sample({4, 2});
  const auto says = [](const std::string& text) {
    return [text](const NotAvailable& e) {
      BOOST_TEST_MESSAGE(e.what());
      return std::string(e.what()).find(text) == 0 &&
             std::string(e.what()).find("rules.cpp:") != std::string::npos;
    };
  };
  const auto complete = [](A x) { return sum(linalg::qr(x, linalg::QrMode::complete).Q); };
  const auto full = [](A x) { return sum(linalg::svd(x).U); };
  const auto qr_text = says(
      "qr: there is no derivative of complete decompositions of matrices with more rows than "
      "columns, shape (4, 2); ask for the reduced one [");
  const auto svd_text = says(
      "svd: there is no derivative of the vectors of full decompositions of shape (4, 2); say "
      "full_matrices = false [");
  BOOST_CHECK_EXCEPTION(grad(complete)(tall), NotAvailable, qr_text);
  BOOST_CHECK_EXCEPTION(jvp(complete, tall, tall), NotAvailable, qr_text);
  BOOST_CHECK_EXCEPTION(grad(full)(tall), NotAvailable, svd_text);
  BOOST_CHECK_EXCEPTION(jvp(full, tall, tall), NotAvailable, svd_text);
  // Values alone have one.
  BOOST_TEST(near(grad([](A x) { return sum(linalg::svd(x).S); })(tall),
                  grad([](A x) { return sum(linalg::svdvals(x)); })(tall), 1e-14));
}

BACKEND_TEST_CASE(elements_named_by_places_have_derivatives) {
  const UnifiedArray at = asarray(std::vector<std::int64_t>{2, 0, 2, -1}, {2, 2});
  const UnifiedArray along = asarray(std::vector<std::int64_t>{2, 0, 2, 1, -1, 1}, {3, 2});
  check([&](const UnifiedArray& x) { return take(x, at, 1); }, {2, 4, 3});
  check([&](const UnifiedArray& x) { return take_along_axis(x, along, 1); }, {3, 3});
  check([&](const UnifiedArray& x) { return take_along_axis(x, along, 0); }, {4, 1});
  check([&](const UnifiedArray& x) { return x(at, slice(1, 3)); }, {4, 3});
  check([&](const UnifiedArray& x) { return x(at, 1, at); }, {4, 3, 4});
  const UnifiedArray mask = asarray(std::vector<bool>{true, false, true, true}, {4});
  check([&](const UnifiedArray& x) { return x(mask) * sum(x(all_of, mask)); }, {4, 4});
}

BACKEND_TEST_CASE(writes_to_places_have_derivatives) {
  const UnifiedArray at = asarray({std::int64_t{2}, std::int64_t{0}, std::int64_t{2}});
  const UnifiedArray along = asarray(std::vector<std::int64_t>{2, 0, 2, 1, -1, 1}, {3, 2});
  for (const auto how : {Scatter::set, Scatter::add}) {
    check(
        [&](const UnifiedArray& x) { return scatter(x, at, x(all_of, slice(0, 3)) * 2.0, 1, how); },
        {2, 4});
    check([&](const UnifiedArray& x) { return scatter(x * x, at, 0.5 * sum(x), 0, how); }, {4, 3});
    check(
        [&](const UnifiedArray& x) {
          return scatter_along_axis(x, along, x(all_of, slice(0, 2)) * 3.0, 1, how);
        },
        {3, 3});
  }
  const UnifiedArray mask = asarray(std::vector<bool>{true, false, true, true}, {4});
  check(
      [&](const UnifiedArray& x) {
        UnifiedArray u = x * 1.0;
        u(at) = x(slice(0, 3)) * 2.0;
        u(mask) *= sum(x);
        u(mask) = x(slice(1, 4));
        return u;
      },
      {4, 3});
  BOOST_CHECK_THROW(grad([&](const UnifiedArray& x) {
                      return sum(scatter(x, at, 2.0, 0, Scatter::multiply));
                    })(sample({4})),
                    NotAvailable);
}

BACKEND_TEST_CASE(ordered_and_running_values_have_derivatives) {
  check([](const UnifiedArray& x) { return sort(x, 0, true) * x; }, {5, 2});
  check([](const UnifiedArray& x) { return sort(x); }, {2, 5});
  check([](const UnifiedArray& x) { return x * (x(argmax(x)) + take(x, argmin(x))); }, {6});
  check([](const UnifiedArray& x) { return median(x, 1) + quantile(x, 0.3); }, {3, 5});
  for (const bool initial : {false, true}) {
    check([&](const UnifiedArray& x) { return cumulative_sum(x, 1, std::nullopt, initial); },
          {2, 4});
    check([&](const UnifiedArray& x) { return cumulative_prod(x, 0, std::nullopt, initial); },
          {4, 2});
  }
  check([](const UnifiedArray& x) { return cumulative_max(x, 1) * cumulative_min(x, 1); }, {2, 6});
}

BACKEND_TEST_CASE(operations_made_of_others_have_derivatives) {
  check([](const UnifiedArray& x) { return roll(x, 2, 1) * tile(x, {1, 1}); }, {2, 5});
  check([](const UnifiedArray& x) { return repeat(x, 2, 0); }, {2, 3});
  check([](const UnifiedArray& x) { return pad(x, {{1, 2}}, Pad::reflect); }, {4});
  check([](const UnifiedArray& x) { return pad(x, {{1, 2}}); }, {4});
  check([](const UnifiedArray& x) { return tril(x) + triu(x, 1) * 2.0; }, {3, 3});
  check([](const UnifiedArray& x) { return moveaxis(x, 0, 2); }, {2, 3, 2});
  check([](const UnifiedArray& x) { return diff(x, 0, 2) * trapezoid(x, 0.1, 0); }, {5, 2});
  check([](const UnifiedArray& x) { return gradient(x, 0.5, 0, 2); }, {5, 2});
  const UnifiedArray points = linspace(0.0, 3.0, 7);
  check([&](const UnifiedArray& x) { return interp(x, points, sin(points)); }, {5});
  check([&](const UnifiedArray& x) { return interp(asarray({0.3, 1.7}), points, x); }, {7});
}

}  // namespace isofield::testing
