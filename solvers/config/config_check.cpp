#include "config_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <isofield/mfg/results.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "config_table.hpp"

namespace isofield::mfg_solve {
namespace {

class Checker : Findings {
 public:
  Checker(const mfg::Config& config, const Given& given, std::vector<Diagnostic>& errors)
      : Findings(given, errors), config_(config), given_(given) {}

  void check() {
    check_grid();
    check_time();
    check_backend();
    check_files();
    for (std::size_t p = 0; p < given_.populations.size(); ++p) {
      check_population(config_.populations[p], given_.populations[p]);
    }
    check_ergodic();
  }

 private:
  void check_grid() {
    const mfg::DomainConfig& domain = config_.domain;
    if (!sound("domain.cells") || !given_.places.contains("domain.cells")) return;
    const std::size_t axes = domain.axes();
    if (axes < 1 || axes > 3) {
      return error("domain.cells", fmt::format("expected 1, 2 or 3 axes, got {}", axes));
    }
    check_count("domain.lower", domain.lower.size(), axes);
    check_count("domain.upper", domain.upper.size(), axes);
    check_count("domain.boundary", domain.boundary.size(), axes);
    double unknowns = 1;
    for (const std::int64_t cells : domain.cells) unknowns *= static_cast<double>(cells);
    if (unknowns > 1e9) {
      error("domain.cells", fmt::format("expected 1e9 cells at most, got {:.1e}", unknowns));
    }
    if (!sound("domain.lower") || !sound("domain.upper")) return;
    for (std::size_t k = 0; k < std::min(domain.lower.size(), domain.upper.size()); ++k) {
      if (domain.lower[k] < domain.upper[k]) continue;
      error("domain.upper", fmt::format("expected more than domain.lower on axis {}: {} is not "
                                        "above {}",
                                        k, domain.upper[k], domain.lower[k]));
    }
    check_cells();
  }

  /// Cells must be enough for the ends of their axis, and of a width that squares to a number.
  void check_cells() {
    const mfg::DomainConfig& domain = config_.domain;
    if (!sound("domain.cells") || !sound("domain.upper")) return;
    for (std::size_t k = 0; k < domain.axes(); ++k) {
      const bool periodic =
          sound("domain.boundary") && domain.boundary[k].lower == mfg::Boundary::periodic;
      if (periodic && domain.cells[k] < 3) {
        error("domain.cells",
              fmt::format("expected at least 3 cells on axis {}, which is periodic, "
                          "got {}",
                          k, domain.cells[k]));
      }
      const double h = (domain.upper[k] - domain.lower[k]) / static_cast<double>(domain.cells[k]);
      if (is_usable(h * h) && is_usable(1 / (h * h))) continue;
      error("domain.upper", fmt::format("expected cells whose width squares to a number of {}, got "
                                        "{} on axis {}",
                                        config_.backend.dtype, h, k));
    }
  }

  void check_count(const std::string& key, std::size_t count, std::size_t axes) {
    if (!given_.places.contains(key) || !sound(key) || count == axes) return;
    error(key, fmt::format("expected {} value{}, one per axis of domain.cells, got {}", axes,
                           axes == 1 ? "" : "s", count));
  }

  void check_time() {
    const double dt = config_.time.horizon / static_cast<double>(config_.time.steps);
    const bool timed = given_.places.contains("time.horizon") && sound("time.horizon");
    if (timed && sound("time.steps") && !(is_usable(dt) && is_usable(1 / dt))) {
      error("time.horizon",
            fmt::format("expected time steps whose length is a number > 0 of {}, as "
                        "its reciprocal, got {}",
                        config_.backend.dtype, dt));
    }
    if (!sound("time.steps") || !sound("output.stride")) return;
    if (config_.output.stride <= config_.time.steps) return;
    if (!given_.places.contains("time.steps")) return;
    error("output.stride", fmt::format("expected at most time.steps = {}, got {}",
                                       config_.time.steps, config_.output.stride));
  }

  void check_backend() {
    const mfg::BackendConfig& backend = config_.backend;
    const std::size_t colon = backend.name.find(':');
    if (backend.name.empty()) error("backend.name", "expected the name of a backend, or \"auto\"");
    if (backend.device.empty()) error("backend.device", "expected a device, or \"auto\"");
    if (colon == std::string::npos || backend.device == "auto") return;
    if (backend.name.substr(colon + 1) == backend.device) return;
    error("backend.device",
          fmt::format("\"{}\" contradicts backend.name = \"{}\"", backend.device, backend.name));
  }

