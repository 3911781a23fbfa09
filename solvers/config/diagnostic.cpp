#include "diagnostic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <isofield/mfg/expression.hpp>

namespace isofield::mfg_solve {
namespace {

bool continues_utf8(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

std::string_view line_of(std::string_view text, std::size_t line) {
  for (; line > 1; --line) {
    const std::size_t newline = text.find('\n');
    if (newline == std::string_view::npos) return {};
    text.remove_prefix(newline + 1);
  }
  return text.substr(0, text.find_first_of("\r\n"));
}

/// Count bytes of the first `characters` characters of a line.
std::size_t offset_of(std::string_view line, std::size_t characters) {
  std::size_t offset = 0;
  for (; characters > 0 && offset < line.size(); --characters) {
    do ++offset;
    while (offset < line.size() && continues_utf8(line[offset]));
  }
  return offset;
}

/// Draw the source's line and a caret, as errors in expressions are drawn.
std::string drawing(const Place& place) {
  const std::string_view line = line_of(place.source->text, place.line);
  const std::size_t offset = offset_of(line, place.column - 1);
  const std::size_t length = offset_of(line.substr(offset), place.length);
  return mfg::ExpressionError("", line, offset, length).context();
}

std::string joined(const std::vector<Diagnostic>& diagnostics) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (!text.empty()) text += '\n';
    text += to_string(diagnostic);
  }
  return text;
}

}  // namespace

std::string_view text_at(const Place& place) {
  if (!place.source || place.line == 0) return {};
  const std::string_view line = line_of(place.source->text, place.line);
  return line.substr(offset_of(line, place.column - 1));
}

std::string to_string(const Diagnostic& diagnostic) {
  const Place& place = diagnostic.place;
  std::string text = place.source ? place.source->name : "configuration";
  if (place.line > 0) text += fmt::format(":{}:{}", place.line, place.column);
  text += ": ";
  if (!diagnostic.key.empty()) text += diagnostic.key + ": ";
  text += diagnostic.message;
  if (!diagnostic.suggestion.empty()) {
    text += fmt::format("; did you mean '{}'?", diagnostic.suggestion);
  }
  if (place.source && place.line > 0) {
    if (const std::string lines = drawing(place); !lines.empty()) text += "\n" + lines;
  }
  return text;
}

ConfigErrors::ConfigErrors(std::vector<Diagnostic> diagnostics)
    : ConfigError(joined(diagnostics)), diagnostics_(std::move(diagnostics)) {}

}  // namespace isofield::mfg_solve
