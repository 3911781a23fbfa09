// Problems for programs in C.

#include <isofield/mfg/read_config.hpp>
#include <isofield/ops.hpp>
#include <memory>
#include <optional>
#include <span>

#include "c_callbacks.hpp"
#include "c_handles.hpp"

using namespace isofield;
using namespace isofield::c_api;

namespace {

mfg::Population& population_of(isofield_mfg_problem* problem, std::int32_t population) {
  std::vector<mfg::Population>& all = given(problem, "problem").problem.populations;
  return all[index_of(population, all.size())];
}

std::vector<std::string> settings_of(const char* const* settings, std::size_t count) {
  std::vector<std::string> list;
  if (count > 0) given(settings, "settings");
  for (std::size_t i = 0; i < count; ++i) list.emplace_back(&given(settings[i], "a setting"));
  return list;
}

isofield_mfg_problem* made_from(const mfg::Config& config) {
  auto made = std::make_unique<isofield_mfg_problem>();
  made->problem = mfg::make_problem(config);
  made->options = mfg::make_options(config);
  made->backend = config.backend;
  const std::string& start = config.solver.initial_guess;
  if (start != "zero" && start != "coarse")
    throw ConfigError(
        fmt::format("solver.initial_guess: a program that starts from \"{}\" reads it "
                    "and calls isofield_mfg_set_initial_value",
                    start));
  for (const mfg::PopulationConfig& p : config.populations) {
    made->names.push_back({p.name, std::nullopt});
    if (p.nonlocal.kernel)
      made->names.back().convolution = {
          p.nonlocal.applied_to, mfg::expression_kernel(*p.nonlocal.kernel, p.nonlocal.weight)};
  }
  return made.release();
}

constexpr std::array boundaries{mfg::Boundary::reflecting, mfg::Boundary::periodic,
                                mfg::Boundary::exit};
constexpr std::array numbers{&mfg::Population::viscosity, &mfg::Population::exponent,
                             &mfg::Population::congestion, &mfg::Population::offset,
                             &mfg::Population::discount};

bool is_cost(isofield_mfg_function what) {
  return what == ISOFIELD_MFG_RUNNING_COST || what == ISOFIELD_MFG_TERMINAL_COST;
}

mfg::Cost& cost_of(isofield_mfg_problem* problem, std::int32_t population,
                   isofield_mfg_function what) {
  if (!is_cost(what)) throw Invalid(fmt::format("function {} is no cost", static_cast<int>(what)));
  mfg::Population& p = population_of(problem, population);
  return what == ISOFIELD_MFG_RUNNING_COST ? p.running : p.terminal;
}

/// Put a field where it belongs; masks become booleans.
void set_field(isofield_mfg_problem* problem, std::int32_t population, isofield_mfg_function what,
               mfg::Field field, double threshold) {
  const auto mask = [field, threshold](const mfg::Grid& grid) {
    return abs(field(grid)) > threshold;
  };
  switch (what) {
    case ISOFIELD_MFG_INITIAL_DENSITY:
      population_of(problem, population).initial_density = std::move(field);
      return;
    case ISOFIELD_MFG_HAMILTONIAN_SCALE:
      population_of(problem, population).scale = std::move(field);
      return;
    case ISOFIELD_MFG_OBSTACLE: given(problem, "problem").problem.obstacle = mask; return;
    case ISOFIELD_MFG_EXIT_CELLS: given(problem, "problem").problem.exit = mask; return;
    default: throw Invalid(fmt::format("function {} is no field", static_cast<int>(what)));
  }
}

std::vector<std::string> space_names(const isofield_mfg_problem& problem, const char* prefix = "",
                                     const std::string& suffix = "") {
  std::vector<std::string> names;
  for (std::size_t k = 0; k < problem.problem.axes.size(); ++k)
    names.push_back(prefix + std::string(1, "xyz"[k]) + suffix);
  return names;
}

/// The variables that a cost of population `own` may name.
std::vector<std::string> cost_names(const isofield_mfg_problem& problem, std::size_t own,
                                    isofield_mfg_function what) {
  std::vector<std::string> names = space_names(problem);
  if (what == ISOFIELD_MFG_RUNNING_COST) names.emplace_back("t");
  const auto add = [&](const mfg::DensityNames& of, const std::string& suffix) {
    names.push_back("m" + suffix);
    for (std::string& name : space_names(problem, "mean_", suffix)) names.push_back(name);
    if (of.convolution) names.push_back(of.convolution->name + suffix);
  };
  add(problem.names[own], "");
  for (const mfg::DensityNames& one : problem.names) add(one, "_" + one.population);
  return names;
}

}  // namespace

