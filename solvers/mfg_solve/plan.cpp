#include "plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <isofield/error.hpp>
#include <isofield/mfg/memory.hpp>
#include <isofield/mfg/results.hpp>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

#include "output_target.hpp"

namespace isofield::mfg_solve {
namespace {

struct Plan {
  double cells = 1;
  double unknowns = 0;
  double bytes = 0;
};

Plan plan_of(const mfg::Config& config, const Setting& setting) {
  Plan plan;
  for (const std::int64_t n : config.domain.cells) plan.cells *= static_cast<double>(n);
  const double levels = config.ergodic() ? 1 : static_cast<double>(config.time.steps) + 1;
  const double populations = static_cast<double>(config.populations.size());
  plan.unknowns = 2 * levels * populations * static_cast<double>(setting.free_cells);
  if (config.ergodic()) plan.unknowns += populations;
  plan.bytes = mfg::least_memory(mfg::make_problem(config), dtype_from_name(config.backend.dtype));
  return plan;
}

std::string boundary_of(const mfg::AxisBoundary& axis) {
  if (axis.lower == axis.upper) return mfg::to_string(axis.lower);
  return mfg::to_string(axis.lower) + "/" + mfg::to_string(axis.upper);
}

std::string grid_of(const mfg::DomainConfig& domain) {
  std::vector<std::string> sides, kinds;
  for (std::size_t k = 0; k < domain.axes(); ++k) {
    sides.push_back(fmt::format("[{}, {}]", domain.lower[k], domain.upper[k]));
    kinds.push_back(boundary_of(domain.boundary[k]));
  }
  if (std::ranges::count(kinds, kinds.front()) == std::ssize(kinds)) kinds.resize(1);
  std::string text = fmt::format("{} cells on {}, {}", fmt::join(domain.cells, " x "),
                                 fmt::join(sides, " x "), fmt::join(kinds, " and "));
  const auto masked = [&](mfg::NodeKind kind) {
    return std::ranges::count(domain.mask_kinds, static_cast<std::uint8_t>(kind)) > 0;
  };
  if (domain.obstacle || masked(mfg::NodeKind::obstacle)) text += ", with obstacles";
  if (domain.exit || masked(mfg::NodeKind::exit)) text += ", with exits";
  return text;
}

}  // namespace

std::string size_of(double bytes) {
  if (bytes < 1e6) return fmt::format("{:.0f} kB", bytes / 1e3);
  if (bytes < 1e9) return fmt::format("{:.1f} MB", bytes / 1e6);
  return fmt::format("{:.1f} GB", bytes / 1e9);
}

std::string lack_of_memory(const mfg::Config& config) try {
  mfg::check_memory(mfg::make_problem(config), dtype_from_name(config.backend.dtype));
  return "";
} catch (const OutOfMemory& error) {
  return error.what();
}

std::string plan_to_table(const mfg::Config& config, const Setting& setting) {
  const Plan plan = plan_of(config, setting);
  std::string text = config.title.empty() ? "" : config.title + "\n";
  const auto row = [&](std::string_view name, const std::string& value) {
    text += fmt::format("  {:<12}{}\n", name, value);
  };
  row("grid", grid_of(config.domain));
  row("time", config.ergodic()
                  ? "for ever (an ergodic game)"
                  : fmt::format("{} steps to {}", config.time.steps, config.time.horizon));
  row("unknowns", config.ergodic()
                      ? fmt::format("{:.0f}: u and m on {} free cells, and lambda", plan.unknowns,
                                    setting.free_cells)
                      : fmt::format("{:.0f}: u and m on {} free cells at {} levels", plan.unknowns,
                                    setting.free_cells, config.time.steps + 1));
  row("memory", fmt::format("{} at least", size_of(plan.bytes)));
  if (setting.time) row("time taken", setting.time->words());
  row("solver",
      fmt::format("{}, coupling {}, to {:g} in {} iterations at most",
                  mfg::to_string(config.solver.scheme), mfg::to_string(config.solver.coupling),
                  config.solver.tolerance, config.solver.max_iterations));
  row("backend",
      fmt::format("{} on {}, {}, {} thread{}", setting.backend, setting.device,
                  config.backend.dtype, setting.threads, setting.threads == 1 ? "" : "s"));
  const std::int64_t kept = kept_levels(config);
  row("output", fmt::format("{}, {} level{}, {} before compression", config.output.file, kept,
                            kept == 1 ? "" : "s", size_of(output_bytes(config))));
  return text;
}

std::string plan_to_json(const mfg::Config& config, const Setting& setting) {
  const Plan plan = plan_of(config, setting);
  nlohmann::ordered_json json{{"title", config.title},
                              {"cells", config.domain.cells},
                              {"free_cells", setting.free_cells},
                              {"ergodic", config.ergodic()},
                              {"steps", config.time.steps},
                              {"unknowns", static_cast<std::int64_t>(plan.unknowns)},
                              {"memory_bytes", static_cast<std::int64_t>(plan.bytes)},
                              {"seconds", nullptr},
                              {"trial_seconds", nullptr},
                              {"backend", setting.backend},
                              {"device", setting.device},
                              {"dtype", config.backend.dtype},
                              {"threads", setting.threads},
                              {"output", config.output.file},
                              {"output_bytes", static_cast<std::int64_t>(output_bytes(config))}};
  if (config.ergodic()) json["steps"] = nullptr;
  if (setting.time && setting.time->seconds) {
    json["seconds"] = *setting.time->seconds;
    json["trial_seconds"] = setting.time->trial_seconds;
  }
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace isofield::mfg_solve
