#include "isofield/mfg/fast_diagonalisation.hpp"

#include <algorithm>
#include <cmath>
#include <isofield/fft.hpp>
#include <isofield/linalg.hpp>
#include <numbers>

#include "interpolate.hpp"

namespace isofield::mfg {

namespace {

std::int64_t largest_prime_factor(std::int64_t n) {
  std::int64_t largest = 1;
  for (std::int64_t f = 2; f * f <= n; ++f)
    for (; n % f == 0; n /= f) largest = f;
  return std::max(largest, n);
}

// Whether lines of n cells are transformed faster by a fast transform of `length` than by a product
// with a matrix, as measured: docs/development/decisions.md. Large prime factors cost as much as a
// part of the product would. Devices do a product in one call and a transform in some twenty.
bool transform_pays(std::int64_t n, std::int64_t length, bool on_host) {
  if (!on_host) return n >= 1024;
  const std::int64_t prime = largest_prime_factor(length);
  const std::int64_t breaks_even = (28 + (prime > 5 ? 2 * prime : 0)) * (length / n);
  return n >= 250 || n > breaks_even;
}

// The angle of mode j and the phase at cell i: an eigenvector is sin or cos of i * angle + phase.
struct Mode {
  double angle = 0.0, phase = 0.0;
  bool sine = false;
};

Mode mode(const Axis& a, std::int64_t j) {
  const double n = static_cast<double>(a.cells), k = static_cast<double>(j);
  const double pi = std::numbers::pi;
  const bool exit_below = a.boundary.lower == Boundary::exit;
  const bool exit_above = a.boundary.upper == Boundary::exit;
  // cos t + sin t = sqrt(2) sin(t + pi / 4).
  if (a.periodic()) return {2.0 * pi * k / n, 0.25 * pi, true};
  if (exit_below && exit_above) {
    const double angle = pi * (k + 1.0) / (n + 1.0);
    return {angle, angle, true};
  }
  const double angle = exit_below || exit_above ? pi * (k + 0.5) / (n + 0.5) : pi * k / n;
  // cos((i + 1/2) angle) is even about the reflecting end at i = -1/2; from the upper end, i is
  // counted backwards.
  return exit_below ? Mode{-angle, (n - 0.5) * angle, false} : Mode{angle, 0.5 * angle, false};
}

// Of minus the second difference along an axis.
std::vector<double> eigenvalues_of(const Axis& a) {
  std::vector<double> values;
  for (std::int64_t j = 0; j < a.cells; ++j) {
    const double half = std::sin(0.5 * mode(a, j).angle) / a.spacing();
    values.push_back(4.0 * half * half);
  }
  return values;
}

// Orthonormal, as columns. Set-up on the host, once a grid: n^2 numbers.
std::vector<double> eigenvectors_of(const Axis& a) {
  const auto n = static_cast<std::size_t>(a.cells);
  std::vector<double> vectors(n * n);
  for (std::size_t j = 0; j < n; ++j) {
    const Mode m = mode(a, static_cast<std::int64_t>(j));
    double square_sum = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
      const double argument = static_cast<double>(i) * m.angle + m.phase;
      const double v = m.sine ? std::sin(argument) : std::cos(argument);
      vectors[i * n + j] = v;
      square_sum += v * v;
    }
    for (std::size_t i = 0; i < n; ++i) vectors[i * n + j] /= std::sqrt(square_sum);
  }
  return vectors;
}

// How many neighbours a cell along the axis has, exits and the other end of a cycle included.
std::vector<double> neighbours(const Axis& a) {
  std::vector<double> count(static_cast<std::size_t>(a.cells), 2.0);
  if (!a.periodic() && a.boundary.lower != Boundary::exit) count.front() -= 1.0;
  if (!a.periodic() && a.boundary.upper != Boundary::exit) count.back() -= 1.0;
  return count;
}

}  // namespace

