#include "toml_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

// toml++ 3.3 checks itself by assertions that hostile documents reach: assert() would end the
// process and NDEBUG would leave undefined behaviour. Here a failed one is an exception instead.
#undef NDEBUG
namespace {
[[noreturn]] void toml_assertion_failed() { throw std::logic_error("toml++ assertion"); }
}  // namespace
#define TOML_ASSERT(expr) (static_cast<bool>(expr) ? void() : toml_assertion_failed())
#define TOML_HEADER_ONLY 1
#define TOML_MAX_NESTED_VALUES 32
#include <toml++/toml.h>

namespace isofield::mfg_solve {
namespace {

constexpr std::size_t max_bytes = std::size_t{1} << 20;
constexpr std::size_t max_key_parts = 16;

[[noreturn]] void fail(Place place, std::string message) {
  throw ConfigErrors({Diagnostic{std::move(place), "", std::move(message), ""}});
}

/// Count bytes of the UTF-8 character that starts `text`; 0 where it is not valid.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned first = byte(0);
  if (first < 0x80U) return 1;
  const std::size_t length = first >= 0xF0U ? 4 : first >= 0xE0U ? 3 : 2;
  if (first < 0xC2U || first > 0xF4U) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  }
  const unsigned second = byte(1);
  const bool overlong = (first == 0xE0U && second < 0xA0U) || (first == 0xF0U && second < 0x90U);
  const bool surrogate = first == 0xEDU && second > 0x9FU;
  const bool beyond = first == 0xF4U && second > 0x8FU;
  return overlong || surrogate || beyond ? 0 : length;
}

/// Refuse bytes that no TOML document has, with their place.
void check_bytes(const std::shared_ptr<const Source>& source) {
  const std::string_view text = source->text;
  if (text.size() > max_bytes) fail(Place{source}, "the document is larger than 1 MiB");
  Place place{source, 1, 1};
  for (std::size_t i = 0; i < text.size(); ++place.column) {
    const std::size_t length = utf8_length(text.substr(i));
    const auto byte = static_cast<unsigned char>(text[i]);
    if (length == 0) fail(place, fmt::format("byte 0x{:02X} is not valid UTF-8", byte));
    const bool line_end = byte == '\n' || (byte == '\r' && text.substr(i + 1).starts_with('\n'));
    if ((byte < 0x20U && byte != '\t' && !line_end) || byte == 0x7FU) {
      fail(place, fmt::format("control character 0x{:02X} cannot stand in a document", byte));
    }
    i += length;
    if (byte == '\n') {
      ++place.line;
      place.column = 0;
    }
  }
}

/// A character beyond ASCII, where it stands in the document.
struct Foreign {
  std::size_t line, column;
  std::string_view bytes;
};

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

