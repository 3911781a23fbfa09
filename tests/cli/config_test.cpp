#include "config.hpp"
#include "sweep.hpp"

#include <boost/test/unit_test.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "config_table.hpp"
#include "templates.hpp"
#include "toml_reader.hpp"

using namespace isofield;
using namespace isofield::mfg_solve;

namespace {

const std::string minimal = R"(
[domain]
lower = [0.0]
upper = [1.0]
cells = [10]

[time]
horizon = 1.0
steps = 5

[model]
viscosity = 0.1
initial_density = "1 + x"
)";

mfg::Config read(const std::string& text, std::vector<Override> overrides = {}) {
  return read_config(std::make_shared<const Source>(Source{"room.toml", text}), overrides);
}

std::vector<Diagnostic> errors_of(const std::string& text, std::vector<Override> overrides = {}) {
  try {
    read(text, std::move(overrides));
  } catch (const ConfigErrors& errors) {
    return errors.diagnostics();
  }
  return {};
}

/// The texts of all errors, as they are printed.
std::string error_of(const std::string& text, std::vector<Override> overrides = {}) {
  std::string all;
  for (const Diagnostic& error : errors_of(text, std::move(overrides))) {
    all += (all.empty() ? "" : "\n") + to_string(error);
  }
  return all;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  BOOST_REQUIRE_MESSAGE(at != std::string::npos, from);
  return text.replace(at, from.size(), to);
}

void check_error(const std::string& text, std::string_view expected) {
  const std::string message = error_of(text);
  BOOST_TEST(message.find(expected) != std::string::npos, message << " lacks: " << expected);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config)

BOOST_AUTO_TEST_CASE(what_a_file_leaves_out_has_its_documented_default) {
  const mfg::Config config = read(minimal);
  BOOST_TEST(config.domain.axes() == 1U);
  BOOST_CHECK(config.domain.boundary == std::vector<mfg::AxisBoundary>(1));
  BOOST_TEST(!config.domain.obstacle.has_value());
  BOOST_TEST(config.domain.exit_cost.evaluate() == 0.0);
  const mfg::PopulationConfig& population = config.populations.at(0);
  BOOST_TEST(population.name == "0");
  BOOST_TEST(population.hamiltonian.scale.evaluate() == 0.5);
  BOOST_TEST(population.hamiltonian.exponent == 2.0);
  BOOST_TEST(population.mass.value() == 1.0);
  BOOST_TEST(population.running_cost.evaluate() == 0.0);
  BOOST_CHECK(config.solver.coupling == mfg::Coupling::automatic);
  BOOST_TEST(config.solver.tolerance == 1e-8);
  BOOST_TEST(config.solver.max_iterations == 200);
  BOOST_TEST(config.solver.initial_guess == "coarse");
  BOOST_TEST(config.backend.name == "auto");
  BOOST_TEST(config.backend.dtype == "float64");
  BOOST_TEST(config.output.file == "room.h5");
  BOOST_TEST(config.output.compression == 4);
  BOOST_TEST(config.output.xdmf);
  BOOST_TEST(config.output.particles == 0);
}

BOOST_AUTO_TEST_CASE(every_key_is_read) {
  const mfg::Config config = read(R"(
title = "Räume"
domain = { lower = [0, 0], upper = [2, 1], cells = [4, 8], boundary = ["periodic", { lower = "exit", upper = "reflecting" }], obstacle = "x > y", exit = "x < 0.1", exit_cost = 2 }
time = { horizon = 2, steps = 7 }
model = { viscosity = 0.25, hamiltonian = { scale = "1 + x", exponent = 1.5, offset = 0.5 }, running_cost = "m*mean_y + t", terminal_cost = "m", initial_density = 1, mass = "as given" }
solver = { coupling = "picard", tolerance = 1e-6, max_iterations = 9, damping = 1, initial_guess = "old.h5" }
backend = { name = "kokkos", device = "cpu", dtype = "float32", threads = 3 }
output = { file = "a.h5", stride = 2, compression = 0, checkpoint_every = 0, xdmf = false, particles = 20, particle_seed = 4 }
)");
  BOOST_TEST(config.title == "R\xC3\xA4ume");
  BOOST_CHECK(config.domain.boundary[0].lower == mfg::Boundary::periodic);
  BOOST_CHECK(config.domain.boundary[0].upper == mfg::Boundary::periodic);
  BOOST_CHECK(config.domain.boundary[1].lower == mfg::Boundary::exit);
  BOOST_CHECK(config.domain.boundary[1].upper == mfg::Boundary::reflecting);
  BOOST_TEST(config.domain.upper[0] == 2.0);
  BOOST_TEST(config.domain.obstacle.value().to_string() == "x > y");
  BOOST_TEST(config.domain.exit.value().to_string() == "x < 0.1");
  BOOST_TEST(config.domain.exit_cost.evaluate() == 2.0);
  BOOST_TEST(config.time.horizon == 2.0);
  BOOST_TEST(config.time.steps == 7);
  const mfg::PopulationConfig& population = config.populations.at(0);
  BOOST_TEST(population.viscosity == 0.25);
  BOOST_TEST(population.hamiltonian.scale.to_string() == "1 + x");
  BOOST_TEST(population.hamiltonian.exponent == 1.5);
  BOOST_TEST(population.hamiltonian.offset == 0.5);
  BOOST_TEST(population.running_cost.to_string() == "m*mean_y + t");
  BOOST_TEST(population.terminal_cost.to_string() == "m");
  BOOST_TEST(population.initial_density.evaluate() == 1.0);
  BOOST_TEST(!population.mass.has_value());
  BOOST_CHECK(config.solver.coupling == mfg::Coupling::picard);
  BOOST_TEST(config.solver.tolerance == 1e-6);
  BOOST_TEST(config.solver.max_iterations == 9);
  BOOST_TEST(config.solver.damping == 1.0);
  BOOST_TEST(config.solver.initial_guess == "old.h5");
  BOOST_TEST(config.backend.name == "kokkos");
  BOOST_TEST(config.backend.device == "cpu");
  BOOST_TEST(config.backend.dtype == "float32");
  BOOST_TEST(config.backend.threads == 3);
  BOOST_TEST(config.output.file == "a.h5");
  BOOST_TEST(config.output.stride == 2);
  BOOST_TEST(config.output.compression == 0);
  BOOST_TEST(config.output.checkpoint_every == 0);
  BOOST_TEST(!config.output.xdmf);
  BOOST_TEST(config.output.particles == 20);
  BOOST_TEST(config.output.particle_seed == 4);
}

