// Agents carried along the best policy: against closed forms, and against the density.

#include <isofield/mfg/particles.hpp>

#include <cmath>
#include <isofield/mfg/diagnostics.hpp>
#include <isofield/mfg/discrete_problem.hpp>
#include <numbers>

#include "mfg/mfg_test.hpp"

namespace isofield::mfg::testing {
namespace {

constexpr double pi = std::numbers::pi;

struct Carried {
  DiscreteProblem problem;
  Solution game;
  Particles all;

  Carried(const Problem& p, const ParticleOptions& options) : problem(p), game(solve(p)) {
    BOOST_TEST(to_string(game.report.status) == "converged");
    all = carry_particles(problem, 0, game.u[0], game.m[0], options);
  }
};

/// Nobody pays for anything: agents diffuse, and leave by exits.
Problem diffusion(Boundary ends, double viscosity, const char* start) {
  Problem p;
  p.axes = {unit_axis(40, ends, ends)};
  p.horizon = 1.0;
  p.steps = 20;
  p.populations[0].viscosity = viscosity;
  const std::string shape = start;
  p.populations[0].initial_density = [shape](const Grid& grid) {
    const UnifiedArray x = grid.coordinate(0);
    if (shape == "sine") return sin(pi * x);
    return shape == "walls" ? 1.0 + cos(pi * x) : 1.0 + cos(2.0 * pi * x);
  };
  return p;
}

/// Four standard deviations of the mean of `count` numbers with variance at most `variance`.
double four_sigma(double variance, std::int64_t count) {
  return 4.0 * std::sqrt(variance / static_cast<double>(count));
}

}  // namespace

// A face's velocity is -2 c D u for H = c q^2, upwind or not, and b where people are carried.
MFG_TEST_CASE(faces_have_the_velocity_of_the_schemes_flux) {
  Problem p = diffusion(Boundary::reflecting, 0.07, "walls");
  p.populations[0].scale = [](const Grid&) { return full(Shape{}, 0.3); };
  p.populations[0].drift = [](const Grid& grid, const UnifiedArray&) {
    return std::vector<UnifiedArray>{0.0 * grid.coordinate(0) + 0.4};
  };
  const DiscreteProblem problem(p);
  const DiscretePopulation& one = problem.population();
  const UnifiedArray u = noise_field(problem.grid(), 3, 1)(0);
  const Conditions at = one.conditions(one.constant_density()(from(1)));
  const FaceField v = face_velocities(one, u, at.level(0));
  const double h = 1.0 / 40.0;
  const UnifiedArray expected = -0.6 * diff(u) / h + 0.4;
  BOOST_TEST(largest_difference(v.forward[0](slice(0, 39)), expected) < 1e-11);
  BOOST_TEST(largest_difference(v.backward[0](slice(1, 40)), expected) < 1e-11);
  BOOST_TEST(v.forward[0](39).item<double>() == 0.0);
  BOOST_TEST(v.backward[0](0).item<double>() == 0.0);
}

MFG_TEST_CASE(nothing_passes_walls_and_exits_are_left_at_the_speed_of_the_slope) {
  for (const Scheme scheme : {Scheme::implicit, Scheme::centred}) {
    Problem p = room(20, 10, true);
    p.scheme = scheme;
    const DiscreteProblem problem(p);
    const DiscretePopulation& one = problem.population();
    const Grid& grid = problem.grid();
    const UnifiedArray u = grid.value(noise_field(grid, 5, 1)(0), one.exit_value());
    const Conditions at = one.conditions(one.constant_density()(from(1)));
    const FaceField v = face_velocities(one, u, at.level(0));
    const FaceField d = differences(grid, u, one.exit_value());
    const UnifiedArray free = grid.free_mask();
    const double c = 0.5;
    for (int k = 0; k < 2; ++k) {
      const auto i = static_cast<std::size_t>(k);
      for (const Side side : {Side::forward, Side::backward}) {
        const UnifiedArray& speed = side == Side::forward ? v.forward[i] : v.backward[i];
        const UnifiedArray& slope = side == Side::forward ? d.forward[i] : d.backward[i];
        const UnifiedArray open = *grid.open_face(k, side);
        BOOST_TEST(max(abs(where(open > 0.5, 0.0, speed))).item<double>() == 0.0);
        // -H_q, also where nobody is beyond who would tell.
        BOOST_TEST(largest_difference(speed, free * open * slope * (-2.0 * c)) < 1e-10);
      }
    }
  }
}

// The slope of a plane is the same seen from everywhere, whatever the scheme makes of it.
MFG_TEST_CASE(the_velocity_down_a_plane_is_that_of_every_scheme) {
  for (const Scheme scheme : {Scheme::implicit, Scheme::centred, Scheme::exponential}) {
    Problem problem = problem_p(2, 40, 8);
    problem.scheme = scheme;
    const DiscreteProblem whole(problem);
    const DiscretePopulation& one = whole.population();
    const Grid& grid = one.grid();
    const UnifiedArray u = grid.field(0.3 * grid.coordinate(0) - 0.1 * grid.coordinate(1));
    const FaceField v = face_velocities(one, u, one.conditions(one.constant_density()).level(0));
    const auto middle = [](const UnifiedArray& x) { return x(20, 20).item<double>(); };
    BOOST_TEST(std::fabs(middle(v.forward[0]) + 0.3) < 1e-3);
    BOOST_TEST(std::fabs(middle(v.backward[1]) - 0.1) < 1e-3);
  }
}

// Absorbing ends: of a sine, e^(-pi^2 nu t) is left. Steps are so long that without the bridge's
// probability many would go out and come back unseen.
MFG_TEST_CASE(who_leaves_by_ends_is_as_many_as_diffusion_says) {
  const double nu = 0.05;
  const Carried c(diffusion(Boundary::exit, nu, "sine"), {.count = 40000, .seed = 1});
  for (const int n : {5, 10, 20}) {
    const double left = std::exp(-pi * pi * nu * 0.05 * n);
    const double found = sum(c.all.inside(n).astype(float64)).item<double>() / 40000.0;
    BOOST_TEST(std::fabs(found - left) < four_sigma(left * (1 - left), 40000) + 2e-3);
  }
  // Gone is gone, at the place where it was left.
  const UnifiedArray out = !c.all.inside(10), later = !c.all.inside(20);
  BOOST_TEST(all(later || !out).item<bool>());
  const UnifiedArray x = c.all.position(20)(all_of, 0);
  BOOST_TEST(max(where(later, minimum(x, 1.0 - x), 0.0)).item<double>() < 1e-8);
  BOOST_TEST(largest_difference(where(out, c.all.position(10)(all_of, 0), 0.0),
                                where(out, x, 0.0)) == 0.0);
}

// Between walls and on a circle: the first mode falls by e^(-k^2 nu t).
MFG_TEST_CASE(walls_reflect_and_circles_close) {
  for (const bool circle : {false, true}) {
    const double nu = 0.02, wave = circle ? 2.0 * pi : pi;
    const Carried c(diffusion(circle ? Boundary::periodic : Boundary::reflecting, nu,
                              circle ? "circle" : "walls"),
                    {.count = 40000, .seed = 2});
    BOOST_TEST(all(c.all.inside).item<bool>());
    BOOST_TEST(min(c.all.position).item<double>() >= 0.0);
    BOOST_TEST(max(c.all.position).item<double>() < 1.0);
    for (const int n : {0, 8, 20}) {
      const double expected = 0.5 * std::exp(-wave * wave * nu * 0.05 * n);
      const double found = mean(cos(wave * c.all.position(n)(all_of, 0))).item<double>();
      BOOST_TEST(std::fabs(found - expected) < four_sigma(0.5, 40000) + 1e-3);
    }
  }
}

// F = (x - mean)^2/2, G = x^2/2: the mean is mu0 (1 + T - t)/(1 + T), and the variance goes to nu.
MFG_TEST_CASE(flocks_follow_the_closed_form_of_the_linear_quadratic_game) {
  Problem p;
  p.axes = {{.lower = -1.5, .upper = 2.5, .cells = 400}};
  p.horizon = 1.0;
  p.steps = 100;
  Population& birds = p.populations[0];
  birds.viscosity = 0.1;
  birds.initial_density = [](const Grid& grid) {
    return exp(-square(grid.coordinate(0) - 1.0) / 0.08);
  };
  birds.running = [](const CostInput& at) {
    const UnifiedArray middle =
        at.grid.sum_cells(at.m * at.grid.coordinate(0)) / at.grid.sum_cells(at.m);
    return 0.5 * square(at.grid.coordinate(0) - middle);
  };
  birds.terminal = [](const CostInput& at) { return 0.5 * square(at.grid.coordinate(0)); };
  const Carried c(p, {.count = 20000, .seed = 3});
  for (const int n : {0, 25, 50, 100}) {
    const double t = 0.01 * n, expected = 0.5 * (2.0 - t);
    const double variance = 0.1 + (0.04 - 0.1) * std::exp(-2.0 * t);
    const UnifiedArray x = c.all.position(n)(all_of, 0);
    const double middle = mean(x).item<double>();
    BOOST_TEST(std::fabs(middle - expected) < four_sigma(variance, 20000) + 5e-3);
    // The variance of a normal sample's variance is 2 variance^2.
    const double spread = mean(square(x - middle)).item<double>();
    BOOST_TEST(std::fabs(spread - variance) < four_sigma(2 * variance * variance, 20000) + 2e-3);
  }
}

// By the law of large numbers the share of particles in a block of cells is the mass of m there;
// what the scheme's first order leaves is added.
MFG_TEST_CASE(particles_are_where_the_density_is) {
  const std::int64_t count = 20000;
  for (const bool exits : {false, true}) {
    Problem p = room(24, 24, exits);
    const Carried c(p, {.count = count, .seed = 4});
    const Grid& grid = c.problem.grid();
    const double mass = masses(grid, c.game.m[0])[0];
    const UnifiedArray kinds = grid.cell_kinds();
    for (const int n : {0, 12, 24}) {
      const UnifiedArray inside = c.all.inside(n);
      std::vector<UnifiedArray> cell, block;
      for (int k = 0; k < 2; ++k) {
        const UnifiedArray x = c.all.position(n)(all_of, k);
        cell.push_back(floor(x * 24.0 + 1e-6).astype(int64));
        block.push_back(floor_divide(cell.back(), 6));
      }
      // Nobody stands in a wall.
      BOOST_TEST(max(where(inside, take(reshape(kinds, {576}), cell[0] * 24 + cell[1]), 0))
                     .item<std::int64_t>() == 0);
      const UnifiedArray found = sum(one_hot(where(inside, block[0] * 4 + block[1], -1), 16), {0}) /
                                 static_cast<double>(count);
      const UnifiedArray expected =
          reshape(sum(reshape(c.game.m[0](n), {4, 6, 4, 6}), {1, 3}), {16}) *
          (grid.cell_volume() / mass);
      BOOST_TEST(largest_difference(found, expected) <
                 four_sigma(0.25, count) + (n == 0 ? 0.0 : 0.012));
      // And as many have left as m has lost: an exit is half a cell further off in the scheme.
      const double left = sum(inside.astype(float64)).item<double>() / static_cast<double>(count);
      const double share = masses(grid, c.game.m[0])[static_cast<std::size_t>(n)] / mass;
      BOOST_TEST(std::fabs(left - share) < (exits ? four_sigma(0.25, count) + 0.75 / 24.0 : 1e-12));
      if (exits && n == 24) BOOST_TEST(share < 0.9);
    }
  }
}

MFG_TEST_CASE(three_axes_and_a_current_carry_particles_too) {
  for (const Boundary ends : {Boundary::periodic, Boundary::reflecting}) {
    Problem p = current(3, 8, 6, ends);
    const Carried c(p, {.count = 5000, .seed = 6});
    const Grid& grid = c.problem.grid();
    BOOST_TEST((c.all.position.shape() == Shape{7, 5000, 3}));
    const UnifiedArray m = c.game.m[0](-1);
    for (int k = 0; k < 3; ++k) {
      // The mean of a wave along each axis.
      const Axis& a = grid.axis(k);
      const double wave = 2.0 * pi / (a.upper - a.lower);
      const double expected =
          grid.inner(m, broadcast_to(cos(wave * (grid.coordinate(k) - a.lower)), m.shape())) /
          grid.integral(m).item<double>();
      const UnifiedArray x = c.all.position(-1)(all_of, k);
      const double found = mean(cos(wave * (x - a.lower))).item<double>();
      BOOST_TEST(std::fabs(found - expected) < four_sigma(0.5, 5000) + 0.05);
    }
  }
}

MFG_TEST_CASE(a_seed_gives_the_same_particles_everywhere) {
  const Problem p = room(12, 6, true);
  const DiscreteProblem problem(p);
  // One solution for all backends, and what the first of them made of it.
  static const std::vector<UnifiedArray> game = [&] {
    const Solution s = solve(p);
    return std::vector<UnifiedArray>{s.u[0], s.m[0]};
  }();
  static std::vector<double> first;
  const auto here = [](const UnifiedArray& x) { return asarray(x.to_vector<double>(), x.shape()); };
  const UnifiedArray u = here(game[0]), m = here(game[1]);
  const auto carried = [&](std::uint64_t seed) {
    return carry_particles(problem, 0, u, m, {.count = 50, .seed = seed});
  };
  const Particles a = carried(7), b = carried(7), other = carried(8);
  BOOST_TEST((a.position.shape() == Shape{7, 50, 2}));
  BOOST_TEST((a.inside.shape() == Shape{7, 50}));
  BOOST_TEST(largest_difference(a.position, b.position) == 0.0);
  BOOST_TEST(largest_difference(a.position, other.position) > 0.1);
  if (first.empty()) first = a.position.to_vector<double>();
  BOOST_TEST(largest_difference(a.position, asarray(first, a.position.shape())) < 1e-9);
}

MFG_TEST_CASE(single_precision_carries_particles_too) {
  for (const bool exits : {false, true}) {
    const Problem p = room(16, 8, exits);
    const DiscreteProblem exact(p), rough(p, float32);
    const Solution game = solve(p);
    const ParticleOptions options{.count = 4000, .seed = 9};
    const Particles a = carry_particles(exact, 0, game.u[0], game.m[0], options);
    const Particles b =
        carry_particles(rough, 0, game.u[0].astype(float32), game.m[0].astype(float32), options);
    BOOST_TEST((b.position.dtype() == float32));
    BOOST_TEST(min(b.position).item<double>() >= 0.0);
    BOOST_TEST(max(b.position).item<double>() <= 1.0);
    const auto left = [](const Particles& x) {
      return mean(x.inside(-1).astype(float64)).item<double>();
    };
    BOOST_TEST(std::fabs(left(a) - left(b)) < (exits ? four_sigma(0.25, 4000) : 1e-12));
    const auto middle = [](const Particles& x) {
      return mean(x.position(-1)(all_of, 0).astype(float64)).item<double>();
    };
    BOOST_TEST(std::fabs(middle(a) - middle(b)) < four_sigma(0.1, 4000));
  }
}

BOOST_AUTO_TEST_CASE(particles_that_make_no_sense_are_refused) {
  Problem p = diffusion(Boundary::reflecting, 0.1, "walls");
  const DiscreteProblem problem(p);
  const UnifiedArray m = problem.constant_densities()[0].copy(), u = zeros_like(m);
  const auto refused = [&](auto call, std::string_view text) {
    BOOST_CHECK_EXCEPTION(call(), Error, [&](const Error& e) { return e.what() == text; });
  };
  refused([&] { carry_particles(problem, 1, u, m); }, "carry_particles: there is no population 1");
  refused([&] { carry_particles(problem, 0, u, m, {.count = 0}); },
          "carry_particles: 0 particles are none");
  refused([&] { carry_particles(problem, 0, u(from(1)), m); },
          "carry_particles: u and m have shapes (20, 40) and (21, 40), (21, 40) is needed");
  p.ergodic = true;
  const DiscreteProblem endless(p);
  refused([&] { carry_particles(endless, 0, u, m); },
          "carry_particles: an ergodic game has no time that they could move in");
}

}  // namespace isofield::mfg::testing
