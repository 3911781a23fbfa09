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

void check_row(Takes kind, const Shape& shape, const ArrayFunction& f) {
  check_derivatives([&](const UnifiedArray& x) { return parts(f(bent(x))); }, sample(shape));
  if (kind == Takes::real) return;
  // Real and imaginary parts as numbers of their own.
  Shape two = shape;
  two.insert(0, 2);
  check_derivatives([&](const UnifiedArray& x) { return parts(f(bent(from_parts(x)))); },
                    sample(two, 3));
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
