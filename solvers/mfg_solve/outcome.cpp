#include "outcome.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <isofield/mfg/diagnostics.hpp>
#include <isofield/mfg/particles.hpp>

#include "state.hpp"

namespace isofield::mfg_solve {
namespace {

mfg::RunStatus run_status(mfg::Status status) {
  switch (status) {
    case mfg::Status::converged: return mfg::RunStatus::converged;
    case mfg::Status::not_converged: return mfg::RunStatus::not_converged;
    case mfg::Status::breakdown: return mfg::RunStatus::failed;
    case mfg::Status::interrupted: return mfg::RunStatus::interrupted;
  }
  return mfg::RunStatus::failed;
}

/// Pick the levels of a field that a file keeps.
std::vector<double> levels_of(const UnifiedArray& field, const std::vector<std::int64_t>& kept) {
  const std::vector<double> all = field.to_vector<double>();
  const std::size_t size = all.size() / static_cast<std::size_t>(field.shape()[0]);
  std::vector<double> some;
  some.reserve(size * kept.size());
  for (const std::int64_t level : kept) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(size) * level;
    some.insert(some.end(), begin, begin + static_cast<std::ptrdiff_t>(size));
  }
  return some;
}

/// What every file of a run holds: whence it comes, the grid, and the fields at some levels.
mfg::Results common(const RunContext& context, const mfg::Fields& u, const mfg::Fields& m,
                    std::int64_t stride) {
  const mfg::DiscreteProblem& problem = context.problem;
  mfg::Results results;
  results.title = context.config.title;
  results.config = context.config_toml;
  results.backend = context.setting.backend;
  results.device = context.setting.device;
  results.dtype = context.config.backend.dtype;
  results.threads = context.setting.threads;
  for (int k = 0; k < problem.grid().axes(); ++k) {
    results.axes.push_back(problem.grid().axis(k).nodes());
  }
  const std::vector<std::int64_t> kept = kept_level_numbers(problem.problem().levels() - 1, stride);
  const std::vector<double> times = problem.times();
  for (const std::int64_t level : kept)
    results.times.push_back(times[static_cast<std::size_t>(level)]);
  for (const std::int64_t kind : problem.grid().cell_kinds().to_vector<std::int64_t>()) {
    results.mask.push_back(static_cast<std::uint8_t>(kind));
  }
  std::vector<std::vector<double>> masses;
  for (std::size_t p = 0; p < problem.size(); ++p) {
    results.populations.push_back({.name = problem.population(p).name(),
                                   .u = levels_of(u[p], kept),
                                   .m = levels_of(m[p], kept),
                                   .lambda = {},
                                   .particles = {},
                                   .particles_inside = {}});
    masses.push_back(mfg::masses(problem.grid(), m[p]));
  }
  for (const std::int64_t level : kept) {
    for (const std::vector<double>& of_population : masses) {
      results.diagnostics.mass.push_back(of_population[static_cast<std::size_t>(level)]);
    }
  }
  return results;
}

mfg::ConvergenceTable convergence_of(const std::vector<mfg::Iteration>& history) {
  mfg::ConvergenceTable table;
  for (const mfg::Iteration& iteration : history) {
    table.iteration.push_back(iteration.number);
    table.residual.push_back(iteration.residual);
    table.hjb_residual.push_back(iteration.hjb_residual);
    table.fp_residual.push_back(iteration.fp_residual);
    table.exploitability.push_back(iteration.exploitability);
    table.seconds.push_back(iteration.seconds);
  }
  return table;
}

}  // namespace

std::vector<std::int64_t> kept_level_numbers(std::int64_t steps, std::int64_t stride) {
  std::vector<std::int64_t> kept;
  for (std::int64_t level = 0; level < steps; level += stride) kept.push_back(level);
  kept.push_back(steps);
  return kept;
}

mfg::Results make_results(const RunContext& context, const mfg::Solution& solution,
                          std::int64_t stride) {
  const mfg::SolveReport& report = solution.report;
  mfg::Results results = common(context, solution.u, solution.m, stride);
  results.status = run_status(report.status);
  results.iterations = report.iterations;
  results.residual = report.residual;
  results.wall_seconds = report.seconds;
  results.convergence = convergence_of(report.history);
  for (std::size_t p = 0; p < solution.lambda.size(); ++p)
    results.populations[p].lambda = solution.lambda[p];
  for (const mfg::CostParts& costs : mfg::cost_parts(context.problem, solution.u, solution.m)) {
    results.diagnostics.kinetic_cost.push_back(costs.kinetic);
    results.diagnostics.running_cost.push_back(costs.running);
    results.diagnostics.terminal_cost.push_back(costs.terminal);
  }
  return results;
}

