#include "lay_out.hpp"

#include <isofield/error.hpp>
#include <string>

namespace isofield::mfg_solve {

mfg::DiscreteProblem lay_out(const mfg::Config& config) try {
  return mfg::DiscreteProblem(mfg::make_problem(config), dtype_from_name(config.backend.dtype));
} catch (const SolverError& error) {
  throw ConfigError(error.what());
} catch (const ShapeError& error) {
  throw ConfigError(error.what());
}

Setting setting_of(const BaseBackend& backend, const mfg::DiscreteProblem& problem) {
  return {.free_cells = problem.grid().free_cells(),
          .backend = std::string(backend.name()),
          .device = to_string(backend.device()),
          .threads = backend.capabilities().threads};
}

}  // namespace isofield::mfg_solve