BOOST_AUTO_TEST_CASE(the_echo_reads_back_as_the_same_configuration) {
  std::vector<std::string> texts{minimal,
                                 replaced(minimal, "[model]", "[[population]]\nname = \"a\"")};
  for (const Template& example : templates()) texts.emplace_back(example.text);
  for (const std::string& text : texts) {
    const std::string echo = to_toml(read(text));
    BOOST_TEST(to_toml(read(echo)) == echo);
  }
  BOOST_TEST(read(texts[1]).populations.at(0).name == "a");
  const std::string odd = replaced(minimal, "[domain]", "title = \"a\\\"b\\\\ \\u0001\"\n[domain]");
  BOOST_TEST(read(to_toml(read(odd))).title == "a\"b\\ \x01");
}

BOOST_AUTO_TEST_CASE(one_list_of_population_is_another_way_to_write_the_model) {
  const std::string text = replaced(minimal, "[model]", "[[population]]");
  BOOST_TEST(read(text).populations.size() == 1U);
  const mfg::Config config = read(text, {{"--set", "model.viscosity", "0.7"}});
  BOOST_TEST(config.populations[0].viscosity == 0.7);
  check_error(replaced(text, "viscosity", "viscosty"),
              "population[0].viscosty: unknown key; did you mean 'population[0].viscosity'?");
}

