#include "isofield/mfg/density_response.hpp"

namespace isofield::mfg {

namespace {

using List = std::vector<UnifiedArray>;
using ConstList = std::span<const UnifiedArray>;

// For a separable Hamiltonian G_qq is diagonal, and -theta dt C couples neighbours only: a face's
// weight is what the slopes seen from its two cells carry.
Stencil stencil_of(const DiscretePopulation& population, const UnifiedArray& u,
                   const UnifiedArray& m) {
  const Grid& grid = population.grid();
  const FaceField q = population.slopes(u);
  FaceField one;
  const auto open = [&](int k, Side side) {
    const auto& faces = grid.open_face(k, side);
    return faces ? broadcast_to(*faces, u.shape()) : ones_like(u);
  };
  for (int k = 0; k < grid.axes(); ++k) {
    one.forward.push_back(open(k, Side::forward));
    one.backward.push_back(open(k, Side::backward));
  }
  const FaceField carried = population.hamiltonian().curvature(q, one);
  Stencil c;
  std::optional<UnifiedArray> total;
  for (int k = 0; k < grid.axes(); ++k) {
    const auto i = static_cast<std::size_t>(k);
    const double h = grid.axis(k).spacing();
    const double factor = population.stage_dt() / (h * h);
    const UnifiedArray up = carried.forward[i] * m * factor;
    const UnifiedArray down = carried.backward[i] * m * factor;
    eval(up, down);
    c.faces.forward.push_back(grid.density(up + grid.neighbour(down, k, Side::forward)));
    c.faces.backward.push_back(grid.density(down + grid.neighbour(up, k, Side::backward)));
    const UnifiedArray both = c.faces.forward.back() + c.faces.backward.back();
    total = total ? *total + both : both;
  }
  c.diagonal = -*total;
  return c;
}

List prepared(const DiscretePopulation& population, bool is_stencil, ConstList in) {
  if (!is_stencil) return {in[0], in[1]};
  List list;
  stencil_of(population, in[0], in[1]).append_to(list);
  return list;
}

// (state..., x) -> -theta dt C x
UnifiedArray applied(const DiscretePopulation& population, bool is_stencil, ConstList in) {
  const Grid& grid = population.grid();
  const UnifiedArray& x = in.back();
  if (is_stencil) {
    const auto axes = static_cast<std::size_t>(grid.axes());
    Stencil c{{}, in[0], {}};
    for (std::size_t k = 0; k < axes; ++k) {
      c.faces.forward.push_back(in[1 + k]);
      c.faces.backward.push_back(in[1 + axes + k]);
    }
    return apply(grid, c, x);
  }
  const FaceField flux =
      population.hamiltonian().curvature(population.slopes(in[0]), differences(grid, x));
  return scatter(grid, flux, in[1]) * -population.stage_dt();
}

}  // namespace

DensityResponse::DensityResponse(const DiscretePopulation& population)
    : population_(population),
      is_stencil_(population.hamiltonian().is_separable()),
      prepare_([&population, quadratic = is_stencil_](ConstList in) {
        return prepared(population, quadratic, in);
      }),
      apply_([&population, quadratic = is_stencil_](ConstList in) {
        return List{applied(population, quadratic, in)};
      }) {}

void DensityResponse::set_state(const UnifiedArray& v, const UnifiedArray& p) {
  const std::optional<Congestion>& congestion = population_.congestion();
  // C is linear in what G_qq is multiplied by.
  state_ = prepare_(List{v, congestion ? p * congestion->speed(p) : p});
}

UnifiedArray DensityResponse::operator()(const UnifiedArray& x) const {
  List in = state_;
  in.push_back(x);
  return apply_(in)[0];
}

}  // namespace isofield::mfg
