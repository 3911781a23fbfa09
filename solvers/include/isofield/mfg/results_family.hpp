#pragma once

#include <isofield/io/safe_file.hpp>
#include <isofield/mfg/results.hpp>
#include <memory>

namespace isofield::mfg {

/// What a family of runs has in common, and what differs between them.
struct Family {
  /// A key and its value in each member.
  struct Parameter {
    std::string key;
    std::vector<double> numbers;      ///< one a member; empty where they are no numbers
    std::vector<std::string> values;  ///< one a member, as people write it
  };

  std::string title;
  std::string config;  ///< the whole TOML text in force, with its table [sweep]
  std::string backend, device, dtype = "float64";
  std::int64_t threads = 1;
  RunStatus status = RunStatus::converged;  ///< of all together
  double wall_seconds = 0;
  std::vector<Parameter> parameters;
};

/// Writes the runs of a family to one file, which appears whole or not at all: `/members/0000` and
/// so on are laid out as result files are, and have their parameters as attributes; the table
/// `/sweep` has a row for each. All members throw IoError.
class FamilyWriter {
 public:
  FamilyWriter(Family family, const std::filesystem::path& path, const WriteOptions& options);
  FamilyWriter(const FamilyWriter&) = delete;
  FamilyWriter& operator=(const FamilyWriter&) = delete;
  ~FamilyWriter();

  /// Add the next member. Throws ShapeError where its parts do not fit together.
  void add(const Results& results);
  /// Add a member that could not be solved at all, with the reason.
  void add_failure(const std::string& reason);
  /// Finish; gives an empty text or a warning, as write_results() does.
  std::string commit();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The group of a member: "/members/0003".
std::string member_group(std::size_t member);

}  // namespace isofield::mfg
