#include "job.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <isofield/error.hpp>
#include <isofield/mfg/discrete_problem.hpp>
#include <isofield/mfg/results.hpp>
#include <isofield/mfg/solve.hpp>
#include <isofield/profile.hpp>
#include <isofield/registry.hpp>

#include "backend_choice.hpp"
#include "exit_code.hpp"
#include "interrupt.hpp"
#include "outcome.hpp"
#include "output_target.hpp"
#include "plan.hpp"
#include "standard_output.hpp"
#include "start.hpp"

namespace isofield::mfg_solve {
namespace {

/// Lay the problem out; data that make no sense on the grid are a fault of the configuration.
mfg::DiscreteProblem lay_out(const mfg::Config& config) try {
  return mfg::DiscreteProblem(mfg::make_problem(config), dtype_from_name(config.backend.dtype));
} catch (const SolverError& error) {
  throw ConfigError(error.what());
} catch (const ShapeError& error) {
  throw ConfigError(error.what());
}

Setting setting_of(const BaseBackend& backend, const mfg::DiscreteProblem& problem) {
  return {.free_cells = problem.grid().free_cells(),
          .backend = std::string(backend.name()),
          .device = to_string(backend.device()),
          .threads = backend.capabilities().threads};
}

std::filesystem::path checkpoint_path(const mfg::Config& config) {
  return std::filesystem::path(config.output.file).replace_extension(".checkpoint.h5");
}

/// One run: a solve with somebody watching it.
class Job {
 public:
  Job(const mfg::Config& config, const Options& options, const mfg::DiscreteProblem& problem,
      const Setting& setting)
      : config_(config),
        options_(options),
        context_{config, options.config_toml, problem, setting},
        progress_(stderr, options.quiet ? Progress::Mode::never : options.progress,
                  config.solver.tolerance, config.solver.max_iterations) {}

  int run() {
    mfg::SolveOptions solve_options = start_options(config_, options_.resume, context_.problem);
    solve_options.on_iteration = [this](const mfg::Progress& seen) { return watch(seen); };
    solve_options.should_stop = interrupted;
    solve_options.exploitability = true;
    const mfg::Solution solution = mfg::solve(context_.problem.problem(), solve_options);
    progress_.finish();
    if (solution.report.status == mfg::Status::interrupted) return keep_for_later(solution);
    return finish(solution);
  }

