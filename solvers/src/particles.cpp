#include "isofield/mfg/particles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <isofield/error.hpp>
#include <isofield/indexing.hpp>
#include <isofield/numerical.hpp>
#include <isofield/random.hpp>
#include <isofield/searching.hpp>
#include <isofield/transforms.hpp>

namespace isofield::mfg {
namespace {

using List = std::vector<UnifiedArray>;
using ConstList = std::span<const UnifiedArray>;

UnifiedArray free_cells(const Grid& grid) {
  return grid.is_marked() ? grid.free_mask() : ones(grid.shape(), grid.dtype());
}

/// 1 where a face leads out: it is open, and nobody can be beyond.
UnifiedArray exit_faces(const Grid& grid, int k, Side side) {
  const UnifiedArray cells = free_cells(grid);
  const UnifiedArray out = 1.0 - grid.neighbour(cells, k, side);
  const auto& open = grid.open_face(k, side);
  return cells * (open ? *open * out : out);
}

/// G_q of the cells across faces, as if each saw through the face what its neighbour sees: exits
/// have no rows that would tell.
FaceField across_faces(const DiscretePopulation& population, const UnifiedArray& u,
                       const Conditions& at) {
  const FaceField d = differences(population.grid(), u, population.exit_value());
  const Hamiltonian& h = population.hamiltonian();
  FaceField g = h.gradient(h.seen({d.backward, d.forward}));
  if (!population.congestion()) return g;
  const UnifiedArray speed = population.congestion()->speed(*at.m);
  for (auto& x : g.forward) x = speed * x;
  for (auto& x : g.backward) x = speed * x;
  return g;
}

}  // namespace

FaceField face_velocities(const DiscretePopulation& population, const UnifiedArray& u,
                          const Conditions& at) {
  // An agent in cell i jumps ahead at the rate -A_(i, i+1)/s, A = I + s K, and who is there comes
  // back at -A_(i+1, i)/s: the difference times h is the velocity, for noise is the same both
  // ways.
  const Grid& grid = population.grid();
  const Stencil a = population.density_matrix(u, at);
  FaceField v;
  for (int k = 0; k < grid.axes(); ++k) {
    const auto i = static_cast<std::size_t>(k);
    const double h = grid.axis(k).spacing();
    const double rate = h / population.stage_dt(), noise = population.viscosity() / h;
    const UnifiedArray back = grid.neighbour(a.faces.backward[i], k, Side::forward);
    const UnifiedArray ahead = grid.neighbour(a.faces.forward[i], k, Side::backward);
    UnifiedArray upper = (back - a.faces.forward[i]) * rate;
    UnifiedArray lower = (a.faces.backward[i] - ahead) * rate;
    if (!grid.is_closed()) {
      const FaceField other = across_faces(population, u, at);
      upper = upper - exit_faces(grid, k, Side::forward) * (noise + other.backward[i]);
      lower = lower + exit_faces(grid, k, Side::backward) * (noise - other.forward[i]);
    }
    v.forward.push_back(grid.density(upper));
    v.backward.push_back(grid.density(lower));
  }
  return v;
}

namespace {

/// How far one can go along an axis from each cell, in cells from the box' lower end, and whether
/// the end is an exit. On a periodic axis ends may lie beyond the box.
struct Reach {
  UnifiedArray lower, upper, lower_exit, upper_exit;  // (cells)
};

constexpr double endless = 1e9;

/// Repeat along axis k, so that a periodic axis can be looked through from any cell.
UnifiedArray thrice(const UnifiedArray& x, int k) { return concat({x, x, x}, k); }

Reach reach_of(const Grid& grid, int k) {
  const std::int64_t n = grid.axis(k).cells;
  const bool periodic = grid.axis(k).periodic();
  Shape shape(grid.axes(), 1);
  shape[k] = periodic ? 3 * n : n;
  const UnifiedArray number =
      reshape(arange(0, shape[k]), shape).astype(float64) - (periodic ? n : 0);
  const UnifiedArray cells = free_cells(grid).astype(float64);
  // Twice the place of a face that ends the way, plus 1 for an exit: the nearest one is the largest
  // below, the smallest above.
  const auto code = [&](Side side, double none) {
    UnifiedArray ends = 1.0 - grid.neighbour(cells.astype(grid.dtype()), k, side).astype(float64);
    UnifiedArray leads_out = exit_faces(grid, k, side).astype(float64);
    if (periodic) {
      ends = thrice(ends, k);
      leads_out = thrice(leads_out, k);
    }
    const double face = side == Side::forward ? 1.0 : 0.0;
    return where(ends > 0.5, 2.0 * (number + face) + leads_out, none).eval();
  };
  const UnifiedArray below = cumulative_max(code(Side::backward, -2.0 * endless), k);
  const UnifiedArray above =
      flip(cumulative_min(flip(code(Side::forward, 2.0 * endless), k), k), k);
  const auto flat = [&](const UnifiedArray& x) {
    UnifiedArray part = x;
    if (periodic) {
      std::vector<Index> middle(static_cast<std::size_t>(grid.axes()), all_of);
      middle[static_cast<std::size_t>(k)] = slice(n, 2 * n);
      part = x.index(middle);
    }
    return reshape(broadcast_to(part, grid.shape()).copy(), Shape{-1}).copy();
  };
  const auto place = [&](const UnifiedArray& x) {
    return flat(floor(x * 0.5)).astype(grid.dtype());
  };
  const auto is_exit = [&](const UnifiedArray& x) { return flat(x - 2.0 * floor(x * 0.5)) > 0.5; };
  Reach reach{place(below), place(above), is_exit(below), is_exit(above)};
  eval(reach.lower, reach.upper, reach.lower_exit, reach.upper_exit);
  return reach;
}

/// Particles on their way, in cells from the box' lower end.
class Walk {
 public:
  Walk(const DiscretePopulation& population, const ParticleOptions& options)
      : population_(population),
        grid_(population.grid()),
        count_(options.count),
        substeps_(options.substeps),
        random_(options.seed),
        step_([this](ConstList in) { return step(in); }) {
    for (int k = 0; k < grid_.axes(); ++k) reach_.push_back(reach_of(grid_, k));
  }

