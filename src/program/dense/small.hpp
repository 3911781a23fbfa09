#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <type_traits>

/// Elimination for matrices of a few rows, of which stacks have many: Eigen's calls would take
/// longer than the work. Rows lie one after the other.
namespace isofield::host::dense {

constexpr std::int64_t most_small_rows = 8;

/// Call `body(rows)` with the number of rows as a constant where it is smallest, whose loops are
/// unrolled then.
template <class F>
auto with_rows(std::int64_t n, F&& body) {
  switch (n) {
    case 1: return body(std::integral_constant<std::int64_t, 1>());
    case 2: return body(std::integral_constant<std::int64_t, 2>());
    case 3: return body(std::integral_constant<std::int64_t, 3>());
    case 4: return body(std::integral_constant<std::int64_t, 4>());
    default: return body(n);
  }
}

template <class T>
auto size_of(const T& x) {
  if constexpr (std::is_floating_point_v<T>)
    return std::abs(x);
  else  // LAPACK's choice for pivots, without a root
    return std::abs(x.real()) + std::abs(x.imag());
}

/// Make `a` (n, n) upper triangular by exchanging and adding up rows, and do the same to `b` (n,
/// k). Gives the sign of the exchanges, or 0 where a pivot is zero.
template <class T, class Rows>
int eliminate(T* a, T* b, Rows n, std::int64_t k) {
  int sign = 1;
  for (std::int64_t c = 0; c < n; ++c) {
    std::int64_t best = c;
    for (std::int64_t r = c + 1; r < n; ++r)
      if (size_of(a[r * n + c]) > size_of(a[best * n + c])) best = r;
    if (best != c) {
      for (std::int64_t j = c; j < n; ++j) std::swap(a[c * n + j], a[best * n + j]);
      for (std::int64_t j = 0; j < k; ++j) std::swap(b[c * k + j], b[best * k + j]);
      sign = -sign;
    }
    if (a[c * n + c] == T(0)) return 0;
    const T over = T(1) / a[c * n + c];
    for (std::int64_t r = c + 1; r < n; ++r) {
      const T factor = a[r * n + c] * over;
      for (std::int64_t j = c + 1; j < n; ++j) a[r * n + j] -= factor * a[c * n + j];
      for (std::int64_t j = 0; j < k; ++j) b[r * k + j] -= factor * b[c * k + j];
    }
  }
  return sign;
}

/// Solve with an upper triangle: `b` becomes the solution.
template <class T, class Rows>
void substitute(const T* a, T* b, Rows n, std::int64_t k) {
  for (std::int64_t r = n; r-- > 0;) {
    for (std::int64_t c = r + 1; c < n; ++c)
      for (std::int64_t j = 0; j < k; ++j) b[r * k + j] -= a[r * n + c] * b[c * k + j];
    for (std::int64_t j = 0; j < k; ++j) b[r * k + j] /= a[r * n + r];
  }
}

template <class T>
T conjugate(const T& x) {
  if constexpr (std::is_floating_point_v<T>)
    return x;
  else
    return std::conj(x);
}

/// L with L L^H = a, from a's lower triangle; false where a is not positive definite.
template <class T, class Rows>
bool small_cholesky(const T* a, T* l, Rows n) {
  for (std::int64_t r = 0; r < n; ++r) {
    for (std::int64_t c = 0; c <= r; ++c) {
      T sum = a[r * n + c];
      for (std::int64_t j = 0; j < c; ++j) sum -= l[r * n + j] * conjugate(l[c * n + j]);
      if (c < r) {
        l[r * n + c] = sum / l[c * n + c];
        continue;
      }
      if (!(std::real(sum) > 0)) return false;
      l[r * n + r] = T(std::sqrt(std::real(sum)));
    }
    for (std::int64_t c = r + 1; c < n; ++c) l[r * n + c] = T(0);
  }
  return true;
}

}  // namespace isofield::host::dense
