#include <fmt/format.h>

#include <isofield/registry.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "exit_code.hpp"
#include "job.hpp"
#include "standard_output.hpp"

namespace isofield::mfg_solve {
namespace {

struct Default {
  std::string spelling, origin, problem;
};

/// The backend a run would take, or why there is none: what the environment asks for is not there.
Default usual_backend() {
  try {
    return {default_backend().spelling(), default_backend_origin(), ""};
  } catch (const Error& error) {
    return {"", "", error.what()};
  }
}

nlohmann::ordered_json to_json(const BackendStatus& status, const Default& usual) {
  nlohmann::ordered_json json{{"name", status.spelling},
                              {"available", status.available},
                              {"default", status.spelling == usual.spelling}};
  if (!status.available) {
    json["reason"] = status.reason;
    return json;
  }
  const BaseBackend& backend = get_backend(status.spelling);
  const Capabilities& abilities = backend.capabilities();
  json["device"] = to_string(backend.device());
  json["threads"] = abilities.threads;
  for (const auto& [name, value] : abilities.details) json["details"][name] = value;
  return json;
}

std::string to_line(const BackendStatus& status, const Default& usual) {
  std::string text = fmt::format("{:<14}", status.spelling);
  if (!status.available) return text + "not available: " + status.reason + "\n";
  const BaseBackend& backend = get_backend(status.spelling);
  const Capabilities& abilities = backend.capabilities();
  text += fmt::format("{}, {} thread{}", to_string(backend.device()), abilities.threads,
                      abilities.threads == 1 ? "" : "s");
  for (const auto& [name, value] : abilities.details) text += fmt::format("; {} {}", name, value);
  if (status.spelling == usual.spelling) text += fmt::format("  <- default ({})", usual.origin);
  return text + "\n";
}

}  // namespace

int list_backends(const Options& options) {
  const Default usual = usual_backend();
  std::string text;
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const BackendStatus& status : isofield::list_backends()) {
    if (options.json) {
      json.push_back(to_json(status, usual));
    } else {
      text += to_line(status, usual);
    }
  }
  print_stdout(options.json ? json.dump() + "\n" : text);
  if (!usual.problem.empty()) say(fmt::format("there is no default: {}", usual.problem));
  return exit_converged;
}

}  // namespace isofield::mfg_solve
