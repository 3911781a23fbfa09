#include "core/log.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace isofield::detail {
namespace {

LogLevel asked_for() noexcept {
  const char* value = std::getenv("ISOFIELD_LOG");
  const std::string_view text = value ? value : "";
  if (text == "info") return LogLevel::info;
  if (text == "debug") return LogLevel::debug;
  if (!text.empty() && text != "off")
    std::fprintf(stderr, "isofield: ISOFIELD_LOG: expected off, info or debug, got '%s'\n", value);
  return LogLevel::off;
}

}  // namespace

bool logs(LogLevel level) noexcept {
  static const LogLevel most = asked_for();
  return level <= most;
}

void log(LogLevel level, const std::string& text) noexcept {
  if (logs(level)) std::fprintf(stderr, "isofield: %s\n", text.c_str());
}

}  // namespace isofield::detail