  /// Draw places from the initial density: a cell by its mass, any place in it.
  void start() {
    const UnifiedArray mass =
        cumulative_sum(reshape(population_.initial_density().astype(float64).copy(), Shape{-1}));
    const UnifiedArray share = mass / mass(-1);
    UnifiedArray cell = searchsorted(share.eval(), uniform(Shape{count_}), isofield::Side::right);
    cell = minimum(cell, mass.size() - 1);
    const UnifiedArray within = uniform(Shape{grid_.axes(), count_});
    places_.clear();
    for (int k = grid_.axes() - 1; k >= 0; --k) {
      const std::int64_t n = grid_.axis(k).cells;
      const UnifiedArray before = floor_divide(cell, n);
      const UnifiedArray i = (cell - before * n).astype(float64);
      const UnifiedArray place = minimum(i + within(k), i + (1.0 - tiny()));
      places_.insert(places_.begin(), place.astype(grid_.dtype()).copy());
      cell = before.eval();
    }
    inside_ = full(Shape{count_}, true, DType::bool_);
  }

  /// Carry them through one time step with the velocities of its u.
  void advance(const UnifiedArray& u, const Conditions& at) {
    const FaceField v = face_velocities(population_, u, at);
    List flow;
    double fastest = 0.0;  // in cells per unit of time
    for (int k = 0; k < grid_.axes(); ++k)
      for (const FieldOf faces : {&FaceField::backward, &FaceField::forward}) {
        const UnifiedArray& x = (v.*faces)[static_cast<std::size_t>(k)];
        flow.push_back(reshape(x.copy(), Shape{-1}));
        fastest = std::max(fastest, max(abs(x)).item<double>() / grid_.axis(k).spacing());
      }
    const std::int64_t n = parts(fastest);
    const double dt = population_.dt() / static_cast<double>(n);
    const UnifiedArray noise =
        random_.normal(Shape{n, grid_.axes(), count_}, 0.0, 1.0, grid_.dtype(), &backend());
    const UnifiedArray luck = grid_.is_closed()
                                  ? UnifiedArray()
                                  : uniform(Shape{n, grid_.axes(), count_}).astype(grid_.dtype());
    for (std::int64_t s = 0; s < n; ++s) {
      List in = places_;
      in.push_back(inside_);
      in.push_back(full(Shape{}, dt, grid_.dtype()));
      in.push_back(noise(s).copy());
      in.push_back(grid_.is_closed() ? noise(s).copy() : luck(s).copy());
      in.insert(in.end(), flow.begin(), flow.end());
      List out = step_(in);
      inside_ = out.back();
      out.pop_back();
      places_ = std::move(out);
    }
  }

