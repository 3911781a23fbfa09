#pragma once

#include "transforms/differences.hpp"

/// Functions of batches, to hold `vmap` against.
namespace isofield::testing {

inline UnifiedArray numbers(const Shape& shape, unsigned seed = 1) {
  return random_array(shape, 0.3, 0.9, seed);
}

/// f of each of xs, stacked.
inline UnifiedArray one_by_one(const ArrayFunction& f, const UnifiedArray& xs) {
  std::vector<UnifiedArray> results;
  for (std::int64_t i = 0; i < xs.shape()[0]; ++i) results.push_back(f(xs(i)));
  return stack(results);
}

/// Check a function of each array of a batch, and its derivatives, against one after the other.
inline void check_batch(const ArrayFunction& f, const Shape& shape, double tolerance = 1e-15) {
  Shape all = shape;
  all.insert(0, 3);
  const UnifiedArray xs = numbers(all, 5);
  BOOST_TEST(near(vmap(f)(xs), one_by_one(f, xs), tolerance));
  // Derivatives of the batch, and the batch of derivatives.
  const auto loss = [&](const UnifiedArray& x) { return sum(square(f(x))); };
  const UnifiedArray by = one_by_one(grad(loss), xs);
  BOOST_TEST(near(vmap(grad(loss))(xs), by, 100 * tolerance), "vmap of grad");
  const auto total = [&](const UnifiedArray& x) { return sum(vmap(loss)(x)); };
  BOOST_TEST(near(grad(total)(xs), by, 100 * tolerance), "grad of vmap");
  const auto along = [&](const UnifiedArray& x) { return jvp(f, x, ones_like(x)).second; };
  BOOST_TEST(near(vmap(along)(xs), one_by_one(along, xs), 100 * tolerance), "vmap of jvp");
}

}  // namespace isofield::testing
