#pragma once

#include <cstdint>
#include <isofield/error.hpp>
#include <string>
#include <type_traits>

namespace isofield::mfg {

/// A solve that cannot go on: NaN, infinity, a negative density, an inner solver that fails. Says
/// in which equation and at which time level it began.
class Breakdown : public SolverError {
 public:
  /// `what` happened in `equation` ("HJB" or "Fokker-Planck") at `level`, time `time`.
  Breakdown(std::string equation, std::int64_t level, double time, const std::string& what);

  const std::string& equation() const noexcept { return equation_; }
  std::int64_t level() const noexcept { return level_; }
  double time() const noexcept { return time_; }

 private:
  std::string equation_;
  std::int64_t level_;
  double time_;
};

/// Call `body`, and let what a linear solver throws be a breakdown of an equation at a level.
template <class Body>
std::invoke_result_t<Body> solving(const char* equation, std::int64_t level, double time,
                                   const Body& body) {
  try {
    return body();
  } catch (const Breakdown&) {
    throw;
  } catch (const SolverError& e) {
    throw Breakdown(equation, level, time, e.what());
  }
}

}  // namespace isofield::mfg
