// A list of arguments, separated by NULs: it is refused with a message of one line and an example
// at most, or says what to do; what it sets is read into a configuration.
#include <string_view>
#include <vector>

#include "bytes.hpp"
#include "cli.hpp"
#include "sweep.hpp"

namespace isofield::fuzz {
namespace {

using namespace mfg_solve;

constexpr const char* room = R"([domain]
lower = [0]
upper = [1]
cells = [4]
[time]
horizon = 1
steps = 2
[model]
viscosity = 1
initial_density = 1
)";

void check(const CommandLine& line) {
  using Action = CommandLine::Action;
  switch (line.action) {
    case Action::print_text: return require(!line.text.empty(), "nothing to print");
    case Action::print_template: return require(!line.template_name.empty(), "no template");
    case Action::list_backends: return;
    case Action::solve:
    case Action::check: break;
  }
  require(!line.config_path.empty(), "no configuration");
  require(!(line.options.quiet && line.options.verbose), "quiet and verbose");
  if (line.overrides.empty()) return;
  static const auto source = std::make_shared<const Source>(Source{"room.toml", room});
  try {
    static_cast<void>(read_family(source, line.overrides, 200));
  } catch (const ConfigErrors& errors) {
    require(!errors.diagnostics().empty(), "refused without a reason");
  }
}

void run(std::string_view text) {
  std::vector<std::string> arguments{"mfg_solve"};
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\0', from), text.size());
    arguments.emplace_back(text.substr(from, end - from));
    from = end + 1;
  }
  std::vector<const char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
  pointers.push_back(nullptr);
  try {
    check(read_command_line(static_cast<int>(arguments.size()), pointers.data()));
  } catch (const UsageError& error) {
    require(*error.what() != 0, "refused without a reason");
  } catch (const ConfigErrors& errors) {
    require(!errors.diagnostics().empty(), "refused without a reason");
  }
}

}  // namespace
}  // namespace isofield::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  isofield::fuzz::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