  /// Where they are, (count, axes).
  UnifiedArray positions() const {
    List list;
    for (int k = 0; k < grid_.axes(); ++k) {
      const Axis& a = grid_.axis(k);
      // Nodes of a periodic axis are in the middle of their cells, and the box begins at one.
      UnifiedArray cells = places_[static_cast<std::size_t>(k)];
      if (a.periodic()) cells = wrapped(cells - 0.5, a.cells);
      list.push_back(a.lower + a.spacing() * cells);
    }
    return stack(list, 1);
  }
  const UnifiedArray& inside() const noexcept { return inside_; }

 private:
  using FieldOf = std::vector<UnifiedArray> FaceField::*;

  BaseBackend& backend() const { return grid_.coordinate(0).backend(); }
  UnifiedArray uniform(const Shape& shape) {
    return random_.uniform(shape, 0.0, 1.0, float64, &backend());
  }
  /// What a place stays below the end of its cell by.
  double tiny() const { return grid_.dtype() == float64 ? 1e-9 : 1e-3; }
  static UnifiedArray wrapped(const UnifiedArray& x, std::int64_t cells) {
    const auto n = static_cast<double>(cells);
    return x - n * floor(x * (1.0 / n));
  }

  /// So many parts that drift carries nobody over half a cell and, where corners are to be gone
  /// round, noise carries by a cell.
  std::int64_t parts(double fastest) const {
    if (substeps_ > 0) return substeps_;
    double most = 2.0 * fastest * population_.dt();
    for (int k = 0; grid_.is_marked() && k < grid_.axes(); ++k) {
      const double h = grid_.axis(k).spacing();
      most = std::max(most, 2.0 * population_.viscosity() * population_.dt() / (h * h));
    }
    return static_cast<std::int64_t>(std::clamp(std::ceil(most), 1.0, 1000.0));
  }

  UnifiedArray cell_numbers(const List& places) const {
    UnifiedArray number = floor(places[0]).astype(int64);
    for (int k = 1; k < grid_.axes(); ++k)
      number =
          number * grid_.axis(k).cells + floor(places[static_cast<std::size_t>(k)]).astype(int64);
    return number;
  }

