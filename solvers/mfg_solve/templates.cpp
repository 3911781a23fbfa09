#include "templates.hpp"

#include <fmt/format.h>

#include <isofield/mfg/nearest_name.hpp>
#include <vector>

#include "cli.hpp"

namespace isofield::mfg_solve {
namespace {

/// The first line of an example is a comment that says what it is about.
std::string_view subject(std::string_view text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  const std::size_t begin = line.find_first_not_of("# ");
  return begin == std::string_view::npos ? "" : line.substr(begin);
}

}  // namespace

std::string template_text(std::string_view name) {
  std::vector<std::string> names;
  std::string list;
  for (const Template& example : templates()) {
    if (example.name == name) return std::string(example.text);
    names.emplace_back(example.name);
    list += fmt::format("{:<14}{}\n", example.name, subject(example.text));
  }
  if (name == "list") return list;
  std::string message = fmt::format("there is no template '{}'", name);
  if (const std::string near = mfg::nearest_name(name, names); !near.empty()) {
    message += fmt::format("; did you mean '{}'?", near);
  }
  throw UsageError(message + "\n" + list);
}

}  // namespace isofield::mfg_solve
