#include "config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <isofield/error.hpp>
#include <isofield/mfg/mask.hpp>
#include <isofield/mfg/nearest_name.hpp>
#include <map>
#include <tuple>
#include <utility>

#include "config_check.hpp"
#include "config_data.hpp"
#include "config_override.hpp"
#include "config_table.hpp"
#include "config_value.hpp"
#include "toml_reader.hpp"

namespace isofield::mfg_solve {
namespace {

using Kind = TomlValue::Kind;

std::string joined_path(std::string_view prefix, std::string_view name) {
  return prefix.empty() ? std::string(name) : fmt::format("{}.{}", prefix, name);
}

TomlValue read_default(const Key& key, std::string_view value) {
  const auto source = std::make_shared<const Source>(
      Source{fmt::format("default of {}", key.path), fmt::format("v = {}", value)});
  return read_toml(source).entries.front().value;
}

/// Read a key's default, once for all configurations: most leave most keys out.
const TomlValue& fallback_of(const Key& key) {
  static const std::map<std::string_view, TomlValue> values = [] {
    std::map<std::string_view, TomlValue> all;
    for (const Key& each : config_table()) {
      if (each.fallback.empty() || each.required()) continue;
      all.emplace(each.path, read_default(each, each.fallback));
    }
    return all;
  }();
  return values.at(key.path);
}

/// The same of what takes its place in an ergodic game.
const TomlValue& stationary_of(const Key& key) {
  static const std::map<std::string_view, TomlValue> values = [] {
    std::map<std::string_view, TomlValue> all;
    for (const Key& each : config_table()) {
      if (!each.stationary.empty()) all.emplace(each.path, read_default(each, each.stationary));
    }
    return all;
  }();
  return values.at(key.path);
}

/// Walk over a document with the table of keys in hand.
class Reader {
 public:
  Reader(TomlValue root, mfg::Config& config) : root_(std::move(root)), config_(config) {}

  std::vector<Diagnostic> read(std::int64_t most_cells) {
    find_populations();
    find_surroundings();
    read_table(root_, "", "", 0);
    for (std::size_t p = 0; p < populations_.size(); ++p) {
      read_table(*populations_[p].table, "model", populations_[p].path, p);
    }
    fill_absent();
    if (!given_.places.contains("output.file")) {
      config_.output.file = std::filesystem::path(root_.place.source->name).stem().string() + ".h5";
    }
    given_.source = root_.place.source;
    for (const Population& population : populations_) given_.populations.push_back(population.path);
    read_mask();
    check_config(config_, given_, errors_);
    check_data(config_, given_, most_cells, errors_);
    return std::move(errors_);
  }

 private:
  struct Population {
    const TomlValue* table;
    std::string path;  ///< as messages name it
  };

  /// A game has one [model] or a list of [[population]].
  void find_populations() {
    const TomlEntry* model = root_.find("model");
    const TomlEntry* list = root_.find("population");
    if (model && list) {
      error(list->place, "population", "[model] and [[population]] cannot stand together");
    } else if (list) {
      list_populations(*list);
    } else if (model && model->value.kind == Kind::table) {
      populations_.push_back({&model->value, "model"});
    } else if (!model) {
      error(root_.place, "model", "the table [model] is missing");
    }
    config_.populations.resize(std::max<std::size_t>(populations_.size(), 1));
  }

  void list_populations(const TomlEntry& list) {
    const auto is_table = [](const TomlValue& item) { return item.kind == Kind::table; };
    if (list.value.kind != Kind::array || !std::ranges::all_of(list.value.items, is_table)) {
      return error(list.place, "population",
                   "expected tables [[population]], got " + describe(list.value));
    }
    for (std::size_t i = 0; i < list.value.items.size(); ++i) {
      populations_.push_back({&list.value.items[i], fmt::format("population[{}]", i)});
    }
    if (populations_.empty()) error(list.place, "population", "expected one population at least");
  }

  /// What expressions may mention must be known before the first of them is read.
  void find_surroundings() {
    surroundings_.axes = count_axes();
    for (const Population& population : populations_) {
      const auto text_of = [](const TomlValue& table, const char* key) {
        const TomlEntry* entry = table.kind == Kind::table ? table.find(key) : nullptr;
        return entry && entry->value.kind == Kind::text ? std::optional(entry->value.text)
                                                        : std::nullopt;
      };
      surroundings_.populations.push_back(text_of(*population.table, "name").value_or("0"));
      const TomlEntry* nonlocal = population.table->find("nonlocal");
      surroundings_.convolutions.push_back(
          nonlocal ? text_of(nonlocal->value, "applied_to").value_or("k")
                   : std::optional<std::string>());
      const TomlEntry* ergodic = population.table->find("ergodic");
      ergodic_ =
          ergodic_ || (ergodic && ergodic->value.kind == Kind::boolean && ergodic->value.boolean);
    }
  }