BOOST_AUTO_TEST_CASE(each_mistake_is_named_with_place_key_and_what_was_expected) {
  struct Case {
    const char *from, *to, *expected;
  };
  const std::vector<Case> cases{
      {"lower = [0.0]", "lower = 0.0",
       "room.toml:3:9: domain.lower: expected a list of numbers, one per axis, got the number 0"},
      {"lower = [0.0]", "lower = [\"0\"]",
       "room.toml:3:10: domain.lower: expected a list of numbers, one per axis, got the text "
       "\"0\"; numbers have no quotes"},
      {"lower = [0.0]", "lower = [inf]",
       "domain.lower: expected a list of numbers, one per axis, got the number inf"},
      {"lower = [0.0]", "lower = [1.0]",
       "domain.upper: expected more than domain.lower on axis 0: 1 is not above 1"},
      {"lower = [0.0]", "lower = [0, 0]",
       "domain.lower: expected 1 value, one per axis of domain.cells, got 2"},
      {"cells = [10]", "cells = [1]",
       "domain.cells: expected a list of integers >= 2 and <= 1000000, one per axis, got the "
       "integer 1"},
      {"cells = [10]", "cells = [1e1]", "got the number 10"},
      {"cells = [10]", "cells = []", "domain.cells: expected 1, 2 or 3 axes, got 0"},
      {"cells = [10]", "cells = [10]\nboundary = [\"exit\", \"exit\"]",
       "domain.boundary: expected 1 value"},
      {"cells = [10]", "cells = [10]\nboundary = [\"exti\"]",
       "room.toml:6:13: domain.boundary: expected one of \"periodic\", \"reflecting\", \"exit\", "
       "got the text \"exti\"; did you mean 'exit'?"},
      {"cells = [10]", "cells = [10]\nboundary = [3]",
       "domain.boundary: expected a list, per axis \"periodic\""},
      {"cells = [10]", "cells = [10]\nboundary = [{ lower = \"exit\" }]",
       "an axis has lower and upper, both"},
      {"cells = [10]", "cells = [10]\nboundary = [{ lower = \"exit\", uper = \"exit\" }]",
       "unknown key 'uper'; an axis has lower and upper; did you mean 'upper'?"},
      {"cells = [10]", "cells = [10]\nboundary = [{ lower = \"exit\", upper = \"periodic\" }]",
       "an axis is periodic at both ends or at none"},
      {"cells = [10]", "cells = [10]\nobstacle = \"y > 0\"",
       "room.toml:6:13: domain.obstacle: unknown name 'y'; the variables here are x"},
      {"cells = [10]", "cells = [10]\nobstacle = true",
       "domain.obstacle: expected an expression of x, got true"},
      {"cells = [10]", "cells = [10]\nexit_cost = \"x\"",
       "domain.exit_cost: unknown name 'x'; no variable can stand here"},
      {"cells = [10]", "cells = [10]\nexit_cost = \"log(0)\"",
       "domain.exit_cost: expected a finite value, got -inf"},
      {"cells = [10]", "cells = [10]\nexit_cost = nan",
       "domain.exit_cost: expected a constant expression, got the number nan"},
      {"horizon = 1.0", "horizon = 0",
       "room.toml:8:11: time.horizon: expected a number > 0, got the integer 0"},
      {"horizon = 1.0", "", "room.toml:7:2: time.horizon: missing; expected a number > 0"},
      {"steps = 5", "steps = 5.0",
       "time.steps: expected an integer >= 1 and <= 10000000, got the number 5"},
      {"steps = 5", "steps = 1979-05-27",
       "time.steps: expected an integer >= 1 and <= 10000000, got a date or time"},
      {"steps = 5", "steps = 5\n[output]\nstride = 6",
       "output.stride: expected at most time.steps = 5, got 6"},
      {"viscosity = 0.1", "viscosity = -0.1",
       "model.viscosity: expected a number > 0, got the number -0.1"},
      {"viscosity = 0.1", "viscosity = 0.1\nmass = \"all\"",
       "model.mass: expected a number > 0 or \"as given\", got the text \"all\""},
      {"viscosity = 0.1", "viscosity = 0.1\nrunning_cost = \"2*q\"",
       "room.toml:13:19: model.running_cost: unknown name 'q'; the variables here are x, t, m, "
       "mean_x"},
      {"viscosity = 0.1", "viscosity = 0.1\nterminal_cost = \"t\"",
       "model.terminal_cost: unknown name 't'"},
      {"viscosity = 0.1", "viscosity = 0.1\nterminal_cost = \"\\u0078 + q\"",
       "model.terminal_cost: at line 1, column 5 of the expression: unknown name 'q'"},
      {"viscosity = 0.1", "viscosity = 0.1\nhamiltonian = { exponent = 1 }",
       "model.hamiltonian.exponent: expected a number > 1, got the integer 1"},
      {"viscosity = 0.1", "viscosity = 0.1\nhamiltonian = { scale = \"-1\" }",
       "model.hamiltonian.scale: expected a value > 0, got -1"},
      {"viscosity = 0.1", "viscosity = 0.1\nhamiltonian = 2",
       "model.hamiltonian: expected a table, got the integer 2"},
      {"initial_density = \"1 + x\"", "initial_density = \"-1\"",
       "model.initial_density: expected a value >= 0, got -1"},
      {"initial_density = \"1 + x\"", "initial_density = \"\"",
       "model.initial_density: the expression is empty"},
      {"[domain]", "[domian]", "room.toml:2:2: domian: unknown key; did you mean 'domain'?"},
      {"[domain]", "title = 3\n[domain]",
       "room.toml:2:9: title: expected a text, got the integer 3"},
      {"[domain]", "tile = 3\n[domain]", "room.toml:2:1: tile: unknown key; did you mean 'title'?"},
      {"[domain]", "damping = 1.0\n[domain]",
       "damping: unknown key; did you mean 'solver.damping'?"},
      {"[domain]", "dampin = 1.0\n[domain]", "dampin: unknown key; did you mean 'solver.damping'?"},
      {"[domain]", "zzzzz = 1.0\n[domain]", "zzzzz: unknown key"},
      {"[domain]", "solver = 1\n[domain]", "solver: expected a table, got the integer 1"},
      {"[domain]", "population = 1\n[domain]", "[model] and [[population]] cannot stand together"},
      {"[model]", "[solver]\ndamping = 0\n[model]",
       "solver.damping: expected a number > 0 and <= 1, got the integer 0"},
      {"[model]", "[solver]\ncoupling = \"nwton\"\n[model]", "did you mean 'newton'?"},
      {"[model]", "[solver]\ncoupling = 1\n[model]",
       "solver.coupling: expected one of \"auto\", \"picard\""},
      {"[model]", "[backend]\ndtype = \"float16\"\n[model]",
       "backend.dtype: expected one of \"float64\", \"float32\", got the text \"float16\""},
      {"[model]", "[backend]\nname = \"\"\n[model]",
       "backend.name: expected the name of a backend"},
      {"[model]", "[backend]\nname = \"torch:cuda\"\ndevice = \"cpu\"\n[model]",
       "backend.device: \"cpu\" contradicts backend.name = \"torch:cuda\""},
      {"[model]", "[output]\nxdmf = 1\n[model]",
       "output.xdmf: expected true or false, got the integer 1"},
      {"[model]", "[model]\nname = \"a/b\"",
       "model.name: expected letters, digits and underscores"},
  };
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(c.to) { check_error(replaced(minimal, c.from, c.to), c.expected); }
  }
}

