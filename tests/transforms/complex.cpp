// Derivatives by complex numbers: what they mean.

#include <boost/test/unit_test.hpp>
#include <complex>

#include "backend_case.hpp"
#include "transforms/operations.hpp"

namespace isofield::testing {
namespace {

using A = const UnifiedArray&;
const std::complex<double> i(0.0, 1.0);

UnifiedArray complex_sample(const Shape& shape, unsigned seed) {
  return sample(shape, seed) + sample(shape, seed + 1) * i;
}
bool agree(A a, A b, double tolerance = 1e-14) {
  return a.dtype() == b.dtype() && bool(near(parts(a), parts(b), tolerance));
}
double inner(A a, A b) { return sum(real(conj(a) * b)).item<double>(); }

}  // namespace

BACKEND_TEST_CASE(a_gradient_by_a_complex_array_points_where_the_value_grows_fastest) {
  const UnifiedArray z = complex_sample({4}, 1), c = complex_sample({4}, 5);
  // d/dx + i d/dy of x^2 + y^2, and of the real part of c z.
  BOOST_TEST(agree(grad([](A a) { return sum(square(abs(a))); })(z), z * 2.0));
  BOOST_TEST(agree(grad([&](A a) { return sum(real(c * a)); })(z), conj(c)));
  BOOST_TEST(agree(grad([&](A a) { return sum(imag(c * a)); })(z), conj(c) * i));
  const auto loss = [](A a) { return sum(square(real(a)) * imag(a)); };
  const UnifiedArray x = real(z), y = imag(z);
  BOOST_TEST(agree(grad(loss)(z), x * y * 2.0 + square(x) * i));
  // So a step against it makes the value smaller.
  BOOST_TEST(loss(z - grad(loss)(z) * 1e-3).item<double>() < loss(z).item<double>());
}

BACKEND_TEST_CASE(cotangents_are_multiplied_by_the_conjugate_derivative_and_tangents_by_itself) {
  const UnifiedArray z = complex_sample({4}, 1), w = complex_sample({4}, 5);
  const auto f = [](A a) { return exp(a) * a; };
  const UnifiedArray slope = exp(z) * (z + 1.0);
  BOOST_TEST(agree(vjp(f, z).second(w), conj(slope) * w));
  BOOST_TEST(agree(jvp(f, z, w).second, slope * w));
  BOOST_TEST(agree(grad([&](A a) { return sum(real(conj(w) * f(a))); })(z), conj(slope) * w));
}

BACKEND_TEST_CASE(both_modes_are_transposes_by_the_real_inner_product) {
  const UnifiedArray z = complex_sample({4}, 1), dz = complex_sample({4}, 5),
                     w = complex_sample({4}, 7);
  // No complex derivatives.
  const auto f = [](A a) { return conj(a) * abs(a) + sign(a) * real(a) - imag(a) * (2.0 * i); };
  const double forward = inner(w, jvp(f, z, dz).second), back = inner(vjp(f, z).second(w), dz);
  BOOST_TEST(std::abs(forward - back) <= 1e-14 * std::abs(forward));
}

BACKEND_TEST_CASE(derivatives_by_real_arrays_are_real) {
  const UnifiedArray x = sample({3}), c = complex_sample({3}, 5);
  const auto f = [&](A a) { return sum(square(abs(a * c + i))); };
  const UnifiedArray by = grad(f)(x);
  BOOST_TEST((by.dtype() == float64));
  BOOST_TEST(near(by, real(conj(c) * (x * c + i)) * 2.0, 1e-14));
  const UnifiedArray m = sample({3, 3}, 7);
  check_derivatives([&](A a) { return parts(linalg::matmul(a, c)); }, m);
  check_derivatives([&](A a) { return parts(linalg::solve(regular(a), c)); }, m);
  check_derivatives([&](A a) { return parts(linalg::einsum("ij,j,k", {a, c, c})); }, m);
  check_derivatives([&](A a) { return parts(linalg::lstsq(a, c).x); }, m);
}

BACKEND_TEST_CASE(jacobians_of_complex_functions_are_taken_in_the_mode_that_has_them) {
  const UnifiedArray z = complex_sample({2}, 1), x = sample({3}), m = complex_sample({3, 2}, 5);
  // Analytic functions: the complex derivative, whichever side is longer.
  const UnifiedArray expected = m * exp(z);
  BOOST_TEST(agree(jacobian([&](A a) { return linalg::matmul(m, exp(a)); })(z), expected));
  const UnifiedArray flat = matrix_transpose(m) * exp(linalg::matmul(m, z));
  BOOST_TEST(agree(jacobian([&](A a) { return linalg::matmul(matrix_transpose(m), exp(a)); })(
                       linalg::matmul(m, z)),
                   flat));
  // Complex values of real arrays, fewer than those.
  const UnifiedArray rows = matrix_transpose(m) * x * 2.0;
  BOOST_TEST(agree(jacobian([&](A a) { return linalg::matmul(matrix_transpose(m), square(a)); })(x),
                   rows));
  // Real values of complex arrays, more than those: gradients as rows.
  const UnifiedArray gradients = conj(m);
  BOOST_TEST(agree(jacobian([&](A a) { return real(linalg::matmul(m, a)); })(z), gradients));
}

}  // namespace isofield::testing