  void check_files() {
    if (config_.solver.initial_guess.empty() && sound("solver.initial_guess")) {
      error("solver.initial_guess", "expected \"zero\", \"coarse\" or the name of a result file");
    }
    const std::filesystem::path file = config_.output.file;
    if (!sound("output.file")) return;
    if (file.empty()) return error("output.file", "expected the name of a file");
    std::vector<std::filesystem::path> written{file};
    if (config_.output.xdmf) written.push_back(mfg::xdmf_path(file));
    for (const std::filesystem::path& path : written) {
      std::error_code ignored;
      if (!std::filesystem::equivalent(path, given_.source->name, ignored)) continue;
      error("output.file",
            fmt::format("expected another file, got the configuration itself, {}", path.string()));
    }
  }

  /// An ergodic game is one for all, has no end, and nobody leaves it or thinks less of later.
  void check_ergodic() {
    const std::vector<mfg::PopulationConfig>& all = config_.populations;
    if (std::ranges::none_of(all, &mfg::PopulationConfig::ergodic)) return;
    for (std::size_t p = 0; p < given_.populations.size(); ++p) {
      if (!all[p].ergodic) {
        error(given_.populations[p] + ".ergodic",
              "expected true, as another population has it: either all play an ergodic game or "
              "none does");
      }
      check_stationary(all[p], given_.populations[p]);
    }
    for (const Key& key : config_table()) {
      if (!key.stationary.empty() && !key.path.starts_with("model.")) refuse(std::string(key.path));
    }
    refuse("domain.exit");
    if (std::ranges::count(config_.domain.mask_kinds, std::uint8_t{2}) > 0)
      error("domain.mask", "expected no exit in an ergodic game: those who leave do not come back");
    for (const mfg::AxisBoundary& ends : config_.domain.boundary) {
      if (ends.lower != mfg::Boundary::exit && ends.upper != mfg::Boundary::exit) continue;
      error("domain.boundary",
            "expected no exit in an ergodic game: those who leave do not come back");
      break;
    }
    if (config_.output.stride != 1 && sound("output.stride")) {
      error("output.stride", "expected 1: an ergodic game has one level");
    }
    if (config_.output.particles != 0 && sound("output.particles")) {
      error("output.particles", "expected 0: an ergodic game has no time to move in");
    }
    const mfg::Coupling coupling = config_.solver.coupling;
    if (coupling != mfg::Coupling::automatic && coupling != mfg::Coupling::newton) {
      error("solver.coupling", fmt::format("expected \"auto\" or \"newton\", which ergodic games "
                                           "are solved by, got \"{}\"",
                                           mfg::to_string(coupling)));
    }
  }

  void check_stationary(const mfg::PopulationConfig& population, const std::string& at) {
    refuse(at + ".terminal_cost");
    refuse(at + ".target_density");
    if (population.mass) refuse(at + ".initial_density");
    if (!population.mass && !given_.places.contains(at + ".initial_density")) {
      error(at + ".mass", "\"as given\" has no meaning without initial_density, which is missing");
    }
    if (population.discount != 0 && sound(at + ".discount")) {
      error(at + ".discount",
            fmt::format("expected 0 in an ergodic game, got {}", population.discount));
    }
    const auto timed = [](const mfg::Expression& e) { return e.depends_on("t"); };
    if (timed(population.running_cost)) refuse_time(at + ".running_cost");
    if (std::ranges::any_of(population.drift, timed)) refuse_time(at + ".drift");
  }

  void refuse(const std::string& key) {
    if (given_.places.contains(key) && sound(key)) error(key, "has no meaning in an ergodic game");
  }

  void refuse_time(const std::string& key) {
    if (sound(key)) error(key, "expected an expression without t in an ergodic game");
  }

