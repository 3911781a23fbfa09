#include "progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "standard_output.hpp"

namespace isofield::mfg_solve {

void Forecast::add(std::int64_t iteration, double residual, double seconds) {
  if (!(residual > 0) || !std::isfinite(residual)) return;
  const double log_residual = std::log(residual);
  if (!first_log_) first_log_ = log_residual;
  latest_.push_back({static_cast<double>(iteration), log_residual, seconds});
  if (latest_.size() > kept) latest_.pop_front();
}

std::optional<double> Forecast::rate() const {
  if (latest_.size() < 2) return std::nullopt;
  const auto n = static_cast<double>(latest_.size());
  double x = 0, y = 0, xx = 0, xy = 0;
  for (const Point& point : latest_) {
    x += point.iteration;
    y += point.log_residual;
    xx += point.iteration * point.iteration;
    xy += point.iteration * point.log_residual;
  }
  const double spread = n * xx - x * x;
  if (spread <= 0) return std::nullopt;
  return std::exp((n * xy - x * y) / spread);
}

std::optional<double> Forecast::seconds_per_iteration() const {
  if (latest_.empty()) return std::nullopt;
  const Point& last = latest_.back();
  if (latest_.size() < 2) {
    if (last.iteration <= 0) return std::nullopt;
    return last.seconds / last.iteration;
  }
  const double iterations = last.iteration - latest_.front().iteration;
  if (iterations <= 0) return std::nullopt;
  return (last.seconds - latest_.front().seconds) / iterations;
}

std::optional<double> Forecast::seconds_left() const {
  const std::optional<double> each = seconds_per_iteration();
  const std::optional<double> factor = rate();
  if (!each || !factor) return std::nullopt;
  const double allowed = static_cast<double>(max_iterations_) - latest_.back().iteration;
  // log(residual) + k log(rate) = log(tolerance)
  double needed = allowed;
  if (*factor < 1) {
    needed = (std::log(tolerance_) - latest_.back().log_residual) / std::log(*factor);
  }
  return *each * std::clamp(needed, 0.0, std::max(allowed, 0.0));
}

double Forecast::share() const {
  if (latest_.empty()) return 0;
  const double goal = std::log(tolerance_);
  const double way = *first_log_ - goal;
  if (way <= 0) return 1;
  return std::clamp((*first_log_ - latest_.back().log_residual) / way, 0.0, 1.0);
}

std::string duration(double seconds) {
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long long>(std::llround(std::min(seconds, 1e12)));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  if (whole < 48 * 3600) return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
  return fmt::format("{} days", whole / 86400);
}

namespace {

using Clock = std::chrono::steady_clock;

double seconds_between(Clock::time_point a, Clock::time_point b) {
  return std::chrono::duration<double>(b - a).count();
}

std::size_t columns_of(std::FILE* stream) {
  winsize size{};
  const bool known = ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

std::string bar(double share) {
  constexpr int width = 10;
  const int full = static_cast<int>(std::lround(share * width));
  return fmt::format("[{:=<{}}{:<{}}]", "", full, full < width ? ">" : "", width - full);
}

std::string tail(const Forecast& forecast, const Step& step) {
  std::string text;
  if (const auto rate = forecast.rate()) text += fmt::format("  x{:.2g}", *rate);
  const double each = forecast.seconds_per_iteration().value_or(0);
  if (each >= 1) {
    text += fmt::format("  {} each", duration(each));
  } else if (each >= 1e-3) {
    text += fmt::format("  {:.3g}/s", 1 / each);
  }
  if (const auto left = forecast.seconds_left()) text += "  " + duration(*left) + " left";
  if (step.mass_error) text += fmt::format("  mass {:.0e}", *step.mass_error);
  return text;
}

}  // namespace

Progress::Progress(std::FILE* stream, Mode mode, double tolerance, std::int64_t max_iterations)
    : stream_(stream),
      shown_(mode != Mode::never),
      redrawn_(mode == Mode::always || (mode == Mode::automatic && isatty(fileno(stream)) == 1)),
      max_iterations_(max_iterations),
      forecast_(tolerance, max_iterations),
      start_(Clock::now()) {}

Progress::~Progress() { finish(); }

void Progress::update(const Step& step) {
  if (step.stage.empty()) {
    forecast_.add(step.iteration, step.residual, seconds_between(start_, Clock::now()));
  }
  if (!shown_) return;
  if (!step.stage.empty()) {
    const std::string line =
        fmt::format("{}: iteration {}, residual {:.1e}", step.stage, step.iteration, step.residual);
    redrawn_ ? redraw(line) : print_line(line);
  } else if (redrawn_) {
    redraw(fmt::format("{:>4}/{} {} residual {:.1e}{}", step.iteration, max_iterations_,
                       bar(forecast_.share()), step.residual, tail(forecast_, step)));
  } else {
    print_line(fmt::format("iteration {} of {} at most: residual {:.2e}{}", step.iteration,
                           max_iterations_, step.residual, tail(forecast_, step)));
  }
}

void Progress::redraw(std::string line) {
  // A line that wraps could not be redrawn.
  line.resize(std::min(line.size(), columns_of(stream_) - 1));
  line_ = std::move(line);
  print_message(stream_, fmt::format("\r{}\x1b[K", line_));
}

void Progress::print_line(const std::string& line) {
  constexpr double interval = 5.0;
  const Clock::time_point now = Clock::now();
  if (!line_.empty() && seconds_between(last_shown_, now) < interval) return;
  line_ = line;
  print_message(stream_, line_ + "\n");
  last_shown_ = now;
}

void Progress::log(const std::string& line) {
  if (redrawn_ && !line_.empty()) {
    print_message(stream_, fmt::format("\r\x1b[K{}\n{}", line, line_));
  } else {
    print_message(stream_, line + "\n");
  }
}

void Progress::finish() {
  if (redrawn_ && !line_.empty()) print_message(stream_, "\n");
  line_.clear();
}

}  // namespace isofield::mfg_solve
