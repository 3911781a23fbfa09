#pragma once

#include <filesystem>
#include <isofield/mfg/solve.hpp>
#include <string>

#include "job.hpp"
#include "outcome.hpp"
#include "progress.hpp"

namespace isofield::mfg_solve {

/// A solve with somebody watching it: progress, log, checkpoints, and whether it was interrupted.
class WatchedSolve {
 public:
  /// Checkpoints go to `checkpoint`; `start` is the file that the run goes on from, or empty.
  WatchedSolve(const RunContext& context, const Options& options, std::filesystem::path checkpoint,
               std::string start);

  mfg::Solution solve(mfg::SolveOptions solve_options);

  /// Throws IoError where it cannot be written.
  void write_checkpoint(const mfg::Results& results);
  /// Remove the checkpoint that this run wrote, if it did.
  void remove_checkpoint();
  const std::filesystem::path& checkpoint() const noexcept { return checkpoint_; }

  /// Log a warning; nothing where it is empty.
  void warn(const std::string& warning);

 private:
  bool watch(const mfg::Progress& seen);
  void make_way_for_checkpoint();

  const RunContext& context_;
  const Options& options_;
  std::filesystem::path checkpoint_;
  std::string start_;
  Progress progress_;
  bool checkpointed_ = false;
};

/// Where the checkpoints of a run go: NAME.checkpoint.h5 beside its result NAME.h5.
std::filesystem::path checkpoint_path(const mfg::Config& config);

}  // namespace isofield::mfg_solve
