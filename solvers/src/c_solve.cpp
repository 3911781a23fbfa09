// Solving for programs in C.

#include <isofield/mfg/particles.hpp>
#include <isofield/ops.hpp>
#include <isofield/registry.hpp>
#include <limits>
#include <memory>
#include <span>

#include "backend_choice.hpp"
#include "c_handles.hpp"

using namespace isofield;
using namespace isofield::c_api;

namespace {

constexpr std::array couplings{mfg::Coupling::automatic,       mfg::Coupling::picard,
                               mfg::Coupling::fictitious_play, mfg::Coupling::anderson,
                               mfg::Coupling::policy,          mfg::Coupling::newton};
constexpr std::array starts{mfg::InitialGuess::zero, mfg::InitialGuess::coarse,
                            mfg::InitialGuess::given};

void copy_out(const UnifiedArray& from, double* values, std::int64_t count) {
  given(values, "values");
  if (count != from.size())
    throw Invalid(fmt::format("count is {}, but shape {} has {} elements", count,
                              to_string(from.shape()), from.size()));
  (from.dtype() == float64 ? from : from.astype(float64))
      .copy_to(values, static_cast<std::size_t>(count) * sizeof(double), float64);
}

const UnifiedArray& chosen(const mfg::Fields& u, const mfg::Fields& m, std::int32_t population,
                           isofield_mfg_quantity what) {
  const std::array<const mfg::Fields*, 2> both{&u, &m};
  const mfg::Fields& fields = *in_list(both, static_cast<int>(what), "quantity");
  return fields[index_of(population, fields.size())];
}

mfg::SolveOptions solve_options(const isofield_mfg_problem& problem,
                                const isofield_mfg_options& asked) {
  mfg::SolveOptions options;
  options.coupling = in_list(couplings, static_cast<int>(asked.coupling), "coupling");
  options.initial_guess = in_list(starts, static_cast<int>(asked.start), "start");
  options.tolerance = asked.tolerance;
  options.damping = asked.damping;
  options.max_iterations = asked.max_iterations;
  options.dtype = asked.single_precision != 0 ? float32 : float64;
  options.exploitability = asked.exploitability != 0;
  if (options.initial_guess == mfg::InitialGuess::given) {
    options.initial_u = problem.initial_u;
    for (std::size_t p = 0; p < problem.problem.populations.size(); ++p)
      if (p >= options.initial_u.size() || options.initial_u[p].ndim() == 0)
        throw Invalid(fmt::format("population {} has no value to start from", p));
  }
  return options;
}

isofield_mfg_iteration seen_by_c(const mfg::Progress& progress) {
  const mfg::Iteration& i = progress.iteration;
  return {i.number,         progress.start.c_str(),
          i.method.c_str(), i.residual,
          i.hjb_residual,   i.fp_residual,
          i.change_u,       i.change_m,
          i.exploitability, i.seconds,
          &progress};
}

/// The configuration's [backend], which also sets threads; "auto" is what is in force.
BaseBackend& backend_of(const isofield_mfg_problem& problem, const mfg::SolveOptions& options) {
  mfg::BackendConfig config = problem.backend;
  config.dtype = options.dtype == float32 ? "float32" : "float64";
  return mfg_solve::choose_backend(config);
}

}  // namespace

