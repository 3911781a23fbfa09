#include "isofield/mfg/fast_diagonalisation.hpp"

#include <cmath>
#include <isofield/linalg.hpp>
#include <numbers>

#include "interpolate.hpp"

namespace isofield::mfg {

namespace {

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
  if (a.periodic()) {
    // 1, cos, sin, cos, sin, ..., and the alternating one last if n is even.
    const double frequency = std::ceil(0.5 * k);
    const bool sine = j > 0 && j % 2 == 0;
    return {2.0 * pi * frequency / n, 0.0, sine};
  }
  if (exit_below && exit_above) {
    const double angle = pi * (k + 1.0) / (n + 1.0);
    return {angle, angle, true};
  }
  const double angle = exit_below || exit_above ? pi * (k + 0.5) / (n + 0.5) : pi * k / n;
  // cos((i + 1/2) angle) is even about the reflecting end at i = -1/2; from the upper end, i is
  // counted backwards.
  return exit_below ? Mode{-angle, (n - 0.5) * angle, false} : Mode{angle, 0.5 * angle, false};
}

struct Eigenpairs {
  std::vector<double> vectors, values;
};

// Set-up on the host, once a grid: n^2 numbers.
Eigenpairs eigenpairs(const Axis& a) {
  const auto n = static_cast<std::size_t>(a.cells);
  Eigenpairs e{std::vector<double>(n * n), std::vector<double>(n)};
  for (std::size_t j = 0; j < n; ++j) {
    const Mode m = mode(a, static_cast<std::int64_t>(j));
    const double half = std::sin(0.5 * m.angle) / a.spacing();
    e.values[j] = 4.0 * half * half;
    double square_sum = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
      const double argument = static_cast<double>(i) * m.angle + m.phase;
      const double v = m.sine ? std::sin(argument) : std::cos(argument);
      e.vectors[i * n + j] = v;
      square_sum += v * v;
    }
    for (std::size_t i = 0; i < n; ++i) e.vectors[i * n + j] /= std::sqrt(square_sum);
  }
  return e;
}

}  // namespace

FastDiagonalisation::FastDiagonalisation(const Grid& grid) : grid_(grid) {
  for (int k = 0; k < grid.axes(); ++k) {
    const Eigenpairs e = eigenpairs(grid.axis(k));
    const std::int64_t n = grid.axis(k).cells;
    Shape along_axis(grid.axes(), 1);
    along_axis[k] = n;
    vectors_.push_back(asarray(e.vectors, Shape{n, n}).astype(grid.dtype()));
    transposed_.push_back(vectors_.back().T().copy());
    values_.push_back(asarray(e.values, along_axis).astype(grid.dtype()));
    eval(vectors_.back(), values_.back());
  }
}

UnifiedArray FastDiagonalisation::symbol(const Stencil& a) const {
  UnifiedArray total = full(Shape{}, 1.0, grid_.dtype());
  for (int k = 0; k < grid_.axes(); ++k) {
    const auto i = static_cast<std::size_t>(k);
    // Entries of a cell along the axis sum to -2 nu_k / h^2.
    const double h = grid_.axis(k).spacing();
    const double to_mean = -0.5 * h * h / static_cast<double>(grid_.free_cells());
    const UnifiedArray viscosity =
        grid_.sum_cells(a.faces.forward[i] + a.faces.backward[i]) * to_mean;
    total = total + viscosity * values_[i];
  }
  return 1.0 / total;
}

UnifiedArray FastDiagonalisation::apply(const UnifiedArray& b, const UnifiedArray& symbol) const {
  UnifiedArray x = b;
  for (int k = 0; k < grid_.axes(); ++k)
    x = multiply_along(transposed_[static_cast<std::size_t>(k)], x, k);
  x = x * symbol;
  for (int k = 0; k < grid_.axes(); ++k)
    x = multiply_along(vectors_[static_cast<std::size_t>(k)], x, k);
  return grid_.is_marked() ? x * grid_.free_mask() : x;
}

}  // namespace isofield::mfg