BOOST_AUTO_TEST_CASE(what_expressions_give_on_the_grid_is_looked_at_before_the_solve) {
  struct Case {
    const char *from, *to, *expected;
  };
  const std::vector<Case> cases{
      {"\"1 + x\"", "\"x - 0.5\"",
       "room.toml:13:19: model.initial_density: expected a value >= 0, got -0.45 at x = 0.05"},
      {"\"1 + x\"", "\"log(x - 0.5)\"",
       "model.initial_density: expected a value >= 0, got NaN at x = 0.05"},
      {"\"1 + x\"", "\"if(x > 2, 1, 0)\"",
       "model.initial_density: expected a value > 0 in some free cell, got 0 in all of them"},
      {"\"1 + x\"", "0", "model.initial_density: expected a value > 0 in some free cell"},
      {"\"1 + x\"", "1e308", "model.initial_density: expected a finite mass, got inf"},
      {"viscosity = 0.1", "viscosity = 0.1\nrunning_cost = \"m/(x - 0.05)\"",
       "room.toml:13:16: model.running_cost: expected a finite value, got inf at x = 0.05"},
      {"viscosity = 0.1", "viscosity = 0.1\nrunning_cost = \"1/(t - 0.6)\"",
       "model.running_cost: expected a finite value, got inf at x = 0.05, t = 0.6"},
      {"viscosity = 0.1", "viscosity = 0.1\nterminal_cost = \"sqrt(mean_x - 7)\"",
       "model.terminal_cost: expected a finite value, got NaN at x = 0.05"},
      {"viscosity = 0.1", "viscosity = 0.1\nhamiltonian = { scale = \"x - 0.25\" }",
       "model.hamiltonian.scale: expected a value > 0, got -0.2 at x = 0.05"},
      {"cells = [10]", "cells = [10]\nobstacle = \"x < 2\"",
       "room.toml:6:12: domain.obstacle: obstacles and exits leave no free cell"},
      {"cells = [10]", "cells = [10]\nobstacle = \"sqrt(x - 0.5)\"",
       "domain.obstacle: expected a finite value, got NaN at x = 0.05"},
      {"cells = [10]", "cells = [10]\nexit = \"x > 2\"",
       "room.toml:6:8: domain.exit: expected a condition that holds in some cell"},
      {"cells = [10]", "cells = [10]\nexit = \"x < 0.3\"\nobstacle = \"x < 0.3\"",
       "domain.exit: expected a condition that holds in some cell outside the obstacles"},
      {"cells = [10]", "cells = [10]\nexit = \"x < 0.1\"\nobstacle = \"abs(x - 0.35) < 0.1\"",
       "room.toml:7:12: domain.obstacle: expected a way to an exit for everybody, but none leads "
       "there from x = 0.45"},
      {"cells = [10]",
       "cells = [10]\nboundary = [{ lower = \"reflecting\", upper = \"exit\" }]\nobstacle = \"x > "
       "0.9\"",
       "domain.obstacle: expected a way to an exit for everybody, but none leads there from x = "
       "0.05"},
  };
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(c.to) {
      const std::string text = replaced(minimal, c.from, c.to);
      check_error(text, c.expected);
      BOOST_TEST(errors_of(text).size() == 1U);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_makes_sense_for_some_density_or_for_those_who_are_there_is_read) {
  const auto reads = [](const char* from, const char* to) {
    BOOST_TEST(error_of(replaced(minimal, from, to)) == "");
  };
  reads("viscosity = 0.1", "viscosity = 0.1\nrunning_cost = \"log(m) + 1/(m - 1)\"");
  reads("viscosity = 0.1", "viscosity = 0.1\nrunning_cost = \"log(0.5 - m) + log(mean_x - 0.9)\"");
  // A kernel may be negative, and what it makes of the density, too.
  reads("viscosity = 0.1",
        "viscosity = 0.1\nrunning_cost = \"sqrt(-k)\"\nnonlocal = { kernel = \"-1\" }");
  reads("viscosity = 0.1", "viscosity = 0.1\nrunning_cost = \"1/(1 - t)\"");  // not taken at T
  reads("cells = [10]", "cells = [10]\nobstacle = \"abs(x - 0.35) < 0.1\"");
  const std::string walled =
      replaced(minimal, "cells = [10]",
               "cells = [10]\nexit = \"x < 0.1\"\nobstacle = \"abs(x - 0.35) < 0.1\"");
  BOOST_TEST(error_of(replaced(walled, "\"1 + x\"", "\"if(x < 0.3, 1, 0)\"")) == "");
  // Through the periodic end there is a way.
  BOOST_TEST(error_of(replaced(walled, "[domain]", "[domain]\nboundary = [\"periodic\"]")) == "");
  // An obstacle hides what makes no sense behind it.
  reads("cells = [10]\n\n[time]\nhorizon = 1.0\nsteps = 5\n\n[model]",
        "cells = [10]\nobstacle = \"x < 0.3\"\n[time]\nhorizon = 1.0\nsteps = 5\n[model]\n"
        "running_cost = \"log(x - 0.3)\"");
}

BOOST_AUTO_TEST_CASE(numbers_that_no_grid_can_hold_are_refused) {
  const std::string single = "\n[backend]\ndtype = \"float32\"\n";
  check_error(
      replaced(minimal, "upper = [1.0]", "upper = [1e-320]"),
      "domain.upper: expected cells whose width squares to a number of float64, got 1e-321");
  check_error(replaced(minimal, "upper = [1.0]", "upper = [1e-20]") + single,
              "domain.upper: expected cells whose width squares to a number of float32");
  check_error(replaced(minimal, "viscosity = 0.1", "viscosity = 1e308"),
              "model.viscosity: expected a value whose quotient by h^2 is a number > 0 of float64");
  check_error(replaced(minimal, "horizon = 1.0", "horizon = 1e-320"),
              "time.horizon: expected time steps whose length is a number > 0 of float64");
  check_error(replaced(minimal, "cells = [10]", "cells = [2]\nboundary = \"periodic\""),
              "domain.cells: expected at least 3 cells on axis 0, which is periodic, got 2");
}

BOOST_AUTO_TEST_CASE(texts_that_are_no_names_of_files_are_refused) {
  const auto with = [](const char* line) { return minimal + "\n[output]\n" + line; };
  check_error(with("file = \"\""), "output.file: expected the name of a file");
  check_error(with("file = \"a\\u0000b.h5\""),
              "room.toml:16:8: output.file: expected a text without NUL characters");
  check_error(replaced(minimal, "[domain]", "title = \"\\u0000\"\n[domain]"),
              "title: expected a text without NUL characters");
  check_error(minimal + "\n[solver]\ninitial_guess = \"\"",
              "solver.initial_guess: expected \"zero\", \"coarse\" or the name of a result file");
}

BOOST_AUTO_TEST_CASE(what_a_later_version_brings_is_refused_by_name) {
  struct Case {
    const char *from, *to, *expected;
  };
  const std::vector<Case> cases{
      {"[model]", "[solver]\nscheme = \"neural\"\n[model]",
       "solver.scheme: \"neural\" is not yet supported; this version has \"implicit\", "
       "\"centred\", \"exponential\""},
      {"[model]", "[solver]\nscheme = \"splitting\"\n[model]",
       "solver.scheme: \"splitting\" is not yet supported"},
      {"[model]", "[solver]\ncoupling = \"primal_dual\"\n[model]",
       "solver.coupling: \"primal_dual\" is not yet supported; this version has \"auto\", "
       "\"picard\", \"fictitious_play\", \"anderson\", \"policy\", \"newton\""},
      {"[model]", "[neural]\nlayers = 3\n[model]", "neural: not yet supported"},
  };
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(c.to) { check_error(replaced(minimal, c.from, c.to), c.expected); }
  }
}

