// Derivatives of functionals of a solution against difference quotients of whole solves.

#include "isofield/mfg/sensitivity.hpp"

#include <cmath>
#include <isofield/error.hpp>

#include "mfg/mfg_test.hpp"

namespace isofield::mfg::testing {
namespace {

SolveOptions exact() {
  SolveOptions o;
  o.tolerance = 1e-12;
  return o;
}

// A number that feels every level of u and m of every population.
UnifiedArray judged(const Fields& u, const Fields& m) {
  UnifiedArray total = zeros(Shape{});
  for (std::size_t p = 0; p < u.size(); ++p) {
    const Shape shape = u[p].shape();
    const UnifiedArray weights =
        asarray(noise(static_cast<std::size_t>(u[p].size()), 20 + static_cast<unsigned>(p)), shape);
    total = total + sum(weights * u[p]) + sum(square(m[p]) * (1.0 + weights)) / 40.0;
  }
  return total;
}

double judged_value(const Problem& problem) {
  const Solution s = solve(problem, exact());
  BOOST_TEST((s.report.status == Status::converged));
  return judged(s.u, s.m).item<double>();
}

// (J(s) - J(-s))/(2 s), of fourth order.
double quotient(const std::function<double(double)>& at, double s) {
  return (8.0 * (at(s) - at(-s)) - (at(2.0 * s) - at(-2.0 * s))) / (12.0 * s);
}

using Change = std::function<void(Problem&, double)>;

void agrees(const Problem& problem, const Change& change, const char* what) {
  const auto near = [&](double s) {
    Problem other = problem;
    change(other, s);
    return other;
  };
  const Solution solution = solve(problem, exact());
  const double found = Sensitivity(problem, solution, judged).along(near);
  const double expected = quotient([&](double s) { return judged_value(near(s)); }, 1e-4);
  BOOST_TEST_CONTEXT(what << ", found " << found << ", expected " << expected) {
    BOOST_TEST(std::abs(found - expected) < 1e-6 * std::abs(expected));
    BOOST_TEST(expected != 0.0);
  }
}

Cost times(const Cost& cost, double factor) {
  return [=](const CostInput& in) { return factor * cost(in); };
}

MFG_TEST_CASE(derivatives_by_every_kind_of_data_are_those_of_whole_solves) {
  const Problem line = rough_line(20, 15, Boundary::periodic, Boundary::periodic);
  agrees(
      line, [](Problem& p, double s) { p.populations[0].viscosity += s; }, "viscosity");
  agrees(
      line, [](Problem& p, double s) { p.horizon += s; }, "horizon");
  agrees(
      line,
      [](Problem& p, double s) {
        p.populations[0].running = times(p.populations[0].running, 1.0 + s);
      },
      "running cost");
  agrees(
      line,
      [](Problem& p, double s) {
        p.populations[0].terminal = times(p.populations[0].terminal, 1.0 + s);
      },
      "terminal cost");
  agrees(
      line,
      [](Problem& p, double s) {
        const Field scale = p.populations[0].scale;
        p.populations[0].scale = [=](const Grid& g) { return (1.0 + s) * scale(g); };
      },
      "scale of the Hamiltonian");
  agrees(
      line,
      [](Problem& p, double s) {
        const Field m0 = p.populations[0].initial_density;
        p.populations[0].initial_density = [=](const Grid& g) {
          return m0(g) + s * (1.0 + noise_field(g, 30));
        };
      },
      "initial density");
  agrees(
      line, [](Problem& p, double s) { *p.populations[0].mass += s; }, "mass");
}

MFG_TEST_CASE(derivatives_are_those_of_whole_solves_in_every_kind_of_problem) {
  const Change viscosity = [](Problem& p, double s) { p.populations[0].viscosity += s; };
  agrees(rough_line(20, 15, Boundary::exit, Boundary::reflecting, 3.0), viscosity, "cubic, exit");
  agrees(congested_line(20, 15, Boundary::reflecting), viscosity, "congestion");
  agrees(current(1, 20, 15, Boundary::periodic), viscosity, "current and discount");
  agrees(crossing(20, 12), viscosity, "two populations");
  agrees(room(12, 6, true), viscosity, "room with exits");
  Problem planned = problem_p(1, 20, 15);
  planned.control = true;
  agrees(planned, viscosity, "control");
  for (const Scheme scheme : {Scheme::centred, Scheme::exponential}) {
    Problem smooth = current(1, 24, 15, Boundary::periodic);
    smooth.scheme = scheme;
    agrees(smooth, viscosity, "second order");
  }
}

// The costs' own derivatives: a little more cost in every cell and step, and a little more density.
MFG_TEST_CASE(derivatives_by_fields_are_those_of_whole_solves) {
  for (const Scheme scheme : {Scheme::implicit, Scheme::centred}) {
    Problem problem = current(1, 20, 12, Boundary::reflecting);
    problem.scheme = scheme;
    problem.populations[0].mass = std::nullopt;
    const Solution solution = solve(problem, exact());
    const Sensitivity found(problem, solution, judged);
    const Grid grid(problem.axes);
    const UnifiedArray of_place = noise_field(grid, 31), of_all = noise_field(grid, 32, 12);
    const auto running = [&](double s) {
      Problem other = problem;
      const Cost cost = problem.populations[0].running;
      other.populations[0].running = [=](const CostInput& in) {
        const bool whole = in.grid.shape() == of_place.shape() && in.m.shape()[0] == 12;
        return whole ? cost(in) + s * of_all : cost(in);
      };
      return judged_value(other);
    };
    const auto terminal = [&](double s) {
      Problem other = problem;
      const Cost cost = problem.populations[0].terminal;
      other.populations[0].terminal = [=](const CostInput& in) {
        return in.grid.shape() == of_place.shape() ? cost(in) + s * of_place : cost(in);
      };
      return judged_value(other);
    };
    const auto initial = [&](double s) {
      Problem other = problem;
      const Field m0 = problem.populations[0].initial_density;
      other.populations[0].initial_density = [=](const Grid& g) {
        return g.shape() == of_place.shape() ? m0(g) + s * of_place : m0(g);
      };
      return judged_value(other);
    };
    const auto check = [&](const char* what, const UnifiedArray& derivative,
                           const UnifiedArray& direction, const std::function<double(double)>& at) {
      const double expected = quotient(at, 1e-4);
      const double found_now = sum(derivative * direction).item<double>();
      BOOST_TEST_CONTEXT(what << " " << to_string(scheme) << ", found " << found_now
                              << ", expected " << expected)
      BOOST_TEST(std::abs(found_now - expected) < 1e-6 * std::abs(expected));
    };
    check("running", found.by_running_cost()[0], of_all, running);
    check("terminal", found.by_terminal_cost()[0], of_place, terminal);
    check("initial", found.by_initial_density()[0], of_place, initial);
  }
}

// From the density at the end, how much crowds are avoided and how much people stray.
MFG_TEST_CASE(parameters_are_recovered_from_a_density) {
  const Family family = [](const std::vector<double>& parameters) {
    Problem p = problem_p(1, 30, 20, parameters[0]);
    p.populations[0].viscosity = parameters[1];
    return p;
  };
  const std::vector<double> truth = {0.8, 0.12};
  const UnifiedArray seen = solve(family(truth), exact()).m[0](20).copy();
  const Functional misfit = [&](const Fields&, const Fields& m) {
    return sum(square(m[0](20) - seen)) / 30.0;
  };
  const UnifiedArray x = Grid(family(truth).axes).coordinate(0);
  // Newton's method for the parameters at which mean and variance are right.
  const auto moment = [&](const UnifiedArray& weight) {
    return [&, weight](const Fields&, const Fields& m) {
      return sum(weight * (m[0](20) - seen)) / 30.0;
    };
  };
  std::vector<double> guess = {0.6, 0.14};
  double last = 0.0;
  for (int k = 0; k < 8; ++k) {
    last = value_and_gradient(family, guess, misfit, exact()).value;
    const Gradient a = value_and_gradient(family, guess, moment(x), exact());
    const Gradient b = value_and_gradient(family, guess, moment(square(x - 0.6)), exact());
    const double det = a.gradient[0] * b.gradient[1] - a.gradient[1] * b.gradient[0];
    guess[0] -= (a.value * b.gradient[1] - b.value * a.gradient[1]) / det;
    guess[1] -= (b.value * a.gradient[0] - a.value * b.gradient[0]) / det;
  }
  BOOST_TEST(last < 1e-12);
  BOOST_TEST(std::abs(guess[0] - truth[0]) < 1e-6);
  BOOST_TEST(std::abs(guess[1] - truth[1]) < 1e-6);
}

MFG_TEST_CASE(sensitivities_of_what_has_none_are_refused) {
  const Problem problem = problem_p(1, 20, 15);
  Solution solution = solve(problem, exact());
  const auto throws = [&](const Problem& of) {
    BOOST_CHECK_THROW(Sensitivity(of, solution, judged), Error);
  };
  throws(problem_p(1, 21, 15));
  throws(crossing(20, 15));
  Problem ergodic = problem;
  ergodic.ergodic = true;
  throws(ergodic);
  BOOST_CHECK_THROW(
      Sensitivity(problem, solution, [](const Fields& u, const Fields&) { return u[0]; }),
      ShapeError);
  solution.report.status = Status::not_converged;
  throws(problem);
}

}  // namespace
}  // namespace isofield::mfg::testing
