#include "c_callbacks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <isofield/custom_jvp.hpp>
#include <isofield/ops.hpp>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <tuple>

#include "interpolate.hpp"

namespace isofield::mfg {
namespace {

using Values = std::vector<double>;

void check(int code, const char* what) {
  if (code != 0)
    throw CallbackFailed(fmt::format("the function that computes {} returned {}", what, code));
}

Values on_host(const UnifiedArray& x) {
  return (x.dtype() == float64 ? x : x.astype(float64)).to_vector<double>();
}

/// A grid as callbacks see it, with the positions that it points to.
class HostGrid {
 public:
  explicit HostGrid(const Grid& grid) {
    seen_.axes = grid.axes();
    seen_.size = 1;
    for (int k = 0; k < 3; ++k) {
      const auto i = static_cast<std::size_t>(k);
      seen_.cells[k] = k < grid.axes() ? grid.axis(k).cells : 1;
      seen_.size *= seen_.cells[k];
      if (k < grid.axes()) {
        positions_[i] = on_host(broadcast_to(grid.coordinate(k), grid.shape()));
        seen_.position[k] = positions_[i].data();
      }
    }
  }
  HostGrid(const HostGrid&) = delete;
  HostGrid& operator=(const HostGrid&) = delete;
  const isofield_mfg_grid& seen() const noexcept { return seen_; }

 private:
  isofield_mfg_grid seen_{};
  std::array<Values, 3> positions_;
};

/// Host grids, one for each number of cells that a function was asked on.
class HostGrids {
 public:
  const isofield_mfg_grid& operator()(const Grid& grid) {
    std::unique_ptr<HostGrid>& found =
        grids_[std::vector<std::int64_t>(grid.shape().begin(), grid.shape().end())];
    if (!found) found = std::make_unique<HostGrid>(grid);
    return found->seen();
  }

 private:
  std::map<std::vector<std::int64_t>, std::unique_ptr<HostGrid>> grids_;
};

/// Bring what a callback wrote to where the grid's fields are.
UnifiedArray from_host(const Values& values, const Shape& shape, const Grid& grid) {
  return asarray(values, shape, &grid.coordinate(0).backend()).astype(grid.dtype());
}

/// A caller's cost on arrays of the host.
class HostCost {
 public:
  HostCost(isofield_mfg_cost function, isofield_mfg_cost_derivative derivative, void* user,
           std::int32_t population)
      : function_(function), derivative_(derivative), user_(user), population_(population) {}

  UnifiedArray value(const Grid& grid, const UnifiedArray& t, const Fields& m) {
    const Levels at(*this, grid, t, m);
    return from_host(at.cost(at.densities), m[0].shape(), grid);
  }

  UnifiedArray tangent(const Grid& grid, const UnifiedArray& t, const Fields& m, const Fields& dm) {
    const Levels at(*this, grid, t, m);
    std::vector<Values> changes;
    for (const UnifiedArray& x : dm) changes.push_back(on_host(x));
    return from_host(derivative_ ? at.derivative(changes) : at.difference(changes), m[0].shape(),
                     grid);
  }

 private:
  /// What one call of a callback is about.
  struct Levels {
    Levels(HostCost& cost, const Grid& grid, const UnifiedArray& t, const Fields& m)
        : of(cost), times(on_host(t)) {
      for (const UnifiedArray& x : m) densities.push_back(on_host(x));
      const isofield_mfg_grid& seen = of.grids_(grid);
      const auto levels = static_cast<std::int64_t>(densities[0].size()) / seen.size;
      times.resize(static_cast<std::size_t>(levels), times.front());
      in = {&seen,  levels, times.data(), of.population_, static_cast<std::int32_t>(m.size()),
            nullptr};
    }

    static std::vector<const double*> pointers(const std::vector<Values>& lists) {
      std::vector<const double*> all;
      for (const Values& list : lists) all.push_back(list.data());
      return all;
    }

    Values cost(const std::vector<Values>& m) const {
      const std::vector<const double*> all = pointers(m);
      isofield_mfg_cost_input now = in;
      now.densities = all.data();
      Values result(m[0].size());
      check(of.function_(of.user_, &now, result.data()), "a cost");
      return result;
    }

    Values derivative(const std::vector<Values>& changes) const {
      const std::vector<const double*> all = pointers(densities), along = pointers(changes);
      isofield_mfg_cost_input now = in;
      now.densities = all.data();
      Values result(densities[0].size());
      check(of.derivative_(of.user_, &now, along.data(), result.data()), "a cost's derivative");
      return result;
    }

