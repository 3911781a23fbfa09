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
#include "lay_out.hpp"
#include "outcome.hpp"
#include "output_target.hpp"
#include "plan.hpp"
#include "standard_output.hpp"
#include "start.hpp"
#include "watched_solve.hpp"

namespace isofield::mfg_solve {
namespace {

/// One run, from the start to files and a summary.
class Job {
 public:
  Job(const mfg::Config& config, const Options& options, const mfg::DiscreteProblem& problem,
      const Setting& setting)
      : config_(config),
        options_(options),
        context_{config, options.config_toml, problem, setting},
        solve_(context_, options, checkpoint_path(config), start_file(config, options.resume)) {}

  int run() {
    const Start start = find_start(config_, options_.resume, context_.problem);
    if (!start.note.empty() && !options_.quiet) say(start.note);
    const mfg::Solution solution = solve_.solve(start.options);
    if (solution.report.status == mfg::Status::interrupted) return keep_for_later(solution);
    return finish(solution);
  }

 private:
  /// An interrupted run leaves a checkpoint and no result, so that going on can write the result.
  int keep_for_later(const mfg::Solution& solution) {
    const mfg::Results results = make_results(context_, solution, 1);
    Summary summary = make_summary(context_, solution, results);
    std::string file = start_file(config_, options_.resume);
    // Before the first iteration nothing is better than the file that the run began with.
    if (!solution.state.empty() || file.empty()) {
      solve_.write_checkpoint(make_stopped(context_, solution));
      file = solve_.checkpoint().string();
      summary.files = {file};
    }
    print(summary);
    say(fmt::format("interrupted; the same command with --resume {} goes on", file));
    return exit_interrupted;
  }

  int finish(const mfg::Solution& solution) {
    mfg::Results results = make_results(context_, solution, config_.output.stride);
    add_particles(context_, solution, config_.output.stride, results);
    const std::filesystem::path file = config_.output.file;
    try {
      solve_.warn(mfg::write_results(results, file,
                                     {.compression = static_cast<int>(config_.output.compression),
                                      .overwrite = options_.overwrite,
                                      .xdmf = config_.output.xdmf}));
    } catch (const IoError& error) {
      throw IoError(error.what() + kept_elsewhere(solution));
    }
    const mfg::Status status = solution.report.status;
    if (status == mfg::Status::converged) solve_.remove_checkpoint();
    Summary summary = make_summary(context_, solution, results);
    summary.files = {file.string()};
    std::error_code ignored;
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
      solve_.write_checkpoint(make_results(context_, solution, 1));
      return fmt::format("; the solution is kept in {}", solve_.checkpoint().string());
    } catch (const IoError&) {
      return "";
    }
  }

  void print(const Summary& summary) const {
    print_stdout(options_.json ? to_json(summary) + "\n" : to_table(summary));
  }

  const mfg::Config& config_;
  const Options& options_;
  RunContext context_;
  WatchedSolve solve_;
};

}  // namespace

int check(const mfg::Config& config, const Options& options) {
  check_output(config, options.overwrite);
  BaseBackend& backend = choose_backend(config.backend);
  const ScopedBackend scope(backend);
  const std::string lack = lack_of_memory(config);
  const Setting setting = look_at(config, backend, options.resume, true);
  print_stdout(options.json ? plan_to_json(config, setting) + "\n"
                            : plan_to_table(config, setting));
  if (!lack.empty()) say("warning: " + lack);
  return exit_converged;
}

int run(const mfg::Config& config, const Options& options) {
  check_output(config, options.overwrite);
  BaseBackend& backend = choose_backend(config.backend);
  const ScopedBackend scope(backend);
  // Otherwise the system might end the process, and others, in the midst of the solve.
  if (const std::string lack = lack_of_memory(config); !lack.empty()) throw ConfigError(lack);
  const mfg::DiscreteProblem problem = lay_out(config);
  const Setting setting = setting_of(backend, problem.grid().free_cells());
  if (!options.profile) return Job(config, options, problem, setting).run();
  Profile profile;
  const int code = Job(config, options, problem, setting).run();
  profile.stop();
  print_message(stderr, profile.table());
  return code;
}

}  // namespace isofield::mfg_solve
