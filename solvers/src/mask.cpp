#include "isofield/mfg/mask.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <isofield/error.hpp>
#include <isofield/io/hdf5.hpp>
#include <isofield/mfg/results.hpp>
#include <utility>

#include "interpolate.hpp"

namespace isofield::mfg {

namespace {

std::string cell_name(std::size_t cell, const std::vector<std::int64_t>& cells) {
  std::vector<std::size_t> index(cells.size());
  for (std::size_t k = cells.size(); k-- > 0;) {
    index[k] = cell % static_cast<std::size_t>(cells[k]);
    cell /= static_cast<std::size_t>(cells[k]);
  }
  return fmt::format("({})", fmt::join(index, ", "));
}

// A file and the dataset in it; a name of a file has no ":/" itself.
std::pair<std::string, std::string> parts_of(const std::string& source) {
  const std::size_t colon = source.rfind(":/");
  if (colon == std::string::npos) return {source, "/grid/mask"};
  return {source.substr(0, colon), source.substr(colon + 1)};
}

// Which share of each new cell each old one covers, of cells around the nodes of two divisions of
// one axis: shape (new, old).
UnifiedArray shares(const Axis& from, const Axis& to, DType dtype) {
  const std::vector<double> old_nodes = from.nodes(), new_nodes = to.nodes();
  const double h = from.spacing(), wide = to.spacing(), length = to.upper - to.lower;
  std::vector<double> share(new_nodes.size() * old_nodes.size(), 0.0);
  for (std::size_t i = 0; i < new_nodes.size(); ++i) {
    for (std::size_t j = 0; j < old_nodes.size(); ++j) {
      // A periodic axis goes on at both ends.
      for (const double turn : {-length, 0.0, length}) {
        if (turn != 0.0 && !to.periodic()) continue;
        const double old = old_nodes[j] + turn;
        const double begin = std::max(new_nodes[i] - 0.5 * wide, old - 0.5 * h);
        const double end = std::min(new_nodes[i] + 0.5 * wide, old + 0.5 * h);
        share[i * old_nodes.size() + j] += std::max(end - begin, 0.0) / wide;
      }
    }
  }
  return asarray(share, Shape{to.cells, from.cells}).astype(dtype);
}

// The part of each cell of a grid that is of one kind on the mask's own.
UnifiedArray covered(const Mask& mask, NodeKind kind, const std::vector<Axis>& axes,
                     const Grid& grid) {
  std::vector<double> is(mask.kinds.size());
  for (std::size_t i = 0; i < is.size(); ++i)
    is[i] = mask.kinds[i] == static_cast<std::uint8_t>(kind) ? 1.0 : 0.0;
  Shape shape(static_cast<int>(mask.cells.size()), 1);
  for (std::size_t k = 0; k < mask.cells.size(); ++k) shape[static_cast<int>(k)] = mask.cells[k];
  UnifiedArray part = asarray(is, shape).astype(grid.dtype());
  for (int k = 0; k < grid.axes(); ++k) {
    if (grid.axis(k).cells == shape[k]) continue;
    Axis own = axes[static_cast<std::size_t>(k)];
    own.cells = shape[k];
    part = multiply_along(shares(own, grid.axis(k), grid.dtype()), part, k);
  }
  return part;
}

Field either(const Field& a, const Field& b) {
  if (!a) return b;
  return [a, b](const Grid& grid) { return logical_or(a(grid), b(grid)); };
}

}  // namespace

Mask make_mask(const std::vector<double>& numbers, const std::vector<std::int64_t>& shape,
               const std::vector<std::int64_t>& cells, const std::string& name) {
  if (shape != cells) {
    throw ShapeError(fmt::format("{} has shape ({}), the grid has ({}) cells", name,
                                 fmt::join(shape, ", "), fmt::join(cells, ", ")));
  }
  Mask mask{cells, {}};
  mask.kinds.reserve(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const double number = numbers[i];
    if (number != 0.0 && number != 1.0 && number != 2.0) {
      throw SolverError(
          fmt::format("{} has 0 for free cells, 1 for obstacles and 2 for exits, not "
                      "{} as in cell {}",
                      name, number, cell_name(i, cells)));
    }
    mask.kinds.push_back(static_cast<std::uint8_t>(number));
  }
  if (std::ranges::find(mask.kinds, std::uint8_t{0}) == mask.kinds.end())
    throw SolverError(name + " has no free cell");
  return mask;
}

Mask read_mask(const std::string& source, const std::vector<std::int64_t>& cells) {
  const auto [file_name, path] = parts_of(source);
  std::error_code error;
  const auto status = std::filesystem::status(file_name, error);
  if (!std::filesystem::exists(status))
    throw IoError(fmt::format("cannot read '{}': there is no such file", file_name));
  if (!std::filesystem::is_regular_file(status))
    throw IoError(fmt::format("cannot read '{}': it is no file", file_name));
  const io::FileReader file(file_name);
  if (!file.exists(path))
    throw IoError(fmt::format("cannot read '{}': there is no dataset {}", file_name, path));
  const io::Extents extents = file.extents(path);
  const std::vector<std::int64_t> shape(extents.begin(), extents.end());
  const std::string name = fmt::format("{} of '{}'", path, file_name);
  if (shape != cells) return make_mask({}, shape, cells, name);  // says so, and reads nothing
  return make_mask(file.read<double>(path), shape, cells, name);
}

void mark(Problem& problem, const Mask& mask) {
  // The products of shares are exact to rounding.
  constexpr double rounding = 1e-4;
  const auto part = [mask, axes = problem.axes](NodeKind kind, const Grid& grid) {
    return covered(mask, kind, axes, grid);
  };
  const auto has = [&](NodeKind kind) {
    return std::ranges::count(mask.kinds, static_cast<std::uint8_t>(kind)) > 0;
  };
  if (has(NodeKind::exit)) {
    problem.exit =
        either(problem.exit, [part](const Grid& g) { return part(NodeKind::exit, g) > rounding; });
  }
  if (has(NodeKind::obstacle)) {
    problem.obstacle = either(problem.obstacle, [part](const Grid& g) {
      return logical_and(part(NodeKind::obstacle, g) > 0.5 - rounding,
                         part(NodeKind::exit, g) <= rounding);
    });
  }
}

}  // namespace isofield::mfg