Family read_sweep(const std::string& text, const std::vector<Override>& overrides = {}) {
  return read_family(std::make_shared<const Source>(Source{"room.toml", text}), overrides);
}

BOOST_AUTO_TEST_CASE(a_sweep_is_every_combination_or_lists_that_go_together) {
  const std::string lists =
      "[sweep]\n\"model.viscosity\" = [0.2, 1]\nmodel.running_cost = [\"m\", 0, \"x\"]\n";
  const Family product = read_sweep(minimal + lists);
  BOOST_TEST(product.members.size() == 6);
  BOOST_TEST(product.members[4].config.populations[0].viscosity == 1.0);
  BOOST_TEST(product.members[4].config.populations[0].running_cost.to_string() == "0");
  BOOST_TEST(product.description(5) == "model.viscosity = 1, model.running_cost = x");
  BOOST_TEST((product.parameters[0].numbers == std::vector{0.2, 1.0}));
  BOOST_TEST(product.parameters[1].numbers.empty());
  BOOST_TEST(product.continuation);
  const Family again = read_sweep(to_toml(product));
  BOOST_TEST(to_toml(again) == to_toml(product));
  BOOST_TEST(again.members.size() == 6);

  const Family pairs = read_sweep(minimal +
                                  "[sweep]\nmode = \"zip\"\ncontinuation = false\n"
                                  "\"time.steps\" = [4, 8]\n\"domain.cells\" = [[10], [20]]\n");
  BOOST_TEST(pairs.members.size() == 2);
  BOOST_TEST(!pairs.continuation);
  BOOST_TEST(pairs.members[1].config.time.steps == 8);
  BOOST_TEST(pairs.members[1].config.domain.cells[0] == 20);
  BOOST_TEST(to_toml(read_sweep(to_toml(pairs))) == to_toml(pairs));

  // A required key may stand in the sweep alone, and the command line may bring all of it.
  BOOST_TEST(read_sweep(replaced(minimal, "viscosity = 0.1", "mass = 2") +
                        "[sweep]\nmodel.viscosity = [0.1, 0.2]\n")
                 .members.size() == 2);
  BOOST_TEST(
      read_sweep(minimal, {parse_setting("--set", "sweep.model.mass=[1, 2, 3]")}).members.size() ==
      3);
  BOOST_TEST(!read_sweep(minimal).is_sweep());
  BOOST_TEST(to_toml(read_sweep(minimal)) == to_toml(read(minimal)));
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_any_run_of_a_sweep_is_told_once) {
  const auto check_sweep = [](const std::string& table, const std::string& expected) {
    BOOST_TEST_CONTEXT(table) {
      std::string found;
      try {
        read_sweep(minimal + "[sweep]\n" + table + "\n");
      } catch (const ConfigErrors& errors) {
        BOOST_TEST(errors.diagnostics().size() == 1U);
        found = errors.what();
      }
      BOOST_TEST(found.find(expected) != std::string::npos, found);
    }
  };
  check_sweep("", "sweep: expected a key with a list of values for it");
  check_sweep("model.viscosity = 0.1", "sweep.model.viscosity: expected a list of values");
  check_sweep("model.viscosity = []", "sweep.model.viscosity: expected a list of values");
  check_sweep("model.viscosity = [0.1, -1, 0.2]", "model.viscosity: expected a number > 0, got");
  check_sweep("model.running_cost = [\"m\", \"q\"]", "unknown name 'q'");
  check_sweep("model.viscosty = [0.1]", "unknown key; did you mean 'model.viscosity'?");
  check_sweep("mdoe = \"zip\"", "sweep.mdoe: unknown key; did you mean 'sweep.mode'?");
  check_sweep("mode = \"zipp\"\nmodel.mass = [1]", "sweep.mode: expected one of \"product\"");
  check_sweep("continuation = 1\nmodel.mass = [1]", "sweep.continuation: expected true or false");
  check_sweep("output.stride = [1, 2]", "sweep.output.stride: all runs of a family share it");
  check_sweep("mode = \"zip\"\nmodel.mass = [1, 2]\ntime.steps = [1, 2, 3]",
              "sweep.time.steps: expected 2 values, as model.mass has, which go together, got 3");
  check_sweep("\"model.mass\" = [1]\nmodel.mass = [2]", "sweep.model.mass: stands twice");
  check_sweep("\"population.3.mass\" = [1]", "there is no such place in the configuration");
  std::string many = "[1";
  for (int k = 2; k <= 101; ++k) many += ", " + std::to_string(k);
  check_sweep("model.mass = " + many + "]\ntime.steps = " + many + "]",
              "sweep: expected 10000 runs at most, got 10201");
  check_error(minimal + "[sweep]\nmodel.mass = [1]\n",
              "sweep: a family of runs cannot stand here, only one");
  BOOST_CHECK_THROW(read_sweep("sweep = 3\n" + minimal), ConfigErrors);
}

