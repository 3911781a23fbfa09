// A path from a problem of control, whose costs see people spread evenly whatever they do, to the
// game: each game on it starts Newton's method for the next. It is for couplings so strong, or
// Hamiltonians so far from quadratic, that Newton's method finds no way by itself.

#include <algorithm>

#include "outer.hpp"

namespace isofield::mfg {

namespace {

// The initial masses spread over all free cells, at all levels.
Fields even_densities(const DiscreteProblem& problem) {
  const Grid& grid = problem.grid();
  Shape shape = grid.shape();
  shape.insert(0, problem.steps() + 1);
  Fields list;
  for (std::size_t p = 0; p < problem.size(); ++p) {
    const UnifiedArray& start = problem.population(p).initial_density();
    const double share = sum(start).item<double>() / static_cast<double>(grid.free_cells());
    list.push_back(broadcast_to(grid.density(zeros_like(start) + share).eval(), shape));
  }
  return list;
}

// Leaves the game as it was, however the path ends.
class ScopedCoupling {
 public:
  explicit ScopedCoupling(DiscreteProblem& problem)
      : problem_(problem), reference_(even_densities(problem)) {}
  ~ScopedCoupling() { set(1.0); }
  ScopedCoupling(const ScopedCoupling&) = delete;
  ScopedCoupling& operator=(const ScopedCoupling&) = delete;
  void set(double strength) { problem_.set_coupling(strength, reference_); }

 private:
  DiscreteProblem& problem_;
  Fields reference_;
};

}  // namespace

Outcome continuation(Outer& outer, int most) {
  constexpr double rough = 1e-2, shortest = 1e-3;
  constexpr int newton_steps = 10;
  const int last = outer.begin_of("continuation") + most;
  Fields u = outer.u, m = outer.m, good_u, good_m;
  double strength = 0.0, step = 0.25;
  bool on_the_path = false;
  int begin = outer.iterations();
  bool resumed = outer.resumed != nullptr;
  if (resumed) {
    const std::vector<double>& kept = outer.resumed->number("continuation", 5);
    on_the_path = kept[1] != 0.0;
    strength = kept[2];
    step = kept[3];
    begin = outer.resumed->count("continuation", 4);
    u = outer.resumed->field("u_at_first");
    m = outer.resumed->field("m_at_first");
    if (on_the_path) {
      good_u = outer.resumed->field("u_on_path");
      good_m = outer.resumed->field("m_on_path");
    }
  }
  const Keeper keeper(outer, [&](SolverState& kept) {
    kept.numbers["continuation"] = {static_cast<double>(last - most), on_the_path ? 1.0 : 0.0,
                                    strength, step, static_cast<double>(begin)};
    kept.fields["u_at_first"] = u;
    kept.fields["m_at_first"] = m;
    if (!on_the_path) return;
    kept.fields["u_on_path"] = good_u;
    kept.fields["m_on_path"] = good_m;
  });
  ScopedCoupling coupling(outer.problem);

  coupling.set(0.0);
  Outcome outcome = Outcome::limit;
  if (!on_the_path) {
    outcome = picard(outer, 1.0, 1, rough);
    resumed = false;
  }
  on_the_path = true;
  while (strength < 1.0 && outcome != Outcome::interrupted &&
         (resumed || outer.iterations() < last)) {
    const double next = std::min(1.0, strength + step);
    if (!resumed) {
      good_u = outer.u;
      good_m = outer.m;
      begin = outer.iterations();
    }
    resumed = false;
    coupling.set(next);
    outcome =
        newton(outer, std::min(newton_steps, last - begin), next == 1.0 ? outer.tolerance : rough);
    if (outcome == Outcome::converged) {
      strength = next;
      step *= 2.0;
    } else if (outcome != Outcome::interrupted) {
      outer.u = good_u;
      outer.m = good_m;
      step *= 0.25;
      if (step < shortest) break;
    }
  }
  if (outcome == Outcome::interrupted) return outcome;
  if (strength == 1.0) return Outcome::converged;
  outer.u = u;
  outer.m = m;
  return Outcome::stalled;
}

}  // namespace isofield::mfg
