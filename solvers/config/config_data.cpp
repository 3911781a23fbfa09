#include "config_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>

#include "config_table.hpp"

namespace isofield::mfg_solve {
namespace {

using mfg::Boundary;
using mfg::Expression;
using mfg::ExpressionOp;

/// The cells of a grid, numbered with the last axis fastest, as the solver lays them out.
class Cells {
 public:
  explicit Cells(const mfg::DomainConfig& domain) : domain_(domain) {
    for (const std::int64_t n : domain.cells) count_ *= static_cast<std::size_t>(n);
  }

  std::size_t count() const { return count_; }
  std::size_t axes() const { return domain_.cells.size(); }

  double position(std::size_t cell, std::size_t axis) const {
    const double first = domain_.boundary[axis].lower == Boundary::periodic ? 0.0 : 0.5;
    const double width = (domain_.upper[axis] - domain_.lower[axis]) / size(axis);
    return domain_.lower[axis] + (static_cast<double>(index(cell, axis)) + first) * width;
  }

  /// The neighbour of a cell on an axis, +1 or -1; none beyond a face that is not periodic.
  std::optional<std::size_t> neighbour(std::size_t cell, std::size_t axis, int step) const {
    const std::size_t at = index(cell, axis), last = static_cast<std::size_t>(size(axis)) - 1;
    const std::size_t stride = stride_of(axis);
    const bool periodic = domain_.boundary[axis].lower == Boundary::periodic;
    if (at == (step > 0 ? last : 0)) {
      if (!periodic) return std::nullopt;
      return step > 0 ? cell - last * stride : cell + last * stride;
    }
    return step > 0 ? cell + stride : cell - stride;
  }

  /// Whether people leave by the face of this cell.
  bool leaves(std::size_t axis, int step) const {
    const mfg::AxisBoundary& ends = domain_.boundary[axis];
    return (step > 0 ? ends.upper : ends.lower) == Boundary::exit;
  }

  std::string place(std::size_t cell) const {
    std::string text;
    for (std::size_t k = 0; k < axes(); ++k) {
      text += fmt::format("{}{} = {:.6g}", k > 0 ? ", " : "", "xyz"[k], position(cell, k));
    }
    return text;
  }

 private:
  double size(std::size_t axis) const { return static_cast<double>(domain_.cells[axis]); }

  std::size_t stride_of(std::size_t axis) const {
    std::size_t stride = 1;
    for (std::size_t k = axis + 1; k < axes(); ++k) {
      stride *= static_cast<std::size_t>(domain_.cells[k]);
    }
    return stride;
  }

  std::size_t index(std::size_t cell, std::size_t axis) const {
    return cell / stride_of(axis) % static_cast<std::size_t>(domain_.cells[axis]);
  }

  const mfg::DomainConfig& domain_;
  std::size_t count_ = 1;
};

/// The axis of x, y or z where the grid has it.
std::optional<std::size_t> axis_of(std::string_view name, std::size_t axes) {
  const std::size_t axis = std::string_view("xyz").find(name);
  if (name.size() != 1 || axis >= axes) return std::nullopt;
  return axis;
}

std::string number_words(double value) {
  return std::isnan(value) ? "NaN" : fmt::format("{}", value);  // of a NaN nobody minds the sign
}

/// Values of what is no position: the time, and what is not known before the solve.
using Guess = std::map<std::string, double>;

/// Compute an expression on a run of cells, operation by operation.
class Block {
 public:
  using Values = std::vector<double>;

  Block(const Cells& cells, const Guess& guess, std::size_t first, std::size_t count)
      : cells_(cells), guess_(guess), first_(first), count_(count) {}

  const Values& values(const Expression& e) {
    if (const auto found = memo_.find(e.id()); found != memo_.end()) return found->second;
    return memo_.emplace(e.id(), make(e)).first->second;
  }

 private:
  Values make(const Expression& e) {
    if (e.op() == ExpressionOp::number) return Values(count_, e.value());
    if (e.op() == ExpressionOp::variable) return variable(e.name());
    std::array<const double*, 3> operands{};
    const std::size_t arity = e.children().size();
    for (std::size_t k = 0; k < arity; ++k) operands[k] = values(e.children()[k]).data();
    Values result(count_);
    std::array<double, 3> v{};
    for (std::size_t i = 0; i < count_; ++i) {
      for (std::size_t k = 0; k < arity; ++k) v[k] = operands[k][i];
      result[i] = mfg::apply_scalar(e.op(), std::span<const double>(v.data(), arity));
    }
    return result;
  }

  Values variable(const std::string& name) const {
    if (const auto found = guess_.find(name); found != guess_.end()) {
      return Values(count_, found->second);
    }
    Values result(count_);
    const std::optional<std::size_t> axis = axis_of(name, cells_.axes());
    for (std::size_t i = 0; axis && i < count_; ++i) {
      result[i] = cells_.position(first_ + i, *axis);
    }
    return result;
  }

