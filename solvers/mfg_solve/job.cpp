#include "job.hpp"

#include <fmt/format.h>

#include <isofield/error.hpp>

#include "exit_code.hpp"
#include "output_target.hpp"
#include "plan.hpp"

namespace isofield::mfg_solve {

int check(const mfg::Config& config, const Options& options) {
  check_output(config, options.overwrite);
  fmt::print("{}{}", options.json ? plan_to_json(config) : plan_to_table(config),
             options.json ? "\n" : "");
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
