#include "schema.hpp"

#include <algorithm>
#include <isofield/version.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <variant>

#include "config_table.hpp"
#include "toml_reader.hpp"

namespace isofield::mfg_solve {
namespace {

using Json = nlohmann::ordered_json;

template <class T, class... Us>
constexpr bool is_any = (std::is_same_v<T, Us> || ...);

void add_range(const Range& range, Json& schema) {
  if (range.low) schema[range.open_low ? "exclusiveMinimum" : "minimum"] = *range.low;
  if (range.high) schema[range.open_high ? "exclusiveMaximum" : "maximum"] = *range.high;
}

Json number_schema(const char* type, const Range& range) {
  Json schema{{"type", type}};
  add_range(range, schema);
  return schema;
}

Json boundary_schema() {
  const Json kind{{"enum", {"periodic", "reflecting", "exit"}}};
  const Json ends{{"type", "object"},
                  {"properties", {{"lower", kind}, {"upper", kind}}},
                  {"required", {"lower", "upper"}},
                  {"additionalProperties", false}};
  const Json list{{"type", "array"}, {"items", {{"anyOf", Json::array({kind, ends})}}}};
  return {{"anyOf", Json::array({kind, list})}};
}

/// Describe the values of a key by the type it fills.
Json type_schema(const Key& key) {
  return std::visit(
      [&](auto target) -> Json {
        using Target = decltype(target);
        if constexpr (is_any<Target, Access<std::string>, Access<mfg::Scheme>,
                             Access<mfg::Coupling>>) {
          Json schema{{"type", "string"}};
          if (!key.choices.empty()) schema["enum"] = key.choices;
          return schema;
        } else if constexpr (is_any<Target, Access<bool>>) {
          return {{"type", "boolean"}};
        } else if constexpr (is_any<Target, Access<double>>) {
          return number_schema("number", key.range);
        } else if constexpr (is_any<Target, Access<std::int64_t>>) {
          return number_schema("integer", key.range);
        } else if constexpr (is_any<Target, Access<std::vector<double>>>) {
          return {{"type", "array"}, {"items", number_schema("number", key.range)}};
        } else if constexpr (is_any<Target, Access<std::vector<std::int64_t>>>) {
          return {{"type", "array"}, {"items", number_schema("integer", key.range)}};
        } else if constexpr (is_any<Target, Access<std::vector<mfg::AxisBoundary>>>) {
          return boundary_schema();
        } else if constexpr (is_any<Target, Access<std::optional<double>>>) {
          return {{"anyOf",
                   Json::array({number_schema("number", key.range), Json{{"const", "as given"}}})}};
        } else {
          const Json expression{{"type", {"string", "number"}}};
          if constexpr (!is_any<Target, Access<std::vector<mfg::Expression>>>) return expression;
          return {{"type", "array"}, {"items", expression}};
        }
      },
      key.target);
}

Json to_json(const TomlValue& value) {
  switch (value.kind) {
    case TomlValue::Kind::text: return value.text;
    case TomlValue::Kind::boolean: return value.boolean;
    case TomlValue::Kind::integer: return value.integer;
    default: return value.number;
  }
}

Json key_schema(const Key& key) {
  Json schema = type_schema(key);
  std::string about(key.about);
  if (!key.variables.empty()) {
    about += " An expression; variables:";
    for (const std::string_view name : key.variables) about += " " + std::string(name);
    about += ".";
  }
  if (!key.supported.empty()) {
    about += " Supported in this version:";
    for (const std::string_view value : key.supported) about += " " + std::string(value);
    about += ".";
  }
  schema["description"] = about;
  if (!key.fallback.empty() && !key.required()) {
    const auto source =
        std::make_shared<const Source>(Source{"default", "v = " + std::string(key.fallback)});
    schema["default"] = to_json(read_toml(source).entries.front().value);
  }
  return schema;
}

Json empty_table() {
  return {{"type", "object"}, {"properties", Json::object()}, {"additionalProperties", false}};
}

/// Put a key into the nested tables of its path.
void add_key(const Key& key, std::string_view path, Json& table) {
  const std::size_t dot = path.find('.');
  const std::string name(path.substr(0, dot));
  if (dot == std::string_view::npos) {
    table["properties"][name] = key_schema(key);
  } else {
    Json& inner = table["properties"][name];
    if (inner.is_null()) inner = empty_table();
    add_key(key, path.substr(dot + 1), inner);
  }
  if (key.required() && key.stationary.empty() && name != "model") {
    Json& required = table["required"];
    if (required.is_null()) required = Json::array();
    if (std::find(required.begin(), required.end(), Json(name)) == required.end()) {
      required.push_back(name);
    }
  }
}

/// What an ergodic game may leave out: the time, and each population's initial density.
void relax_for_ergodic_games(Json& schema) {
  const Json ergodic{{"properties", {{"ergodic", {{"const", true}}}}}, {"required", {"ergodic"}}};
  Json& model = schema["properties"]["model"];
  model["if"] = ergodic;
  model["else"] = {{"required", {"initial_density"}}};
  schema["properties"]["time"]["required"] = {"horizon", "steps"};
  schema["if"] = {
      {"anyOf", Json::array({{{"properties", {{"model", ergodic}}}, {"required", {"model"}}},
                             {{"properties", {{"population", {{"contains", ergodic}}}}},
                              {"required", {"population"}}}})}};
  schema["else"] = {{"required", {"time"}}};
}

/// Keys with lists of their values, by dotted paths in quotes or in tables of their own.
Json sweep_schema() {
  return {
      {"type", "object"},
      {"properties",
       {{"mode",
         {{"type", "string"},
          {"enum", {"product", "zip"}},
          {"description", "Whether every value goes with every other or the lists go together."},
          {"default", "product"}}},
        {"continuation",
         {{"type", "boolean"},
          {"description", "Whether each run starts from its neighbour's solution."},
          {"default", true}}}}},
      {"additionalProperties", {{"type", {"array", "object"}}}}};
}

}  // namespace

std::string config_schema() {
  Json schema = empty_table();
  for (const Key& key : config_table()) {
    if (!std::holds_alternative<std::monostate>(key.target)) add_key(key, key.path, schema);
  }
  relax_for_ergodic_games(schema);
  schema["properties"]["sweep"] = sweep_schema();
  Json& properties = schema["properties"];
  properties["population"] = {{"type", "array"}, {"minItems", 1}, {"items", properties["model"]}};
  const auto required = [](const char* name) { return Json{{"required", {name}}}; };
  schema["oneOf"] = Json::array({required("model"), required("population")});
  Json head{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
            {"title", "Configuration of mfg_solve " + std::string(version())}};
  head.update(schema);
  return head.dump(2) + "\n";
}

}  // namespace isofield::mfg_solve
