#include <algorithm>
#include <isofield/linalg.hpp>

#include "isofield/mfg/steps.hpp"

namespace isofield::mfg {

namespace {

using List = std::vector<UnifiedArray>;

// (start, matrices..., source) -> levels
UnifiedArray march(const Grid& grid, LineMarch::Kind kind, std::span<const UnifiedArray> in) {
  const Stencil matrices = Stencil::from_list(in, 1, 1);
  const UnifiedArray& source = in[1 + Stencil::list_size(1)];
  const std::int64_t levels = matrices.diagonal.shape()[0];
  List x(static_cast<std::size_t>(levels));
  UnifiedArray last = in[0];
  for (std::int64_t j = 0; j < levels; ++j) {
    const std::int64_t n = kind == LineMarch::Kind::backward ? levels - 1 - j : j;
    const Stencil a = matrices.level(n);
    last = linalg::tridiagonal_solve(a.faces.backward[0], a.diagonal, a.faces.forward[0],
                                     last + source(n), 0, grid.axis(0).periodic());
    x[static_cast<std::size_t>(n)] = last;
  }
  return stack(x);
}

}  // namespace

LineMarch::LineMarch(const DiscretePopulation& population, Kind kind)
    : kind_(kind), march_([grid = population.grid(), kind](std::span<const UnifiedArray> in) {
        return List{march(grid, kind, in)};
      }) {}

UnifiedArray LineMarch::operator()(const Stencil& matrices, const UnifiedArray& source,
                                   const UnifiedArray& start) const {
  const std::int64_t all = matrices.diagonal.shape()[0];
  const bool backward = kind_ == Kind::backward;
  List parts;
  UnifiedArray last = start;
  for (std::int64_t done = 0; done < all;) {
    const std::int64_t count = std::min(chunk, all - done);
    const std::int64_t first = backward ? all - done - count : done;
    List in{last};
    matrices.levels(first, first + count).append_to(in);
    in.push_back(source(slice(first, first + count)));
    const UnifiedArray part = march_(in)[0];
    last = part(backward ? 0 : count - 1);
    parts.push_back(part);
    done += count;
  }
  if (backward) std::reverse(parts.begin(), parts.end());
  return parts.size() == 1 ? parts[0] : concat(parts);
}

}  // namespace isofield::mfg
