#include "mfg/mfg_test.hpp"

#include <random>

namespace isofield::mfg::testing {

const std::vector<std::string>& available_backends() {
  static const std::vector<std::string> list = [] {
    std::vector<std::string> names;
    for (const BackendStatus& s : list_backends()) {
      if (s.available)
        names.push_back(s.spelling);
      else
        BOOST_TEST_MESSAGE("skipped on " << s.spelling << ": " << s.reason);
    }
    return names;
  }();
  return list;
}

void on_every_backend(void (*body)()) {
  for (const std::string& name : available_backends()) {
    BOOST_TEST_CONTEXT("backend " << name) {
      const ScopedBackend scope(name);
      body();
    }
  }
}

std::vector<double> noise(std::size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<double> x(count);
  for (double& v : x) v = 2.0 * static_cast<double>(generator()) / 4294967296.0 - 1.0;
  return x;
}

UnifiedArray noise_field(const Grid& grid, unsigned seed, std::int64_t levels) {
  Shape shape = grid.shape();
  if (levels > 0) shape.insert(0, levels);
  return asarray(noise(static_cast<std::size_t>(element_count(shape)), seed), shape)
      .astype(grid.dtype());
}

double largest(const UnifiedArray& x) { return max(abs(x)).item<double>(); }
double largest_difference(const UnifiedArray& a, const UnifiedArray& b) { return largest(a - b); }

Axis unit_axis(std::int64_t cells, Boundary lower, Boundary upper) {
  return {0.0, 1.0, cells, {lower, upper}};
}

namespace {

UnifiedArray squared_distance(const Grid& grid, double centre) {
  UnifiedArray s = square(grid.coordinate(0) - centre);
  for (int k = 1; k < grid.axes(); ++k) s = s + square(grid.coordinate(k) - centre);
  return s;
}

Cost proportional(double factor) {
  return [=](const CostInput& in) { return factor * in.m; };
}

Cost of_place(std::function<UnifiedArray(const Grid&)> field) {
  return [=](const CostInput& in) { return field(in.grid); };
}

}  // namespace

Problem problem_p(int axes, std::int64_t n, std::int64_t steps, double coupling) {
  Problem p;
  Population& crowd = p.populations[0];
  const double h = 1.0 / static_cast<double>(n);
  for (int k = 0; k < axes; ++k) p.axes.push_back({-0.5 * h, 1.0 + 0.5 * h, n + 1, {}});
  p.steps = steps;
  crowd.viscosity = 0.045;
  crowd.running = proportional(coupling);
  crowd.terminal = of_place([](const Grid& g) { return 2.0 * squared_distance(g, 0.7); });
  crowd.initial_density = [](const Grid& g) { return exp(-50.0 * squared_distance(g, 0.3)); };
  return p;
}

Problem room(std::int64_t n, std::int64_t steps, bool with_exit) {
  Problem p;
  Population& crowd = p.populations[0];
  p.axes = {unit_axis(n, Boundary::reflecting, Boundary::reflecting),
            unit_axis(n, Boundary::reflecting, Boundary::reflecting)};
  p.steps = steps;
  crowd.viscosity = 0.05;
  p.obstacle = [](const Grid& g) {
    return abs(g.coordinate(0) - 0.5) < 0.0626 && abs(g.coordinate(1) - 0.5) > 0.2;
  };
  if (with_exit)
    p.exit = [](const Grid& g) {
      return g.coordinate(0) > 0.9 && abs(g.coordinate(1) - 0.5) < 0.2;
    };
  p.exit_cost = with_exit ? -0.25 : 0.0;
  crowd.running = proportional(0.5);
  crowd.terminal = of_place(
      [](const Grid& g) { return square(g.coordinate(0) - 0.9) + square(g.coordinate(1) - 0.5); });
  crowd.initial_density = [](const Grid& g) {
    return exp(-20.0 * (square(g.coordinate(0) - 0.2) + square(g.coordinate(1) - 0.4)));
  };
  return p;
}

Problem rough_line(std::int64_t n, std::int64_t steps, Boundary lower, Boundary upper,
                   double exponent) {
  Problem p;
  Population& crowd = p.populations[0];
  p.axes = {unit_axis(n, lower, upper)};
  p.steps = steps;
  crowd.viscosity = 0.1;
  crowd.exponent = exponent;
  p.exit_cost = 0.3;
  crowd.scale = [](const Grid& g) { return 0.6 + 0.2 * noise_field(g, 7); };
  crowd.running = proportional(0.4);
  crowd.terminal = of_place([](const Grid& g) { return 0.5 * noise_field(g, 8); });
  crowd.initial_density = [](const Grid& g) { return 1.1 + noise_field(g, 9); };
  return p;
}

Problem congested_line(std::int64_t n, std::int64_t steps, Boundary ends, double congestion) {
  Problem p = rough_line(n, steps, ends, ends);
  p.populations[0].congestion = congestion;
  p.populations[0].offset = 0.5;
  return p;
}

Problem congested_room(std::int64_t n, std::int64_t steps, bool with_exit) {
  Problem p = room(n, steps, with_exit);
  p.populations[0].congestion = 0.75;
  return p;
}

Problem current(int axes, std::int64_t n, std::int64_t steps, Boundary ends) {
  Problem p;
  for (int k = 0; k < axes; ++k) p.axes.push_back(unit_axis(n, ends, ends));
  p.steps = steps;
  Population& crowd = p.populations[0];
  crowd.viscosity = 0.08;
  crowd.discount = 0.7;
  crowd.drift = [](const Grid& g, const UnifiedArray& t) {
    std::vector<UnifiedArray> b;
    for (int k = 0; k < g.axes(); ++k)
      b.push_back(0.8 * cos(3.0 * t + 1.0 * k) * sin(6.0 * g.coordinate(k)) + 0.2);
    return b;
  };
  crowd.running = proportional(0.5);
  crowd.terminal = of_place([](const Grid& g) { return squared_distance(g, 0.7); });
  crowd.initial_density = [](const Grid& g) { return 0.3 + exp(-30.0 * squared_distance(g, 0.4)); };
  return p;
}

Problem hall(std::int64_t n, std::int64_t steps) {
  Problem p = problem_p(3, n, steps, 0.5);
  p.obstacle = [](const Grid& g) {
    return abs(g.coordinate(0) - 0.5) < 0.15 && abs(g.coordinate(1) - 0.5) < 0.15 &&
           g.coordinate(2) < 0.5;
  };
  p.populations[0].viscosity = 0.1;
  return p;
}

Problem crossing(std::int64_t n, std::int64_t steps) {
  Problem p;
  p.axes = {unit_axis(n, Boundary::reflecting, Boundary::reflecting)};
  p.steps = steps;
  p.populations.resize(2);
  for (std::size_t i = 0; i < 2; ++i) {
    Population& crowd = p.populations[i];
    const double start = i == 0 ? 0.25 : 0.75, end = 1.0 - start;
    crowd.name = i == 0 ? "left" : "right";
    crowd.viscosity = i == 0 ? 0.05 : 0.08;
    crowd.exponent = i == 0 ? 2.0 : 1.7;
    crowd.running = [i](const CostInput& in) { return 0.2 * in.m + 0.6 * in.all[1 - i]; };
    crowd.terminal = [end, i](const CostInput& in) {
      return 1.5 * square(in.grid.coordinate(0) - end) + 0.1 * in.all[1 - i];
    };
    crowd.initial_density = [start](const Grid& g) {
      return exp(-40.0 * square(g.coordinate(0) - start));
    };
  }
  p.populations[1].mass = 0.6;
  return p;
}

}  // namespace isofield::mfg::testing