extern "C" {

isofield_status isofield_mfg_problem_from_toml(const char* text, const char* const* settings,
                                               size_t settings_count,
                                               isofield_mfg_problem** problem) {
  return guarded([&] {
    given(problem, "problem") = nullptr;
    *problem = made_from(mfg::read_config(&given(text, "text"), "configuration",
                                          settings_of(settings, settings_count)));
  });
}

isofield_status isofield_mfg_problem_from_file(const char* path, const char* const* settings,
                                               size_t settings_count,
                                               isofield_mfg_problem** problem) {
  return guarded([&] {
    given(problem, "problem") = nullptr;
    *problem = made_from(
        mfg::read_config_file(&given(path, "path"), settings_of(settings, settings_count)));
  });
}

isofield_status isofield_mfg_problem_create(int32_t axes_count, const isofield_mfg_axis* axes,
                                            double horizon, int64_t steps,
                                            isofield_mfg_problem** problem) {
  return guarded([&] {
    given(problem, "problem") = nullptr;
    if (axes_count < 1 || axes_count > 3)
      throw Invalid(fmt::format("axes_count is {}, none of 1 to 3", axes_count));
    given(axes, "axes");
    auto made = std::make_unique<isofield_mfg_problem>();
    for (const isofield_mfg_axis& a : std::span(axes, static_cast<std::size_t>(axes_count)))
      made->problem.axes.push_back(
          {a.lower,
           a.upper,
           a.cells,
           {in_list(boundaries, static_cast<int>(a.at_lower), "at_lower"),
            in_list(boundaries, static_cast<int>(a.at_upper), "at_upper")}});
    made->problem.horizon = horizon;
    made->problem.steps = steps;
    made->problem.populations.clear();
    static_cast<void>(mfg::Grid(made->problem.axes));  // throws for axes that make no sense
    *problem = made.release();
  });
}

void isofield_mfg_problem_free(isofield_mfg_problem* problem) { delete problem; }

isofield_status isofield_mfg_add_population(isofield_mfg_problem* problem, const char* name,
                                            double viscosity, int32_t* index) {
  return guarded([&] {
    isofield_mfg_problem& to = given(problem, "problem");
    const std::size_t number = to.problem.populations.size();
    mfg::Population p;
    p.name = name ? std::string(name) : std::to_string(number);
    p.viscosity = viscosity;
    p.initial_density = [](const mfg::Grid& grid) { return ones(grid.shape(), grid.dtype()); };
    for (const mfg::DensityNames& other : to.names)
      if (other.population == p.name)
        throw Invalid(fmt::format("there is a population \"{}\" already", p.name));
    to.problem.populations.push_back(std::move(p));
    to.names.push_back({to.problem.populations.back().name, std::nullopt});
    if (index) *index = static_cast<int32_t>(number);
  });
}

isofield_status isofield_mfg_set_number(isofield_mfg_problem* problem, int32_t population,
                                        isofield_mfg_number what, double value) {
  return guarded([&] {
    mfg::Population& p = population_of(problem, population);
    if (what != ISOFIELD_MFG_MASS) {
      p.*in_list(numbers, static_cast<int>(what), "number") = value;
    } else if (value == 0.0) {
      p.mass = std::nullopt;
    } else {
      p.mass = value;
    }
  });
}

isofield_status isofield_mfg_set_expression(isofield_mfg_problem* problem, int32_t population,
                                            isofield_mfg_function what, const char* text) {
  return guarded([&] {
    const isofield_mfg_problem& in = given(problem, "problem");
    given(text, "text");
    if (is_cost(what)) {
      mfg::Cost& cost = cost_of(problem, population, what);
      const std::size_t own = static_cast<std::size_t>(population);
      const auto names = cost_names(in, own, what);
      cost = mfg::expression_cost(mfg::Expression::parse(text, names), in.names, own);
    } else {
      set_field(problem, population, what,
                mfg::expression_field(mfg::Expression::parse(text, space_names(in))), 0.0);
    }
  });
}

isofield_status isofield_mfg_set_convolution(isofield_mfg_problem* problem, int32_t population,
                                             const char* name, const char* kernel, double weight) {
  return guarded([&] {
    static_cast<void>(population_of(problem, population));
    const auto expression = mfg::Expression::parse(&given(kernel, "kernel"), space_names(*problem));
    problem->names[static_cast<std::size_t>(population)].convolution = {
        &given(name, "name"), mfg::expression_kernel(expression, weight)};
  });
}

isofield_status isofield_mfg_set_values(isofield_mfg_problem* problem, int32_t population,
                                        isofield_mfg_function what, const double* values,
                                        int64_t count) {
  return guarded([&] {
    const std::vector<mfg::Axis>& axes = given(problem, "problem").problem.axes;
    given(values, "values");
    std::int64_t cells = 1;
    for (const mfg::Axis& a : axes) cells *= a.cells;
    if (count != cells)
      throw Invalid(fmt::format("count is {}, but the grid has {} cells", count, cells));
    set_field(problem, population, what,
              mfg::cell_values(std::vector<double>(values, values + count), axes), 0.5);
  });
}

isofield_status isofield_mfg_set_field(isofield_mfg_problem* problem, int32_t population,
                                       isofield_mfg_function what, isofield_mfg_field field,
                                       void* user) {
  return guarded([&] {
    if (!field) throw Invalid("field is NULL");
    set_field(problem, population, what, mfg::host_field(field, user), 0.0);
  });
}

isofield_status isofield_mfg_set_cost(isofield_mfg_problem* problem, int32_t population,
                                      isofield_mfg_function what, isofield_mfg_cost cost,
                                      isofield_mfg_cost_derivative derivative, void* user) {
  return guarded([&] {
    if (!cost) throw Invalid("cost is NULL");
    cost_of(problem, population, what) = mfg::host_cost(cost, derivative, user, population);
  });
}

isofield_status isofield_mfg_set_drift(isofield_mfg_problem* problem, int32_t population,
                                       const char* const* components) {
  return guarded([&] {
    mfg::Population& p = population_of(problem, population);
    given(components, "components");
    std::vector<std::string> names = space_names(*problem);
    names.emplace_back("t");
    std::vector<mfg::Expression> list;
    for (std::size_t k = 0; k < problem->problem.axes.size(); ++k)
      list.push_back(mfg::Expression::parse(&given(components[k], "a component"), names));
    p.drift = mfg::expression_velocity(list);
  });
}

isofield_status isofield_mfg_set_drift_function(isofield_mfg_problem* problem, int32_t population,
                                                isofield_mfg_velocity velocity, void* user) {
  return guarded([&] {
    mfg::Population& p = population_of(problem, population);
    if (!velocity) throw Invalid("velocity is NULL");
    p.drift = mfg::host_velocity(velocity, user, problem->problem.horizon, problem->problem.steps);
  });
}

isofield_status isofield_mfg_set_drift_values(isofield_mfg_problem* problem, int32_t population,
                                              int64_t levels, const double* const* components,
                                              int64_t count) {
  return guarded([&] {
    mfg::Population& p = population_of(problem, population);
    given(components, "components");
    const std::vector<mfg::Axis>& axes = problem->problem.axes;
    std::int64_t cells = 1;
    for (const mfg::Axis& a : axes) cells *= a.cells;
    if (levels < 1 || levels > count || count != levels * cells)
      throw Invalid(fmt::format("count is {}, but {} levels of {} cells are {}", count, levels,
                                cells, levels * cells));
    std::vector<std::vector<double>> values;
    for (std::size_t k = 0; k < axes.size(); ++k) {
      const double* from = &given(components[k], "a component");
      values.emplace_back(from, from + count);
    }
    p.drift = mfg::cell_velocity(std::move(values), axes, problem->problem.horizon);
  });
}

isofield_status isofield_mfg_set_exit_cost(isofield_mfg_problem* problem, double cost) {
  return guarded([&] { given(problem, "problem").problem.exit_cost = cost; });
}

isofield_status isofield_mfg_set_control(isofield_mfg_problem* problem, int32_t control) {
  return guarded([&] { given(problem, "problem").problem.control = control != 0; });
}

isofield_status isofield_mfg_set_ergodic(isofield_mfg_problem* problem, int32_t ergodic) {
  return guarded([&] { given(problem, "problem").problem.ergodic = ergodic != 0; });
}

isofield_status isofield_mfg_problem_shape(const isofield_mfg_problem* problem,
                                           int32_t* populations, int64_t* levels, int32_t* axes,
                                           int64_t cells[3]) {
  return guarded([&] {
    const mfg::Problem& p = given(problem, "problem").problem;
    Shape shape(static_cast<int>(p.axes.size()) + 1, p.steps + 1);
    for (std::size_t k = 0; k < p.axes.size(); ++k)
      shape[static_cast<int>(k) + 1] = p.axes[k].cells;
    write_shape(p.populations.size(), shape, populations, levels, axes, cells);
  });
}

}  // extern "C"
