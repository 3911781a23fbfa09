#include "sweep.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <isofield/mfg/nearest_name.hpp>
#include <set>
#include <tuple>
#include <utility>

#include "config_override.hpp"
#include "config_table.hpp"

namespace isofield::mfg_solve {
namespace {

using Kind = TomlValue::Kind;

constexpr std::size_t most_members = 10000;

bool is_number(const TomlValue& value) {
  return value.kind == Kind::number || value.kind == Kind::integer;
}

std::size_t population_of(std::string_view key) {
  std::size_t index = 0;
  if (key.starts_with("population.")) {
    key.remove_prefix(11);
    std::from_chars(key.data(), key.data() + key.size(), index);
  }
  return index;
}

std::string number_to_toml(const TomlValue& value) {
  if (value.kind == Kind::integer) return std::to_string(value.integer);
  std::string text = fmt::format("{}", value.number);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

/// A parameter as it stands in the table.
struct List {
  std::string key;
  Place place;
  std::vector<TomlValue> values;
};

/// Read the table [sweep].
class SweepReader {
 public:
  SweepReader(Family& family, std::vector<Diagnostic>& errors) : family_(family), errors_(errors) {}

  std::vector<List> read(const TomlEntry& sweep) {
    const std::size_t before = errors_.size();
    if (sweep.value.kind != Kind::table) {
      error(sweep.value.place, "sweep", "expected a table, got " + describe(sweep.value));
      return {};
    }
    walk(sweep.value, "");
    if (errors_.size() == before && lists_.empty()) {
      error(sweep.place, "sweep", "expected a key with a list of values for it");
    }
    if (errors_.size() == before) check_sizes();
    return std::move(lists_);
  }

 private:
  void walk(const TomlValue& table, const std::string& prefix) {
    for (const TomlEntry& entry : table.entries) {
      const std::string key = prefix.empty() ? entry.key : prefix + "." + entry.key;
      if (key == "mode") {
        read_mode(entry.value);
      } else if (key == "continuation") {
        if (entry.value.kind != Kind::boolean) {
          error(entry.value.place, "sweep.continuation",
                "expected true or false, got " + describe(entry.value));
        }
        family_.continuation = entry.value.boolean;
      } else if (row_of(key)) {
        read_list(key, entry);
      } else if (entry.value.kind == Kind::table) {
        walk(entry.value, key);
      } else {
        unknown(key, entry.place);
      }
    }
  }

  void read_mode(const TomlValue& value) {
    const std::vector<std::string> modes{"product", "zip"};
    if (value.kind == Kind::text && std::ranges::find(modes, value.text) != modes.end()) {
      family_.zip = value.text == "zip";
      return;
    }
    error(value.place, "sweep.mode", "expected one of \"product\", \"zip\", got " + describe(value),
          value.kind == Kind::text ? mfg::nearest_name(value.text, modes) : "");
  }

  void read_list(const std::string& key, const TomlEntry& entry) {
    const std::string shown = "sweep." + key;
    if (key.starts_with("output.") || key.starts_with("backend.")) {
      return error(entry.place, shown, "all runs of a family share it");
    }
    if (std::ranges::find(lists_, key, &List::key) != lists_.end()) {
      return error(entry.place, shown, "stands twice in the table");
    }
    if (entry.value.kind != Kind::array || entry.value.items.empty()) {
      return error(entry.value.place, shown,
                   "expected a list of values, one at least, got " + describe(entry.value));
    }
    lists_.push_back({key, entry.value.place, entry.value.items});
  }

  void check_sizes() {
    double members = 1;
    for (const List& list : lists_) {
      const std::size_t size = list.values.size(), first = lists_[0].values.size();
      if (family_.zip && size != first) {
        error(list.place, "sweep." + list.key,
              fmt::format("expected {} values, as {} has, which go together, got {}", first,
                          lists_[0].key, size));
      }
      members = family_.zip ? static_cast<double>(first) : members * static_cast<double>(size);
    }
    if (members > static_cast<double>(most_members)) {
      error(lists_[0].place, "sweep",
            fmt::format("expected {} runs at most, got {:.0f}", most_members, members));
    }
  }

  void unknown(const std::string& key, const Place& place) {
    std::vector<std::string> names{"mode", "continuation"};
    for (const Key& row : config_table()) names.emplace_back(row.path);
    const std::string near = mfg::nearest_name(key, names);
    const bool own = near == "mode" || near == "continuation";
    error(place, "sweep." + key, "unknown key", own ? "sweep." + near : near);
  }

  void error(const Place& place, std::string key, std::string message,
             std::string suggestion = {}) {
    errors_.push_back({place, std::move(key), std::move(message), std::move(suggestion)});
  }

  Family& family_;
  std::vector<Diagnostic>& errors_;
  std::vector<List> lists_;
};

/// Which value of each list each member has; the last list varies fastest.
std::vector<std::vector<std::size_t>> combinations(const std::vector<List>& lists, bool zip) {
  std::vector<std::vector<std::size_t>> all;
  if (zip) {
    for (std::size_t i = 0; i < lists[0].values.size(); ++i) all.emplace_back(lists.size(), i);
    return all;
  }
  std::vector<std::size_t> at(lists.size(), 0);
  while (true) {
    all.push_back(at);
    std::size_t k = lists.size();
    while (k > 0 && ++at[k - 1] == lists[k - 1].values.size()) at[--k] = 0;
    if (k == 0) return all;
  }
}

/// What is wrong with all members is said once.
void keep_new(std::vector<Diagnostic> found, std::vector<Diagnostic>& errors) {
  const auto identity = [](const Diagnostic& d) {
    return std::tuple(d.place.source ? d.place.source->name : "", d.place.line, d.place.column,
                      d.key, d.message);
  };
  std::set<decltype(identity(errors[0]))> known;
  for (const Diagnostic& d : errors) known.insert(identity(d));
  for (Diagnostic& d : found) {
    if (known.insert(identity(d)).second) errors.push_back(std::move(d));
  }
}

/// Spell each list's values as they were understood.
std::vector<SweepParameter> parameters_of(const std::vector<List>& lists,
                                          const std::vector<FamilyMember>& members) {
  std::vector<SweepParameter> parameters;
  for (std::size_t k = 0; k < lists.size(); ++k) {
    const List& list = lists[k];
    SweepParameter parameter{list.key, {}, {}};
    for (std::size_t i = 0; i < list.values.size(); ++i) {
      const TomlValue& value = list.values[i];
      if (is_number(value)) {
        parameter.values.push_back(number_to_toml(value));
        parameter.numbers.push_back(value.number);
        continue;
      }
      const auto user = std::ranges::find_if(
          members, [&](const FamilyMember& member) { return member.at[k] == i; });
      parameter.values.push_back(
          value_to_toml(*row_of(list.key), user->config, population_of(list.key)));
    }
    if (parameter.numbers.size() != parameter.values.size()) parameter.numbers.clear();
    parameters.push_back(std::move(parameter));
  }
  return parameters;
}

}  // namespace

std::string SweepParameter::plain(std::size_t value) const {
  const std::string& text = values[value];
  const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"' &&
                      text.find('\\') == std::string::npos;
  return quoted ? text.substr(1, text.size() - 2) : text;
}

std::string Family::description(std::size_t member) const {
  std::string text;
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    text += fmt::format("{}{} = {}", k > 0 ? ", " : "", parameters[k].key,
                        parameters[k].plain(members[member].at[k]));
  }
  return text;
}

Family read_family(std::shared_ptr<const Source> source, std::span<const Override> overrides,
                   std::int64_t most_cells) {
  const std::string name = source->name;
  std::vector<Diagnostic> errors;
  Family family;
  TomlValue root = read_document(std::move(source), overrides, errors);
  const TomlEntry* found = root.find("sweep");
  if (!found) {
    family.members.push_back({{}, config_of(std::move(root), most_cells, errors)});
    throw_if_any(std::move(errors), name);
    return family;
  }
  const TomlEntry sweep = *found;
  std::erase_if(root.entries, [](const TomlEntry& entry) { return entry.key == "sweep"; });
  const std::vector<List> lists = SweepReader(family, errors).read(sweep);
  throw_if_any(errors, name);
  for (std::vector<std::size_t>& at : combinations(lists, family.zip)) {
    TomlValue document = root;
    for (std::size_t k = 0; k < lists.size(); ++k) {
      const TomlValue& value = lists[k].values[at[k]];
      const bool nobody = lists[k].key.starts_with("population.") && !root.find("population");
      if (!nobody && put_value(document, lists[k].key, value.place, value)) continue;
      keep_new({{lists[k].place, "sweep." + lists[k].key,
                 "there is no such place in the configuration", ""}},
               errors);
    }
    std::vector<Diagnostic> of_member;
    mfg::Config config = config_of(std::move(document), most_cells, of_member);
    keep_new(std::move(of_member), errors);
    family.members.push_back({std::move(at), std::move(config)});
  }
  throw_if_any(std::move(errors), name);
  family.parameters = parameters_of(lists, family.members);
  return family;
}

std::string to_toml(const Family& family) {
  std::string text = to_toml(family.members[0].config);
  if (!family.is_sweep()) return text;
  text += fmt::format("\n[sweep]\nmode = \"{}\"\ncontinuation = {}\n",
                      family.zip ? "zip" : "product", family.continuation);
  for (const SweepParameter& parameter : family.parameters)
    text += fmt::format("\"{}\" = [{}]\n", parameter.key, fmt::join(parameter.values, ", "));
  return text;
}

}  // namespace isofield::mfg_solve
