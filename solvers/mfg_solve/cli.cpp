#include "cli.hpp"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <isofield/mfg/nearest_name.hpp>
#include <isofield/version.hpp>
#include <string_view>

#include "schema.hpp"

namespace isofield::mfg_solve {
namespace {

constexpr const char* description =
    "Solve the mean-field game that CONFIG, a TOML file, describes, and write u and m to HDF5.";

constexpr const char* epilogue =
    R"(Values of the command line are stronger than the file's. Progress and log go to stderr, the
summary to stdout.

Environment: ISOFIELD_BACKEND (as --backend), ISOFIELD_THREADS (as --threads), ISOFIELD_LOG=info
(which backends are found and chosen, and why others are not).

Exit codes: 0 converged, results written; 1 an error of our own; 2 bad usage or configuration;
3 did not converge, results written; 4 numerical breakdown; 5 cannot read or write a file;
6 backend or device not available; 130 interrupted, checkpoint written.

Begin with:  mfg_solve --template two_rooms > two_rooms.toml && mfg_solve two_rooms.toml
)";

/// Every option as text; what they mean is decided afterwards, with our own words.
struct Raw {
  std::vector<std::string> configs, settings;
  std::string backend, device, dtype, threads, output, resume, example, progress = "auto";
  bool check = false, list_backends = false, schema = false, json = false, quiet = false;
  bool verbose = false, profile = false, overwrite = false, version = false, help = false;
};

void declare(CLI::App& app, Raw& raw) {
  const auto text = [&](const char* name, std::string& target, const char* type,
                        const char* about) {
    app.add_option(name, target, about)
        ->type_name(type)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  };
  app.set_help_flag();  // ours is printed without ending the program
  app.add_option("CONFIG", raw.configs, "configuration, a TOML file; -: standard input")
      ->type_name("")
      ->expected(0, -1);
  app.add_option("--set", raw.settings,
                 "a value of the configuration, such as model.mass=2; repeatable")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  text("--backend", raw.backend, "NAME", "backend: auto, or one of --list-backends");
  text("--device", raw.device, "DEVICE", "device of the backend: auto, cpu, ...");
  text("--dtype", raw.dtype, "DTYPE", "float64 or float32");
  text("--threads", raw.threads, "N", "threads; 0: all");
  text("--output", raw.output, "FILE", "result file");
  text("--resume", raw.resume, "FILE", "go on from the state in a checkpoint or result file");
  text("--template", raw.example, "NAME", "print a commented example; list: print their names");
  text("--progress", raw.progress, "WHEN", "auto, always or never");
  const auto flag = [&](const char* name, bool& target, const char* about) {
    app.add_flag(name, target, about);
  };
  flag("--check", raw.check, "validate, print the plan, solve nothing");
  flag("--list-backends", raw.list_backends, "print the backends and devices of this machine");
  flag("--schema", raw.schema, "print a JSON Schema of the configuration");
  flag("--json", raw.json, "print the summary as one JSON object");
  flag("--quiet", raw.quiet, "print errors and the summary only");
  flag("--verbose", raw.verbose, "print more about the iterations");
  flag("--profile", raw.profile, "print what each kernel took, and its GB/s");
  flag("--overwrite", raw.overwrite, "replace an existing output file");
  flag("--version", raw.version, "print the version");
  flag("-h,--help", raw.help, "print this help");
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

bool takes_value(const CLI::App& app, const std::string& name) {
  const CLI::Option* const option = app.get_option_no_throw(name);
  return option != nullptr && option->get_items_expected_max() > 0;
}

/// Refuse what the parser underneath would take for something else: options it does not know (it
/// would call their values missing files) and options without their value.
void check_arguments(const CLI::App& app, const std::vector<std::string>& arguments) {
  const std::vector<std::string> names = option_names(app);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") return;
    if (argument.size() < 2 || argument[0] != '-') continue;
    const std::size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    if (std::ranges::find(names, name) == names.end()) {
      std::string message = fmt::format("unknown option {}", name);
      const std::string near = mfg::nearest_name(name, names);
      if (!near.empty()) message += fmt::format("; did you mean {}?", near);
      throw UsageError(message);
    }
    const bool valued = takes_value(app, name);
    if (!valued && equals != std::string::npos) {
      throw UsageError(fmt::format("{} takes no value", name));
    }
    if (!valued) continue;
    const bool has_value =
        equals != std::string::npos
            ? equals + 1 < argument.size()
            : ++i < arguments.size() && !arguments[i].empty() && !arguments[i].starts_with("--");
    if (!has_value) throw UsageError(fmt::format("{} needs a value", name));
  }
}

Progress::Mode progress_mode(const std::string& word) {
  if (word == "auto") return Progress::Mode::automatic;
  if (word == "always") return Progress::Mode::always;
  if (word == "never") return Progress::Mode::never;
  throw UsageError(fmt::format("--progress takes auto, always or never, got '{}'", word));
}

std::vector<Override> overrides(const Raw& raw) {
  std::vector<Override> all;
  for (const std::string& setting : raw.settings) all.push_back(parse_setting("--set", setting));
  const auto add = [&](const char* option, const char* key, const std::string& value) {
    if (!value.empty()) all.push_back({option, key, value});
  };
  add("--backend", "backend.name", raw.backend);
  add("--device", "backend.device", raw.device);
  add("--dtype", "backend.dtype", raw.dtype);
  add("--threads", "backend.threads", raw.threads);
  add("--output", "output.file", raw.output);
  return all;
}

CommandLine interpret(const CLI::App& app, const Raw& raw) {
  using Action = CommandLine::Action;
  CommandLine line;
  line.options = {.json = raw.json,
                  .quiet = raw.quiet,
                  .verbose = raw.verbose,
                  .profile = raw.profile,
                  .overwrite = raw.overwrite,
                  .progress = progress_mode(raw.progress),
                  .resume = raw.resume};
  line.action = Action::print_text;
  if (raw.help)
    line.text = app.help();
  else if (raw.version)
    line.text = fmt::format("mfg_solve {}\n", version());
  else if (raw.schema)
    line.text = config_schema();
  else
    line.action = Action::solve;
  if (line.action == Action::print_text) return line;
  line.template_name = raw.example;
  if (!raw.example.empty())
    line.action = Action::print_template;
  else if (raw.list_backends)
    line.action = Action::list_backends;
  if (line.action != Action::solve) return line;
  if (raw.quiet && raw.verbose) throw UsageError("--quiet and --verbose contradict each other");
  if (raw.configs.empty() || raw.configs[0].empty()) {
    throw UsageError("which CONFIG? Give a TOML file; mfg_solve --help says more");
  }
  if (raw.configs.size() > 1) {
    throw UsageError(fmt::format("one CONFIG at a time: '{}' is one too many", raw.configs[1]));
  }
  if (raw.check) line.action = Action::check;
  line.config_path = raw.configs[0] == "-" ? "/dev/stdin" : raw.configs[0];
  line.overrides = overrides(raw);
  return line;
}

}  // namespace

CommandLine read_command_line(int argc, const char* const* argv) {
  CLI::App app(description, "mfg_solve");
  Raw raw;
  declare(app, raw);
  app.footer(epilogue);
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  check_arguments(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    throw UsageError(fmt::format("the command line cannot be read: {}", error.what()));
  }
  return interpret(app, raw);
}

}  // namespace isofield::mfg_solve