 private:
  /// Show an iteration, write a checkpoint when it is due, and say whether to go on.
  bool watch(const mfg::Progress& seen) {
    const mfg::Iteration& now = seen.iteration;
    const bool on_the_grid = seen.coarsening == 0;
    const std::string stage =
        on_the_grid ? "" : fmt::format("grid {} times coarser", 1 << seen.coarsening);
    progress_.update({.iteration = now.number, .residual = now.residual, .stage = stage});
    if (options_.verbose) {
      progress_.log(
          fmt::format("{}iteration {} ({}): HJB {:.2e}, Fokker-Planck {:.2e}, {} GMRES, {:.3f} s",
                      on_the_grid ? "" : stage + ", ", now.number, now.method, now.hjb_residual,
                      now.fp_residual, now.krylov, now.seconds));
    }
    const std::int64_t every = config_.output.checkpoint_every;
    if (on_the_grid && every > 0 && now.number % every == 0) {
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
  void make_way_for_checkpoint() {
    const std::filesystem::path file = checkpoint_path(config_);
    std::error_code ignored;
    if (checkpointed_ || !std::filesystem::exists(file, ignored)) return;
    const std::string start = start_file(config_, options_.resume);
    if (!start.empty() && std::filesystem::equivalent(file, start, ignored)) return;
    const auto older = std::filesystem::path(file).replace_extension(".older.h5");
    std::error_code error;
    std::filesystem::rename(file, older, error);
    if (!error) warn(fmt::format("the checkpoint of an earlier run is now {}", older.string()));
  }

  void write_checkpoint(const mfg::Results& results) {
    make_way_for_checkpoint();
    warn(mfg::write_results(results, checkpoint_path(config_),
                            {.compression = static_cast<int>(config_.output.compression),
                             .overwrite = true,
                             .xdmf = false}));
    checkpointed_ = true;
  }

  /// An interrupted run leaves a checkpoint and no result, so that going on can write the result.
  int keep_for_later(const mfg::Solution& solution) {
    const mfg::Results results = make_results(context_, solution, 1);
    Summary summary = make_summary(context_, solution, results);
    std::string file = start_file(config_, options_.resume);
    // Before the first iteration nothing is better than the file that the run began with.
    if (solution.report.iterations > 0 || file.empty()) {
      write_checkpoint(results);
      file = checkpoint_path(config_).string();
      summary.files = {file};
    }
    print(summary);
    say(fmt::format("interrupted; the same command with --resume {} goes on", file));
    return exit_interrupted;
  }

  int finish(const mfg::Solution& solution) {
    const mfg::Results results = make_results(context_, solution, config_.output.stride);
    const std::filesystem::path file = config_.output.file;
    try {
      warn(mfg::write_results(results, file,
                              {.compression = static_cast<int>(config_.output.compression),
                               .overwrite = options_.overwrite,
                               .xdmf = config_.output.xdmf}));
    } catch (const IoError& error) {
      throw IoError(error.what() + kept_elsewhere(solution));
    }
    const mfg::Status status = solution.report.status;
    std::error_code ignored;
    if (checkpointed_ && status == mfg::Status::converged) {
      std::filesystem::remove(checkpoint_path(config_), ignored);
    }
    Summary summary = make_summary(context_, solution, results);
    summary.files = {file.string()};
    if (config_.output.xdmf && std::filesystem::exists(mfg::xdmf_path(file), ignored)) {
      summary.files.push_back(mfg::xdmf_path(file).string());
    }
    print(summary);
    if (status == mfg::Status::converged) return exit_converged;
    say(fmt::format("{}: {}",
                    status == mfg::Status::breakdown ? "numerical breakdown" : "did not converge",
                    summary.reason));
    return status == mfg::Status::breakdown ? exit_breakdown : exit_not_converged;
  }

  /// The file got no place: somebody took its name, or the disk is full. A checkpoint may have one.
  std::string kept_elsewhere(const mfg::Solution& solution) {
    try {
      write_checkpoint(make_results(context_, solution, 1));
      return fmt::format("; the solution is kept in {}", checkpoint_path(config_).string());
    } catch (const IoError&) {
      return "";
    }
  }

  void print(const Summary& summary) const {
    print_stdout(options_.json ? to_json(summary) + "\n" : to_table(summary));
  }

  void warn(const std::string& warning) {
    if (!warning.empty()) progress_.log("mfg_solve: warning: " + warning);
  }

  const mfg::Config& config_;
  const Options& options_;
  RunContext context_;
  Progress progress_;
  bool checkpointed_ = false;
};

}  // namespace

int check(const mfg::Config& config, const Options& options) {
  check_output(config, options.overwrite);
  BaseBackend& backend = choose_backend(config.backend);
  const ScopedBackend scope(backend);
  const mfg::DiscreteProblem problem = lay_out(config);
  static_cast<void>(start_options(config, options.resume, problem));
  const Setting setting = setting_of(backend, problem);
  print_stdout(options.json ? plan_to_json(config, setting) + "\n"
                            : plan_to_table(config, setting));
  if (const std::string lack = lack_of_memory(config, setting); !lack.empty())
    say("warning: " + lack);
  return exit_converged;
}

int run(const mfg::Config& config, const Options& options) {
  check_output(config, options.overwrite);
  BaseBackend& backend = choose_backend(config.backend);
  const ScopedBackend scope(backend);
  const mfg::DiscreteProblem problem = lay_out(config);
  const Setting setting = setting_of(backend, problem);
  // Otherwise the system might end the process, and others, in the midst of the solve.
  if (const std::string lack = lack_of_memory(config, setting); !lack.empty())
    throw ConfigError(lack);
  if (!options.profile) return Job(config, options, problem, setting).run();
  Profile profile;
  const int code = Job(config, options, problem, setting).run();
  profile.stop();
  print_message(stderr, profile.table());
  return code;
}

}  // namespace isofield::mfg_solve
