#pragma once

#include <cstddef>
#include <isofield/mfg/config.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace isofield::mfg_solve {

/// Find a key's value in a configuration; the index says of which population.
template <class T>
using Access = T& (*)(mfg::Config&, std::size_t population);

/// The type of a key is the type of what it fills.
using Target =
    std::variant<Access<std::string>, Access<bool>, Access<double>, Access<std::int64_t>,
                 Access<std::vector<double>>, Access<std::vector<std::int64_t>>,
                 Access<std::vector<mfg::AxisBoundary>>, Access<mfg::Scheme>, Access<mfg::Coupling>,
                 Access<mfg::Expression>, Access<std::optional<mfg::Expression>>,
                 Access<std::vector<mfg::Expression>>, Access<std::optional<double>>,
                 std::monostate>;  // a table or key that a later version brings

/// Values a number may take, or an expression anywhere; the bounds themselves too unless open.
struct Range {
  std::optional<double> low{}, high{};
  bool open_low = false, open_high = false;
};

/// One key of the configuration: everything that is known of it is here and nowhere else.
struct Key {
  std::string_view path;  ///< "solver.damping"; those of a population begin with "model."
  Target target;
  std::string_view fallback;  ///< the default, as TOML; "required"; or "" where it may be left out
  std::string_view about;     ///< one sentence
  Range range{};
  std::vector<std::string_view> choices{};    ///< of a text, if it cannot be any
  std::vector<std::string_view> variables{};  ///< of an expression, for three axes
  std::vector<std::string_view> supported{};  ///< values, as TOML, that work already; empty: all
  std::string_view beside{};                  ///< the key without which this one has no meaning
  std::string_view stationary{};  ///< what takes its place, as TOML, in an ergodic game, where it
                                  ///< has no meaning; empty: it has one

  bool required() const { return fallback == "required"; }
};

/// List every key, in the order of the documentation.
std::span<const Key> config_table();

/// Find a key by its path; nullptr where there is none.
const Key* find_key(std::string_view path);

/// Say a range: " >= 0 and <= 1"; empty where there is none.
std::string range_words(const Range& range);

/// What decides which variables expressions have.
struct Surroundings {
  std::size_t axes = 3;                                  ///< of the grid
  std::vector<std::string> populations;                  ///< names of all
  std::vector<std::optional<std::string>> convolutions;  ///< of each, by the name costs have for it
};

/// Say what a key of a population expects: "a number > 0", "one of ...".
std::string expectation(const Key& key, const Surroundings& in, std::size_t population);

/// List the variables that an expression of a population may use.
std::vector<std::string> variables_of(const Key& key, const Surroundings& in,
                                      std::size_t population);

/// Write a value as TOML; empty where an optional one is left out.
std::string value_to_toml(const Key& key, const mfg::Config& config, std::size_t population);

/// Write a text as a TOML string.
std::string quoted_toml(std::string_view text);

}  // namespace isofield::mfg_solve
