#include "isofield/mfg/stencil.hpp"

namespace isofield::mfg {

namespace {

Stencil part_of(const Stencil& a, const Index& which) {
  Stencil part{{}, a.diagonal(which), std::nullopt};
  for (const auto& x : a.faces.forward) part.faces.forward.push_back(x(which));
  for (const auto& x : a.faces.backward) part.faces.backward.push_back(x(which));
  if (a.symbol) {
    const Symbol& all = *a.symbol;
    part.symbol = Symbol{all.diagonal(which), all.coupling(which)};
  }
  return part;
}

}  // namespace

Stencil Stencil::level(std::int64_t n) const { return part_of(*this, n); }

Stencil Stencil::levels(std::int64_t first, std::int64_t last) const {
  return part_of(*this, slice(first, last));
}

void Stencil::append_to(std::vector<UnifiedArray>& list) const {
  list.push_back(diagonal);
  list.insert(list.end(), faces.forward.begin(), faces.forward.end());
  list.insert(list.end(), faces.backward.begin(), faces.backward.end());
  if (symbol) list.insert(list.end(), {symbol->diagonal, symbol->coupling});
}

std::size_t Stencil::list_size(int axes) {
  return 1 + 2 * static_cast<std::size_t>(axes) + (axes > 1 ? 2 : 0);
}

Stencil Stencil::from_list(std::span<const UnifiedArray> list, std::size_t first, int axes) {
  const auto n = static_cast<std::size_t>(axes);
  Stencil a{{}, list[first], std::nullopt};
  const auto part = [&](std::size_t from_) {
    return std::vector<UnifiedArray>(list.begin() + static_cast<std::ptrdiff_t>(from_),
                                     list.begin() + static_cast<std::ptrdiff_t>(from_ + n));
  };
  a.faces.forward = part(first + 1);
  a.faces.backward = part(first + 1 + n);
  if (axes > 1) a.symbol = Symbol{list[first + 1 + 2 * n], list[first + 2 + 2 * n]};
  return a;
}

namespace {

// -dt (nu/h^2 + |G_q|/h) on an open face, 0 on a closed one, where G_q is 0. `inflow` is -|G_q|.
UnifiedArray entry(const Grid& grid, int k, Side side, const UnifiedArray& inflow, double viscosity,
                   double dt) {
  const double h = grid.axis(k).spacing();
  const double diffusion = dt * viscosity / (h * h);
  const auto& open = grid.open_face(k, side);
  const UnifiedArray drift = inflow * (dt / h);
  return open ? drift - *open * diffusion : drift - diffusion;
}

}  // namespace

Stencil linearise(const Grid& grid, const FaceField& gradient, double viscosity, double dt,
                  double discount) {
  Stencil a;
  std::optional<UnifiedArray> total;
  for (int k = 0; k < grid.axes(); ++k) {
    const auto i = static_cast<std::size_t>(k);
    // G_q <= 0 on forward slopes and >= 0 on backward ones.
    a.faces.forward.push_back(entry(grid, k, Side::forward, gradient.forward[i], viscosity, dt));
    a.faces.backward.push_back(
        entry(grid, k, Side::backward, -gradient.backward[i], viscosity, dt));
    const UnifiedArray both = a.faces.forward.back() + a.faces.backward.back();
    total = total ? *total + both : both;
  }
  // The face rule keeps entries towards exits on the diagonal, as if u were 0 there.
  a.diagonal = 1.0 + dt * discount - *total;
  return a;
}

Stencil transpose(const Grid& grid, const Stencil& a) {
  Stencil t{{}, a.diagonal, a.symbol};
  for (int k = 0; k < grid.axes(); ++k) {
    const auto i = static_cast<std::size_t>(k);
    // What a row takes from its neighbour is what that neighbour's row gave to it.
    t.faces.forward.push_back(grid.density(grid.neighbour(a.faces.backward[i], k, Side::forward)));
    t.faces.backward.push_back(grid.density(grid.neighbour(a.faces.forward[i], k, Side::backward)));
  }
  return t;
}

UnifiedArray apply(const Grid& grid, const Stencil& a, const UnifiedArray& v) {
  UnifiedArray y = a.diagonal * v;
  for (int k = 0; k < grid.axes(); ++k) {
    const auto i = static_cast<std::size_t>(k);
    y = y + a.faces.forward[i] * grid.neighbour(v, k, Side::forward);
    y = y + a.faces.backward[i] * grid.neighbour(v, k, Side::backward);
  }
  return y;
}

UnifiedArray scatter(const Grid& grid, const FaceField& flux, const UnifiedArray& weight) {
  std::optional<UnifiedArray> total;
  for (int k = 0; k < grid.axes(); ++k) {
    const auto i = static_cast<std::size_t>(k);
    const double per_length = 1.0 / grid.axis(k).spacing();
    // D+ has -1/h at the cell and 1/h at the next one, D- 1/h at the cell and -1/h at the last.
    const UnifiedArray forward = weight * flux.forward[i] * per_length;
    const UnifiedArray backward = weight * flux.backward[i] * per_length;
    eval(forward, backward);
    const UnifiedArray part = grid.neighbour(forward, k, Side::backward) - forward + backward -
                              grid.neighbour(backward, k, Side::forward);
    total = total ? *total + part : part;
  }
  return grid.density(*total);
}

}  // namespace isofield::mfg