/// Screen a document of what the parser asserts on, recurses into or leaves undefined: headers such
/// as `[&`, keys of endless parts, and every character beyond ASCII. Those in strings and comments
/// are replaced by a character the document does not use, and put back into the values read.
class Screen {
 public:
  explicit Screen(std::shared_ptr<const Source> source)
      : source_(std::move(source)), rest_(source_->text) {
    constexpr std::string_view candidates = "~`@$;?|&!%";
    const std::size_t unused = candidates.find_first_not_of(rest_);
    const bool ascii = std::ranges::none_of(rest_, is_continuation);
    if (unused == std::string_view::npos && !ascii) {
      fail(Place{source_},
           fmt::format("beside characters beyond ASCII, one of {} must be unused", candidates));
    }
    if (unused != std::string_view::npos) stand_in_ = candidates[unused];
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);  // a byte order mark
    walk();
  }

  const std::string& ascii() const { return ascii_; }

  /// Put characters back into a text that was read from a place on.
  std::string restored(std::string_view text, const Place& place) const {
    if (foreign_.empty()) return std::string(text);
    auto next =
        std::ranges::lower_bound(foreign_, std::pair(place.line, place.column), {},
                                 [](const Foreign& f) { return std::pair(f.line, f.column); });
    std::string original;
    for (const char c : text) {
      if (c == stand_in_ && next != foreign_.end()) {
        original += (next++)->bytes;
      } else {
        original += c;
      }
    }
    return original;
  }

 private:
  void walk() {
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (c == '"' || c == '\'') {
        take_string(c);
      } else if (c == '#') {
        while (!rest_.empty() && rest_.front() != '\n') take();
      } else {
        check_structure(c);
        take();
      }
    }
  }

  /// Move one character over; whoever calls has looked whether it may stand there.
  void take() {
    const char c = rest_.front();
    std::size_t length = 1;
    while (length < rest_.size() && is_continuation(rest_[length])) ++length;
    if (length > 1) foreign_.push_back({line_, column_, rest_.substr(0, length)});
    ascii_ += length > 1 ? stand_in_ : c;
    rest_.remove_prefix(length);
    ++column_;
    if (c != ' ' && c != '\t') blank_so_far_ = false;
    if (c == '\n') {
      ++line_;
      column_ = 1;
      blank_so_far_ = true;
    }
  }

  void check_structure(char c) {
    if (static_cast<unsigned char>(c) >= 0x80U) {
      refuse("characters beyond ASCII belong in quotes or comments");
    }
    if (c == '[' && depth_ == 0 && blank_so_far_) check_header();
    if (c == '[' || c == '{') ++depth_;
    if ((c == ']' || c == '}') && depth_ > 0) --depth_;
    if (c == '.' && ++dots_ > max_key_parts) refuse("a key of more than 16 parts");
    if (c == '=' || c == ',' || c == '\n' || c == '[' || c == '{') dots_ = 0;
  }

  void check_header() const {
    const std::size_t brackets = rest_.starts_with("[[") ? 2 : 1;
    const std::size_t key = rest_.find_first_not_of(" \t", brackets);
    const char c = key == std::string_view::npos ? '\n' : rest_[key];
    const bool starts_key = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '"' || c == '\'';
    if (!starts_key) refuse("the name of a table must follow '['");
  }

  /// Move a string over as TOML delimits it; an unclosed one ends with its line, where the parser
  /// stops too.
  void take_string(char quote) {
    const std::string triple(3, quote);
    const bool multiline = rest_.starts_with(triple);
    for (int i = multiline ? 3 : 1; i > 0; --i) take();
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (multiline && rest_.starts_with(triple)) {
        for (int i = 0; i < 3; ++i) take();
        return;
      }
      if (!multiline && c == '\n') return;
      take();
      if (!multiline && c == quote) return;
      if (quote == '"' && c == '\\' && !rest_.empty()) take();
    }
  }

  [[noreturn]] void refuse(std::string message) const {
    fail(Place{source_, line_, column_}, "not valid TOML: " + std::move(message));
  }

  std::shared_ptr<const Source> source_;
  std::string_view rest_;
  std::string ascii_;
  std::vector<Foreign> foreign_;
  char stand_in_ = '~';
  bool blank_so_far_ = true;
  std::size_t line_ = 1, column_ = 1, depth_ = 0, dots_ = 0;
};

Place place_of(const toml::source_region& region, const std::shared_ptr<const Source>& source) {
  Place place{source, region.begin.line, region.begin.column};
  if (region.end.line == region.begin.line && region.end.column > region.begin.column) {
    place.length = region.end.column - region.begin.column;
  }
  return place;
}

/// Copy the parser's tree into ours.
class Converter {
 public:
  Converter(std::shared_ptr<const Source> source, const Screen& screen)
      : source_(std::move(source)), screen_(screen) {}

  TomlValue convert(const toml::node& node) const {
    using Kind = TomlValue::Kind;
    TomlValue out;
    out.kind = Kind::date;
    out.place = place_of(node.source(), source_);
    if (const auto* text = node.as_string()) {
      out.kind = Kind::text;
      out.text = screen_.restored(text->get(), out.place);
    } else if (const auto* integer = node.as_integer()) {
      out.kind = Kind::integer;
      out.integer = integer->get();
      out.number = static_cast<double>(out.integer);
    } else if (const auto* number = node.as_floating_point()) {
      out.kind = Kind::number;
      out.number = number->get();
    } else if (const auto* boolean = node.as_boolean()) {
      out.kind = Kind::boolean;
      out.boolean = boolean->get();
    } else if (const auto* array = node.as_array()) {
      out.kind = Kind::array;
      for (const toml::node& item : *array) out.items.push_back(convert(item));
    } else if (const auto* table = node.as_table()) {
      out.kind = Kind::table;
      out.entries = entries(*table);
    }
    return out;
  }

