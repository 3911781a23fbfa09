#include "isofield/mfg/grid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <isofield/error.hpp>

namespace isofield::mfg {

std::vector<double> Axis::nodes() const {
  std::vector<double> x(static_cast<std::size_t>(cells));
  const double centre = periodic() ? 0.0 : 0.5;
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = lower + (static_cast<double>(i) + centre) * spacing();
  return x;
}

namespace {

void check(const Axis& axis, std::size_t k) {
  if (!(axis.upper > axis.lower))
    throw ShapeError(
        fmt::format("grid: axis {} from {} to {} has no length", k, axis.lower, axis.upper));
  if (axis.periodic() != (axis.boundary.upper == Boundary::periodic))
    throw ShapeError(fmt::format("grid: axis {} is periodic at one end only", k));
  const std::int64_t least = axis.periodic() ? 3 : 2;
  if (axis.cells < least)
    throw ShapeError(
        fmt::format("grid: axis {} has {} cells, at least {} are needed", k, axis.cells, least));
}

}  // namespace

Grid::Grid(std::vector<Axis> axes, DType dtype) : axes_(std::move(axes)), dtype_(dtype) {
  if (axes_.empty()) throw ShapeError("grid: at least one axis is needed");
  for (std::size_t k = 0; k < axes_.size(); ++k) {
    const Axis& a = axes_[k];
    check(a, k);
    shape_.push_back(a.cells);
    volume_ *= a.spacing();
    free_cells_ *= a.cells;
    closed_ = closed_ && a.boundary.lower != Boundary::exit && a.boundary.upper != Boundary::exit;
    Shape along(static_cast<int>(axes_.size()), 1);
    along[static_cast<int>(k)] = a.cells;
    coordinates_.push_back(asarray(a.nodes(), along).astype(dtype_));
    coordinates_.back().eval();
  }
  find_open_faces();
}

Grid Grid::marked(const std::optional<UnifiedArray>& obstacle,
                  const std::optional<UnifiedArray>& exit) const {
  Grid grid = *this;
  if (!obstacle && !exit) return grid;
  const UnifiedArray none = full(shape_, false);
  const UnifiedArray wall = obstacle ? broadcast_to(*obstacle, shape_) : none;
  const UnifiedArray leave = logical_and(exit ? broadcast_to(*exit, shape_) : none, !wall);
  const UnifiedArray inside = logical_not(logical_or(wall, leave));
  grid.free_ = inside.astype(dtype_);
  grid.exit_ = leave.astype(dtype_);
  eval(*grid.free_, *grid.exit_);
  grid.free_cells_ = sum(inside.astype(int64)).item<std::int64_t>();
  if (grid.free_cells_ == 0) throw SolverError("grid: obstacles and exits leave no free cell");
  grid.closed_ = closed_ && !any(leave).item<bool>();
  grid.find_open_faces();
  return grid;
}

void Grid::find_open_faces() {
  open_forward_.clear();
  open_backward_.clear();
  for (int k = 0; k < axes(); ++k) {
    for (const Side side : {Side::forward, Side::backward}) {
      const Axis& a = axis(k);
      const Boundary end = side == Side::forward ? a.boundary.upper : a.boundary.lower;
      auto& open = side == Side::forward ? open_forward_ : open_backward_;
      if (!free_ && end != Boundary::reflecting) {
        open.emplace_back();
        continue;
      }
      // A face is open if its cell is free and people can be, or leave, beyond it.
      const UnifiedArray passable = free_ ? *free_ + *exit_ : ones_like(coordinate(k));
      const auto rule = a.periodic() ? isofield::Boundary::periodic : isofield::Boundary::constant;
      const UnifiedArray beyond =
          shift(passable, k, static_cast<int>(side), rule, end == Boundary::exit ? 1.0 : 0.0);
      open.emplace_back(free_ ? *free_ * beyond : beyond);
      open.back()->eval();
    }
  }
}

UnifiedArray Grid::cell_kinds() const {
  if (!free_) return zeros(shape_, int64);
  return where(*free_ > 0.5, 0, where(*exit_ > 0.5, 2, 1)).astype(int64);
}

UnifiedArray Grid::field(const UnifiedArray& x) const {
  Shape target;
  for (int i = 0; i < x.ndim() - axes(); ++i) target.push_back(x.shape()[i]);
  for (const std::int64_t n : shape_) target.push_back(n);
  return broadcast_to(x.dtype() == dtype_ ? x : x.astype(dtype_), target);
}

UnifiedArray Grid::density(const UnifiedArray& m) const {
  // Not a product: what lies outside may be NaN, as log(m) is where m = 0.
  return free_ ? where(*free_ > 0.5, m, 0.0) : m;
}

UnifiedArray Grid::value(const UnifiedArray& u, double exit_value) const {
  return free_ ? where(*free_ > 0.5, u, *exit_ * exit_value) : u;
}

const std::optional<UnifiedArray>& Grid::open_face(int k, Side side) const {
  return (side == Side::forward ? open_forward_ : open_backward_)[static_cast<std::size_t>(k)];
}

UnifiedArray Grid::difference(const UnifiedArray& u, int k, Side side, double exit_value) const {
  const Axis& a = axis(k);
  const Boundary end = side == Side::forward ? a.boundary.upper : a.boundary.lower;
  const auto rule = end == Boundary::periodic     ? isofield::Boundary::periodic
                    : end == Boundary::reflecting ? isofield::Boundary::clamp
                                                  : isofield::Boundary::constant;
  const UnifiedArray other = shift(u, array_axis(u, k), static_cast<int>(side), rule, exit_value);
  const double per_length = 1.0 / a.spacing();
  const UnifiedArray d = (side == Side::forward ? other - u : u - other) * per_length;
  return free_ ? d * *open_face(k, side) : d;
}

UnifiedArray Grid::laplacian(const UnifiedArray& u, double exit_value) const {
  std::optional<UnifiedArray> total;
  for (int k = 0; k < axes(); ++k) {
    const UnifiedArray second = (difference(u, k, Side::forward, exit_value) -
                                 difference(u, k, Side::backward, exit_value)) *
                                (1.0 / axis(k).spacing());
    total = total ? *total + second : second;
  }
  return *total;
}

UnifiedArray Grid::neighbour(const UnifiedArray& v, int k, Side side) const {
  return shift(v, array_axis(v, k), static_cast<int>(side),
               axis(k).periodic() ? isofield::Boundary::periodic : isofield::Boundary::constant,
               0.0);
}

std::vector<int> Grid::last_axes(const UnifiedArray& x) const {
  std::vector<int> list;
  for (int k = 0; k < axes(); ++k) list.push_back(array_axis(x, k));
  return list;
}

std::string Grid::place_of_nan(const UnifiedArray& field) const {
  if (!has_nan_or_inf(field)) return "";
  const std::vector<double> values = broadcast_to(field, shape_).to_vector<double>();
  const auto bad = std::find_if_not(values.begin(), values.end(),
                                    [](double value) { return std::isfinite(value); });
  auto index = static_cast<std::int64_t>(bad - values.begin());
  std::string place;
  for (int k = axes() - 1; k >= 0; --k) {
    const double node = axis(k).nodes()[static_cast<std::size_t>(index % axis(k).cells)];
    place = fmt::format("{} = {:.6g}{}{}", "xyz"[k], node, place.empty() ? "" : ", ", place);
    index /= axis(k).cells;
  }
  return place;
}

UnifiedArray Grid::sum_cells(const UnifiedArray& x) const { return sum(x, last_axes(x), true); }

UnifiedArray Grid::integral(const UnifiedArray& x) const { return sum(x, last_axes(x)) * volume_; }

double Grid::inner(const UnifiedArray& a, const UnifiedArray& b) const {
  return volume_ * sum(a * b).item<double>();
}

}  // namespace isofield::mfg
