#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <optional>
#include <string>

namespace isofield::mfg_solve {

/// Foretell the end of an iteration from its residuals, whose logarithm falls about linearly.
class Forecast {
 public:
  Forecast(double tolerance, std::int64_t max_iterations)
      : tolerance_(tolerance), max_iterations_(max_iterations) {}

  /// Add an iteration that ended `seconds` after the start.
  void add(std::int64_t iteration, double residual, double seconds);

  /// Factor by which an iteration changes the residual, by least squares over the latest ones.
  std::optional<double> rate() const;
  /// Seconds of one iteration, the mean of the latest ones.
  std::optional<double> seconds_per_iteration() const;
  /// Seconds to the tolerance, or to the last iteration allowed where that comes first.
  std::optional<double> seconds_left() const;
  /// Share of the way to the tolerance, on a logarithmic scale: 0 to 1.
  double share() const;

 private:
  struct Point {
    double iteration, log_residual, seconds;
  };
  static constexpr std::size_t kept = 8;

  double tolerance_;
  std::int64_t max_iterations_;
  std::deque<Point> latest_;
  std::optional<double> first_log_;
};

/// State of the solver after an outer iteration.
struct Step {
  std::int64_t iteration = 0;
  double residual = 0.0;
  std::optional<double> mass_error{};  ///< relative
  std::string stage{};                 ///< of what goes before the iteration proper; else empty
};

/// Say as a person would: "40 s", "3 min 20 s", "2 h 5 min".
std::string duration(double seconds);

/// Tell a person how the solver gets on: one redrawn line on a terminal, plain lines every few
/// seconds elsewhere.
class Progress {
 public:
  /// `automatic`: as above; `always`: the redrawn line wherever the stream goes; `never`: nothing.
  enum class Mode { automatic, always, never };

  Progress(std::FILE* stream, Mode mode, double tolerance, std::int64_t max_iterations);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(const Step& step);
  /// Print a line of log above the redrawn line.
  void log(const std::string& line);
  /// Leave the last line standing.
  void finish();

 private:
  void redraw(std::string line);
  void print_line(const std::string& line);

  std::FILE* stream_;
  bool shown_, redrawn_;
  std::int64_t max_iterations_;
  Forecast forecast_;
  std::chrono::steady_clock::time_point start_, last_shown_;
  std::string line_;  ///< the redrawn one, as it stands
};

}  // namespace isofield::mfg_solve
