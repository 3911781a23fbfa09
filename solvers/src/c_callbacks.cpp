#include "c_callbacks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <isofield/custom_jvp.hpp>
#include <isofield/indexing.hpp>
#include <isofield/ops.hpp>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

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

/// A grid as callbacks see it, with the positions that it points to. Made of plain numbers: drifts
/// are evaluated inside of recorded functions, where no memory of arrays can be read.
class HostGrid {
 public:
  explicit HostGrid(const Grid& grid) {
    seen_.axes = grid.axes();
    seen_.size = 1;
    for (int k = 0; k < 3; ++k) {
      seen_.cells[k] = k < grid.axes() ? grid.axis(k).cells : 1;
      seen_.size *= seen_.cells[k];
    }
    std::int64_t inner = seen_.size;
    for (int k = 0; k < grid.axes(); ++k) {
      const std::vector<double> nodes = grid.axis(k).nodes();
      inner /= seen_.cells[k];
      Values& x = positions_[static_cast<std::size_t>(k)];
      x.reserve(static_cast<std::size_t>(seen_.size));
      for (std::int64_t cell = 0; cell < seen_.size; ++cell)
        x.push_back(nodes[static_cast<std::size_t>(cell / inner % seen_.cells[k])]);
      seen_.position[k] = x.data();
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

/// How much of each cell of an axis lies in each cell of another one of the same box: for each cell
/// of `to`, numbers of cells of `from` and their parts of it.
using Shares = std::vector<std::vector<std::pair<std::size_t, double>>>;

Shares shares(std::int64_t from, std::int64_t to, bool periodic) {
  const double ratio = static_cast<double>(from) / static_cast<double>(to);
  Shares all(static_cast<std::size_t>(to));
  for (std::size_t j = 0; j < all.size(); ++j) {
    // In units of a cell of `from`; nodes of a periodic axis are in the middle of their cells.
    const double start = static_cast<double>(j) * ratio;
    const double low = periodic ? start - 0.5 * ratio + 0.5 : start, high = low + ratio;
    for (double k = std::floor(low); k < high; ++k) {
      const double part = std::min(high, k + 1.0) - std::max(low, k);
      if (part <= 1e-12) continue;
      const auto i = (static_cast<std::int64_t>(k) + from) % from;
      all[j].emplace_back(static_cast<std::size_t>(i), part / ratio);
    }
  }
  return all;
}

/// Bring values of shape (levels, cells...) to the cells of another grid of the same box, by means.
Values resampled(Values values, const std::vector<Axis>& from, const Grid& to) {
  std::size_t inner = 1;
  for (std::size_t k = from.size(); k-- > 0;) {
    const std::int64_t cells = to.axis(static_cast<int>(k)).cells;
    if (cells != from[k].cells) {
      const Shares parts = shares(from[k].cells, cells, from[k].periodic());
      const auto before = static_cast<std::size_t>(from[k].cells);
      const std::size_t outer = values.size() / (before * inner);
      Values other(outer * parts.size() * inner, 0.0);
      for (std::size_t o = 0; o < outer; ++o)
        for (std::size_t j = 0; j < parts.size(); ++j)
          for (const auto& [i, part] : parts[j])
            for (std::size_t n = 0; n < inner; ++n)
              other[(o * parts.size() + j) * inner + n] +=
                  part * values[(o * before + i) * inner + n];
      values = std::move(other);
    }
    inner *= static_cast<std::size_t>(cells);
  }
  return values;
}

/// What is known at equidistant times from 0 to the horizon, shape (levels, cells...), at times t
/// as a Velocity is asked for: linear in between.
UnifiedArray at_times(const Values& table, const Grid& grid, const UnifiedArray& t,
                      double horizon) {
  const auto cells = static_cast<std::int64_t>(table.size());
  std::int64_t size = 1;
  for (const std::int64_t n : grid.shape()) size *= n;
  const std::int64_t levels = cells / size, times = t.size();
  Shape shape = grid.shape(), asked = grid.shape();
  shape.insert(0, levels);
  if (t.ndim() > grid.axes()) asked.insert(0, times);
  const UnifiedArray values = from_host(table, shape, grid);
  if (levels == 1) return values(0);
  const double last = static_cast<double>(levels - 1);
  const UnifiedArray place = minimum(reshape(t, Shape{times}) * (last / horizon), last);
  const UnifiedArray before = minimum(floor(place), last - 1.0);
  Shape column(grid.axes() + 1, 1);
  column[0] = times;
  const UnifiedArray share = reshape(place - before, column);
  const UnifiedArray level = before.astype(int64).eval();
  return reshape(take(values, level, 0) * (1.0 - share) + take(values, level + 1, 0) * share,
                 asked);
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

Velocity host_velocity(isofield_mfg_velocity function, void* user, double horizon,
                       std::int64_t steps) {
  const auto grids = std::make_shared<HostGrids>();
  const auto tables = std::make_shared<std::map<const isofield_mfg_grid*, std::vector<Values>>>();
  return [=](const Grid& grid, const UnifiedArray& t) {
    const isofield_mfg_grid& seen = (*grids)(grid);
    std::vector<Values>& components = (*tables)[&seen];  // once for each grid
    if (components.empty()) {
      Values times;
      for (std::int64_t n = 0; n <= steps; ++n)
        times.push_back(horizon * static_cast<double>(n) / static_cast<double>(steps));
      std::vector<Values> made(static_cast<std::size_t>(seen.axes));
      std::vector<double*> to;
      for (Values& c : made) {
        c.resize(times.size() * static_cast<std::size_t>(seen.size));
        to.push_back(c.data());
      }
      check(function(user, &seen, steps + 1, times.data(), to.data()), "a drift");
      components = std::move(made);
    }
    std::vector<UnifiedArray> b;
    for (const Values& c : components) b.push_back(at_times(c, grid, t, horizon));
    return b;
  };
}

Velocity cell_velocity(std::vector<std::vector<double>> components, std::vector<Axis> axes,
                       double horizon) {
  return [=](const Grid& grid, const UnifiedArray& t) {
    std::vector<UnifiedArray> b;
    for (const Values& c : components)
      b.push_back(at_times(resampled(c, axes, grid), grid, t, horizon));
    return b;
  };
}

Field cell_values(std::vector<double> values, std::vector<Axis> axes) {
  return [values = std::move(values), axes = std::move(axes)](const Grid& grid) {
    return from_host(resampled(values, axes, grid), grid.shape(), grid);
  };
}

}  // namespace isofield::mfg
