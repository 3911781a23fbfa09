#pragma once

#include <isofield/array.hpp>

/// The different elements of an array, in ascending order; complex ones by real, then imaginary
/// parts. NaN differs from NaN.
namespace isofield {

/// `values` (n); `indices` (n): where each is first, in C order; `inverse_indices`, in the shape of
/// the array: which value each element is; `counts` (n): how many are.
struct UniqueAll {
  UnifiedArray values, indices, inverse_indices, counts;
};
struct UniqueCounts {
  UnifiedArray values, counts;
};
struct UniqueInverse {
  UnifiedArray values, inverse_indices;
};
UniqueAll unique_all(Operand x);
UniqueCounts unique_counts(Operand x);
UniqueInverse unique_inverse(Operand x);
UnifiedArray unique_values(Operand x);
/// Whether each element of `x1` is one of `x2`'s, or is not.
UnifiedArray isin(Operand x1, Operand x2, bool invert = false);

}  // namespace isofield
