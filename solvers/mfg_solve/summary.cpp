#include "summary.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "progress.hpp"

namespace isofield::mfg_solve {
namespace {

std::string spelled(std::string status) {
  std::ranges::replace(status, '_', ' ');
  return status;
}

std::string phases_table(const Summary& summary) {
  std::string text = fmt::format("\n  {:<24}{:>8}{:>10}{:>8}\n", "phase", "calls", "seconds", "%");
  for (const mfg::Phase& phase : summary.phases) {
    const double share = summary.wall_seconds > 0 ? 100 * phase.seconds / summary.wall_seconds : 0;
    text += fmt::format("  {:<24}{:>8}{:>10.3f}{:>8.1f}\n", phase.name, phase.calls, phase.seconds,
                        share);
  }
  return text;
}

std::string rounded(double value) { return fmt::format("{:.9g}", value); }

std::string work_line(const Summary& summary) {
  std::string text;
  for (const auto& [what, count] : summary.work) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, what);
  }
  return text;
}

std::string lambda_line(const Summary& summary) {
  std::string text;
  for (const auto& [name, value] : summary.lambda) {
    if (!text.empty()) text += ", ";
    text +=
        summary.lambda.size() > 1 ? fmt::format("{} of {}", rounded(value), name) : rounded(value);
  }
  return text;
}

}  // namespace

std::string to_table(const Summary& summary) {
  std::string text = summary.title.empty() ? "" : summary.title + "\n";
  const auto row = [&](std::string_view name, const std::string& value) {
    text += fmt::format("  {:<16}{}\n", name, value);
  };
  row("status", spelled(summary.status) + (summary.reason.empty() ? "" : ": " + summary.reason));
  row("iterations", std::to_string(summary.iterations));
  row("residual", fmt::format("{:.3e} (tolerance {:.0e})", summary.residual, summary.tolerance));
  if (!summary.lambda.empty()) row("lambda", lambda_line(summary));
  if (summary.exploitability) row("exploitability", fmt::format("{:.1e}", *summary.exploitability));
  if (summary.mass_error) row("mass error", fmt::format("{:.1e}", *summary.mass_error));
  if (summary.remaining_mass) row("still inside", fmt::format("{:.4g}", *summary.remaining_mass));
  row("unknowns", fmt::format("{}", summary.unknowns));
  if (!summary.work.empty()) row("work", work_line(summary));
  row("backend", fmt::format("{} on {}, {}, {} thread{}", summary.backend, summary.device,
                             summary.dtype, summary.threads, summary.threads == 1 ? "" : "s"));
  row("time", duration(summary.wall_seconds));
  for (std::size_t i = 0; i < summary.files.size(); ++i) {
    row(i == 0 ? "written" : "", summary.files[i]);
  }
  if (!summary.phases.empty()) text += phases_table(summary);
  return text;
}

std::string to_json(const Summary& summary) {
  nlohmann::ordered_json json{{"title", summary.title},
                              {"status", summary.status},
                              {"reason", summary.reason},
                              {"iterations", summary.iterations},
                              {"residual", summary.residual},
                              {"tolerance", summary.tolerance},
                              {"lambda", nullptr},
                              {"exploitability", nullptr},
                              {"mass_error", nullptr},
                              {"remaining_mass", nullptr},
                              {"unknowns", summary.unknowns},
                              {"wall_seconds", summary.wall_seconds},
                              {"backend", summary.backend},
                              {"device", summary.device},
                              {"dtype", summary.dtype},
                              {"threads", summary.threads},
                              {"phases", nlohmann::ordered_json::array()},
                              {"files", summary.files},
                              {"work", nlohmann::ordered_json::object()}};
  for (const auto& [name, value] : summary.lambda) json["lambda"][name] = value;
  if (summary.exploitability) json["exploitability"] = *summary.exploitability;
  if (summary.mass_error) json["mass_error"] = *summary.mass_error;
  if (summary.remaining_mass) json["remaining_mass"] = *summary.remaining_mass;
  for (const auto& [what, count] : summary.work) json["work"][what] = count;
  for (const mfg::Phase& phase : summary.phases) {
    json["phases"].push_back(
        {{"name", phase.name}, {"calls", phase.calls}, {"seconds", phase.seconds}});
  }
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace isofield::mfg_solve
