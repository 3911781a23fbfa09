#pragma once

#include <cstdint>
#include <isofield/mfg/discrete_problem.hpp>

namespace isofield::mfg {

/// The velocity b - H_q(x, D u, m) through the faces of each cell, along each axis: that of the
/// scheme's flux of people, 0 where nothing passes. u may have a leading axis of levels, as `at`.
FaceField face_velocities(const DiscretePopulation& population, const UnifiedArray& u,
                          const Conditions& at);

/// How particles are carried.
struct ParticleOptions {
  std::int64_t count = 1000;
  std::uint64_t seed = 0;     ///< decides every random number, on every backend
  std::int64_t substeps = 0;  ///< of a time step; 0: as many as velocities and obstacles ask for
};

/// Single agents of a population over time; each stands for its mass over their number.
struct Particles {
  UnifiedArray position;  ///< (N + 1, count, axes); of who has left, the place he left by
  UnifiedArray inside;    ///< (N + 1, count), bool: false from where he has left
};

/// Carry agents along the best policy, dX = (b - H_q(X, D u, m)) dt + sqrt(2 nu) dW, from places
/// drawn from the initial density, for a population's u and m at all levels: Euler's method with
/// the velocity of step n, linear between faces of a cell. Walls reflect; who crosses an exit
/// within a step, also on his way between two points inside (the Brownian bridge's probability), is
/// gone. Their distribution is m up to errors of first order in h and dt. Throws SolverError for an
/// ergodic game and for a count below 1, ShapeError for u or m of another shape.
Particles carry_particles(const DiscreteProblem& problem, std::size_t population,
                          const UnifiedArray& u, const UnifiedArray& m,
                          const ParticleOptions& options = {});

}  // namespace isofield::mfg
