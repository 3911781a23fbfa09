#pragma once

#include <isofield/error.hpp>
#include <string>
#include <vector>

#include "config.hpp"
#include "job.hpp"

namespace isofield::mfg_solve {

/// A command line that says nothing we can do.
class UsageError : public ConfigError {
  using ConfigError::ConfigError;
};

/// What a command line asks for.
struct CommandLine {
  enum class Action { solve, check, list_backends, print_template, print_text };

  Action action = Action::solve;
  std::string text;  ///< to print: of --help, --version and --schema
  std::string template_name;
  std::string config_path;
  std::vector<Override> overrides;
  Options options;
};

/// Read the arguments; throw UsageError or ConfigErrors.
CommandLine read_command_line(int argc, const char* const* argv);

}  // namespace isofield::mfg_solve
