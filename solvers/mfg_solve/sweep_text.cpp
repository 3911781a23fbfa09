#include "sweep_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "progress.hpp"

namespace isofield::mfg_solve {
namespace {

using Json = nlohmann::ordered_json;

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// A table of texts whose columns are as wide as they must be.
class Columns {
 public:
  void row(std::vector<std::string> cells) {
    widths_.resize(std::max(widths_.size(), cells.size()), 0);
    for (std::size_t k = 0; k < cells.size(); ++k)
      widths_[k] = std::max(widths_[k], cells[k].size());
    rows_.push_back(std::move(cells));
  }

  std::string text() const {
    std::string all;
    for (const std::vector<std::string>& cells : rows_) {
      std::string line = "  ";
      for (std::size_t k = 0; k < cells.size(); ++k)
        line += fmt::format("{:<{}}", cells[k], widths_[k] + 2);
      line.erase(line.find_last_not_of(' ') + 1);
      all += line + "\n";
    }
    return all;
  }

 private:
  std::vector<std::size_t> widths_;
  std::vector<std::vector<std::string>> rows_;
};

std::vector<std::string> first_cells(const Family& family, std::size_t member) {
  std::vector<std::string> cells{fmt::format("{:04}", member)};
  for (std::size_t k = 0; k < family.parameters.size(); ++k)
    cells.push_back(family.parameters[k].plain(family.members[member].at[k]));
  return cells;
}

std::vector<std::string> heading(const Family& family) {
  std::vector<std::string> cells{"run"};
  for (const SweepParameter& parameter : family.parameters) cells.push_back(parameter.key);
  return cells;
}

Json parameters_json(const Family& family, std::size_t member) {
  Json json = Json::object();
  for (std::size_t k = 0; k < family.parameters.size(); ++k) {
    const SweepParameter& parameter = family.parameters[k];
    const std::size_t at = family.members[member].at[k];
    if (parameter.numbers.empty()) {
      json[parameter.key] = parameter.plain(at);
    } else {
      json[parameter.key] = parameter.numbers[at];
    }
  }
  return json;
}

std::string spelled(std::string status) {
  std::ranges::replace(status, '_', ' ');
  return status;
}

const std::string& title_of(const Family& family) { return family.members[0].config.title; }

}  // namespace

std::string to_table(const FamilySummary& summary) {
  const Family& family = summary.family;
  const auto converged = std::ranges::count(summary.members, "converged", &MemberReport::status);
  const bool ergodic = std::ranges::any_of(
      summary.members, [](const MemberReport& member) { return !member.lambda.empty(); });
  std::string text = title_of(family).empty() ? "" : title_of(family) + "\n";
  const auto row = [&](std::string_view name, const std::string& value) {
    text += fmt::format("  {:<16}{}\n", name, value);
  };
  row("status", spelled(summary.status));
  row("runs", fmt::format("{} of {} done, {} converged", summary.members.size(),
                          family.members.size(), converged));
  row("backend", fmt::format("{} on {}", summary.backend, summary.device));
  row("time", duration(summary.wall_seconds));
  for (std::size_t i = 0; i < summary.files.size(); ++i)
    row(i == 0 ? "written" : "", summary.files[i]);
  Columns table;
  std::vector<std::string> names = heading(family);
  names.insert(names.end(), {"status", "iterations", "residual"});
  if (ergodic) names.emplace_back("lambda");
  names.emplace_back("time");
  table.row(std::move(names));
  for (std::size_t k = 0; k < summary.members.size(); ++k) {
    const MemberReport& member = summary.members[k];
    std::vector<std::string> cells = first_cells(family, k);
    cells.push_back(spelled(member.status));
    cells.push_back(std::to_string(member.iterations));
    cells.push_back(fmt::format("{:.2e}", member.residual));
    if (ergodic)
      cells.push_back(member.lambda.empty() ? "" : fmt::format("{:.9g}", member.lambda[0].second));
    cells.push_back(duration(member.seconds));
    table.row(std::move(cells));
  }
  return text + "\n" + table.text();
}

std::string to_json(const FamilySummary& summary) {
  Json members = Json::array();
  for (std::size_t k = 0; k < summary.members.size(); ++k) {
    const MemberReport& member = summary.members[k];
    Json json{{"parameters", parameters_json(summary.family, k)},
              {"status", member.status},
              {"reason", member.reason},
              {"iterations", member.iterations},
              {"residual", member.residual},
              {"lambda", nullptr},
              {"wall_seconds", member.seconds}};
    for (const auto& [name, value] : member.lambda) json["lambda"][name] = value;
    members.push_back(std::move(json));
  }
  return dumped({{"title", title_of(summary.family)},
                 {"status", summary.status},
                 {"runs", summary.family.members.size()},
                 {"members", std::move(members)},
                 {"wall_seconds", summary.wall_seconds},
                 {"backend", summary.backend},
                 {"device", summary.device},
                 {"files", summary.files}});
}

std::string plan_to_table(const Family& family, const std::vector<Setting>& settings) {
  std::string text = plan_to_table(family.members[0].config, settings[0]);
  std::vector<std::string> lists;
  for (const SweepParameter& parameter : family.parameters)
    lists.push_back(fmt::format("{} values of {}", parameter.values.size(), parameter.key));
  text += fmt::format("  {:<12}{}: {}{}; above the first of them\n", "runs", family.members.size(),
                      fmt::join(lists, family.zip ? ", together with " : " by "),
                      family.continuation ? ", each from its neighbour's solution" : "");
  Columns table;
  std::vector<std::string> names = heading(family);
  names.insert(names.end(), {"unknowns", "memory"});
  table.row(std::move(names));
  for (std::size_t k = 0; k < family.members.size(); ++k) {
    std::vector<std::string> cells = first_cells(family, k);
    const Json plan = Json::parse(plan_to_json(family.members[k].config, settings[k]));
    cells.push_back(std::to_string(plan["unknowns"].get<std::int64_t>()));
    cells.push_back(size_of(plan["memory_bytes"].get<double>()));
    table.row(std::move(cells));
  }
  return text + "\n" + table.text();
}

std::string plan_to_json(const Family& family, const std::vector<Setting>& settings) {
  Json members = Json::array();
  for (std::size_t k = 0; k < family.members.size(); ++k) {
    Json plan = Json::parse(plan_to_json(family.members[k].config, settings[k]));
    plan["parameters"] = parameters_json(family, k);
    members.push_back(std::move(plan));
  }
  return dumped({{"title", title_of(family)},
                 {"runs", family.members.size()},
                 {"members", std::move(members)},
                 {"output", family.members[0].config.output.file}});
}

}  // namespace isofield::mfg_solve