extern "C" {

isofield_status isofield_mfg_options_of(const isofield_mfg_problem* problem,
                                        isofield_mfg_options* options) {
  return guarded([&] {
    const mfg::SolveOptions& o = given(problem, "problem").options;
    isofield_mfg_options& to = given(options, "options");
    to = {};
    for (std::size_t i = 0; i < couplings.size(); ++i)
      if (couplings[i] == o.coupling) to.coupling = static_cast<isofield_mfg_coupling>(i);
    for (std::size_t i = 0; i < starts.size(); ++i)
      if (starts[i] == o.initial_guess) to.start = static_cast<isofield_mfg_start>(i);
    to.tolerance = o.tolerance;
    to.damping = o.damping;
    to.max_iterations = o.max_iterations;
    to.single_precision = o.dtype == float32 ? 1 : 0;
  });
}

isofield_status isofield_mfg_set_initial_value(isofield_mfg_problem* problem, int32_t population,
                                               const double* u, int64_t count) {
  return guarded([&] {
    const std::size_t which =
        index_of(population, given(problem, "problem").problem.populations.size());
    given(u, "u");
    const mfg::Problem& p = problem->problem;
    Shape shape(static_cast<int>(p.axes.size()) + 1, p.steps + 1);
    std::int64_t size = p.steps + 1;
    for (std::size_t k = 0; k < p.axes.size(); ++k)
      size *= shape[static_cast<int>(k) + 1] = p.axes[k].cells;
    if (count != size)
      throw Invalid(fmt::format("count is {}, but levels times cells are {}", count, size));
    mfg::Fields& all = problem->initial_u;
    while (all.size() <= which) all.emplace_back();
    const ScopedBackend scope(mfg_solve::choose_backend(problem->backend));
    all[which] = asarray(std::span<const double>(u, static_cast<std::size_t>(count)), shape);
  });
}

isofield_status isofield_mfg_iteration_copy(const isofield_mfg_iteration* now, int32_t population,
                                            isofield_mfg_quantity what, double* values,
                                            int64_t count) {
  return guarded([&] {
    const auto& progress = *static_cast<const mfg::Progress*>(given(now, "now").fields);
    if (!progress.start.empty())
      throw Invalid(fmt::format("the iteration is for a start ({})", progress.start));
    copy_out(chosen(progress.u, progress.m, population, what), values, count);
  });
}

isofield_status isofield_mfg_solve(const isofield_mfg_problem* problem,
                                   const isofield_mfg_options* options,
                                   isofield_mfg_solution** solution) {
  return guarded([&] {
    given(solution, "solution") = nullptr;
    const isofield_mfg_problem& what = given(problem, "problem");
    isofield_mfg_options asked;
    if (options) {
      asked = *options;
    } else if (isofield_mfg_options_of(problem, &asked) != ISOFIELD_OK) {
      throw Invalid(isofield_last_error());
    }
    mfg::SolveOptions how = solve_options(what, asked);
    if (asked.on_iteration) {
      how.on_iteration = [&](const mfg::Progress& progress) {
        const isofield_mfg_iteration now = seen_by_c(progress);
        return asked.on_iteration(asked.user, &now) == 0;
      };
    }
    const ScopedBackend scope(backend_of(what, how));
    auto made = std::make_unique<isofield_mfg_solution>();
    made->solution = mfg::solve(what.problem, how);
    *solution = made.release();
  });
}

void isofield_mfg_solution_free(isofield_mfg_solution* solution) { delete solution; }

isofield_status isofield_mfg_solution_report(const isofield_mfg_solution* solution,
                                             isofield_mfg_report* report) {
  return guarded([&] {
    const mfg::SolveReport& from = given(solution, "solution").solution.report;
    isofield_mfg_report& to = given(report, "report");
    constexpr std::array outcomes{ISOFIELD_MFG_CONVERGED, ISOFIELD_MFG_NOT_CONVERGED,
                                  ISOFIELD_MFG_BREAKDOWN, ISOFIELD_MFG_INTERRUPTED};
    to.outcome = in_list(outcomes, static_cast<int>(from.status), "status");
    to.iterations = from.iterations;
    to.tolerance = from.tolerance;
    to.residual = from.residual;
    to.hjb_residual = from.hjb_residual;
    to.fp_residual = from.fp_residual;
    to.exploitability = from.history.empty() ? std::numeric_limits<double>::quiet_NaN()
                                             : from.history.back().exploitability;
    to.seconds = from.seconds;
    to.message = from.message.c_str();
  });
}

isofield_status isofield_mfg_solution_shape(const isofield_mfg_solution* solution,
                                            int32_t* populations, int64_t* levels, int32_t* axes,
                                            int64_t cells[3]) {
  return guarded([&] {
    const isofield_mfg_solution& s = given(solution, "solution");
    write_shape(s.solution.m.size(), s.solution.m.at(0).shape(), populations, levels, axes, cells);
  });
}

isofield_status isofield_mfg_solution_copy(const isofield_mfg_solution* solution,
                                           int32_t population, isofield_mfg_quantity what,
                                           double* values, int64_t count) {
  return guarded([&] {
    const mfg::Solution& s = given(solution, "solution").solution;
    copy_out(chosen(s.u, s.m, population, what), values, count);
  });
}

isofield_status isofield_mfg_solution_copy_level(const isofield_mfg_solution* solution,
                                                 int32_t population, isofield_mfg_quantity what,
                                                 int64_t level, double* values, int64_t count) {
  return guarded([&] {
    const mfg::Solution& s = given(solution, "solution").solution;
    copy_out(chosen(s.u, s.m, population, what)(level), values, count);
  });
}

isofield_status isofield_mfg_solution_lambda(const isofield_mfg_solution* solution,
                                             int32_t population, double* lambda) {
  return guarded([&] {
    const mfg::Solution& s = given(solution, "solution").solution;
    if (s.lambda.empty()) throw Invalid("the game is not ergodic");
    given(lambda, "lambda") = s.lambda[index_of(population, s.lambda.size())];
  });
}

isofield_status isofield_mfg_copy_velocity(const isofield_mfg_problem* problem,
                                           const isofield_mfg_solution* solution,
                                           int32_t population, int32_t axis, double* values,
                                           int64_t count) {
  return guarded([&] {
    const mfg::Problem& what = given(problem, "problem").problem;
    const mfg::Solution& s = given(solution, "solution").solution;
    const std::size_t p = index_of(population, s.u.size());
    const auto axes = static_cast<std::int32_t>(what.axes.size());
    if (axis < 0 || axis >= axes)
      throw Invalid(fmt::format("axis {} is none of the {} there are", axis, axes));
    if (what.ergodic) throw Invalid("an ergodic game has no steps");
    const ScopedBackend scope(s.u[p].backend());
    const mfg::DiscreteProblem discrete(what, s.u[p].dtype());
    const mfg::DiscretePopulation& one = discrete.population(p);
    if (s.u[p].shape() != one.constant_density().shape())
      throw Invalid("the solution is another problem's");
    const mfg::FaceField v = mfg::face_velocities(one, one.stage_values(s.u[p]),
                                                  one.conditions(one.stage_densities(s.m[p])));
    const auto k = static_cast<std::size_t>(axis);
    copy_out((0.5 * (v.forward[k] + v.backward[k])).eval(), values, count);
  });
}

isofield_status isofield_mfg_carry_particles(const isofield_mfg_problem* problem,
                                             const isofield_mfg_solution* solution,
                                             int32_t population, int64_t count, uint64_t seed,
                                             double* positions, int64_t positions_count,
                                             unsigned char* inside, int64_t inside_count) {
  return guarded([&] {
    const mfg::Problem& what = given(problem, "problem").problem;
    const mfg::Solution& s = given(solution, "solution").solution;
    const std::size_t p = index_of(population, s.u.size());
    const ScopedBackend scope(s.u[p].backend());
    const mfg::DiscreteProblem discrete(what, s.u[p].dtype());
    const mfg::Particles all =
        mfg::carry_particles(discrete, p, s.u[p], s.m[p], {.count = count, .seed = seed});
    copy_out(all.position, positions, positions_count);
    if (!inside) return;
    if (inside_count != all.inside.size())
      throw Invalid(fmt::format("inside_count is {}, but shape {} has {} elements", inside_count,
                                to_string(all.inside.shape()), all.inside.size()));
    all.inside.copy_to(inside, static_cast<std::size_t>(inside_count), DType::bool_);
  });
}

}  // extern "C"
