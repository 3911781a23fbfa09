#include "job.hpp"

#include <isofield/error.hpp>

#include "exit_code.hpp"
#include "output_target.hpp"
#include "plan.hpp"
#include "standard_output.hpp"

namespace isofield::mfg_solve {

int check(const mfg::Config& config, const Options& options) {
  check_output(config, options.overwrite);
  print_stdout(options.json ? plan_to_json(config) + "\n" : plan_to_table(config));
  return exit_converged;
}

int run(const mfg::Config& config, const Options& options) {
  check_output(config, options.overwrite);
  throw NotAvailable("solving is not in this version yet; --check validates a configuration");
}

int list_backends(const Options&) {
  throw NotAvailable("--list-backends is not in this version yet");
}

}  // namespace isofield::mfg_solve
