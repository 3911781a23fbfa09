#include <cmath>

#include "isofield/mfg/krylov.hpp"

namespace isofield::mfg {

namespace {

double dot(const UnifiedArray& a, const UnifiedArray& b) { return sum(a * b).item<double>(); }

// A Givens rotation that turns (a, b) into (r, 0).
struct Rotation {
  double c = 1.0, s = 0.0;
  Rotation(double a, double b) {
    const double r = std::hypot(a, b);
    if (r > 0.0) c = a / r, s = b / r;
  }
  void apply(double& a, double& b) const {
    const double t = c * a + s * b;
    b = c * b - s * a;
    a = t;
  }
};

}  // namespace

KrylovReport gmres(const std::function<UnifiedArray(const UnifiedArray&)>& apply,
                   const UnifiedArray& b, UnifiedArray& x, double relative, int max_iterations) {
  const double norm = std::sqrt(dot(b, b));
  x = zeros_like(b);
  if (norm == 0.0) return {0, 0.0, true};
  std::vector<UnifiedArray> basis{(b * (1.0 / norm)).eval()};
  std::vector<std::vector<double>> columns;  // of the upper triangular factor
  std::vector<Rotation> rotations;
  std::vector<double> rhs{norm};
  KrylovReport report{0, norm, false};

  while (report.iterations < max_iterations) {
    UnifiedArray w = apply(basis.back());
    std::vector<double> column;
    // Modified Gram-Schmidt.
    for (const UnifiedArray& q : basis) {
      column.push_back(dot(w, q));
      w = (w - column.back() * q).eval();
    }
    double below = std::sqrt(dot(w, w));
    const double subdiagonal = below;
    for (std::size_t i = 0; i < rotations.size(); ++i) rotations[i].apply(column[i], column[i + 1]);
    rotations.emplace_back(column.back(), below);
    rotations.back().apply(column.back(), below);
    rhs.push_back(0.0);
    rotations.back().apply(rhs[rhs.size() - 2], rhs.back());
    columns.push_back(std::move(column));
    ++report.iterations;
    report.residual = std::abs(rhs.back());
    report.converged = report.residual <= relative * norm;
    if (report.converged || !std::isfinite(report.residual) || subdiagonal == 0.0) break;
    basis.push_back((w * (1.0 / subdiagonal)).eval());
  }

  const std::size_t n = columns.size();
  std::vector<double> y(n);
  for (std::size_t i = n; i-- > 0;) {
    y[i] = rhs[i];
    for (std::size_t j = i + 1; j < n; ++j) y[i] -= columns[j][i] * y[j];
    y[i] /= columns[i][i];
  }
  for (std::size_t i = 0; i < n; ++i) x = x + y[i] * basis[i];
  x.eval();
  return report;
}

}  // namespace isofield::mfg
