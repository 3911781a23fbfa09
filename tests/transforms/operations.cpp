// Derivatives of operations that are not pointwise, against differences, and batches of them: a
// case for each row of operations.def.

#include "transforms/operations.hpp"

#include <boost/test/unit_test.hpp>

#include "backend_case.hpp"
#include "transforms/batches.hpp"

namespace isofield::testing {
namespace {

/// A function that is not linear, so that second derivatives say something.
UnifiedArray bent(const UnifiedArray& x) { return x * sin(x) + 0.5 * x; }

/// Derivatives of float32 and complex64 have their dtype, and are those of double precision.
void check_single_precision(const ArrayFunction& f, const UnifiedArray& x) {
  const DType half = is_complex(x.dtype()) ? complex64 : float32;
  const UnifiedArray single = x.astype(half), whole = single.astype(x.dtype());
  const auto loss = [&](const UnifiedArray& a) { return sum(square(abs(f(a)))); };
  const UnifiedArray by = grad(loss)(single), exact = grad(loss)(whole);
  BOOST_TEST(itemsize(real_dtype(f(single).dtype())) == itemsize(float32));
  BOOST_TEST((by.dtype() == half));
  BOOST_TEST(near(parts(by.astype(x.dtype())), parts(exact), 2e-3), "single precision");
  const UnifiedArray along = jvp(f, single, single).second;
  BOOST_TEST((along.dtype() == f(single).dtype()));
}

/// Gradients are recorded once and replayed with other elements.
void check_recorded(const ArrayFunction& f, const Shape& shape) {
  const auto by = grad([&](const UnifiedArray& x) { return sum(square(parts(f(x)))); });
  const auto recorded = jit(by);
  for (const unsigned seed : {1, 2, 3}) {
    const UnifiedArray x = sample(shape, seed);
    BOOST_TEST(near(recorded(x), by(x), 1e-13), "jit");
  }
}

/// On LibTorch's devices values alone are not computed as they are with vectors.
constexpr double tolerance = 1e-8, rounding = 1e-14;

void check_row(Takes kind, const Shape& shape, const ArrayFunction& f) {
  check_derivatives([&](const UnifiedArray& x) { return parts(f(bent(x))); }, sample(shape),
                    tolerance, rounding);
  check_single_precision(f, sample(shape));
  check_recorded(f, shape);
  if (kind == Takes::real) return;
  // Real and imaginary parts as numbers of their own.
  Shape two = shape;
  two.insert(0, 2);
  check_derivatives([&](const UnifiedArray& x) { return parts(f(bent(from_parts(x)))); },
                    sample(two, 3), tolerance, rounding);
  check_single_precision(f, from_parts(sample(two, 3)));
}

}  // namespace

#define OPERATION(name, kind, shape, ours, theirs)                                \
  BACKEND_TEST_CASE(name##_has_its_derivatives) {                                 \
    check_row(Takes::kind, shape, [](const UnifiedArray& x) { return ours; });    \
  }                                                                               \
  BACKEND_TEST_CASE(name##_takes_batches) {                                       \
    check_batch([](const UnifiedArray& x) { return parts(ours); }, shape, 1e-12); \
  }
#include "transforms/operations.def"

}  // namespace isofield::testing
