#include <algorithm>
#include <isofield/linalg.hpp>

#include "isofield/mfg/steps.hpp"

namespace isofield::mfg {

namespace {

using List = std::vector<UnifiedArray>;

// (start, matrices..., source[, added]) -> (stages, the level they lead to)
List march(const DiscretePopulation& population, LineMarch::Kind kind,
           std::span<const UnifiedArray> in) {
  const Stencil matrices = Stencil::from_list(in, 1, 1);
  const std::size_t at = 1 + Stencil::list_size(1);
  const UnifiedArray& source = in[at];
  const UnifiedArray* added = in.size() > at + 1 ? &in[at + 1] : nullptr;
  const std::int64_t levels = matrices.diagonal.shape()[0];
  List x(static_cast<std::size_t>(levels));
  UnifiedArray last = in[0];
  for (std::int64_t j = 0; j < levels; ++j) {
    const std::int64_t n = kind == LineMarch::Kind::backward ? levels - 1 - j : j;
    const Stencil a = matrices.level(n);
    const UnifiedArray stage =
        linalg::tridiagonal_solve(a.faces.backward[0], a.diagonal, a.faces.forward[0],
                                  last + source(n), 0, population.grid().axis(0).periodic());
    x[static_cast<std::size_t>(n)] = stage;
    last = population.step_end(last, stage);
    if (added) last = last + (*added)(n);
  }
  return {stack(x), last};
}

}  // namespace

LineMarch::LineMarch(const DiscretePopulation& population, Kind kind)
    : population_(population),
      kind_(kind),
      march_([&population, kind](std::span<const UnifiedArray> in) {
        return march(population, kind, in);
      }) {}

UnifiedArray LineMarch::operator()(const Stencil& matrices, const UnifiedArray& source,
                                   const UnifiedArray& start, const UnifiedArray* added) const {
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
    if (added) in.push_back((*added)(slice(first, first + count)));
    const List part = march_(in);
    parts.push_back(part[0]);
    last = part[1];
    done += count;
  }
  if (backward) std::reverse(parts.begin(), parts.end());
  return parts.size() == 1 ? parts[0] : concat(parts);
}

}  // namespace isofield::mfg
