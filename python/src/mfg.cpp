#include <nanobind/stl/pair.h>
#include <isofield/mfg/expression_array.hpp>
#include <isofield/mfg/solve.hpp>

#include "binding.hpp"
#include "exchange.hpp"

namespace isofield::python {
namespace {

using mfg::CostInput;
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
    const nb::handle function(static_cast<PyObject*>(function_.get()));
    nb::list list;
    for (const UnifiedArray& a : arguments) list.append(nb::steal(wrap(UnifiedArray(a))));
    const nb::object result = function(*nb::tuple(list));
    return to_array(result, {}, &grid.coordinate(0).backend(), {});
  }

 private:
  std::shared_ptr<void> function_;
};

std::vector<UnifiedArray> coordinates_of(const Grid& grid) {
  std::vector<UnifiedArray> list;
  for (int k = 0; k < grid.axes(); ++k) list.push_back(grid.coordinate(k));
  return list;
}

/// A text or a number as an expression of the coordinates and of `more`.
mfg::Expression expression_in(nb::handle value, std::size_t axes,
                              std::initializer_list<const char*> more) {
  if (!PyUnicode_Check(value.ptr())) return mfg::Expression::number(nb::cast<double>(value));
  std::vector<std::string> names;
  for (std::size_t k = 0; k < axes; ++k) names.emplace_back(1, "xyz"[k]);
  for (std::size_t k = 0; k < axes && more.size() > 0; ++k)
    names.push_back(std::string("mean_") + "xyz"[k]);
  for (const char* name : more) names.emplace_back(name);
  return mfg::Expression::parse(nb::cast<std::string>(value), names);
}

Problem::Field field_in(nb::handle value, std::size_t axes) {
  if (!PyCallable_Check(value.ptr())) return mfg::expression_field(expression_in(value, axes, {}));
  return [f = Callable(value)](const Grid& grid) { return f(coordinates_of(grid), grid); };
}

/// Truth values on the cells; absent for None.
Problem::Field cells_in(nb::handle value, std::size_t axes) {
  if (value.is_none()) return {};
  const Problem::Field field = field_in(value, axes);
  return [field](const Grid& grid) {
    const UnifiedArray found = field(grid);
    return found.dtype() == DType::bool_ ? found : found != 0.0;
  };
}

/// A cost of x, y, t and m, or at the end of x, y and m.
mfg::Cost cost_in(nb::handle value, std::size_t axes, bool terminal) {
  if (!PyCallable_Check(value.ptr()))
    return mfg::expression_cost(terminal ? expression_in(value, axes, {"m"})
                                         : expression_in(value, axes, {"t", "m"}));
  mfg::Cost cost;
  cost.value = [f = Callable(value), terminal](const CostInput& in) {
    std::vector<UnifiedArray> arguments = coordinates_of(in.grid);
    if (!terminal) arguments.push_back(in.t);
    arguments.push_back(in.m);
    return f(arguments, in.grid);
  };
  return cost;
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

void set_fields(Problem& problem, const nb::dict& fields) {
  const std::size_t axes = problem.axes.size();
  problem.obstacle = cells_in(fields["obstacle"], axes);
  problem.exit = cells_in(fields["exit"], axes);
  problem.scale = field_in(fields["scale"], axes);
  problem.running = cost_in(fields["running_cost"], axes, false);
  problem.terminal = cost_in(fields["terminal_cost"], axes, true);
  problem.initial_density = field_in(fields["initial_density"], axes);
}

mfg::Coupling coupling_in(const std::string& name) {
  if (name == "auto") return mfg::Coupling::automatic;
  if (name == "picard") return mfg::Coupling::picard;
  if (name == "newton") return mfg::Coupling::newton;
  throw ConfigError("coupling: \"" + name + "\" is none of \"auto\", \"picard\", \"newton\"");
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

/// Solve; `on_iteration(iteration, coarsening)` may end it by giving False. An error in it, or
/// Ctrl-C, ends the solve, too, and is raised.
nb::tuple solve(const Problem& problem, mfg::SolveOptions options, nb::handle on_iteration) {
  std::optional<nb::python_error> failed;
  options.on_iteration = [&](const mfg::Progress& progress) {
    const nb::gil_scoped_acquire lock;
    try {
      const nb::object go_on = on_iteration(described(progress.iteration), progress.coarsening);
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
  return nb::make_tuple(nb::steal(wrap(std::move(s.u))), nb::steal(wrap(std::move(s.m))),
                        described(s.report));
}

mfg::SolveOptions options_of(const std::string& coupling, double tolerance, int max_iterations,
                             double damping, nb::handle initial_guess, DType dtype) {
  mfg::SolveOptions options;
  options.coupling = coupling_in(coupling);
  options.tolerance = tolerance;
  options.max_iterations = max_iterations;
  options.damping = damping;
  options.dtype = dtype;
  if (is_array(initial_guess.ptr())) {
    options.initial_guess = mfg::InitialGuess::given;
    options.initial_u = array_in(initial_guess.ptr());
    return options;
  }
  const auto name = nb::cast<std::string>(initial_guess);
  if (name != "zero" && name != "coarse")
    throw ConfigError("initial_guess: \"" + name + "\" is none of \"zero\", \"coarse\"");
  options.initial_guess = name == "zero" ? mfg::InitialGuess::zero : mfg::InitialGuess::coarse;
  return options;
}

}  // namespace

void bind_mfg(nb::module_& m) {
  nb::class_<Problem>(m, "_Problem")
      .def(nb::init<>())
      .def_rw("horizon", &Problem::horizon)
      .def_rw("steps", &Problem::steps)
      .def_rw("viscosity", &Problem::viscosity)
      .def_rw("exponent", &Problem::exponent)
      .def_rw("exit_cost", &Problem::exit_cost)
      .def_rw("mass", &Problem::mass)
      .def("add_axis", &set_axis)
      .def("set_fields", &set_fields)
      .def("nodes", [](const Problem& p, std::size_t k) { return p.axes.at(k).nodes(); });
  m.def("_solve", [](const Problem& problem, const std::string& coupling, double tolerance,
                     int max_iterations, double damping, nb::handle initial_guess, DType dtype,
                     nb::handle on_iteration) {
    return solve(problem,
                 options_of(coupling, tolerance, max_iterations, damping, initial_guess, dtype),
                 on_iteration);
  });
}

}  // namespace isofield::python
