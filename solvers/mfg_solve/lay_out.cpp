#include "lay_out.hpp"

#include <isofield/error.hpp>
#include <string>

#include "start.hpp"

namespace isofield::mfg_solve {

mfg::DiscreteProblem lay_out(const mfg::Config& config) try {
  return mfg::DiscreteProblem(mfg::make_problem(config), dtype_from_name(config.backend.dtype));
} catch (const SolverError& error) {
  throw ConfigError(error.what());
} catch (const ShapeError& error) {
  throw ConfigError(error.what());
}

Setting look_at(const mfg::Config& config, const BaseBackend& backend, const std::string& resume,
                bool with_time) {
  if (!lack_of_memory(config).empty()) {
    std::int64_t cells = 1;
    for (const std::int64_t n : config.domain.cells) cells *= n;
    return setting_of(backend, cells);
  }
  const mfg::DiscreteProblem problem = lay_out(config);
  const Start start = find_start(config, resume, problem);
  Setting setting = setting_of(backend, problem.grid().free_cells());
  if (with_time) setting.time = estimate_time(problem.problem(), start.options);
  return setting;
}

Setting setting_of(const BaseBackend& backend, std::int64_t free_cells) {
  return {.free_cells = free_cells,
          .backend = std::string(backend.name()),
          .device = to_string(backend.device()),
          .threads = backend.capabilities().threads};
}

}  // namespace isofield::mfg_solve