  const Cells& cells_;
  const Guess& guess_;
  std::size_t first_, count_;
  std::unordered_map<const void*, Values> memo_;  // shared nodes are computed once
};

class DataChecker : Findings {
 public:
  DataChecker(const mfg::Config& config, const Given& given, std::vector<Diagnostic>& errors)
      : Findings(given, errors), config_(config), given_(given), cells_(config.domain) {}

  void check() {
    if (!mark()) return;
    for (const Key& key : config_table()) {
      if (key.path == "domain.obstacle" || key.path == "domain.exit") continue;
      for (std::size_t p = 0; p < given_.populations.size(); ++p) check_values(key, p);
    }
    std::vector<char> crowded(cells_.count(), 0);
    for (std::size_t p = 0; p < given_.populations.size(); ++p) add_crowd(p, crowded);
    check_exits(crowded);
    for (std::size_t p = 0; p < given_.populations.size(); ++p) check_target(p);
  }

 private:
  enum Kind : char { free, obstacle, exit };

  /// Tell free cells, obstacles and exits apart; false where that cannot be.
  bool mark() {
    kinds_.assign(cells_.count(), free);
    const mfg::DomainConfig& domain = config_.domain;
    for (std::size_t i = 0; i < domain.mask_kinds.size(); ++i)
      kinds_[i] = static_cast<Kind>(domain.mask_kinds[i]);
    if (domain.exit && !put(*domain.exit, "domain.exit", exit)) return false;
    if (domain.obstacle && !put(*domain.obstacle, "domain.obstacle", obstacle)) return false;
    put_obstacles_of_mask();
    const std::string key = domain.obstacle ? "domain.obstacle"
                            : domain.exit   ? "domain.exit"
                                            : "domain.mask";
    if (std::ranges::count(kinds_, free) == 0) {
      error(key, "obstacles and exits leave no free cell");
      return false;
    }
    if (domain.exit && std::ranges::count(kinds_, exit) == 0) {
      error("domain.exit", domain.obstacle ? "expected a condition that holds in some cell outside "
                                             "the obstacles, got one that holds in none"
                                           : "expected a condition that holds in some cell, got "
                                             "one that holds in none");
      return false;
    }
    return true;
  }

  /// What is an obstacle stays one, whatever else says that people leave there.
  void put_obstacles_of_mask() {
    for (std::size_t i = 0; i < config_.domain.mask_kinds.size(); ++i) {
      if (config_.domain.mask_kinds[i] == obstacle) kinds_[i] = obstacle;
    }
  }

  bool put(const Expression& e, const std::string& key, Kind kind) {
    const std::vector<double> values = evaluate(e, {});
    const auto bad = std::ranges::find_if_not(values, [](double v) { return std::isfinite(v); });
    if (bad != values.end()) {
      const auto cell = static_cast<std::size_t>(bad - values.begin());
      error(key, fmt::format("expected a finite value, got {} at {}", number_words(*bad),
                             cells_.place(cell)));
      return false;
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i] != 0) kinds_[i] = kind;
    }
    return true;
  }

