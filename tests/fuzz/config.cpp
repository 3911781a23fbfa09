// A configuration, and behind NULs what --set says: it is refused with messages whose places are
// in it, or its echo reads back as the same configuration. Nothing is computed and no file is
// touched.
#include "sweep.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "bytes.hpp"

namespace isofield::fuzz {
namespace {

using namespace mfg_solve;

constexpr std::int64_t most_cells = 200;  // what expressions are computed on: a case is to be quick

void check_place(const Place& place) {
  if (!place.source || place.line == 0) return;
  const std::string_view text = place.source->text;
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  require(place.line <= lines, "a line that the source does not have");
  require(place.column >= 1 && place.column <= text.size() + 1, "a column beyond the source");
}

void check_refusal(const ConfigErrors& errors) {
  require(!errors.diagnostics().empty(), "refused without a reason");
  for (const Diagnostic& diagnostic : errors.diagnostics()) {
    require(!diagnostic.message.empty(), "an error without a message");
    require(diagnostic.place.source != nullptr, "an error without a source: " + diagnostic.message);
    require(!diagnostic.suggestion.empty() || !diagnostic.message.ends_with('?'), "asks nothing");
    check_place(diagnostic.place);
  }
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  for (std::size_t from = 0;;) {
    const std::size_t end = text.find('\0', from);
    parts.emplace_back(text.substr(from, end - from));
    if (end == std::string_view::npos) return parts;
    from = end + 1;
  }
}

void run(std::string_view text) {
  const std::vector<std::string> parts = split(text);
  std::string echo;
  try {
    std::vector<Override> settings;
    for (std::size_t k = 1; k < parts.size(); ++k) {
      settings.push_back(parse_setting("--set", parts[k]));
    }
    echo = to_toml(read_family(std::make_shared<const Source>(Source{"room.toml", parts[0]}),
                               settings, most_cells));
  } catch (const ConfigErrors& errors) {
    return check_refusal(errors);
  }
  try {
    const Family again =
        read_family(std::make_shared<const Source>(Source{"echo.toml", echo}), {}, most_cells);
    require(to_toml(again) == echo, "the echo of the echo differs:\n" + echo);
  } catch (const ConfigErrors& errors) {
    fail(std::string("the echo cannot be read: ") + errors.what() + "\n" + echo);
  }
}

}  // namespace
}  // namespace isofield::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  isofield::fuzz::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
