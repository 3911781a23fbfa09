#include "watched_solve.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <isofield/error.hpp>
#include <isofield/mfg/results.hpp>
#include <utility>

#include "interrupt.hpp"

namespace isofield::mfg_solve {

WatchedSolve::WatchedSolve(const RunContext& context, const Options& options,
                           std::filesystem::path checkpoint, std::string start)
    : context_(context),
      options_(options),
      checkpoint_(std::move(checkpoint)),
      start_(std::move(start)),
      progress_(stderr, options.quiet ? Progress::Mode::never : options.progress,
                context.config.solver.tolerance, context.config.solver.max_iterations) {}

mfg::Solution WatchedSolve::solve(mfg::SolveOptions solve_options) {
  solve_options.on_iteration = [this](const mfg::Progress& seen) { return watch(seen); };
  solve_options.should_stop = interrupted;
  solve_options.exploitability = true;
  solve_options.keep_state = true;
  mfg::Solution solution = mfg::solve(context_.problem.problem(), solve_options);
  progress_.finish();
  return solution;
}

/// Show an iteration, write a checkpoint when it is due, and say whether to go on.
bool WatchedSolve::watch(const mfg::Progress& seen) {
  const mfg::Iteration& now = seen.iteration;
  const std::string& stage = seen.start;
  progress_.update({.iteration = now.number, .residual = now.residual, .stage = stage});
  if (options_.verbose) {
    progress_.log(
        fmt::format("{}iteration {} ({}): HJB {:.2e}, Fokker-Planck {:.2e}, {} GMRES, {:.3f} s",
                    stage.empty() ? "" : stage + ", ", now.number, now.method, now.hjb_residual,
                    now.fp_residual, now.krylov, now.seconds));
  }
  const std::int64_t every = context_.config.output.checkpoint_every;
  if (stage.empty() && every > 0 && now.number % every == 0) {
    // Without room for a checkpoint the run goes on: its result may still find some.
    try {
      write_checkpoint(make_checkpoint(context_, seen));
    } catch (const IoError& error) {
      warn(fmt::format("no checkpoint: {}", error.what()));
    }
  }
  return !interrupted();
}

/// A checkpoint of another run is not lost to the first one of this run, unless this run goes on
/// from there.
void WatchedSolve::make_way_for_checkpoint() {
  std::error_code ignored;
  if (checkpointed_ || !std::filesystem::exists(checkpoint_, ignored)) return;
  if (!start_.empty() && std::filesystem::equivalent(checkpoint_, start_, ignored)) return;
  const auto older = std::filesystem::path(checkpoint_).replace_extension(".older.h5");
  std::error_code error;
  std::filesystem::rename(checkpoint_, older, error);
  if (!error) warn(fmt::format("the checkpoint of an earlier run is now {}", older.string()));
}

void WatchedSolve::write_checkpoint(const mfg::Results& results) {
  make_way_for_checkpoint();
  warn(mfg::write_results(results, checkpoint_,
                          {.compression = static_cast<int>(context_.config.output.compression),
                           .overwrite = true,
                           .xdmf = false}));
  checkpointed_ = true;
}

void WatchedSolve::remove_checkpoint() {
  std::error_code ignored;
  if (checkpointed_) std::filesystem::remove(checkpoint_, ignored);
}

void WatchedSolve::warn(const std::string& warning) {
  if (!warning.empty()) progress_.log("mfg_solve: warning: " + warning);
}

std::filesystem::path checkpoint_path(const mfg::Config& config) {
  return std::filesystem::path(config.output.file).replace_extension(".checkpoint.h5");
}

}  // namespace isofield::mfg_solve