    /// The central difference along `changes`, with a step of the cube root of rounding.
    Values difference(const std::vector<Values>& changes) const {
      double largest = 0.0, size = 0.0;
      for (std::size_t p = 0; p < densities.size(); ++p)
        for (std::size_t i = 0; i < densities[p].size(); ++i) {
          largest = std::max(largest, std::fabs(changes[p][i]));
          size = std::max(size, std::fabs(densities[p][i]));
        }
      if (!(largest > 0.0)) return Values(densities[0].size(), 0.0);
      const double step = std::cbrt(std::numeric_limits<double>::epsilon()) * size / largest;
      const Values up = cost(moved(changes, step)), down = cost(moved(changes, -step));
      Values result(up.size());
      for (std::size_t i = 0; i < up.size(); ++i) result[i] = (up[i] - down[i]) / (2.0 * step);
      return result;
    }

    std::vector<Values> moved(const std::vector<Values>& changes, double step) const {
      std::vector<Values> m = densities;
      for (std::size_t p = 0; p < m.size(); ++p)
        for (std::size_t i = 0; i < m[p].size(); ++i) m[p][i] += step * changes[p][i];
      return m;
    }

    HostCost& of;
    Values times;
    std::vector<Values> densities;
    isofield_mfg_cost_input in{};
  };

  isofield_mfg_cost function_;
  isofield_mfg_cost_derivative derivative_;
  void* user_;
  std::int32_t population_;
  HostGrids grids_;
};

/// Row j says how much of each of `from` cells lies in cell j of `to`, as parts of cell j.
UnifiedArray shares(std::int64_t from, std::int64_t to, bool periodic, DType dtype) {
  const double ratio = static_cast<double>(from) / static_cast<double>(to);
  std::vector<double> w(static_cast<std::size_t>(from * to), 0.0);
  for (std::int64_t j = 0; j < to; ++j) {
    // In units of a cell of `from`; nodes of a periodic axis are in the middle of their cells.
    const double middle = static_cast<double>(j) * ratio;
    const double low = periodic ? middle - 0.5 * ratio + 0.5 : middle, high = low + ratio;
    for (double k = std::floor(low); k < high; ++k) {
      const double part = std::min(high, k + 1.0) - std::max(low, k);
      if (part <= 0.0) continue;
      auto i = static_cast<std::int64_t>(k) % from;
      if (i < 0) i += from;
      w[static_cast<std::size_t>(j * from + i)] += part / ratio;
    }
  }
  return asarray(w, Shape{to, from}).astype(dtype);
}

}  // namespace

Field host_field(isofield_mfg_field function, void* user) {
  const auto grids = std::make_shared<HostGrids>();
  return [=](const Grid& grid) {
    const isofield_mfg_grid& seen = (*grids)(grid);
    Values values(static_cast<std::size_t>(seen.size));
    check(function(user, &seen, values.data()), "a field");
    return from_host(values, grid.shape(), grid);
  };
}

Cost host_cost(isofield_mfg_cost function, isofield_mfg_cost_derivative derivative, void* user,
               std::int32_t population) {
  const auto cost = std::make_shared<HostCost>(function, derivative, user, population);
  return [cost](const CostInput& in) {
    const auto value = [&](const Fields& m) { return cost->value(in.grid, in.t, m); };
    const auto tangent = [&](const std::tuple<Fields>& m, const std::tuple<Fields>& dm) {
      return cost->tangent(in.grid, in.t, std::get<0>(m), std::get<0>(dm));
    };
    return custom_jvp(value, tangent)(in.all);
  };
}

Field cell_values(std::vector<double> values, std::vector<Axis> axes) {
  return [values = std::move(values), axes = std::move(axes)](const Grid& grid) {
    Shape shape(static_cast<int>(axes.size()), 1);
    for (std::size_t k = 0; k < axes.size(); ++k) shape[static_cast<int>(k)] = axes[k].cells;
    UnifiedArray x = from_host(values, shape, grid);
    for (int k = 0; k < grid.axes(); ++k) {
      const Axis& from = axes[static_cast<std::size_t>(k)];
      const std::int64_t to = grid.axis(k).cells;
      if (to != from.cells)
        x = multiply_along(shares(from.cells, to, from.periodic(), grid.dtype()), x, k);
    }
    return x;
  };
}

}  // namespace isofield::mfg