void add_particles(const RunContext& context, const mfg::Solution& solution, std::int64_t stride,
                   mfg::Results& results) {
  const mfg::OutputConfig& output = context.config.output;
  if (output.particles == 0 || solution.report.status == mfg::Status::breakdown) return;
  const std::vector<std::int64_t> kept = kept_level_numbers(context.problem.steps(), stride);
  for (std::size_t p = 0; p < context.problem.size(); ++p) {
    const mfg::Particles carried = mfg::carry_particles(
        context.problem, p, solution.u[p], solution.m[p],
        {.count = output.particles, .seed = static_cast<std::uint64_t>(output.particle_seed)});
    results.populations[p].particles = levels_of(carried.position, kept);
    for (const double inside : levels_of(carried.inside.astype(float64), kept)) {
      results.populations[p].particles_inside.push_back(inside != 0.0 ? 1 : 0);
    }
  }
}

mfg::Results make_checkpoint(const RunContext& context, const mfg::Progress& progress) {
  mfg::Results results = common(context, progress.u, progress.m, 1);
  results.status = mfg::RunStatus::checkpoint;
  results.iterations = progress.iteration.number;
  results.residual = progress.iteration.residual;
  results.wall_seconds = progress.iteration.seconds;
  results.convergence = convergence_of({progress.iteration});
  if (progress.state) add_state(*progress.state, results);
  return results;
}

mfg::Results make_stopped(const RunContext& context, const mfg::Solution& solution) {
  const mfg::SolverState& state = solution.state;
  const mfg::SolveReport& report = solution.report;
  mfg::Results results = state.empty() ? common(context, solution.u, solution.m, 1)
                                       : common(context, state.field("u"), state.field("m"), 1);
  results.status = run_status(report.status);
  results.iterations = report.iterations;
  results.residual = report.residual;
  results.wall_seconds = report.seconds;
  results.convergence = convergence_of(report.history);
  add_state(state, results);
  return results;
}

Summary make_summary(const RunContext& context, const mfg::Solution& solution,
                     const mfg::Results& results) {
  const mfg::SolveReport& report = solution.report;
  Summary summary;
  summary.title = context.config.title;
  summary.status = mfg::to_string(report.status);
  summary.reason = report.message;
  if (report.status == mfg::Status::not_converged && report.message.empty()) {
    summary.reason = fmt::format("{} iterations were not enough", report.iterations);
  }
  summary.iterations = report.iterations;
  summary.residual = report.residual;
  summary.tolerance = report.tolerance;
  if (!report.history.empty() && std::isfinite(report.history.back().exploitability)) {
    summary.exploitability = report.history.back().exploitability;
  }
  const std::int64_t size = static_cast<std::int64_t>(context.problem.size());
  const mfg::DiscreteProblem& problem = context.problem;
  summary.unknowns = 2 * size * problem.grid().free_cells() * problem.problem().levels();
  if (problem.problem().ergodic) summary.unknowns += size;
  for (const mfg::PopulationResult& population : results.populations) {
    if (population.lambda) summary.lambda.emplace_back(population.name, *population.lambda);
  }
  summary.wall_seconds = report.seconds;
  summary.backend = context.setting.backend;
  summary.device = context.setting.device;
  summary.dtype = context.config.backend.dtype;
  summary.threads = context.setting.threads;
  summary.work = {{"HJB steps", report.hjb_steps},
                  {"Newton updates in them", report.newton_updates},
                  {"linear solves", report.linear_solves},
                  {"Krylov iterations in them", report.krylov},
                  {"GMRES iterations", report.gmres}};
  std::erase_if(summary.work, [](const auto& entry) { return entry.second == 0; });
  const std::vector<double>& mass = results.diagnostics.mass;
  if (problem.grid().is_closed()) {
    double error = 0;
    for (std::size_t i = 0; i < mass.size(); ++i) {
      const mfg::DiscretePopulation& one = problem.population(i % problem.size());
      const double given = problem.grid().integral(one.initial_density()).item<double>();
      error = std::max(error, std::fabs(mass[i] / given - 1));
    }
    summary.mass_error = error;
  } else {
    double first = 0, last = 0;
    for (std::size_t p = 0; p < problem.size(); ++p) {
      first += mass[p];
      last += mass[mass.size() - 1 - p];
    }
    summary.remaining_mass = last / first;
  }
  summary.phases = report.phases;
  return summary;
}

}  // namespace isofield::mfg_solve
