#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <isofield/mfg/expression_array.hpp>
#include <isofield/mfg/mask.hpp>
#include <isofield/mfg/particles.hpp>
#include <isofield/mfg/sensitivity.hpp>
#include <isofield/mfg/solve.hpp>

#include "binding.hpp"
#include "exchange.hpp"

namespace isofield::python {
namespace {

using mfg::CostInput;
using mfg::Field;
using mfg::Grid;
using mfg::Problem;

/// A Python callable that C++ may copy, drop and call without the interpreter's lock.
class Callable {
 public:
  explicit Callable(nb::handle function)
      : function_(deferred(function.inc_ref().ptr(),
                           [](void* f) { Py_DECREF(static_cast<PyObject*>(f)); })) {}
  /// Call with the lock held; what the function gives is an array or a number.
  UnifiedArray operator()(const std::vector<UnifiedArray>& arguments, const Grid& grid) const {
    const nb::gil_scoped_acquire lock;
    return to_array(called(arguments), {}, &grid.coordinate(0).backend(), {});
  }
  /// The same for a function that gives a sequence of them.
  std::vector<UnifiedArray> list(const std::vector<UnifiedArray>& arguments,
                                 const Grid& grid) const {
    const nb::gil_scoped_acquire lock;
    std::vector<UnifiedArray> arrays;
    for (const nb::handle item : called(arguments))
      arrays.push_back(to_array(item, {}, &grid.coordinate(0).backend(), {}));
    return arrays;
  }