FastDiagonalisation::FastDiagonalisation(const Grid& grid) : grid_(grid) {
  Shape along_axis(grid.axes(), 1);
  along_axis[0] = grid.axis(0).cells;
  diagonal_ = asarray(neighbours(grid.axis(0)), along_axis).astype(grid.dtype());
  eval(diagonal_);
  for (int k = 1; k < grid.axes(); ++k) {
    const Axis& axis = grid.axis(k);
    along_axis = Shape(grid.axes(), 1);
    along_axis[k] = axis.cells;
    Modes modes{fastest(axis, diagonal_.device().is_host()), {}, {}, {}};
    modes.values = asarray(eigenvalues_of(axis), along_axis).astype(grid.dtype());
    eval(modes.values);
    if (modes.transform == Transform::product) {
      const Shape square{axis.cells, axis.cells};
      modes.vectors = asarray(eigenvectors_of(axis), square).astype(grid.dtype());
      modes.transposed = modes.vectors.T().copy();
      eval(modes.vectors);
    }
    modes_.push_back(std::move(modes));
  }
}

FastDiagonalisation::Transform FastDiagonalisation::fastest(const Axis& axis, bool on_host) {
  const bool exit_below = axis.boundary.lower == Boundary::exit;
  const bool mixed = !axis.periodic() && exit_below != (axis.boundary.upper == Boundary::exit);
  const std::int64_t n = axis.cells;
  if (mixed || !transform_pays(n, exit_below ? 2 * (n + 1) : n, on_host)) return Transform::product;
  if (axis.periodic()) return Transform::hartley;
  return exit_below ? Transform::sine : Transform::cosine;
}

Symbol FastDiagonalisation::symbol(const Stencil& a, double constant) const {
  // Entries of a cell along an axis sum to -2 nu_k / h^2.
  const auto coupling = [&](int k) {
    const auto i = static_cast<std::size_t>(k);
    const double to_mean = 0.5 / static_cast<double>(grid_.free_cells());
    return grid_.sum_cells(a.faces.forward[i] + a.faces.backward[i]) * to_mean;
  };
  Symbol symbol;
  const UnifiedArray along_first = coupling(0);
  // As a field, which every solve reads, not one number that each would spread first.
  symbol.coupling = broadcast_to(along_first, a.diagonal.shape()).copy();
  symbol.diagonal = constant - along_first * diagonal_;
  for (int k = 1; k < grid_.axes(); ++k) {
    const double h = grid_.axis(k).spacing();
    symbol.diagonal = symbol.diagonal - coupling(k) * (h * h) * eigenvalues(k);
  }
  return symbol;
}

UnifiedArray FastDiagonalisation::apply(const UnifiedArray& b, const Symbol& symbol) const {
  UnifiedArray x = b;
  for (int k = 1; k < grid_.axes(); ++k) x = to_modes(x, k);
  x = linalg::tridiagonal_solve(symbol.coupling, symbol.diagonal, symbol.coupling, x, 0,
                                grid_.axis(0).periodic());
  for (int k = 1; k < grid_.axes(); ++k) x = from_modes(x, k);
  return grid_.is_marked() ? x * grid_.free_mask() : x;
}

UnifiedArray FastDiagonalisation::to_modes(const UnifiedArray& x, int k) const {
  const Modes& m = modes_[index(k)];
  switch (m.transform) {
    case Transform::cosine: return fft::dct(x, 2, {k});
    case Transform::sine: return fft::dst(x, 1, {k});
    case Transform::hartley: return fft::hartley(x, {k});
    case Transform::product: break;
  }
  return multiply_along(m.transposed, m.vectors, x, k);
}

UnifiedArray FastDiagonalisation::from_modes(const UnifiedArray& x, int k) const {
  const Modes& m = modes_[index(k)];
  switch (m.transform) {
    case Transform::cosine: return fft::idct(x, 2, {k});
    case Transform::sine: return fft::idst(x, 1, {k});
    case Transform::hartley: return fft::hartley(x, {k}, fft::Norm::forward);
    case Transform::product: break;
  }
  return multiply_along(m.vectors, m.transposed, x, k);
}

}  // namespace isofield::mfg
