#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plan.hpp"
#include "sweep.hpp"

namespace isofield::mfg_solve {

/// What one run of a family came to.
struct MemberReport {
  std::string status;  ///< converged, not_converged, failed
  std::string reason;  ///< why, a sentence; may be empty
  std::int64_t iterations = 0;
  double residual = 0.0;
  std::vector<std::pair<std::string, double>> lambda{};  ///< of an ergodic game
  double seconds = 0.0;
};

/// What a family of runs came to.
struct FamilySummary {
  const Family& family;
  std::string status;                 ///< converged, not_converged, interrupted
  std::vector<MemberReport> members;  ///< those that are done, from the first on
  double wall_seconds = 0.0;
  std::string backend, device;
  std::vector<std::string> files;
};

/// Write a table for people.
std::string to_table(const FamilySummary& summary);
/// Write one JSON object, on one line.
std::string to_json(const FamilySummary& summary);

/// Say what all runs of a family would do; a setting for each.
std::string plan_to_table(const Family& family, const std::vector<Setting>& settings);
std::string plan_to_json(const Family& family, const std::vector<Setting>& settings);

}  // namespace isofield::mfg_solve
