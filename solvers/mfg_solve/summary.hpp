#pragma once

#include <cstdint>
#include <isofield/mfg/solve.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace isofield::mfg_solve {

/// What a run came to.
struct Summary {
  std::string title;
  std::string status;  ///< converged, not_converged, failed, interrupted
  std::string reason;  ///< why it stopped, a sentence; may be empty
  std::int64_t iterations = 0;
  double residual = 0.0;
  double tolerance = 0.0;  ///< in force: what was asked for, or what the dtype allows
  std::vector<std::pair<std::string, double>> lambda;  ///< of each population of an ergodic game
  std::optional<double> exploitability{};              ///< of the last iteration
  std::optional<double> mass_error{};      ///< relative to the initial mass; absent with exits
  std::optional<double> remaining_mass{};  ///< share still inside at the end, with exits
  std::int64_t unknowns = 0;
  double wall_seconds = 0.0;
  std::string backend, device, dtype;
  std::int64_t threads = 0;
  std::vector<std::pair<std::string, std::int64_t>> work;  ///< "linear solves": how many
  std::vector<mfg::Phase> phases;
  std::vector<std::string> files;  ///< written
};

/// Write a table for people.
std::string to_table(const Summary& summary);

/// Write one JSON object, on one line. Numbers that are not finite become null.
std::string to_json(const Summary& summary);

}  // namespace isofield::mfg_solve
