#pragma once

#include <cstddef>
#include <cstdint>
#include <isofield/mfg/config.hpp>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "config.hpp"

namespace isofield::mfg_solve {

/// A key whose value differs between the runs of a family.
struct SweepParameter {
  std::string key;                  ///< "model.viscosity", "population.1.mass"
  std::vector<std::string> values;  ///< as TOML
  std::vector<double> numbers;      ///< the same; empty unless all are numbers

  /// A value as people write it: texts without their quotes.
  std::string plain(std::size_t value) const;
};

/// One run of a family.
struct FamilyMember {
  std::vector<std::size_t> at;  ///< which value of each parameter it has
  mfg::Config config;
};

/// Runs whose configurations differ in some parameters; without parameters one run.
struct Family {
  std::vector<SweepParameter> parameters;
  bool zip = false;          ///< whether the lists go together instead of all with all
  bool continuation = true;  ///< whether members start from their neighbour's solution
  std::vector<FamilyMember> members;

  bool is_sweep() const { return !parameters.empty(); }
  /// What a member has: "model.viscosity = 0.1, model.mass = 2.0".
  std::string description(std::size_t member) const;
};

/// Read a configuration file with or without a table [sweep], as read_config() does; throw
/// ConfigErrors with all that is wrong with any member.
Family read_family(std::shared_ptr<const Source> source, std::span<const Override> overrides,
                   std::int64_t most_cells = std::int64_t{1} << 21);

/// Write a family in full, so that reading it gives the same one.
std::string to_toml(const Family& family);

}  // namespace isofield::mfg_solve
