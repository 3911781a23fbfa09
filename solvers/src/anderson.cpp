// Anderson's mixing (Anderson, 1965; Walker and Ni, 2011): of the last iterations, the affine
// combination whose changes found - density cancel best in the least-squares sense.

#include <algorithm>
#include <cmath>
#include <deque>

#include "outer.hpp"

namespace isofield::mfg {

namespace {

double dot(const Fields& a, const Fields& b) {
  double total = 0.0;
  for (std::size_t p = 0; p < a.size(); ++p) total += sum(a[p] * b[p]).item<double>();
  return total;
}

Fields difference(const Fields& a, const Fields& b) {
  Fields d;
  for (std::size_t p = 0; p < a.size(); ++p) d.push_back((a[p] - b[p]).eval());
  return d;
}

// The least-squares solution of min |b - sum of x_j columns_j|, by the normal equations with a
// touch of regularisation: columns become parallel as the iteration converges.
std::vector<double> least_squares(const std::deque<Fields>& columns, const Fields& b) {
  const std::size_t n = columns.size();
  std::vector<std::vector<double>> a(n, std::vector<double>(n + 1));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i; j < n; ++j) a[i][j] = a[j][i] = dot(columns[i], columns[j]);
    a[i][n] = dot(columns[i], b);
  }
  double trace = 0.0;
  for (std::size_t i = 0; i < n; ++i) trace += a[i][i];
  for (std::size_t i = 0; i < n; ++i) a[i][i] += 1e-12 * trace;
  for (std::size_t k = 0; k < n; ++k) {  // positive definite: no pivots are needed
    for (std::size_t i = k + 1; i < n; ++i) {
      const double f = a[i][k] / a[k][k];
      for (std::size_t j = k; j <= n; ++j) a[i][j] -= f * a[k][j];
    }
  }
  std::vector<double> x(n);
  for (std::size_t k = n; k-- > 0;) {
    x[k] = a[k][n];
    for (std::size_t j = k + 1; j < n; ++j) x[k] -= a[k][j] * x[j];
    x[k] /= a[k][k];
  }
  return x;
}

class Anderson : public Mixing {
 public:
  Anderson(std::size_t memory, double lowest) : memory_(memory), lowest_(lowest) {}

  Fields next(const Fields& density, const Fields& found) override {
    const Fields change = difference(found, density);
    if (!last_change_.empty()) {
      changes_.push_back(difference(change, last_change_));
      steps_.push_back(difference(found, last_found_));
      if (changes_.size() > memory_) {
        changes_.pop_front();
        steps_.pop_front();
      }
    }
    last_change_ = change;
    last_found_ = found;
    if (changes_.empty()) return found;
    const std::vector<double> weights = least_squares(changes_, change);
    Fields mixed = found;
    for (std::size_t p = 0; p < mixed.size(); ++p) {
      for (std::size_t j = 0; j < weights.size(); ++j)
        mixed[p] = mixed[p] - weights[j] * steps_[j][p];
      // A combination of densities has their mass, and may have negative values.
      mixed[p] = maximum(mixed[p], lowest_).eval();
    }
    return mixed;
  }

  void save(SolverState& state) const override {
    state.numbers["anderson"] = {static_cast<double>(changes_.size())};
    if (last_change_.empty()) return;
    state.fields["last_change"] = last_change_;
    state.fields["last_found"] = last_found_;
    for (std::size_t j = 0; j < changes_.size(); ++j) {
      state.fields["change_" + std::to_string(j)] = changes_[j];
      state.fields["step_" + std::to_string(j)] = steps_[j];
    }
  }
  void restore(const SolverState& state) override {
    if (!state.fields.contains("last_change")) return;
    last_change_ = state.field("last_change");
    last_found_ = state.field("last_found");
    const double count = state.number("anderson")[0];
    for (std::size_t j = 0; j < memory_ && static_cast<double>(j) < count; ++j) {
      changes_.push_back(state.field("change_" + std::to_string(j)));
      steps_.push_back(state.field("step_" + std::to_string(j)));
    }
  }

 private:
  std::size_t memory_;
  double lowest_;
  Fields last_change_, last_found_;
  std::deque<Fields> changes_, steps_;
};

}  // namespace

std::unique_ptr<Mixing> anderson(std::size_t memory, double lowest) {
  return std::make_unique<Anderson>(memory, lowest);
}

}  // namespace isofield::mfg