BOOST_AUTO_TEST_CASE(populations_know_each_other_by_name) {
  const std::string first = replaced(minimal, "[model]", "[[population]]\nname = \"a\"");
  const std::string second =
      "[[population]]\nname = \"b\"\nviscosity = 1\ninitial_density = \"1\"\n"
      "nonlocal = { kernel = \"exp(-x^2)\", applied_to = \"crowd\" }\n";
  const auto with_cost = [&](const std::string& cost) {
    return first + second + "running_cost = \"" + cost + "\"\n";
  };
  const mfg::Config config = read(with_cost("m + m_a*mean_x_b + crowd + crowd_b"));
  BOOST_TEST(config.populations.size() == 2);
  BOOST_TEST(config.populations[1].name == "b");
  BOOST_TEST(config.populations[1].nonlocal.kernel->to_string() == "exp(-x^2)");
  BOOST_TEST(to_toml(read(to_toml(config))) == to_toml(config));
  check_error(with_cost("m_c"), "population[1].running_cost: unknown name 'm_c'");
  check_error(with_cost("crowd_a"), "population[1].running_cost: unknown name 'crowd_a'");
  check_error(replaced(with_cost("m"), "name = \"b\"", "name = \"a\""),
              "population[0].name: expected a name of its own, got \"a\", as another population "
              "has");
  // Alone, a population needs no name, and formulas have none for it.
  check_error(replaced(minimal, "[model]", "[model]\nrunning_cost = \"m_0\""),
              "model.running_cost: unknown name 'm_0'");
}

BOOST_AUTO_TEST_CASE(an_ergodic_game_needs_no_time_and_no_beginning) {
  const std::string text =
      "domain = { lower = [0], upper = [1], cells = [8] }\n"
      "[model]\nviscosity = 1\nergodic = true\n";
  const mfg::Config config = read(text);
  BOOST_TEST(config.ergodic());
  BOOST_TEST(config.time.steps == 1);
  const std::string written = to_toml(config);
  for (const char* const absent : {"[time]", "steps", "initial_density", "terminal_cost"})
    BOOST_TEST(written.find(absent) == std::string::npos);
  BOOST_TEST(to_toml(read(written)) == written);
  const std::string massive =
      to_toml(read(text + "mass = \"as given\"\ninitial_density = \"2\"\n"));
  BOOST_TEST(massive.find("initial_density = \"2\"") != std::string::npos);
  BOOST_TEST(to_toml(read(massive)) == massive);
}

BOOST_AUTO_TEST_CASE(drift_has_a_component_for_each_axis) {
  const mfg::Config config =
      read(replaced(minimal, "[model]", "[model]\ndrift = [\"sin(t) + x\"]\ndiscount = 0.3"));
  BOOST_TEST(config.populations[0].drift.at(0).to_string() == "sin(t) + x");
  BOOST_TEST(config.populations[0].discount == 0.3);
  BOOST_TEST(to_toml(read(to_toml(config))) == to_toml(config));
  check_error(replaced(minimal, "[model]", "[model]\ndrift = [\"x\", \"t\"]"),
              "model.drift: expected 1 value, one per axis of domain.cells, got 2");
  check_error(replaced(minimal, "[model]", "[model]\ndrift = \"x\""),
              "model.drift: expected a list, per axis an expression of x, t, got");
  check_error(replaced(minimal, "[model]", "[model]\ndrift = [\"m\"]"),
              "model.drift: unknown name 'm'");
  check_error(replaced(minimal, "[model]", "[model]\ndrift = [\"1/(t - t)\"]"),
              "model.drift: expected a finite value, got inf at x = 0.05");
}