  void check_population(const mfg::PopulationConfig& population, const std::string& at) {
    const bool valid = !population.name.empty() && std::ranges::all_of(population.name, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
    if (!valid) error(at + ".name", "expected letters, digits and underscores");
    const auto namesakes =
        std::ranges::count(config_.populations, population.name, &mfg::PopulationConfig::name);
    if (namesakes > 1 && sound(at + ".name"))
      error(at + ".name", fmt::format("expected a name of its own, got \"{}\", as another "
                                      "population has",
                                      population.name));
    check_count(at + ".drift", population.drift.size(), config_.domain.axes());
    check_nonlocal(population, at);
    if (config_.control && population.hamiltonian.congestion > 1) {
      error(at + ".hamiltonian.congestion",
            fmt::format("expected at most 1 where control = true, got {}",
                        population.hamiltonian.congestion));
    }
    check_target(population, at);
    check_scheme(population, at);
    check_scales(population, at);
  }

  /// Who is told where to be at the end is told no cost for it, and does not leave.
  void check_target(const mfg::PopulationConfig& population, const std::string& at) {
    const std::string key = at + ".target_density";
    if (!population.target_density || !sound(key)) return;
    const mfg::Expression& cost = population.terminal_cost;
    const bool none = cost.op() == mfg::ExpressionOp::number && cost.value() == 0;
    if (!none && sound(at + ".terminal_cost")) {
      return error(at + ".terminal_cost", "has no meaning beside target_density");
    }
    const auto leave = [](const mfg::AxisBoundary& ends) {
      return ends.lower == mfg::Boundary::exit || ends.upper == mfg::Boundary::exit;
    };
    const mfg::DomainConfig& domain = config_.domain;
    if (domain.exit || std::ranges::count(domain.mask_kinds, std::uint8_t{2}) > 0 ||
        std::ranges::any_of(domain.boundary, leave)) {
      error(key, "expected no target_density where people leave by exits");
    }
  }

  void check_scheme(const mfg::PopulationConfig& population, const std::string& at) {
    if (config_.solver.scheme != mfg::Scheme::exponential || !sound("solver.scheme")) return;
    const mfg::HamiltonianConfig& h = population.hamiltonian;
    const std::string why = " where solver.scheme = \"exponential\", got ";
    if (h.exponent != 2.0 && sound(at + ".hamiltonian.exponent"))
      error(at + ".hamiltonian.exponent", fmt::format("expected 2{}{}", why, h.exponent));
    if (h.congestion != 0.0 && sound(at + ".hamiltonian.congestion"))
      error(at + ".hamiltonian.congestion", fmt::format("expected 0{}{}", why, h.congestion));
  }

  void check_nonlocal(const mfg::PopulationConfig& population, const std::string& at) {
    const mfg::NonlocalConfig& nonlocal = population.nonlocal;
    const std::string path = at + ".nonlocal.applied_to", &name = nonlocal.applied_to;
    if (nonlocal.kernel && !is_free_name(name) && sound(path)) {
      error(path, fmt::format("expected a name that formulas do not have yet, got \"{}\"", name));
    }
  }

  static bool is_free_name(const std::string& name) {
    const auto reads = [](const std::string& text, const std::vector<std::string>& variables) {
      try {
        static_cast<void>(mfg::Expression::parse(text, variables));
        return true;
      } catch (const mfg::ExpressionError&) {
        return false;
      }
    };
    if (!reads(name, {name})) return false;
    for (const char* const use : {"", "(1)", "(1, 1)", "(1, 1, 1)"}) {
      if (reads(name + use, {})) return false;  // a constant or a function
    }
    const bool is_position = name.size() == 1 && std::string_view("xyzt").find(name[0]) < 4;
    return !is_position && name != "m" && !name.starts_with("m_") && !name.starts_with("mean_");
  }

  /// Coefficients of the discrete equations must be numbers, too.
  void check_scales(const mfg::PopulationConfig& population, const std::string& at) {
    const mfg::DomainConfig& domain = config_.domain;
    if (!sound("domain.cells") || !sound("domain.lower") || !sound("domain.upper")) return;
    const std::string& key = at + ".viscosity";
    if (!given_.places.contains(key) || !sound(key)) return;
    for (std::size_t k = 0; k < domain.axes(); ++k) {
      const double h = (domain.upper[k] - domain.lower[k]) / static_cast<double>(domain.cells[k]);
      if (is_usable(population.viscosity / (h * h))) continue;
      error(key, fmt::format("expected a value whose quotient by h^2 is a number > 0 of {}, got {} "
                             "where h = {} on axis {}",
                             config_.backend.dtype, population.viscosity, h, k));
      return;
    }
  }

  bool is_usable(double value) const {
    const bool narrow = config_.backend.dtype == "float32";
    const double kept = narrow ? static_cast<double>(static_cast<float>(value)) : value;
    return std::isfinite(kept) && kept > 0;
  }

  const mfg::Config& config_;
  const Given& given_;
};

}  // namespace

bool Findings::sound(const std::string& key) const {
  return std::ranges::none_of(errors_, [&](const Diagnostic& d) { return d.key == key; });
}

void Findings::error(const std::string& key, std::string message) {
  const auto found = given_.places.find(key);
  errors_.push_back({found == given_.places.end() ? Place{given_.source} : found->second, key,
                     std::move(message), ""});
}

void check_config(const mfg::Config& config, const Given& given, std::vector<Diagnostic>& errors) {
  Checker(config, given, errors).check();
}

}  // namespace isofield::mfg_solve
