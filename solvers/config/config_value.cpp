#include "config_value.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cmath>
#include <isofield/mfg/nearest_name.hpp>
#include <optional>
#include <utility>

namespace isofield::mfg_solve {
namespace {

using Kind = TomlValue::Kind;
using mfg::Expression;

bool is_number(const std::string& text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, value);
  return failed == std::errc{} && stop == end;
}

/// Fill one slot; each overload of `put` serves one type of the table.
class Filler {
 public:
  Filler(const Slot& slot, const TomlValue& value, std::vector<Diagnostic>& errors)
      : slot_(slot), value_(value), errors_(errors) {}

  void fill() {
    const std::size_t before = errors_.size();
    std::visit([this](auto target) { put(target); }, slot_.key.target);
    if (errors_.size() == before) check_supported();
  }

 private:
  template <class T>
  T& at(Access<T> access) const {
    return access(slot_.config, slot_.population);
  }

  void put(std::monostate) {}

  void put(Access<std::string> access) {
    if (value_.kind != Kind::text) return unexpected(value_);
    if (!slot_.key.choices.empty() && !is_choice(value_.text)) return;
    if (value_.text.find('\0') != std::string::npos) {
      return error(value_.place, "expected a text without NUL characters");
    }
    at(access) = value_.text;
  }

  void put(Access<bool> access) {
    if (value_.kind != Kind::boolean) return unexpected(value_);
    at(access) = value_.boolean;
  }

  void put(Access<double> access) {
    if (const std::optional<double> number = checked_number(value_)) at(access) = *number;
  }

  void put(Access<std::int64_t> access) {
    if (const std::optional<std::int64_t> integer = checked_integer(value_)) at(access) = *integer;
  }

  void put(Access<std::vector<double>> access) {
    if (value_.kind != Kind::array) return unexpected(value_);
    std::vector<double> numbers;
    for (const TomlValue& item : value_.items) {
      if (const std::optional<double> number = checked_number(item)) numbers.push_back(*number);
    }
    at(access) = std::move(numbers);
  }

  void put(Access<std::vector<std::int64_t>> access) {
    if (value_.kind != Kind::array) return unexpected(value_);
    std::vector<std::int64_t> integers;
    for (const TomlValue& item : value_.items) {
      if (const auto integer = checked_integer(item)) integers.push_back(*integer);
    }
    at(access) = std::move(integers);
  }

  void put(Access<std::vector<mfg::AxisBoundary>> access) {
    std::vector<mfg::AxisBoundary> axes;
    if (value_.kind == Kind::text) {  // one word for every axis
      if (const auto kind = boundary(value_)) axes.assign(slot_.surroundings.axes, {*kind, *kind});
    } else if (value_.kind == Kind::array) {
      for (const TomlValue& item : value_.items) axes.push_back(axis_boundary(item));
    } else {
      return unexpected(value_);
    }
    at(access) = std::move(axes);
  }

  void put(Access<mfg::Scheme> access) {
    using enum mfg::Scheme;
    put_choice(at(access), {implicit, centred, exponential, semi_lagrangian, splitting, neural});
  }

  void put(Access<mfg::Coupling> access) {
    using enum mfg::Coupling;
    put_choice(at(access),
               {automatic, picard, fictitious_play, anderson, policy, newton, primal_dual});
  }

  void put(Access<Expression> access) {
    if (std::optional<Expression> e = expression(value_)) at(access) = *std::move(e);
  }

  void put(Access<std::optional<Expression>> access) {
    if (std::optional<Expression> e = expression(value_)) at(access) = std::move(e);
  }

  void put(Access<std::vector<Expression>> access) {
    if (value_.kind != Kind::array) return unexpected(value_);
    std::vector<Expression> list;
    for (const TomlValue& item : value_.items) {
      if (std::optional<Expression> e = expression(item)) list.push_back(*std::move(e));
    }
    at(access) = std::move(list);
  }

  void put(Access<std::optional<double>> access) {
    if (value_.kind == Kind::text && value_.text == "as given") {
      at(access) = std::nullopt;
    } else if (const std::optional<double> number = checked_number(value_)) {
      at(access) = number;
    }
  }

  template <class Enum>
  void put_choice(Enum& target, std::initializer_list<Enum> values) {
    if (value_.kind != Kind::text) return unexpected(value_);
    if (!is_choice(value_.text)) return;
    for (const Enum value : values) {
      if (mfg::to_string(value) == value_.text) target = value;
    }
  }

  mfg::AxisBoundary axis_boundary(const TomlValue& item) {
    mfg::AxisBoundary axis;
    if (item.kind == Kind::text) {
      if (const auto kind = boundary(item)) axis = {*kind, *kind};
      return axis;
    }
    if (item.kind != Kind::table) {
      unexpected(item);
      return axis;
    }
    const std::size_t before = errors_.size();
    for (const TomlEntry& entry : item.entries) {
      const bool lower = entry.key == "lower";
      if (!lower && entry.key != "upper") {
        const std::vector<std::string> names{"lower", "upper"};
        error(entry.place, fmt::format("unknown key '{}'; an axis has lower and upper", entry.key),
              mfg::nearest_name(entry.key, names));
      } else if (const auto kind = boundary(entry.value)) {
        (lower ? axis.lower : axis.upper) = *kind;
      }
    }
    if (errors_.size() > before) return axis;
    if (item.entries.size() != 2) {
      error(item.place, "an axis has lower and upper, both");
    } else if ((axis.lower == mfg::Boundary::periodic) != (axis.upper == mfg::Boundary::periodic)) {
      error(item.place, "an axis is periodic at both ends or at none");
    }
    return axis;
  }

