#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <isofield/error.hpp>
#include <isofield/mfg/solver_state.hpp>
#include <new>

#include "cli.hpp"
#include "config.hpp"
#include "exit_code.hpp"
#include "interrupt.hpp"
#include "job.hpp"
#include "standard_output.hpp"
#include "sweep_job.hpp"
#include "templates.hpp"

namespace isofield::mfg_solve {
namespace {

int print(const std::string& text) {
  print_stdout(text);
  return exit_converged;
}

int execute(int argc, const char* const* argv) {
  using Action = CommandLine::Action;
  CommandLine line = read_command_line(argc, argv);
  if (line.action == Action::print_text) return print(line.text);
  if (line.action == Action::print_template) return print(template_text(line.template_name));
  if (line.action == Action::list_backends) return list_backends(line.options);
  const Family family = read_family(read_source(line.config_path), line.overrides);
  line.options.config_toml = to_toml(family);
  const mfg::Config& config = family.members[0].config;
  if (line.action == Action::check)
    return family.is_sweep() ? check_family(family, line.options) : check(config, line.options);
  watch_for_interrupts();
  return family.is_sweep() ? run_family(family, line.options) : run(config, line.options);
}

int report(ExitCode code, const std::string& message) {
  say(message);
  return code;
}

int guarded(int argc, const char* const* argv) {
  try {
    return execute(argc, argv);
  } catch (const ConfigErrors& errors) {
    const std::size_t count = errors.diagnostics().size();
    print_message(stderr, fmt::format("{}\n", errors.what()));
    return report(exit_usage,
                  fmt::format("{} error{}; nothing was computed", count, count == 1 ? "" : "s"));
  } catch (const ConfigError& error) {
    return report(exit_usage, error.what());
  } catch (const IoError& error) {
    return report(exit_io, error.what());
  } catch (const NotAvailable& error) {
    return report(exit_not_available, error.what());
  } catch (const mfg::StateError& error) {
    return report(exit_io, error.what());
  } catch (const SolverError& error) {
    return report(exit_breakdown, error.what());
  } catch (const OutOfMemory& error) {
    return report(exit_error,
                  fmt::format("{}; a coarser grid or fewer time steps need less", error.what()));
  } catch (const std::bad_alloc&) {
    return report(exit_error, "out of memory; a coarser grid or fewer time steps need less");
  } catch (const std::exception& error) {
    return report(exit_error, fmt::format("internal error: {}", error.what()));
  }
}

/// Keep idle OpenMP threads from spinning for milliseconds, unless the user says how they wait.
/// Where other programs want the cores too, a kernel then waits for a thread that has spun its time
/// slice away: 8-12 ms instead of 0.1. GNU's OpenMP reads this when a backend brings it in.
void calm_idle_threads() {
  if (!std::getenv("OMP_WAIT_POLICY")) setenv("GOMP_SPINCOUNT", "1000", 0);
}

}  // namespace
}  // namespace isofield::mfg_solve

int main(int argc, char** argv) {
  isofield::mfg_solve::occupy_standard_descriptors();
  isofield::mfg_solve::calm_idle_threads();
  return isofield::mfg_solve::guarded(argc, argv);
}
