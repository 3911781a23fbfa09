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
    const Eigenpairs e = eigenpairs(grid.axis(k));
    const std::int64_t n = grid.axis(k).cells;
    along_axis = Shape(grid.axes(), 1);
    along_axis[k] = n;
    const UnifiedArray vectors = asarray(e.vectors, Shape{n, n}).astype(grid.dtype());
    modes_.push_back(
        {vectors, vectors.T().copy(), asarray(e.values, along_axis).astype(grid.dtype())});
    eval(modes_.back().vectors, modes_.back().values);
  }
}

Symbol FastDiagonalisation::symbol(const Stencil& a) const {
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
  symbol.diagonal = 1.0 - along_first * diagonal_;
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
  return multiply_along(m.transposed, m.vectors, x, k);
}

UnifiedArray FastDiagonalisation::from_modes(const UnifiedArray& x, int k) const {
  const Modes& m = modes_[index(k)];
  return multiply_along(m.vectors, m.transposed, x, k);
}

}  // namespace isofield::mfg
