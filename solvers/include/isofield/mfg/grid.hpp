#pragma once

#include <cstdint>
#include <isofield/mfg/config.hpp>
#include <isofield/ops.hpp>
#include <optional>
#include <string>
#include <vector>

namespace isofield::mfg {

/// One axis of a box: its ends, its cells and what happens at its ends.
struct Axis {
  double lower = 0.0;
  double upper = 1.0;
  std::int64_t cells = 2;
  AxisBoundary boundary = {};

  double spacing() const { return (upper - lower) / static_cast<double>(cells); }
  bool periodic() const { return boundary.lower == Boundary::periodic; }
  /// Coordinates of the nodes: lower + i h on a periodic axis, cell centres on any other.
  std::vector<double> nodes() const;
};

/// The neighbour of a cell that is meant: the next one along an axis, or the one before.
enum class Side : std::int8_t { forward = 1, backward = -1 };

/// A box of cells, free ones, obstacles and exits, with its difference operators.
///
/// Fields are arrays whose last axes are the grid's; any axes before them (time levels) are
/// carried along. Unknowns live on free cells: elsewhere densities are 0, and values are the exit
/// value in exit cells, 0 in obstacles. Every boundary kind is one rule for a face:
///
/// | neighbour across the face | difference          | flux              |
/// | ------------------------- | ------------------- | ----------------- |
/// | free (periodic included)  | ordinary            | ordinary          |
/// | obstacle, reflecting end  | 0                   | 0                 |
/// | exit cell, exit end       | to the exit value   | outflow only      |
class Grid {
 public:
  /// A box of free cells; arrays are made on the default backend. Throws ShapeError for an axis
  /// without length, with fewer than 2 cells (3 if periodic), or periodic at one end only.
  explicit Grid(std::vector<Axis> axes, DType dtype = float64);

  /// The same box with obstacles and exits: arrays of booleans that broadcast to the grid's shape,
  /// absent where there are none. A cell that is both is an obstacle. Throws SolverError if no free
  /// cell is left.
  Grid marked(const std::optional<UnifiedArray>& obstacle,
              const std::optional<UnifiedArray>& exit) const;

  int axes() const noexcept { return static_cast<int>(axes_.size()); }
  const Axis& axis(int k) const { return axes_[static_cast<std::size_t>(k)]; }
  const Shape& shape() const noexcept { return shape_; }
  DType dtype() const noexcept { return dtype_; }
  double cell_volume() const noexcept { return volume_; }
  std::int64_t free_cells() const noexcept { return free_cells_; }
  /// Whether there are obstacles or exit cells.
  bool is_marked() const noexcept { return free_.has_value(); }
  /// Whether no mass can leave: no exit cell and no exit end.
  bool is_closed() const noexcept { return closed_; }

  /// Nodes along an axis, shaped to broadcast: (n_0, 1) and (1, n_1) in two dimensions.
  const UnifiedArray& coordinate(int k) const { return coordinates_[static_cast<std::size_t>(k)]; }
  /// 0 free, 1 obstacle, 2 exit, as int64.
  UnifiedArray cell_kinds() const;
  /// Bring `x` to the grid's dtype and broadcast its last axes to the grid's shape.
  UnifiedArray field(const UnifiedArray& x) const;
  /// Where a field of one level is NaN or infinite first: "x = 0.25, y = 0.5"; empty: nowhere.
  std::string place_of_nan(const UnifiedArray& field) const;
  /// 1 on free cells, 0 elsewhere; only where the grid is marked.
  const UnifiedArray& free_mask() const { return *free_; }
  /// Set a density to 0 outside free cells.
  UnifiedArray density(const UnifiedArray& m) const;
  /// Set a value to the exit value in exit cells and 0 in obstacles.
  UnifiedArray value(const UnifiedArray& u, double exit_value) const;

  /// 1 where the face on this side of a cell lets things pass, else 0; nothing if all faces do.
  const std::optional<UnifiedArray>& open_face(int k, Side side) const;
  /// (u_{i+1} - u_i)/h or (u_i - u_{i-1})/h along axis k, with the face rule.
  UnifiedArray difference(const UnifiedArray& u, int k, Side side, double exit_value = 0.0) const;
  /// Sum over axes of second differences, with the face rule.
  UnifiedArray laplacian(const UnifiedArray& u, double exit_value = 0.0) const;
  /// The neighbour's element of a matrix-vector product: 0 beyond an end that is not periodic.
  UnifiedArray neighbour(const UnifiedArray& v, int k, Side side) const;

  /// Sum over the grid's axes, which are kept with length 1.
  UnifiedArray sum_cells(const UnifiedArray& x) const;
  /// Integral over the box of each leading entry: cell volume times the sum, the grid's axes gone.
  UnifiedArray integral(const UnifiedArray& x) const;
  /// Integral of a product over everything.
  double inner(const UnifiedArray& a, const UnifiedArray& b) const;

 private:
  int array_axis(const UnifiedArray& x, int k) const { return x.ndim() - axes() + k; }
  std::vector<int> last_axes(const UnifiedArray& x) const;
  void find_open_faces();

  std::vector<Axis> axes_;
  Shape shape_;
  DType dtype_;
  double volume_ = 1.0;
  std::int64_t free_cells_ = 1;
  bool closed_ = true;
  std::vector<UnifiedArray> coordinates_;
  std::optional<UnifiedArray> free_, exit_;
  std::vector<std::optional<UnifiedArray>> open_forward_, open_backward_;
};

}  // namespace isofield::mfg
