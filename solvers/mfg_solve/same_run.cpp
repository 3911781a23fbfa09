#include "same_run.hpp"

#include <isofield/error.hpp>
#include <memory>

#include "config.hpp"

namespace isofield::mfg_solve {
namespace {

std::string computation(mfg::Config config) {
  config.title.clear();
  config.output = {};
  config.backend = {.dtype = config.backend.dtype};
  config.solver.initial_guess = "zero";
  config.solver.max_iterations = 1;
  return to_toml(config);
}

}  // namespace

bool states_the_same(const std::string& toml, const mfg::Config& config) try {
  constexpr std::int64_t no_checks = 0;
  const auto source = std::make_shared<const Source>(Source{"configuration", toml});
  return computation(read_config(source, {}, no_checks)) == computation(config);
} catch (const Error&) {
  return false;
}

}  // namespace isofield::mfg_solve