 private:
  nb::object called(const std::vector<UnifiedArray>& arguments) const {
    const nb::handle function(static_cast<PyObject*>(function_.get()));
    nb::list list;
    for (const UnifiedArray& a : arguments) list.append(nb::steal(wrap(UnifiedArray(a))));
    return function(*nb::tuple(list));
  }
  std::shared_ptr<void> function_;
};

std::vector<UnifiedArray> coordinates_of(const Grid& grid) {
  std::vector<UnifiedArray> list;
  for (int k = 0; k < grid.axes(); ++k) list.push_back(grid.coordinate(k));
  return list;
}

using Names = std::vector<std::string>;

/// Names of the coordinates, after a prefix and before a suffix.
void add_coordinates(Names& names, std::size_t axes, const char* prefix,
                     const std::string& suffix) {
  for (std::size_t k = 0; k < axes; ++k)
    names.push_back(prefix + std::string(1, "xyz"[k]) + suffix);
}

/// A text or a number as an expression of `names`.
mfg::Expression expression_in(nb::handle value, const Names& names) {
  if (!PyUnicode_Check(value.ptr())) return mfg::Expression::number(nb::cast<double>(value));
  return mfg::Expression::parse(nb::cast<std::string>(value), names);
}

Field field_in(nb::handle value, std::size_t axes) {
  if (PyCallable_Check(value.ptr()))
    return [f = Callable(value)](const Grid& grid) { return f(coordinates_of(grid), grid); };
  Names names;
  add_coordinates(names, axes, "", "");
  return mfg::expression_field(expression_in(value, names));
}

/// Truth values on the cells; absent for None.
Field cells_in(nb::handle value, std::size_t axes) {
  if (value.is_none()) return {};
  const Field field = field_in(value, axes);
  return [field](const Grid& grid) {
    const UnifiedArray found = field(grid);
    return found.dtype() == DType::bool_ ? found : found != 0.0;
  };
}

using mfg::DensityNames;

/// What expressions may mention of a population's density.
void add_density(Names& names, const DensityNames& p, std::size_t axes, const std::string& suffix) {
  names.push_back("m" + suffix);
  add_coordinates(names, axes, "mean_", suffix);
  if (p.convolution) names.push_back(p.convolution->name + suffix);
}

/// A cost of x, y, t and m, at the end without t; a function of several populations gets the
/// densities of all.
mfg::Cost cost_in(nb::handle value, std::size_t axes, const std::vector<DensityNames>& populations,
                  std::size_t own, bool terminal) {
  if (PyCallable_Check(value.ptr()))
    return [f = Callable(value), terminal](const CostInput& in) {
      std::vector<UnifiedArray> arguments = coordinates_of(in.grid);
      if (!terminal) arguments.push_back(in.t);
      arguments.insert(arguments.end(), in.all.begin(), in.all.end());
      return f(arguments, in.grid);
    };
  Names names;
  if (!terminal) names.emplace_back("t");
  add_coordinates(names, axes, "", "");
  add_density(names, populations[own], axes, "");
  for (const DensityNames& p : populations) add_density(names, p, axes, "_" + p.population);
  return mfg::expression_cost(expression_in(value, names), populations, own);
}

/// A velocity: None, a function of x, y and t that gives one array for each axis, or one expression
/// for each axis.
mfg::Velocity velocity_in(nb::handle value, std::size_t axes) {
  if (value.is_none()) return {};
  if (PyCallable_Check(value.ptr()))
    return [f = Callable(value)](const Grid& grid, const UnifiedArray& t) {
      std::vector<UnifiedArray> arguments = coordinates_of(grid);
      arguments.push_back(t);
      return f.list(arguments, grid);
    };
  Names names{"t"};
  add_coordinates(names, axes, "", "");
  std::vector<mfg::Expression> components;
  for (const nb::handle component : value) components.push_back(expression_in(component, names));
  if (components.size() != axes)
    throw ConfigError("drift: " + std::to_string(components.size()) + " components for " +
                      std::to_string(axes) + " axes");
  return mfg::expression_velocity(components);
}

mfg::Boundary boundary_in(const std::string& name) {
  if (name == "periodic") return mfg::Boundary::periodic;
  if (name == "reflecting") return mfg::Boundary::reflecting;
  if (name == "exit") return mfg::Boundary::exit;
  throw ConfigError("boundary: \"" + name + "\" is none of \"periodic\", \"reflecting\", \"exit\"");
}

void set_axis(Problem& problem, double lower, double upper, std::int64_t cells,
              const std::string& low, const std::string& high) {
  problem.axes.push_back({lower, upper, cells, {boundary_in(low), boundary_in(high)}});
}

void set_domain(Problem& problem, nb::handle obstacle, nb::handle exit) {
  problem.obstacle = cells_in(obstacle, problem.axes.size());
  problem.exit = cells_in(exit, problem.axes.size());
}

/// Mark cells by an array of what they are, or by the name of an HDF5 file that has one.
void set_mask(Problem& problem, nb::handle mask) {
  std::vector<std::int64_t> cells;
  for (const mfg::Axis& axis : problem.axes) cells.push_back(axis.cells);
  if (PyUnicode_Check(mask.ptr()))
    return mfg::mark(problem, mfg::read_mask(nb::cast<std::string>(mask), cells));
  const UnifiedArray numbers = to_array(mask, {}, nullptr, {});
  const std::vector<std::int64_t> shape(numbers.shape().begin(), numbers.shape().end());
  mfg::mark(problem,
            mfg::make_mask(numbers.astype(float64).to_vector<double>(), shape, cells, "mask"));
}

mfg::Population population_in(const nb::dict& data, std::size_t axes,
                              const std::vector<DensityNames>& names, std::size_t own) {
  mfg::Population p;
  p.name = names[own].population;
  p.viscosity = nb::cast<double>(data["viscosity"]);
  p.scale = field_in(data["scale"], axes);
  p.exponent = nb::cast<double>(data["exponent"]);
  p.congestion = nb::cast<double>(data["congestion"]);
  p.offset = nb::cast<double>(data["offset"]);
  p.discount = nb::cast<double>(data["discount"]);
  p.drift = velocity_in(data["drift"], axes);
  p.running = cost_in(data["running_cost"], axes, names, own, false);
  if (const nb::object target = data["target_density"]; !target.is_none()) {
    p.target_density = field_in(target, axes);
  } else {
    p.terminal = cost_in(data["terminal_cost"], axes, names, own, true);
  }
  p.initial_density = field_in(data["initial_density"], axes);
  p.mass = nb::cast<std::optional<double>>(data["mass"]);
  return p;
}

/// Take populations from pairs of a name and a dict.
void set_populations(Problem& problem, const nb::list& populations) {
  const std::size_t axes = problem.axes.size();
  std::vector<DensityNames> names;
  for (const nb::handle item : populations) {
    names.push_back({nb::cast<std::string>(item[0]), std::nullopt});
    if (const nb::object convolution = item[1]["convolution"]; !convolution.is_none()) {
      Names offsets;
      add_coordinates(offsets, axes, "", "");
      for (const auto [name, kernel] : nb::cast<nb::dict>(convolution))
        names.back().convolution = {nb::cast<std::string>(name),
                                    mfg::expression_kernel(expression_in(kernel, offsets), 1.0)};
    }
  }
  problem.populations.clear();
  for (std::size_t p = 0; p < names.size(); ++p)
    problem.populations.push_back(
        population_in(nb::cast<nb::dict>(populations[p][1]), axes, names, p));
}

mfg::Coupling coupling_in(const std::string& name) {
  if (name == "auto") return mfg::Coupling::automatic;
  if (name == "picard") return mfg::Coupling::picard;
  if (name == "fictitious_play") return mfg::Coupling::fictitious_play;
  if (name == "anderson") return mfg::Coupling::anderson;
  if (name == "policy") return mfg::Coupling::policy;
  if (name == "newton") return mfg::Coupling::newton;
  throw ConfigError("coupling: \"" + name +
                    "\" is none of \"auto\", \"picard\", \"fictitious_play\", \"anderson\", "
                    "\"policy\", \"newton\"");
}

mfg::Scheme scheme_in(const std::string& name) {
  using enum mfg::Scheme;
  for (const mfg::Scheme scheme : {implicit, centred, exponential})
    if (mfg::to_string(scheme) == name) return scheme;
  throw ConfigError("scheme: \"" + name +
                    "\" is none of \"implicit\", \"centred\", \"exponential\"");
}

nb::dict described(const mfg::Iteration& i) {
  nb::dict d;
  d["number"] = i.number;
  d["method"] = i.method;
  d["residual"] = i.residual;
  d["hjb_residual"] = i.hjb_residual;
  d["fp_residual"] = i.fp_residual;
  d["change_u"] = i.change_u;
  d["change_m"] = i.change_m;
  d["seconds"] = i.seconds;
  return d;
}

nb::dict described(const mfg::SolveReport& r) {
  nb::dict d;
  d["status"] = mfg::to_string(r.status);
  d["message"] = r.message;
  d["breakdown"] = r.breakdown;
  d["tolerance"] = r.tolerance;
  d["iterations"] = r.iterations;
  d["residual"] = r.residual;
  d["seconds"] = r.seconds;
  nb::list history, phases;
  for (const mfg::Iteration& i : r.history) history.append(described(i));
  for (const mfg::Phase& p : r.phases) phases.append(nb::make_tuple(p.name, p.calls, p.seconds));
  d["history"] = history;
  d["phases"] = phases;
  return d;
}

/// Solve; `on_iteration(iteration, start)` may end it by giving False. An error in it, or
/// Ctrl-C, ends the solve, too, and is raised.
nb::tuple solve(const Problem& problem, mfg::SolveOptions options, nb::handle on_iteration) {
  std::optional<nb::python_error> failed;
  options.on_iteration = [&](const mfg::Progress& progress) {
    const nb::gil_scoped_acquire lock;
    try {
      const nb::object go_on = on_iteration(described(progress.iteration), progress.start);
      return !go_on.is(nb::bool_(false));
    } catch (nb::python_error& e) {
      failed.emplace(std::move(e));
      return false;
    }
  };
  options.should_stop = [&] {
    const nb::gil_scoped_acquire lock;
    if (!failed && PyErr_CheckSignals() != 0) failed.emplace();
    return failed.has_value();
  };
  const Problem own = problem;
  mfg::Solution s = unlocked([&] { return mfg::solve(own, options); });
  if (failed) throw std::move(*failed);
  nb::list u, m;
  for (std::size_t p = 0; p < s.u.size(); ++p) {
    u.append(nb::steal(wrap(std::move(s.u[p]))));
    m.append(nb::steal(wrap(std::move(s.m[p]))));
  }
  nb::list lambda;
  for (const double rate : s.lambda) lambda.append(rate);
  return nb::make_tuple(u, m, lambda, described(s.report));
}

mfg::SolveOptions options_of(const std::string& coupling, double tolerance, int max_iterations,
                             double damping, nb::handle initial_guess, DType dtype) {
  mfg::SolveOptions options;
  options.coupling = coupling_in(coupling);
  options.tolerance = tolerance;
  options.max_iterations = max_iterations;
  options.damping = damping;
  options.dtype = dtype;
  if (PyList_Check(initial_guess.ptr())) {
    options.initial_guess = mfg::InitialGuess::given;
    for (const nb::handle u : nb::cast<nb::list>(initial_guess))
      options.initial_u.push_back(array_in(u.ptr()));
    return options;
  }
  const auto name = nb::cast<std::string>(initial_guess);
  if (name != "zero" && name != "coarse")
    throw ConfigError("initial_guess: \"" + name + "\" is none of \"zero\", \"coarse\"");
  options.initial_guess = name == "zero" ? mfg::InitialGuess::zero : mfg::InitialGuess::coarse;
  return options;
}

/// Carry agents of one population; gives where they are and who is inside.
nb::tuple particles(const Problem& problem, std::size_t population, nb::handle u, nb::handle m,
                    std::int64_t count, std::uint64_t seed) {
  const UnifiedArray value = array_in(u.ptr()), density = array_in(m.ptr());
  mfg::Particles all = unlocked([&] {
    const mfg::DiscreteProblem discrete(problem, value.dtype());
    return mfg::carry_particles(discrete, population, value, density,
                                {.count = count, .seed = seed});
  });
  return nb::make_tuple(nb::steal(wrap(std::move(all.position))),
                        nb::steal(wrap(std::move(all.inside))));
}

nb::list listed(const std::vector<UnifiedArray>& arrays) {
  nb::list list;
  for (const UnifiedArray& x : arrays) list.append(nb::steal(wrap(UnifiedArray(x))));
  return list;
}

std::vector<UnifiedArray> arrays_in(nb::handle list) {
  std::vector<UnifiedArray> arrays;
  for (const nb::handle x : list) arrays.push_back(array_in(x.ptr()));
  return arrays;
}

/// The derivatives of `functional(u, m)`, which takes a list each, at a solution that has
/// converged.
mfg::Sensitivity sensitivity(const Problem& problem, nb::handle u, nb::handle m,
                             nb::handle functional) {
  mfg::Solution solution;
  solution.u = arrays_in(u);
  solution.m = arrays_in(m);
  solution.report.status = mfg::Status::converged;
  const mfg::Functional called = [&](const mfg::Fields& values, const mfg::Fields& densities) {
    const nb::gil_scoped_acquire lock;
    return to_array(functional(listed(values), listed(densities)), {}, &values[0].backend(), {});
  };
  return unlocked([&] { return mfg::Sensitivity(problem, solution, called); });
}

}  // namespace

void bind_mfg(nb::module_& m) {
  using mfg::Sensitivity;
  nb::class_<Sensitivity>(m, "_Sensitivity")
      .def_prop_ro("value", &Sensitivity::value)
      .def("by_running_cost", [](const Sensitivity& s) { return listed(s.by_running_cost()); })
      .def("by_terminal_cost", [](const Sensitivity& s) { return listed(s.by_terminal_cost()); })
      .def("by_initial_density",
           [](const Sensitivity& s) { return listed(s.by_initial_density()); })
      .def("along", [](const Sensitivity& s, nb::handle path) {
        return s.along([&](double at) { return nb::cast<Problem>(path(at)); });
      });
  m.def("_sensitivity", &sensitivity);
  nb::class_<Problem>(m, "_Problem")
      .def(nb::init<>())
      .def_rw("horizon", &Problem::horizon)
      .def_rw("steps", &Problem::steps)
      .def_rw("exit_cost", &Problem::exit_cost)
      .def_rw("control", &Problem::control)
      .def_rw("ergodic", &Problem::ergodic)
      .def("set_scheme", [](Problem& p, const std::string& name) { p.scheme = scheme_in(name); })
      .def("add_axis", &set_axis)
      .def("set_domain", &set_domain, nb::arg("obstacle").none(), nb::arg("exit").none())
      .def("set_mask", &set_mask)
      .def("set_populations", &set_populations)
      .def("nodes", [](const Problem& p, std::size_t k) { return p.axes.at(k).nodes(); });
  m.def("_particles", &particles);
  m.def("_solve", [](const Problem& problem, const std::string& coupling, double tolerance,
                     int max_iterations, double damping, nb::handle initial_guess, DType dtype,
                     nb::handle on_iteration) {
    return solve(problem,
                 options_of(coupling, tolerance, max_iterations, damping, initial_guess, dtype),
                 on_iteration);
  });
}

}  // namespace isofield::python
