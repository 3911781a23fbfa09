#pragma once

#include <isofield/error.hpp>
#include <isofield/mfg/problem.hpp>
#include <map>
#include <string>
#include <vector>

namespace isofield::mfg {

/// A state that a solve cannot go on from: of another problem, coupling or version.
class StateError : public SolverError {
 public:
  using SolverError::SolverError;
};

/// All that a solve needs to go on after an outer iteration as if it had never stopped, bit for
/// bit: u and m of each population, and what the algorithm remembers besides.
struct SolverState {
  std::map<std::string, Fields> fields;  ///< "u" and "m" are always there
  std::map<std::string, std::vector<double>> numbers;

  bool empty() const { return fields.empty(); }
  /// Throw StateError where there is none of this name.
  const Fields& field(const std::string& name) const;
  /// Throw StateError where there are not so many numbers, or more, of this name.
  const std::vector<double>& number(const std::string& name, std::size_t count = 1) const;
  /// One of them as a count, from 0 to 1e9. Throw StateError where it is none.
  int count(const std::string& name, std::size_t which = 0) const;
};

}  // namespace isofield::mfg