  std::vector<double> evaluate(const Expression& e, const Guess& guess) const {
    constexpr std::size_t most = 4096;  // what stays in the cache
    std::vector<double> all;
    all.reserve(cells_.count());
    for (std::size_t first = 0; first < cells_.count(); first += most) {
      Block block(cells_, guess, first, std::min(most, cells_.count() - first));
      const std::vector<double>& part = block.values(e);
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }

  std::vector<Expression> expressions_of(const Key& key, std::size_t population) const {
    auto& config = const_cast<mfg::Config&>(config_);  // the accessors fill, too; here they read
    if (const auto* at = std::get_if<Access<Expression>>(&key.target)) {
      return {(*at)(config, population)};
    }
    if (const auto* at = std::get_if<Access<std::optional<Expression>>>(&key.target)) {
      const std::optional<Expression>& e = (*at)(config, population);
      return e ? std::vector{*e} : std::vector<Expression>();
    }
    if (const auto* at = std::get_if<Access<std::vector<Expression>>>(&key.target)) {
      return (*at)(config, population);
    }
    return {};
  }

  /// The name of a population's key in messages; of others, where the first population asks.
  std::string shown(const Key& key, std::size_t population) const {
    if (key.path.starts_with("model.")) {
      return given_.populations[population] + std::string(key.path.substr(5));
    }
    return population == 0 ? std::string(key.path) : "";
  }

  void check_values(const Key& key, std::size_t population) {
    const std::string path = shown(key, population);
    // A kernel is one of offsets, not of places.
    if (key.path == "model.nonlocal.kernel" || !given_.places.contains(path)) return;
    for (const Expression& e : expressions_of(key, population)) {
      if (sound(path)) check_values(key, path, e);
    }
  }

  void check_values(const Key& key, const std::string& path, const Expression& e) {
    const std::vector<std::string> names = e.variables();
    const bool of_time = e.depends_on("t");
    const std::vector<Guess> guesses = guesses_of(names);
    for (const double t : times(of_time)) {
      // What is wrong for each guess is so whatever the density.
      std::vector<char> wrong(cells_.count(), 1);
      std::vector<double> values;
      for (Guess guess : guesses) {
        guess["t"] = t;
        values = evaluate(e, guess);
        for (std::size_t i = 0; i < values.size(); ++i) {
          wrong[i] = wrong[i] && kinds_[i] == free && is_wrong(key.range, values[i]);
        }
        if (std::ranges::count(wrong, 1) == 0) break;
      }
      const auto first = std::ranges::find(wrong, 1);
      if (first == wrong.end()) continue;
      const auto cell = static_cast<std::size_t>(first - wrong.begin());
      std::string at = names.empty() ? "" : " at " + cells_.place(cell);
      if (of_time) at += fmt::format(", t = {:.6g}", t);
      return error(path, fmt::format("expected {}, got {}{}", value_words(key.range),
                                     number_words(values[cell]), at));
    }
  }

  /// Every combination of a low, a middle and a high value of what is not known: densities, and
  /// means, which lie in the box.
  std::vector<Guess> guesses_of(const std::vector<std::string>& names) const {
    constexpr std::size_t most = 243;  // of more unknowns the others keep their middle
    std::vector<Guess> all{{}};
    for (const std::string& name : names) {
      if (name == "t" || axis_of(name, cells_.axes())) continue;
      std::array<double, 3> values{0.618034, 1e-6, 1e6};
      const std::string_view rest =
          std::string_view(name).substr(std::min<std::size_t>(5, name.size()));
      const auto axis = axis_of(rest.substr(0, 1), cells_.axes());
      if (name.starts_with("mean_") && axis) {
        const double lower = config_.domain.lower[*axis];
        const double length = config_.domain.upper[*axis] - lower;
        values = {lower + 0.4321 * length, lower + 0.001 * length, lower + 0.999 * length};
      } else if (name != "m" && !name.starts_with("m_")) {
        values = {0.618034, -0.618034, 1e6};  // a convolution, whose kernel may be negative
      }
      std::vector<Guess> more;
      for (const Guess& guess : all) {
        for (std::size_t k = 0; k < (all.size() < most ? values.size() : 1); ++k) {
          more.push_back(guess);
          more.back()[name] = values[k];
        }
      }
      all = std::move(more);
    }
    return all;
  }

  /// Levels at which running costs are taken: as many as are soon computed, from the first on.
  std::vector<double> times(bool of_time) const {
    if (!of_time) return {0.0};
    constexpr std::int64_t most_values = 1 << 21;
    const std::int64_t steps = config_.time.steps;
    const std::int64_t most =
        std::max<std::int64_t>(most_values / static_cast<std::int64_t>(cells_.count()), 2);
    const std::int64_t stride = (steps + most - 1) / most;
    std::vector<double> levels;
    for (std::int64_t n = 0; n < steps; n += stride) {
      levels.push_back(config_.time.horizon * static_cast<double>(n) / static_cast<double>(steps));
    }
    return levels;
  }

  static bool is_wrong(const Range& range, double value) {
    if (!std::isfinite(value)) return true;
    if (range.low && (range.open_low ? value <= *range.low : value < *range.low)) return true;
    return range.high && (range.open_high ? value >= *range.high : value > *range.high);
  }

  static std::string value_words(const Range& range) {
    const std::string words = range_words(range);
    return words.empty() ? "a finite value" : "a value" + words;
  }

  /// Note where a population stands at the start, which must be somewhere.
  void add_crowd(std::size_t population, std::vector<char>& crowded) {
    const std::string path = given_.populations[population] + ".initial_density";
    if (!given_.places.contains(path) || !sound(path)) return;
    const std::vector<double> m = evaluate(config_.populations[population].initial_density, {});
    double mass = 0;
    for (std::size_t i = 0; i < m.size(); ++i) {
      if (kinds_[i] != free) continue;
      mass += m[i];
      crowded[i] = crowded[i] || m[i] > 0;
    }
    if (mass == 0) error(path, "expected a value > 0 in some free cell, got 0 in all of them");
    if (!std::isfinite(mass)) error(path, "expected a finite mass, got inf");
  }

  /// Nobody walks through walls: a place that cannot be reached from elsewhere keeps its share.
  void check_target(std::size_t population) {
    const mfg::PopulationConfig& data = config_.populations[population];
    const std::string path = given_.populations[population] + ".target_density";
    const std::string start = given_.populations[population] + ".initial_density";
    if (!data.target_density || !sound(path) || !sound(start)) return;
    const std::vector<double> wanted = evaluate(*data.target_density, {});
    const std::vector<double> given = evaluate(data.initial_density, {});
    const auto mass_of = [&](const std::vector<double>& m, const std::vector<std::size_t>& part) {
      double mass = 0;
      for (const std::size_t cell : part) mass += m[cell];
      return mass;
    };
    std::vector<std::size_t> all;
    for (std::size_t cell = 0; cell < cells_.count(); ++cell) {
      if (kinds_[cell] == free) all.push_back(cell);
    }
    const double whole = mass_of(wanted, all);
    if (whole == 0) {
      return error(path, "expected a value > 0 in some free cell, got 0 in all of them");
    }
    if (!std::isfinite(whole)) return error(path, "expected a finite mass, got inf");
    std::vector<char> seen(cells_.count(), 0);
    for (const std::size_t cell : all) {
      if (seen[cell]) continue;
      const std::vector<std::size_t> part = connected(cell, seen);
      const double share = mass_of(wanted, part) / whole;
      const double there = mass_of(given, part) / mass_of(given, all);
      if (std::abs(share - there) <= 1e-6) continue;
      return error(path, fmt::format("expected the share of people who are there at the start, "
                                     "{:.6g}, where nobody comes or goes, around {}; got {:.6g}",
                                     there, cells_.place(cell), share));
    }
  }

  /// The free cells that can be reached from one; they are marked as seen.
  std::vector<std::size_t> connected(std::size_t cell, std::vector<char>& seen) const {
    std::vector<std::size_t> part{cell};
    seen[cell] = 1;
    for (std::size_t next = 0; next < part.size(); ++next) {
      for_each_side(part[next], [&](std::size_t, int, std::optional<std::size_t> other) {
        if (!other || seen[*other] || kinds_[*other] != free) return;
        seen[*other] = 1;
        part.push_back(*other);
      });
    }
    return part;
  }

  /// Where there are exits, see that all who are there at the start can reach one.
  void check_exits(const std::vector<char>& crowded) {
    std::vector<std::size_t> front;
    std::vector<char> reached(cells_.count(), 0);
    const auto reach = [&](std::size_t cell) {
      if (reached[cell] || kinds_[cell] != free) return;
      reached[cell] = 1;
      front.push_back(cell);
    };
    for (std::size_t cell = 0; cell < cells_.count(); ++cell) {
      for_each_side(cell, [&](std::size_t axis, int step, std::optional<std::size_t> other) {
        if (other ? kinds_[*other] == exit : cells_.leaves(axis, step)) reach(cell);
      });
    }
    if (front.empty() && !has_exits()) return;
    while (!front.empty()) {
      const std::size_t cell = front.back();
      front.pop_back();
      for_each_side(cell, [&](std::size_t, int, std::optional<std::size_t> other) {
        if (other) reach(*other);
      });
    }
    for (std::size_t cell = 0; cell < cells_.count(); ++cell) {
      if (!crowded[cell] || reached[cell]) continue;
      return error(config_.domain.obstacle        ? "domain.obstacle"
                   : !config_.domain.mask.empty() ? "domain.mask"
                                                  : "domain.exit",
                   fmt::format("expected a way to an exit for everybody, but none leads there "
                               "from {}",
                               cells_.place(cell)));
    }
  }

  bool has_exits() const {
    return std::ranges::count(kinds_, exit) > 0 ||
           std::ranges::any_of(config_.domain.boundary, [](const mfg::AxisBoundary& ends) {
             return ends.lower == Boundary::exit || ends.upper == Boundary::exit;
           });
  }

  template <class F>
  void for_each_side(std::size_t cell, F&& f) const {
    for (std::size_t axis = 0; axis < cells_.axes(); ++axis) {
      for (const int step : {-1, 1}) f(axis, step, cells_.neighbour(cell, axis, step));
    }
  }

  const mfg::Config& config_;
  const Given& given_;
  Cells cells_;
  std::vector<char> kinds_;
};

}  // namespace

void check_data(const mfg::Config& config, const Given& given, std::int64_t most_cells,
                std::vector<Diagnostic>& errors) {
  const bool lies_somewhere = std::ranges::none_of(errors, [](const Diagnostic& d) {
    return d.key.starts_with("domain") || d.key.starts_with("time");
  });
  if (!lies_somewhere) return;
  double cells = 1;
  for (const std::int64_t n : config.domain.cells) cells *= static_cast<double>(n);
  if (cells <= static_cast<double>(most_cells)) DataChecker(config, given, errors).check();
}

}  // namespace isofield::mfg_solve
