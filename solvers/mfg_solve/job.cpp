#include "job.hpp"

#include <isofield/error.hpp>
#include <isofield/mfg/discrete_problem.hpp>
#include <isofield/registry.hpp>

#include "backend_choice.hpp"
#include "exit_code.hpp"
#include "output_target.hpp"
#include "plan.hpp"
#include "standard_output.hpp"

namespace isofield::mfg_solve {

namespace {

/// Lay the problem out; data that make no sense on the grid are a fault of the configuration.
mfg::DiscreteProblem lay_out(const mfg::Config& config) try {
  return mfg::DiscreteProblem(mfg::make_problem(config), dtype_from_name(config.backend.dtype));
} catch (const SolverError& error) {
  throw ConfigError(error.what());
} catch (const ShapeError& error) {
  throw ConfigError(error.what());
}

}  // namespace

int check(const mfg::Config& config, const Options& options) {
  check_output(config, options.overwrite);
  BaseBackend& backend = choose_backend(config.backend);
  const ScopedBackend scope(backend);
  const Setting setting{.free_cells = lay_out(config).grid().free_cells(),
                        .backend = std::string(backend.name()),
                        .device = to_string(backend.device()),
                        .threads = backend.capabilities().threads};
  print_stdout(options.json ? plan_to_json(config, setting) + "\n"
                            : plan_to_table(config, setting));
  return exit_converged;
}

int run(const mfg::Config& config, const Options& options) {
  check_output(config, options.overwrite);
  throw NotAvailable("solving is not in this version yet; --check validates a configuration");
}

}  // namespace isofield::mfg_solve
