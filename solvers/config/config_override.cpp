#include "config_override.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <isofield/mfg/expression.hpp>
#include <optional>
#include <utility>
#include <variant>

#include "config_table.hpp"

namespace isofield::mfg_solve {
namespace {

using Kind = TomlValue::Kind;

bool is_key(std::string_view text) {
  return !text.empty() && text.front() != '.' && text.back() != '.' &&
         text.find("..") == std::string_view::npos && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '.';
         });
}

/// Tell whether a key takes a text, which needs no quotes on a command line.
bool takes_text(const Key* key) {
  if (!key) return false;
  const Target& target = key->target;
  return std::holds_alternative<Access<std::string>>(target) ||
         std::holds_alternative<Access<mfg::Scheme>>(target) ||
         std::holds_alternative<Access<mfg::Coupling>>(target) ||
         std::holds_alternative<Access<mfg::Expression>>(target) ||
         std::holds_alternative<Access<std::optional<mfg::Expression>>>(target);
}

TomlValue bare_text(const Place& place, std::string text) {
  TomlValue value;
  value.kind = Kind::text;
  value.place = place;
  value.text = std::move(text);
  return value;
}

/// Read the value as TOML, or as a text without quotes where it cannot be anything else.
TomlValue read_value(const Override& override, const Place& place) {
  const std::string_view raw = override.value;
  const bool quoted = raw.starts_with('"') || raw.starts_with('\'');
  if (takes_text(row_of(override.key)) && !quoted) return bare_text(place, override.value);
  if (raw.find('\n') != std::string_view::npos) {
    throw ConfigErrors({Diagnostic{place, override.key, "a value stands on one line", ""}});
  }
  const bool structured = quoted || raw.starts_with('[') || raw.starts_with('{');
  try {
    const TomlValue document = read_toml(place.source);
    const TomlValue* value = &document;
    while (value->kind == Kind::table && value->place.column < place.column) {
      if (value->entries.empty()) break;
      value = &value->entries.front().value;
    }
    return *value;
  } catch (const ConfigErrors&) {
    if (structured) throw;
    return bare_text(place, override.value);
  }
}

/// Walk to an entry of a table by its name, or of a list by its number; make it where it is absent.
TomlValue* descend(TomlValue& parent, const std::string& name, const Place& place) {
  if (parent.kind == Kind::array) {
    std::size_t index = 0;
    const char* const end = name.data() + name.size();
    const auto [stop, failed] = std::from_chars(name.data(), end, index);
    const bool valid = failed == std::errc{} && stop == end && index < parent.items.size();
    return valid ? &parent.items[index] : nullptr;
  }
  if (parent.kind != Kind::table) return nullptr;
  if (TomlEntry* entry = parent.find(name)) return &entry->value;
  TomlValue table;
  table.place = place;
  parent.entries.push_back({name, place, std::move(table)});
  return &parent.entries.back().value;
}

}  // namespace

const Key* row_of(std::string_view key) {
  if (key.starts_with("population.")) {
    const std::size_t dot = key.find('.', 11);
    if (dot == std::string_view::npos) return nullptr;
    return find_key("model" + std::string(key.substr(dot)));
  }
  return find_key(key);
}

bool put_value(TomlValue& root, std::string path, const Place& place, TomlValue value) {
  // [model] is another name for the only population.
  const TomlEntry* list = root.find("population");
  if (path.starts_with("model.") && list && !root.find("model") && list->value.items.size() == 1) {
    path = "population.0" + path.substr(5);
  }
  TomlValue* at = &root;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t dot = std::min(path.find('.', begin), path.size());
    at = descend(*at, path.substr(begin, dot - begin), place);
    if (!at) return false;
    begin = dot + 1;
  }
  *at = std::move(value);
  return true;
}

Override parse_setting(std::string_view option, std::string_view text) {
  const std::size_t equals = text.find('=');
  const auto source =
      std::make_shared<const Source>(Source{std::string(option), std::string(text)});
  const auto trimmed = [](std::string_view part) {
    const std::size_t begin = std::min(part.find_first_not_of(" \t"), part.size());
    return std::string(part.substr(begin, part.find_last_not_of(" \t") + 1 - begin));
  };
  if (equals == std::string_view::npos) {
    throw ConfigErrors(
        {Diagnostic{Place{source, 1, 1, text.size()}, "", "expected KEY=VALUE", ""}});
  }
  return {std::string(option), trimmed(text.substr(0, equals)), trimmed(text.substr(equals + 1))};
}

void apply_override(const Override& override, TomlValue& root, std::vector<Diagnostic>& errors) {
  const auto source =
      std::make_shared<const Source>(Source{override.option, override.key + "=" + override.value});
  const Place key_place{source, 1, 1, override.key.size()};
  const Place value_place{source, 1, override.key.size() + 2, override.value.size()};
  if (!is_key(override.key)) {
    errors.push_back({key_place, override.key, "not the name of a key", ""});
    return;
  }
  try {
    if (!put_value(root, override.key, key_place, read_value(override, value_place))) {
      errors.push_back(
          {key_place, override.key, "there is no such place in the configuration", ""});
    }
  } catch (const ConfigErrors& error) {
    errors.insert(errors.end(), error.diagnostics().begin(), error.diagnostics().end());
  }
}

}  // namespace isofield::mfg_solve
