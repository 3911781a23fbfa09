#pragma once

#include <cmath>
#include <limits>
#include <string>

#include "isofield/mfg/results.hpp"

namespace isofield::mfg::test {

inline std::vector<double> centres(std::size_t cells) {
  std::vector<double> nodes(cells);
  for (std::size_t i = 0; i < cells; ++i) {
    nodes[i] = (static_cast<double>(i) + 0.5) / static_cast<double>(cells);
  }
  return nodes;
}

/// Results of a game that nobody solved: a cloud that crosses the unit box of `axes` axes, with an
/// obstacle in its middle and an exit at its end. Each value tells where it stands.
inline Results sample_results(std::size_t axes, std::size_t cells = 20, std::size_t levels = 6,
                              std::size_t populations = 1, std::size_t particles = 0) {
  Results r;
  r.title = "A sample <of> \"" + std::to_string(axes) + "\" axes";
  r.config = "title = \"ein Muster\"  # größer als ASCII\n";
  r.backend = "eigen";
  r.device = "cpu";
  r.threads = 2;
  r.status = RunStatus::not_converged;
  r.iterations = 12;
  r.residual = 3.5e-7;
  r.wall_seconds = 1.25;
  for (std::size_t k = 0; k < axes; ++k) r.axes.push_back(centres(cells + k));
  for (std::size_t n = 0; n < levels; ++n) {
    r.times.push_back(static_cast<double>(n) / static_cast<double>(levels - 1));
  }
  const std::size_t nodes = r.nodes();
  const auto position = [&](std::size_t node, std::size_t axis) {
    for (std::size_t k = axes - 1; k > axis; --k) node /= r.axes[k].size();
    return r.axes[axis][node % r.axes[axis].size()];
  };
  r.mask.resize(nodes);
  for (std::size_t i = 0; i < nodes; ++i) {
    const double x = position(i, 0), y = axes > 1 ? position(i, 1) : 0.5;
    if (axes > 1 && std::abs(x - 0.5) < 0.05 && std::abs(y - 0.5) > 0.12) r.mask[i] = 1;
    if (axes > 1 && x > 0.95 && std::abs(y - 0.5) < 0.2) r.mask[i] = 2;
  }
  for (std::size_t p = 0; p < populations; ++p) {
    PopulationResult population;
    population.name = populations == 1 ? "0" : p == 0 ? "walkers" : "runners " + std::to_string(p);
    for (std::size_t n = 0; n < levels; ++n) {
      const double t = r.times[n], middle = 0.2 + 0.6 * t, width = 0.006 + 0.01 * t;
      for (std::size_t i = 0; i < nodes; ++i) {
        double squares = std::pow(position(i, 0) - middle, 2), distance = 1 - position(i, 0);
        for (std::size_t k = 1; k < axes; ++k) squares += std::pow(position(i, k) - 0.5, 2);
        const double density = std::exp(-squares / width) / width + static_cast<double>(p);
        population.m.push_back(r.mask[i] == 0 ? density : 0);
        population.u.push_back(r.mask[i] == 2 ? 0 : (1 + t) * distance + 0.3 * squares);
      }
    }
    // Particles in a row move to the right; the last one has left at the end.
    for (std::size_t n = 0; particles > 0 && n < levels; ++n) {
      for (std::size_t i = 0; i < particles; ++i) {
        population.particles.push_back(0.1 + 0.7 * r.times[n]);
        for (std::size_t k = 1; k < axes; ++k) {
          population.particles.push_back((static_cast<double>(i) + 0.5) /
                                         static_cast<double>(particles));
        }
        population.particles_inside.push_back(n + 1 < levels || i + 1 < particles ? 1 : 0);
      }
    }
    if (p == 1) population.lambda = 0.75;
    r.populations.push_back(std::move(population));
  }
  for (std::int64_t k = 1; k <= r.iterations; ++k) {
    const double step = static_cast<double>(k);
    r.convergence.iteration.push_back(k);
    r.convergence.residual.push_back(std::pow(0.25, step));
    r.convergence.hjb_residual.push_back(0.8 * std::pow(0.25, step));
    r.convergence.fp_residual.push_back(0.3 * std::pow(0.25, step));
    r.convergence.seconds.push_back(0.1 * step);
  }
  r.diagnostics.mass.assign(levels * populations, 1.0);
  r.diagnostics.kinetic_cost.assign(populations, 0.4);
  r.diagnostics.running_cost.assign(populations, 0.2);
  r.diagnostics.terminal_cost.assign(populations, 0.1);
  r.state.push_back({"damping", {}, {0.5}});
  r.state.push_back({"history", {2, 3}, {1, 2, 3, 4, 5, 6}});
  return r;
}

}  // namespace isofield::mfg::test