  /// The number of axes decides which variables expressions have; three where it is unknown.
  std::size_t count_axes() const {
    const TomlEntry* domain = root_.find("domain");
    if (!domain) return 3;
    for (const char* const name : {"cells", "lower", "upper"}) {
      const TomlEntry* list = domain->value.find(name);
      if (list && list->value.kind == Kind::array && !list->value.items.empty()) {
        return std::min<std::size_t>(list->value.items.size(), 3);
      }
    }
    return 3;
  }

  /// Read a table whose keys in config_table() begin with `prefix` and in messages with `path`.
  void read_table(const TomlValue& table, const std::string& prefix, const std::string& path,
                  std::size_t population) {
    for (const TomlEntry& entry : table.entries) {
      const std::string full = joined_path(prefix, entry.key);
      const std::string shown = joined_path(path, entry.key);
      if (prefix.empty() && (full == "population" || full == "model")) {
        if (full == "model" && entry.value.kind != Kind::table) expected_table(entry, shown);
        continue;  // read as populations
      }
      if (const Key* key = find_key(full)) {
        given_.places.emplace(shown, entry.value.place);
        const std::size_t before = errors_.size();
        fill(Slot{*key, shown, config_, population, surroundings_}, entry.value, errors_);
        if (!key->beside.empty() && errors_.size() == before)
          check_beside(*key, table, entry, shown);
      } else if (!is_group(full)) {
        unknown(entry, prefix, path, shown);
      } else if (entry.value.kind != Kind::table) {
        expected_table(entry, shown);
      } else {
        given_.places.emplace(shown, entry.place);
        read_table(entry.value, full, shown, population);
      }
    }
  }

  void read_mask() {
    const auto given = given_.places.find("domain.mask");
    const bool sound = std::ranges::none_of(errors_, [](const Diagnostic& d) {
      return d.key == "domain.mask" || d.key == "domain.cells";
    });
    if (given == given_.places.end() || !sound) return;
    mfg::DomainConfig& domain = config_.domain;
    try {
      if (domain.mask.empty())
        throw ConfigError("expected the name of an HDF5 file, FILE.h5:/DATASET");
      domain.mask_kinds = mfg::read_mask(domain.mask, domain.cells).kinds;
    } catch (const Error& e) {
      error(given->second, "domain.mask", e.what());
    }
  }

  /// Both are keys of the same table.
  void check_beside(const Key& key, const TomlValue& table, const TomlEntry& entry,
                    const std::string& shown) {
    const std::string_view other = key.beside.substr(key.beside.rfind('.') + 1);
    if (table.find(other)) return;
    error(entry.place, shown, fmt::format("has no meaning without {}, which is missing", other));
  }

  static bool is_group(const std::string& path) {
    return std::ranges::any_of(config_table(),
                               [&](const Key& key) { return key.path.starts_with(path + "."); });
  }

  void expected_table(const TomlEntry& entry, const std::string& shown) {
    error(entry.value.place, shown, "expected a table, got " + describe(entry.value));
  }

  /// Name the nearest key of the same table, else the one of another table with such a name.
  void unknown(const TomlEntry& entry, const std::string& prefix, const std::string& path,
               const std::string& shown) {
    const std::string start = prefix.empty() ? "" : prefix + ".";
    std::vector<std::string> here;
    std::map<std::string, std::string> elsewhere;
    for (const Key& key : config_table()) {
      const std::string_view name = key.path.substr(key.path.rfind('.') + 1);
      elsewhere.emplace(name, key.path);
      if (!key.path.starts_with(start)) continue;
      const std::string_view rest = key.path.substr(start.size());
      here.emplace_back(rest.substr(0, rest.find('.')));
    }
    if (prefix.empty()) here.emplace_back("population");
    std::string suggestion;
    if (const auto found = elsewhere.find(entry.key); found != elsewhere.end()) {
      suggestion = found->second;
    } else {
      std::vector<std::string> names = here;  // first, so that they win a tie
      for (const auto& [name, key] : elsewhere) names.push_back(name);
      const std::string near = mfg::nearest_name(entry.key, names);
      const bool is_here = std::ranges::find(here, near) != here.end();
      if (!near.empty()) suggestion = is_here ? joined_path(path, near) : elsewhere.at(near);
    }
    error(entry.place, shown, "unknown key", suggestion);
  }

  /// Give absent keys their defaults and miss those that have none.
  void fill_absent() {
    for (const Key& key : config_table()) {
      if (!key.path.starts_with("model.")) {
        fill_absent(key, std::string(key.path), 0);
        continue;
      }
      for (std::size_t p = 0; p < populations_.size(); ++p) {
        fill_absent(key, populations_[p].path + std::string(key.path.substr(5)), p);
      }
    }
  }

  void fill_absent(const Key& key, const std::string& shown, std::size_t population) {
    if (key.fallback.empty() || given_.places.contains(shown)) return;
    if (!key.stationary.empty() && ergodic_) {
      return fill(Slot{key, shown, config_, population, surroundings_}, stationary_of(key),
                  errors_);
    }
    if (key.required()) return missing(key, shown, population);
    fill(Slot{key, shown, config_, population, surroundings_}, fallback_of(key), errors_);
  }