 private:
  std::vector<TomlEntry> entries(const toml::table& table) const {
    std::vector<TomlEntry> out;
    for (const auto& [key, child] : table) {
      const Place place = place_of(key.source(), source_);
      out.push_back(TomlEntry{screen_.restored(key.str(), place), place, convert(child)});
    }
    // The parser sorts by name; messages and copies go by the file.
    std::ranges::stable_sort(
        out, {}, [](const TomlEntry& e) { return std::pair(e.place.line, e.place.column); });
    return out;
  }

  std::shared_ptr<const Source> source_;
  const Screen& screen_;
};

/// Leave out what the parser says of itself and its limits' macros.
std::string cleaned(std::string_view description) {
  std::string text(description);
  for (const std::string_view noise : {" (TOML_MAX_NESTED_VALUES)", "Error while parsing "}) {
    if (const std::size_t at = text.find(noise); at != std::string::npos) {
      text.erase(at, noise.size());
    }
  }
  return text;
}

}  // namespace

const TomlEntry* TomlValue::find(std::string_view key) const {
  const auto found = std::ranges::find(entries, key, &TomlEntry::key);
  return found == entries.end() ? nullptr : &*found;
}

TomlEntry* TomlValue::find(std::string_view key) {
  const auto found = std::ranges::find(entries, key, &TomlEntry::key);
  return found == entries.end() ? nullptr : &*found;
}

std::string describe(const TomlValue& value) {
  switch (value.kind) {
    case TomlValue::Kind::text: {
      constexpr std::size_t shown = 40;
      const bool fits = value.text.size() <= shown;
      std::size_t end = std::min(value.text.size(), shown);
      while (end < value.text.size() &&
             (static_cast<unsigned char>(value.text[end]) & 0xC0U) == 0x80U)
        --end;
      std::string text = value.text.substr(0, end);
      std::ranges::replace_if(
          text, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
      return fmt::format("the text \"{}{}\"", text, fits ? "" : "...");
    }
    case TomlValue::Kind::integer: return fmt::format("the integer {}", value.integer);
    case TomlValue::Kind::number: return fmt::format("the number {}", value.number);
    case TomlValue::Kind::boolean: return value.boolean ? "true" : "false";
    case TomlValue::Kind::date: return "a date or time";
    case TomlValue::Kind::array: return "a list";
    case TomlValue::Kind::table: return "a table";
  }
  return {};
}

namespace {

bool asserts(std::string_view text) {
  try {
    static_cast<void>(toml::parse(text));
  } catch (const toml::parse_error&) {
    return false;
  } catch (const std::logic_error&) {
    return true;
  }
  return false;
}

/// Find the line at which the parser's assertion fails: it reads from the start, so the shortest
/// run of lines that makes it fail ends there.
std::size_t asserting_line(std::string_view text) {
  std::vector<std::size_t> ends;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') ends.push_back(i + 1);
  }
  ends.push_back(text.size());
  const auto found = std::ranges::partition_point(
      ends, [&](std::size_t end) { return !asserts(text.substr(0, end)); });
  const auto line = static_cast<std::size_t>(found - ends.begin());
  return std::min(line + 1, ends.size());
}

}  // namespace

TomlValue read_toml(std::shared_ptr<const Source> source) {
  check_bytes(source);
  const Screen screen(source);
  try {
    const toml::table table = toml::parse(std::string_view(screen.ascii()));
    TomlValue root = Converter(source, screen).convert(table);
    root.place = Place{source};
    return root;
  } catch (const toml::parse_error& error) {
    fail(place_of(error.source(), source), "not valid TOML: " + cleaned(error.description()));
  } catch (const std::logic_error&) {
    fail(Place{source, asserting_line(screen.ascii()), 1},
         "not valid TOML: this line cannot be read");
  }
}

}  // namespace isofield::mfg_solve
