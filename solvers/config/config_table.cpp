#include "config_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <type_traits>
#include <utility>

namespace isofield::mfg_solve {
namespace {

using mfg::Config;
using mfg::Expression;

using D = mfg::DomainConfig;
using T = mfg::TimeConfig;
using P = mfg::PopulationConfig;
using H = mfg::HamiltonianConfig;
using N = mfg::NonlocalConfig;
using S = mfg::SolverConfig;
using B = mfg::BackendConfig;
using O = mfg::OutputConfig;

/// Make the access to a member of a member of a configuration.
template <auto... Members>
constexpr auto field() {
  using Value = std::remove_reference_t<decltype((std::declval<Config&>().*....*Members))>;
  return Access<Value>{[](Config& c, std::size_t) -> Value& { return (c.*....*Members); }};
}

/// The same, of the population asked for.
template <auto... Members>
constexpr auto of_population() {
  using Value = std::remove_reference_t<decltype((std::declval<P&>().*....*Members))>;
  return Access<Value>{
      [](Config& c, std::size_t p) -> Value& { return (c.populations[p].*....*Members); }};
}

using Texts = std::vector<std::string_view>;
using Numbers = std::vector<double>;
using Integers = std::vector<std::int64_t>;
using Boundaries = std::vector<mfg::AxisBoundary>;
using Formula = std::optional<Expression>;
using Formulas = std::vector<Expression>;
using Mass = std::optional<double>;

const Texts space{"x", "y", "z"};
const Texts space_time{"x", "y", "z", "t"};
const Texts space_density{"x", "y", "z", "m", "mean_x", "mean_y", "mean_z"};
const Texts space_time_density{"x", "y", "z", "t", "m", "mean_x", "mean_y", "mean_z"};

constexpr Range above(double low) { return {.low = low, .open_low = true}; }
constexpr Range from(double low) { return {.low = low}; }
constexpr Range between(double low, double high) { return {.low = low, .high = high}; }
constexpr Range share{.low = 0, .high = 1, .open_low = true};
constexpr Range inside_unit{.low = 0, .high = 1, .open_low = true, .open_high = true};

// A row of the table, by what is particular about the key.
Key key(std::string_view path, Target target, std::string_view fallback, std::string_view about,
        Range range = {}) {
  return {path, target, fallback, about, range};
}

Key formula(std::string_view path, Target target, std::string_view fallback, std::string_view about,
            Texts variables, Range range = {}) {
  return {path, target, fallback, about, range, {}, std::move(variables)};
}

Key choice(std::string_view path, Target target, std::string_view fallback, std::string_view about,
           Texts choices) {
  return {path, target, fallback, about, {}, std::move(choices)};
}

/// Accept only some values yet; those of the other rows are refused by name.
Key only(Texts supported, Key row) {
  row.supported = std::move(supported);
  return row;
}

/// A key that has no meaning without another one.
Key beside(std::string_view other, Key row) {
  row.beside = other;
  return row;
}

/// A key that has no meaning in an ergodic game, for which `instead` does.
Key timed(std::string_view instead, Key row) {
  row.stationary = instead;
  return row;
}

/// Know a key or table that a later version brings.
Key later(std::string_view path, std::string_view about) {
  return only({"(none)"}, {path, std::monostate{}, "", about});
}

const std::vector<Key> table{
    key("title", field<&Config::title>(), "\"\"", "A title for pictures and files."),
    key("control", field<&Config::control>(), "false",
        "Whether a planner minimises what all pay together, instead of each his own."),

    key("domain.lower", field<&Config::domain, &D::lower>(), "required",
        "Lower corner of the box, a number per axis."),
    key("domain.upper", field<&Config::domain, &D::upper>(), "required",
        "Upper corner of the box, a number per axis."),
    key("domain.cells", field<&Config::domain, &D::cells>(), "required",
        "Cells per axis; their count is the number of axes.", between(2, 1e6)),
    key("domain.boundary", field<&Config::domain, &D::boundary>(), "\"reflecting\"",
        "The ends of each axis: \"periodic\", \"reflecting\", \"exit\", or lower and upper apart."),
    formula("domain.obstacle", field<&Config::domain, &D::obstacle>(), "",
            "Where it holds, nobody can be.", space),
    formula("domain.exit", field<&Config::domain, &D::exit>(), "",
            "Where it holds, people leave: u is exit_cost and m is 0.", space),
    key("domain.mask", field<&Config::domain, &D::mask>(), "",
        "What cells are besides, from an HDF5 file, FILE.h5:/DATASET or /grid/mask of FILE.h5: 0 "
        "free, 1 obstacle, 2 exit; one number a cell."),
    formula("domain.exit_cost", field<&Config::domain, &D::exit_cost>(), "\"0\"",
            "Cost of leaving: u in exit cells and beyond faces of kind \"exit\".", {}),

    timed("1.0", key("time.horizon", field<&Config::time, &T::horizon>(), "required",
                     "Final time T; not in an ergodic game.", above(0))),
    timed("1", key("time.steps", field<&Config::time, &T::steps>(), "required",
                   "Steps of equal length from 0 to T; not in an ergodic game.", between(1, 1e7))),

    key("model.name", of_population<&P::name>(), "\"0\"",
        "Name of the population, in files and in variables m_NAME."),
    key("model.viscosity", of_population<&P::viscosity>(), "required",
        "nu = sigma^2/2, the strength of the noise.", above(0)),
    formula("model.hamiltonian.scale", of_population<&P::hamiltonian, &H::scale>(), "\"0.5\"",
            "c(x) in H = c(x) |q|^exponent / (m + offset)^congestion.", space, above(0)),
    key("model.hamiltonian.exponent", of_population<&P::hamiltonian, &H::exponent>(), "2.0",
        "Growth of the Hamiltonian in the gradient.", above(1)),
    key("model.hamiltonian.congestion", of_population<&P::hamiltonian, &H::congestion>(), "0.0",
        "How much a crowd slows those in it; 0: not at all.", from(0)),
    key("model.hamiltonian.offset", of_population<&P::hamiltonian, &H::offset>(), "1.0",
        "Keeps congestion finite where nobody is.", above(0)),
    formula("model.drift", of_population<&P::drift>(), "",
            "b, a velocity that carries everybody, an expression per axis.", space_time),
    key("model.discount", of_population<&P::discount>(), "0.0",
        "rho, by which later costs count less, a rate per unit of time.", from(0)),
    formula("model.running_cost", of_population<&P::running_cost>(), "\"0\"",
            "F, the cost per unit of time; positive costs repel.", space_time_density),
    timed("\"0\"",
          formula("model.terminal_cost", of_population<&P::terminal_cost>(), "\"0\"",
                  "G, the cost at the final time; not in an ergodic game.", space_density)),
    timed("\"1\"",
          formula("model.initial_density", of_population<&P::initial_density>(), "required",
                  "m at time 0, up to the factor that mass asks for; in an ergodic game "
                  "only beside mass = \"as given\".",
                  space, from(0))),
    key("model.mass", of_population<&P::mass>(), "1.0",
        "Mass of the initial density on the free cells; \"as given\": not scaled.", above(0)),
    formula("model.nonlocal.kernel", of_population<&P::nonlocal, &N::kernel>(), "",
            "Kernel of a convolution of the density, of the offsets x y z between two places; "
            "without it there is none.",
            space),
    beside("model.nonlocal.kernel",
           key("model.nonlocal.weight", of_population<&P::nonlocal, &N::weight>(), "1.0",
               "Factor of the kernel.")),
    beside("model.nonlocal.kernel",
           key("model.nonlocal.applied_to", of_population<&P::nonlocal, &N::applied_to>(), "\"k\"",
               "The variable that costs have for the convolution.")),
    formula("model.target_density", of_population<&P::target_density>(), "",
            "m at the final time (planning), up to the factor that gives it the initial mass; then "
            "there is no terminal_cost.",
            space, from(0)),
    key("model.ergodic", of_population<&P::ergodic>(), "false",
        "Whether the game goes on for ever: lambda, paid per unit of time, and a density that "
        "stays."),

    only({"\"implicit\"", "\"centred\"", "\"exponential\""},
         choice("solver.scheme", field<&Config::solver, &S::scheme>(), "\"implicit\"",
                "How space and time are discretised; \"centred\" and \"exponential\" are of second "
                "order.",
                {"implicit", "centred", "exponential", "semi_lagrangian", "splitting", "neural"})),
    only({"\"auto\"", "\"picard\"", "\"fictitious_play\"", "\"anderson\"", "\"policy\"",
          "\"newton\""},
         choice(
             "solver.coupling", field<&Config::solver, &S::coupling>(), "\"auto\"",
             "How the two equations are brought to agree.",
             {"auto", "picard", "fictitious_play", "anderson", "policy", "newton", "primal_dual"})),
    key("solver.tolerance", field<&Config::solver, &S::tolerance>(), "1e-8",
        "Residual of the discrete system to reach: max norm, scaled.", inside_unit),
    key("solver.max_iterations", field<&Config::solver, &S::max_iterations>(), "200",
        "Outer iterations at most.", between(1, 1e9)),
    key("solver.damping", field<&Config::solver, &S::damping>(), "0.5",
        "Share of the new density in a Picard step or one of policy iteration.", share),
    key("solver.initial_guess", field<&Config::solver, &S::initial_guess>(), "\"coarse\"",
        "\"zero\", \"coarse\" (solve on coarser grids first) or the name of a result file."),

    key("backend.name", field<&Config::backend, &B::name>(), "\"auto\"",
        "Backend that computes, name[:device[:index]], or auto; mfg_solve --list-backends names "
        "them."),
    key("backend.device", field<&Config::backend, &B::device>(), "\"auto\"",
        "Device of the backend, kind[:index], or auto."),
    choice("backend.dtype", field<&Config::backend, &B::dtype>(), "\"float64\"",
           "Precision of the arrays.", {"float64", "float32"}),
    key("backend.threads", field<&Config::backend, &B::threads>(), "0", "Threads; 0: all.",
        between(0, 4096)),

    key("output.file", field<&Config::output, &O::file>(), "",
        "Result file, relative to the working directory; without it the configuration's name "
        "with .h5."),
    key("output.stride", field<&Config::output, &O::stride>(), "1",
        "Keep every stride-th time level.", between(1, 1e7)),
    key("output.compression", field<&Config::output, &O::compression>(), "4",
        "Effort of the compression; 0: none.", between(0, 9)),
    key("output.checkpoint_every", field<&Config::output, &O::checkpoint_every>(), "10",
        "Outer iterations between checkpoints; 0: never.", between(0, 1e9)),
    key("output.xdmf", field<&Config::output, &O::xdmf>(), "true",
        "Write a sidecar that ParaView opens."),
    key("output.particles", field<&Config::output, &O::particles>(), "0",
        "Particles of each population to carry along the best policy and keep; not in an ergodic "
        "game.",
        between(0, 1e8)),
    key("output.particle_seed", field<&Config::output, &O::particle_seed>(), "0",
        "Decides the particles' random numbers.", between(0, 9e15)),

    later("neural", "Settings of the neural scheme."),
};

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};

std::string to_toml(double value) {
  std::string text = fmt::format("{}", value);
  // TOML tells numbers from integers by a point or an exponent.
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

std::string to_toml(const mfg::AxisBoundary& axis) {
  if (axis.lower == axis.upper) return quoted_toml(mfg::to_string(axis.lower));
  return fmt::format("{{ lower = {}, upper = {} }}", quoted_toml(mfg::to_string(axis.lower)),
                     quoted_toml(mfg::to_string(axis.upper)));
}

std::string to_toml(std::int64_t value) { return std::to_string(value); }

template <class T>
std::string list_to_toml(const std::vector<T>& values) {
  std::string text = "[";
  for (const T& value : values) text += (text.size() > 1 ? ", " : "") + to_toml(value);
  return text + "]";
}

}  // namespace

std::string range_words(const Range& range) {
  std::string words;
  if (range.low) words += fmt::format(" {} {}", range.open_low ? ">" : ">=", *range.low);
  if (range.low && range.high) words += " and";
  if (range.high) words += fmt::format(" {} {}", range.open_high ? "<" : "<=", *range.high);
  return words;
}

std::span<const Key> config_table() { return table; }

const Key* find_key(std::string_view path) {
  const auto found = std::ranges::find(table, path, &Key::path);
  return found == table.end() ? nullptr : &*found;
}

std::vector<std::string> variables_of(const Key& key, const Surroundings& in,
                                      std::size_t population) {
  std::vector<std::string> names, of_density;
  for (const std::string_view name : key.variables) {
    const std::size_t axis = std::string_view("xyz").find(name.back());
    const bool of_space =
        axis != std::string_view::npos && (name.size() == 1 || name.starts_with("mean_"));
    if (of_space && axis >= in.axes) continue;
    names.emplace_back(name);
    if (name == "m" || name.starts_with("mean_")) of_density.emplace_back(name);
  }
  if (of_density.empty()) return names;
  const auto convolution = [&](std::size_t p) {
    return p < in.convolutions.size() ? in.convolutions[p] : std::nullopt;
  };
  if (const auto own = convolution(population)) names.push_back(*own);
  for (std::size_t p = 0; in.populations.size() > 1 && p < in.populations.size(); ++p) {
    for (const std::string& name : of_density) names.push_back(name + "_" + in.populations[p]);
    if (const auto theirs = convolution(p)) names.push_back(*theirs + "_" + in.populations[p]);
  }
  return names;
}

std::string expectation(const Key& key, const Surroundings& in, std::size_t population) {
  const auto expression = [&] {
    const std::vector<std::string> names = variables_of(key, in, population);
    return names.empty() ? std::string("a constant expression")
                         : fmt::format("an expression of {}", fmt::join(names, ", "));
  };
  const auto choice = [&] {
    return fmt::format("one of \"{}\"", fmt::join(key.choices, "\", \""));
  };
  return std::visit(
      Overloaded{
          [&](Access<std::string>) {
            return key.choices.empty() ? std::string("a text") : choice();
          },
          [](Access<bool>) { return std::string("true or false"); },
          [&](Access<double>) { return "a number" + range_words(key.range); },
          [&](Access<std::int64_t>) { return "an integer" + range_words(key.range); },
          [](Access<Numbers>) { return std::string("a list of numbers, one per axis"); },
          [&](Access<Integers>) {
            return "a list of integers" + range_words(key.range) + ", one per axis";
          },
          [](Access<Boundaries>) {
            return std::string(
                "a list, per axis \"periodic\", \"reflecting\", \"exit\" or "
                "{ lower = \"...\", upper = \"...\" }");
          },
          [&](Access<mfg::Scheme>) { return choice(); },
          [&](Access<mfg::Coupling>) { return choice(); },
          [&](Access<Expression>) { return expression(); },
          [&](Access<Formula>) { return expression(); },
          [&](Access<Formulas>) { return "a list, per axis " + expression(); },
          [&](Access<Mass>) { return "a number" + range_words(key.range) + " or \"as given\""; },
          [](std::monostate) { return std::string("nothing yet"); },
      },
      key.target);
}

std::string quoted_toml(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20U || byte == 0x7FU) {
      quoted += fmt::format("\\u{:04X}", byte);
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string value_to_toml(const Key& key, const Config& config, std::size_t population) {
  if (!key.beside.empty() && value_to_toml(*find_key(key.beside), config, population).empty())
    return "";
  auto& c =
      const_cast<Config&>(config);  // one accessor serves reading and filling; it only reads here
  const auto p = population;
  const auto formula = [](const Expression& e) { return quoted_toml(e.to_string()); };
  return std::visit(
      Overloaded{
          [&](Access<std::string> at) {
            const bool left_out = key.fallback.empty() && at(c, p).empty();
            return left_out ? std::string() : quoted_toml(at(c, p));
          },
          [&](Access<bool> at) { return std::string(at(c, p) ? "true" : "false"); },
          [&](Access<double> at) { return to_toml(at(c, p)); },
          [&](Access<std::int64_t> at) { return to_toml(at(c, p)); },
          [&](Access<Numbers> at) { return list_to_toml(at(c, p)); },
          [&](Access<Integers> at) { return list_to_toml(at(c, p)); },
          [&](Access<Boundaries> at) { return list_to_toml(at(c, p)); },
          [&](Access<mfg::Scheme> at) { return quoted_toml(mfg::to_string(at(c, p))); },
          [&](Access<mfg::Coupling> at) { return quoted_toml(mfg::to_string(at(c, p))); },
          [&](Access<Expression> at) { return formula(at(c, p)); },
          [&](Access<Formula> at) { return at(c, p) ? formula(*at(c, p)) : std::string(); },
          [&](Access<Formulas> at) {
            std::vector<std::string> texts;
            for (const Expression& e : at(c, p)) texts.push_back(formula(e));
            return texts.empty() ? std::string() : fmt::format("[{}]", fmt::join(texts, ", "));
          },
          [&](Access<Mass> at) { return at(c, p) ? to_toml(*at(c, p)) : quoted_toml("as given"); },
          [](std::monostate) { return std::string(); },
      },
      key.target);
}

}  // namespace isofield::mfg_solve