BOOST_AUTO_TEST_CASE(a_convolution_has_a_kernel_and_a_name_of_its_own) {
  check_error(replaced(minimal, "[model]", "[model]\nnonlocal = { weight = 2.0 }"),
              "model.nonlocal.weight: has no meaning without kernel, which is missing");
  for (const char* name : {"m", "x", "t", "sin", "pi", "mean_x", "m_a", "2k", "", "a b"}) {
    check_error(replaced(minimal, "[model]",
                         std::string("[model]\nnonlocal = { kernel = \"1\", applied_to = \"") +
                             name + "\" }"),
                "model.nonlocal.applied_to: expected a name that formulas do not have yet");
  }
  check_error(replaced(minimal, "[model]", "[model]\nrunning_cost = \"k\""),
              "model.running_cost: unknown name 'k'");
}

BOOST_AUTO_TEST_CASE(a_planner_needs_a_convex_problem) {
  const std::string text =
      replaced(minimal, "[model]", "[model]\nhamiltonian = { congestion = 1.5 }");
  BOOST_TEST(!read(text).control);
  BOOST_TEST(read("control = true\n" + minimal).control);
  check_error("control = true\n" + text,
              "model.hamiltonian.congestion: expected at most 1 where control = true, got 1.5");
}

BOOST_AUTO_TEST_CASE(all_mistakes_of_a_file_come_in_one_run_from_top_to_bottom) {
  std::string text = replaced(minimal, "[10]", "[1]");
  text = replaced(text, "steps = 5", "steps = 0");
  text = replaced(text, "viscosity", "viscosty");
  const std::vector<Diagnostic> errors = errors_of(text);
  std::vector<std::string> keys;
  for (const Diagnostic& error : errors) keys.push_back(error.key);
  BOOST_TEST(keys == (std::vector<std::string>{"domain.cells", "time.steps", "model.viscosity",
                                               "model.viscosty"}),
             boost::test_tools::per_element());
  const std::vector<Diagnostic> empty = errors_of("");
  BOOST_TEST(empty.size() == 6U);
  BOOST_TEST(to_string(empty[0]) == "room.toml: model: the table [model] is missing");
}

BOOST_AUTO_TEST_CASE(the_caret_stands_below_the_mistake) {
  BOOST_TEST(error_of(replaced(minimal, "viscosity = 0.1",
                               "viscosity = 0.1\nrunning_cost = \"2*qq + 1\"")) ==
             "room.toml:13:19: model.running_cost: unknown name 'qq'; the variables here are x, t, "
             "m, mean_x\n  running_cost = \"2*qq + 1\"\n                    ^~");
}

BOOST_AUTO_TEST_CASE(settings_of_the_command_line_are_stronger_than_the_file) {
  const auto set = [](std::string_view text) { return parse_setting("--set", text); };
  const mfg::Config config =
      read(minimal, {set("model.viscosity=0.3"), set("solver.damping = 0.25"), set("title=3 rooms"),
                     set("model.running_cost=m + x"), set("solver.coupling=newton"),
                     set("domain.cells=[12]"), set("model.hamiltonian.exponent=3"),
                     set("model.mass=as given"), set("output.file=\"b.h5\""),
                     set("domain.boundary=[{lower=\"exit\", upper=\"reflecting\"}]")});
  BOOST_TEST(config.populations[0].viscosity == 0.3);
  BOOST_TEST(config.solver.damping == 0.25);
  BOOST_TEST(config.title == "3 rooms");
  BOOST_TEST(config.populations[0].running_cost.to_string() == "m + x");
  BOOST_CHECK(config.solver.coupling == mfg::Coupling::newton);
  BOOST_TEST(config.domain.cells[0] == 12);
  BOOST_TEST(config.populations[0].hamiltonian.exponent == 3.0);
  BOOST_TEST(!config.populations[0].mass.has_value());
  BOOST_TEST(config.output.file == "b.h5");
  BOOST_CHECK(config.domain.boundary[0].lower == mfg::Boundary::exit);
}

BOOST_AUTO_TEST_CASE(mistakes_in_settings_are_named_with_the_option) {
  const auto message = [](const char* text) {
    return error_of(minimal, {parse_setting("--set", text)});
  };
  const auto begins = [&](const char* text, std::string_view expected) {
    BOOST_TEST(message(text).starts_with(expected), message(text));
  };
  begins("model.viscosty=1",
         "--set:1:1: model.viscosty: unknown key; did you mean 'model.viscosity'?");
  begins("model.viscosity=abc",
         "--set:1:17: model.viscosity: expected a number > 0, got the text \"abc\"");
  begins("domain.cells=[10", "--set:1:17: not valid TOML: ");
  begins("model.running_cost=2*q", "--set:1:22: model.running_cost: unknown name 'q'");
  begins("..=1", "--set:1:1: ..: not the name of a key");
  begins("a b=1", "--set:1:1: a b: not the name of a key");
  begins("title.x=1", "--set:1:1: title: expected a text, got a table");
  begins("time.horizon.x=1", "--set:1:1: time.horizon.x: there is no such place");
  begins("time.horizon=1\ntime.steps=2", "--set:1:14: time.horizon: a value stands on one line");
  BOOST_CHECK_THROW(parse_setting("--set", "model.viscosity"), ConfigErrors);
}