  std::optional<mfg::Boundary> boundary(const TomlValue& item) {
    using enum mfg::Boundary;
    if (item.kind != Kind::text) {
      unexpected(item);
      return std::nullopt;
    }
    std::vector<std::string> names;
    for (const mfg::Boundary kind : {periodic, reflecting, mfg::Boundary::exit}) {
      if (mfg::to_string(kind) == item.text) return kind;
      names.push_back(mfg::to_string(kind));
    }
    error(item.place,
          fmt::format("expected one of \"{}\", got {}", fmt::join(names, "\", \""), describe(item)),
          mfg::nearest_name(item.text, names));
    return std::nullopt;
  }

  bool is_choice(const std::string& text) {
    const std::vector<std::string> names(slot_.key.choices.begin(), slot_.key.choices.end());
    for (const std::string& name : names) {
      if (name == text) return true;
    }
    error(value_.place, "expected " + expected() + ", got " + describe(value_),
          mfg::nearest_name(text, names));
    return false;
  }

  std::optional<double> checked_number(const TomlValue& item) {
    const bool number = item.kind == Kind::number || item.kind == Kind::integer;
    if (number && std::isfinite(item.number) && in_range(item.number)) return item.number;
    unexpected(item);
    return std::nullopt;
  }

  std::optional<std::int64_t> checked_integer(const TomlValue& item) {
    if (item.kind == Kind::integer && in_range(item.number)) return item.integer;
    unexpected(item);
    return std::nullopt;
  }

  bool in_range(double number) const {
    const Range& range = slot_.key.range;
    const bool high_enough =
        !range.low || (range.open_low ? number > *range.low : number >= *range.low);
    const bool low_enough =
        !range.high || (range.open_high ? number < *range.high : number <= *range.high);
    return high_enough && low_enough;
  }

  std::optional<Expression> expression(const TomlValue& item) {
    const bool number = item.kind == Kind::number || item.kind == Kind::integer;
    if (number && std::isfinite(item.number)) return Expression::number(item.number);
    if (item.kind != Kind::text) {
      unexpected(item);
      return std::nullopt;
    }
    try {
      Expression e = Expression::parse(
          item.text, variables_of(slot_.key, slot_.surroundings, slot_.population));
      if (!e.is_constant() || std::isfinite(e.evaluate())) return e;
      error(item.place, fmt::format("expected a finite value, got {}", e.evaluate()));
    } catch (const mfg::ExpressionError& e) {
      expression_error(item, e);
    }
    return std::nullopt;
  }

  /// Point into the file where the expression stands there letter by letter, else into the text.
  void expression_error(const TomlValue& item, const mfg::ExpressionError& e) {
    Place place = item.place;
    const std::string_view rest = text_at(place);
    const bool quoted = !rest.empty() && (rest[0] == '"' || rest[0] == '\'');
    const bool plain =
        e.line() == 1 && rest.substr(quoted ? 1 : 0).starts_with(item.text) && !item.text.empty();
    std::string message = e.reason();
    if (plain) {
      place.column += (quoted ? 1 : 0) + e.column() - 1;
      const std::size_t tilde = e.context().rfind('^');
      place.length = tilde == std::string::npos ? 1 : e.context().size() - tilde;
    } else if (!item.text.empty()) {
      message =
          fmt::format("at line {}, column {} of the expression: {}", e.line(), e.column(), message);
    }
    error(place, std::move(message), e.suggestion());
  }

  void check_supported() {
    const Key& key = slot_.key;
    if (key.supported.empty()) return;
    const std::string value = value_to_toml(key, slot_.config, slot_.population);
    for (const std::string_view supported : key.supported) {
      if (supported == value) return;
    }
    std::string message = "not yet supported";
    if (!value.empty()) {
      message = fmt::format("{} is not yet supported; this version has {}", value,
                            fmt::join(key.supported, ", "));
    }
    error(value_.place, std::move(message));
  }

  std::string expected() const {
    return expectation(slot_.key, slot_.surroundings, slot_.population);
  }

  void unexpected(const TomlValue& item) {
    std::string message = "expected " + expected() + ", got " + describe(item);
    if (item.kind == Kind::text && is_number(item.text)) message += "; numbers have no quotes";
    error(item.place, std::move(message));
  }

  void error(const Place& place, std::string message, std::string suggestion = {}) {
    errors_.push_back({place, slot_.path, std::move(message), std::move(suggestion)});
  }

  const Slot& slot_;
  const TomlValue& value_;
  std::vector<Diagnostic>& errors_;
};

}  // namespace

void fill(const Slot& slot, const TomlValue& value, std::vector<Diagnostic>& errors) {
  Filler(slot, value, errors).fill();
}

}  // namespace isofield::mfg_solve