  // (places..., inside, dt, noise, luck, velocities below and above along each axis...) ->
  // (places..., inside), one axis after the other.
  List step(ConstList in) const {
    const auto axes = static_cast<std::size_t>(grid_.axes());
    List places(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(axes));
    UnifiedArray inside = in[axes];
    for (std::size_t k = 0; k < axes; ++k) {
      const UnifiedArray cell = cell_numbers(places).eval();
      const UnifiedArray& y = places[k];
      const UnifiedArray below = take(in[axes + 4 + 2 * k], cell);
      const UnifiedArray above = take(in[axes + 5 + 2 * k], cell);
      const UnifiedArray v = below + (y - floor(y)) * (above - below);
      const double per_cell = 1.0 / grid_.axis(static_cast<int>(k)).spacing();
      const UnifiedArray& dt = in[axes + 1];
      const UnifiedArray moved = y + (v * dt + sqrt(2.0 * population_.viscosity() * dt) *
                                                   in[axes + 2](static_cast<int>(k))) *
                                         per_cell;
      const Reach& reach = reach_[k];
      const UnifiedArray low = take(reach.lower, cell), high = take(reach.upper, cell);
      UnifiedArray next = moved;
      if (grid_.is_closed()) {
        next = reflected(moved, low, high);
      } else {
        const UnifiedArray out_low = take(reach.lower_exit, cell);
        const UnifiedArray out_high = take(reach.upper_exit, cell);
        // Between y and y' a bridge of variance 2 nu dt touches c with exp(-(y-c)(y'-c)/(nu dt)).
        const UnifiedArray width = population_.viscosity() * per_cell * per_cell * dt;
        const UnifiedArray luck = in[axes + 3](static_cast<int>(k));
        const UnifiedArray gone_low = out_low && luck < exp(-(y - low) * (moved - low) / width);
        const UnifiedArray gone_high =
            out_high && 1.0 - luck < exp(-(high - y) * (high - moved) / width);
        next = reflected(moved, where(out_low, -endless, low), where(out_high, endless, high));
        next = where(inside, where(gone_low, low, where(gone_high, high, next)), y);
        inside = inside && !(gone_low || gone_high);
      }
      next = minimum(maximum(next, low), high - tiny());
      const Axis& axis = grid_.axis(static_cast<int>(k));
      if (axis.periodic()) {
        const auto n = static_cast<double>(axis.cells);
        next = minimum(wrapped(next, axis.cells), n - tiny());
      }
      places[k] = next.eval();
    }
    places.push_back(inside);
    return places;
  }

  static UnifiedArray reflected(const UnifiedArray& y, const UnifiedArray& low,
                                const UnifiedArray& high) {
    const auto from_below = [&](const UnifiedArray& x) { return where(x < low, 2.0 * low - x, x); };
    const UnifiedArray up = from_below(y);
    return from_below(where(up > high, 2.0 * high - up, up));
  }

  using Traced = isofield::detail::TracedFunction;
  const DiscretePopulation& population_;
  const Grid& grid_;
  std::int64_t count_, substeps_;
  random::Generator random_;
  std::vector<Reach> reach_;
  List places_;
  UnifiedArray inside_;
  Traced step_;
};

void check(const DiscreteProblem& problem, std::size_t population, const UnifiedArray& u,
           const UnifiedArray& m, const ParticleOptions& options) {
  if (problem.problem().ergodic)
    throw SolverError("carry_particles: an ergodic game has no time that they could move in");
  if (options.count < 1)
    throw SolverError(fmt::format("carry_particles: {} particles are none", options.count));
  const Shape expected = problem.population(population).constant_density().shape();
  for (const UnifiedArray& x : {u, m})
    if (x.shape() != expected)
      throw ShapeError(fmt::format("carry_particles: u and m have shapes {} and {}, {} is needed",
                                   to_string(u.shape()), to_string(m.shape()),
                                   to_string(expected)));
}

}  // namespace

Particles carry_particles(const DiscreteProblem& problem, std::size_t population,
                          const UnifiedArray& u, const UnifiedArray& m,
                          const ParticleOptions& options) {
  if (population >= problem.size())
    throw SolverError(fmt::format("carry_particles: there is no population {}", population));
  check(problem, population, u, m, options);
  const DiscretePopulation& one = problem.population(population);
  ParticleOptions own = options;
  own.seed += 0x9e3779b97f4a7c15ULL * population;  // populations have streams of their own
  Walk walk(one, own);
  walk.start();
  List positions{walk.positions()}, inside{walk.inside()};
  const Conditions at = one.conditions(one.stage_densities(m));
  const UnifiedArray stages = one.stage_values(u);
  for (std::int64_t n = 0; n < problem.steps(); ++n) {
    walk.advance(stages(n), at.level(n));
    positions.push_back(walk.positions().eval());
    inside.push_back(walk.inside());
  }
  return {stack(positions), stack(inside)};
}

}  // namespace isofield::mfg