BOOST_AUTO_TEST_CASE(what_is_not_toml_is_refused_with_its_place) {
  check_error("a = 1\n[&\n", "room.toml:2:1: not valid TOML: the name of a table must follow '['");
  check_error("a = \"\x01\"", "room.toml:1:6: control character 0x01 cannot stand in a document");
  check_error("a = 1\rb = 2", "control character 0x0D");
  check_error("# \xC3\xA4\na = \"\xC3(\"", "room.toml:2:6: byte 0xC3 is not valid UTF-8");
  check_error("\xED\xA0\x80", "byte 0xED is not valid UTF-8");
  check_error("\xF4\x90\x80\x80", "byte 0xF4 is not valid UTF-8");
  check_error("\xC0\x80", "byte 0xC0 is not valid UTF-8");
  check_error(
      "\xC3\xA4 = 1",
      "room.toml:1:1: not valid TOML: characters beyond ASCII belong in quotes or comments");
  check_error("a = 1\na = 2", "room.toml:2:5: not valid TOML: ");
  check_error("d = 1979-05-27T:32:00Z", "room.toml:1:1: not valid TOML: this line cannot be read");
  check_error("a = " + std::string(1000, '['), "not valid TOML: ");
  std::string key = "a";
  for (int i = 0; i < 100000; ++i) key += ".a";
  check_error(key + " = 1", "room.toml:1:34: not valid TOML: a key of more than 16 parts");
  check_error(std::string(std::size_t{1} << 21, '#'), "the document is larger than 1 MiB");
  BOOST_TEST(read("\xEF\xBB\xBF" + minimal).domain.cells[0] == 10);
  std::string windows;
  for (const char c : minimal) windows += c == '\n' ? "\r\n" : std::string(1, c);
  BOOST_TEST(read(windows).domain.cells[0] == 10);
}

BOOST_AUTO_TEST_CASE(texts_beyond_ascii_are_read_as_written) {
  const std::string text = replaced(minimal, "[domain]",
                                    "# \xC3\xA9 ~\ntitle = \"\xE3\x81\x82 ~`@ \\u00e9 \xC3\xA9 "
                                    "\xF0\x9F\x98\x80\"  # \xC3\xA4\n[domain]");
  BOOST_TEST(read(text).title == "\xE3\x81\x82 ~`@ \xC3\xA9 \xC3\xA9 \xF0\x9F\x98\x80");
  BOOST_TEST(read(to_toml(read(text))).title == read(text).title);
  check_error(replaced(minimal, "[domain]", "\"sch\xC3\xB6n\" = 1\n[domain]"),
              "room.toml:2:1: sch\xC3\xB6n: unknown key");
}

BOOST_AUTO_TEST_CASE(mutated_documents_never_end_the_process) {
  std::mt19937 random(7);
  const auto pick = [&](std::size_t n) { return random() % n; };
  const std::string seed = std::string(templates()[0].text) +
                           "a.b = 1979-05-27T07:32:00Z\nc = '''x\n'''\nd = \"\"\"\\\n y\"\"\"\n";
  const std::vector<std::string> parts{
      "[",    "]",        "{",      "}",   "=",  ".",  ",",    "\"",  "'",        "#",
      "\n",   "\\",       "\"\"\"", "'''", "[[", "]]", "&",    "\\u", "0x",       "1e",
      "inf",  "1979-05-", "07:3",   "T",   "-",  "_",  "\x01", "\t",  "\xC3\xA9", "\xE3\x81\x82",
      "\xFF", "true"};
  int read_well = 0;
  for (int i = 0; i < 5000; ++i) {
    std::string text = seed;
    if (pick(3) == 0) text = text.substr(pick(text.size()), 1 + pick(80));
    for (std::size_t n = 1 + pick(6); n > 0 && !text.empty(); --n) {
      const std::size_t at = pick(text.size());
      if (pick(3) == 0) {
        text.erase(at, 1 + pick(5));
      } else {
        text.insert(at, parts[pick(parts.size())]);
      }
    }
    try {
      read(text);
      ++read_well;
    } catch (const ConfigErrors& errors) {
      if (errors.diagnostics().empty()) BOOST_ERROR("no reason given for: " + text);
    }
  }
  // The keys below the seed's end are unknown, so that only mutations which cut them off read well.
  BOOST_TEST(read_well < 5000);
}

BOOST_AUTO_TEST_CASE(every_key_has_a_sentence_and_its_default_is_accepted) {
  for (const Key& key : config_table()) {
    BOOST_TEST_CONTEXT(key.path) {
      BOOST_TEST(key.about.ends_with("."));
      BOOST_TEST(!expectation(key, Surroundings{2, {}, {}}, 0).empty());
      if (key.fallback.empty() || key.required()) continue;
      std::vector<Override> settings;
      if (!key.beside.empty()) settings.push_back({"--set", std::string(key.beside), "1"});
      const std::string before = to_toml(read(minimal, settings));
      settings.push_back({"--set", std::string(key.path), std::string(key.fallback)});
      BOOST_TEST(to_toml(read(minimal, settings)) == before);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