  void missing(const Key& key, const std::string& shown, std::size_t of_population) {
    Place place = root_.place;
    for (std::string parent = shown; parent.find('.') != std::string::npos;) {
      parent.resize(parent.rfind('.'));
      if (const auto found = given_.places.find(parent); found != given_.places.end()) {
        place = found->second;
        break;
      }
    }
    for (const Population& population : populations_) {
      if (shown.starts_with(population.path + ".")) place = population.table->place;
    }
    error(place, shown, "missing; expected " + expectation(key, surroundings_, of_population));
  }

  void error(const Place& place, std::string key, std::string message,
             std::string suggestion = {}) {
    errors_.push_back({place, std::move(key), std::move(message), std::move(suggestion)});
  }

  TomlValue root_;
  mfg::Config& config_;
  Surroundings surroundings_;
  bool ergodic_ = false;  // what no time is needed for
  std::vector<Population> populations_;
  Given given_;
  std::vector<Diagnostic> errors_;
};

}  // namespace

std::shared_ptr<const Source> read_source(const std::string& path) {
  constexpr std::size_t most = (std::size_t{1} << 20) + 1;  // one more than read_toml takes
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    throw IoError(fmt::format("cannot read {}: it is a folder", path));
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(most, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(most));
  if (!file && !file.eof()) {
    throw IoError(fmt::format("cannot read {}: {}", path,
                              std::generic_category().message(errno != 0 ? errno : EIO)));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  return std::make_shared<const Source>(Source{path, std::move(text)});
}

TomlValue read_document(std::shared_ptr<const Source> source, std::span<const Override> overrides,
                        std::vector<Diagnostic>& errors) {
  TomlValue root = read_toml(std::move(source));
  for (const Override& override : overrides) apply_override(override, root, errors);
  return root;
}

mfg::Config config_of(TomlValue document, std::int64_t most_cells,
                      std::vector<Diagnostic>& errors) {
  mfg::Config config;
  std::vector<Diagnostic> found = Reader(std::move(document), config).read(most_cells);
  errors.insert(errors.end(), std::make_move_iterator(found.begin()),
                std::make_move_iterator(found.end()));
  return config;
}

void throw_if_any(std::vector<Diagnostic> errors, const std::string& name) {
  std::ranges::stable_sort(errors, {}, [&](const Diagnostic& d) {
    const bool in_file = d.place.source && d.place.source->name == name;
    return std::tuple(in_file, in_file ? d.place.line : 0, in_file ? d.place.column : 0);
  });
  if (!errors.empty()) throw ConfigErrors(std::move(errors));
}

mfg::Config read_config(std::shared_ptr<const Source> source, std::span<const Override> overrides,
                        std::int64_t most_cells) {
  const std::string name = source->name;
  std::vector<Diagnostic> errors;
  TomlValue root = read_document(std::move(source), overrides, errors);
  if (const TomlEntry* sweep = root.find("sweep")) {
    errors.push_back({sweep->place, "sweep", "a family of runs cannot stand here, only one", ""});
    std::erase_if(root.entries, [](const TomlEntry& entry) { return entry.key == "sweep"; });
  }
  mfg::Config config = config_of(std::move(root), most_cells, errors);
  throw_if_any(std::move(errors), name);
  return config;
}

namespace {

/// Write the keys of one table of the configuration.
std::string table_to_toml(std::string_view table, std::string_view header,
                          const mfg::Config& config, std::size_t population) {
  std::string text;
  for (const Key& key : config_table()) {
    const bool nested =
        key.path.starts_with(table) && key.path.substr(table.size()).starts_with('.');
    const bool top = table.empty() && key.path.find('.') == std::string_view::npos;
    // [model] needs no name: it is the one population.
    if ((!nested && !top) || (key.path == "model.name" && header == "[model]")) continue;
    if (!key.stationary.empty() && config.ergodic()) {
      const bool tells_mass = key.path == "model.initial_density";
      if (!tells_mass || config.populations[population].mass) continue;
    }
    const std::string value = value_to_toml(key, config, population);
    const std::string_view name = key.path.substr(top ? 0 : table.size() + 1);
    if (!value.empty()) text += fmt::format("{} = {}\n", name, value);
  }
  return header.empty() || text.empty() ? text : fmt::format("\n{}\n{}", header, text);
}

}  // namespace

std::string to_toml(const mfg::Config& config) {
  std::string text = table_to_toml("", "", config, 0);
  for (const char* const table : {"domain", "time"}) {
    text += table_to_toml(table, fmt::format("[{}]", table), config, 0);
  }
  const bool unnamed = config.populations.size() == 1 && config.populations[0].name == "0";
  for (std::size_t p = 0; p < config.populations.size(); ++p) {
    text += table_to_toml("model", unnamed ? "[model]" : "[[population]]", config, p);
  }
  for (const char* const table : {"solver", "backend", "output"}) {
    text += table_to_toml(table, fmt::format("[{}]", table), config, 0);
  }
  return text;
}

}  // namespace isofield::mfg_solve
