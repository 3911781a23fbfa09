#pragma once

#include <string>

namespace isofield::detail {

/// What the environment variable ISOFIELD_LOG asks to be told on stderr: nothing (the default),
/// which backends are found and chosen (`info`), each program as well (`debug`).
enum class LogLevel { off, info, debug };
bool logs(LogLevel level) noexcept;
/// Write a line to stderr, if that is asked for.
void log(LogLevel level, const std::string& text) noexcept;

}  // namespace isofield::detail
