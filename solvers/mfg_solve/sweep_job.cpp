#include "sweep_job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <isofield/error.hpp>
#include <isofield/mfg/results_family.hpp>
#include <isofield/profile.hpp>
#include <isofield/registry.hpp>
#include <map>
#include <optional>

#include "backend_choice.hpp"
#include "exit_code.hpp"
#include "interrupt.hpp"
#include "lay_out.hpp"
#include "outcome.hpp"
#include "output_target.hpp"
#include "same_run.hpp"
#include "standard_output.hpp"
#include "start.hpp"
#include "state.hpp"
#include "sweep_text.hpp"
#include "watched_solve.hpp"

namespace isofield::mfg_solve {
namespace {

namespace fs = std::filesystem;

/// Where a member's result stands until all are done: NAME.member_0003.h5.
fs::path member_path(const Family& family, std::size_t member) {
  return fs::path(family.members[0].config.output.file)
      .replace_extension(fmt::format(".member_{:04}.h5", member));
}

/// The family's file has no sidecar.
mfg::Config without_sidecar(mfg::Config config) {
  config.output.xdmf = false;
  return config;
}

/// Values at all levels, as a start takes them.
mfg::Fields values_of(const mfg::Results& results) {
  mfg::Fields values;
  for (const mfg::PopulationResult& p : results.populations)
    values.push_back(field_in(p.u, results, dtype_from_name(results.dtype)));
  return values;
}

/// Keep every stride-th level, and the last.
void thin_out(mfg::Results& results, std::int64_t stride) {
  const auto levels = static_cast<std::int64_t>(results.times.size());
  if (stride == 1 || levels == 1) return;
  const std::vector<std::int64_t> kept = kept_level_numbers(levels - 1, stride);
  const auto thinned = [&](auto& values) {
    const std::size_t size = values.size() / static_cast<std::size_t>(levels);
    std::remove_reference_t<decltype(values)> some;
    some.reserve(size * kept.size());
    for (const std::int64_t level : kept) {
      const auto begin = values.begin() + static_cast<std::ptrdiff_t>(size) * level;
      some.insert(some.end(), begin, begin + static_cast<std::ptrdiff_t>(size));
    }
    values = std::move(some);
  };
  thinned(results.times);
  thinned(results.diagnostics.mass);
  for (mfg::PopulationResult& p : results.populations) {
    thinned(p.u);
    thinned(p.m);
    thinned(p.particles);
    thinned(p.particles_inside);
  }
}

MemberReport report_of(const mfg::Results& results) {
  MemberReport report{mfg::to_string(results.status),
                      "",
                      results.iterations,
                      results.residual,
                      {},
                      results.wall_seconds};
  for (const mfg::PopulationResult& p : results.populations)
    if (p.lambda) report.lambda.emplace_back(p.name, *p.lambda);
  return report;
}

/// Values that the next members start from: those of the latest member at each depth of the
/// combinations, whose later parameters all have their first value.
class Neighbours {
 public:
  explicit Neighbours(const Family& family) : family_(family), latest_(family.parameters.size()) {}

  /// The values of a member's neighbour, if it converged; none for the first.
  const mfg::Fields* of(std::size_t member) const {
    const std::vector<std::size_t>& at = family_.members[member].at;
    for (std::size_t k = at.size(); family_.continuation && k-- > 0;)
      if (at[k] > 0) return latest_[k] ? &*latest_[k] : nullptr;
    return nullptr;
  }
  /// Note a member's values, none where it did not converge.
  void add(std::size_t member, const std::optional<mfg::Fields>& values) {
    const std::vector<std::size_t>& at = family_.members[member].at;
    for (std::size_t k = at.size(); k-- > 0;) {
      latest_[k] = values;
      if (at[k] > 0) break;
    }
  }

 private:
  const Family& family_;
  std::vector<std::optional<mfg::Fields>> latest_;
};

/// A family from the first member to one file and a summary.
class FamilyJob {
 public:
  FamilyJob(const Family& family, const Options& options, BaseBackend& backend)
      : family_(family), options_(options), backend_(backend), neighbours_(family) {}

  int run() {
    look_at_what_is_left();
    for (std::size_t k = 0; k < family_.members.size(); ++k) {
      if (interrupted()) return stop(k, "");
      if (take_finished(k)) continue;
      if (!options_.quiet)
        print_message(stderr, fmt::format("run {} of {}: {}\n", k + 1, family_.members.size(),
                                          family_.description(k)));
      if (const std::optional<int> code = solve(k)) return *code;
    }
    return finish();
  }

 private:
  const mfg::Config& config(std::size_t k) const { return family_.members[k].config; }

  /// What is left of an earlier run is gone on with where --resume names a part of it, replaced
  /// with --overwrite, and else an error: it took its time.
  void look_at_what_is_left() {
    if (options_.resume.empty()) {
      for (std::size_t k = 0; k < family_.members.size() && !options_.overwrite; ++k) {
        const std::string file = member_path(family_, k).string();
        if (std::error_code ignored; !fs::exists(file, ignored)) continue;
        throw IoError(
            fmt::format("{} is left of an earlier run; --resume {} goes on with it, "
                        "--overwrite begins anew",
                        file, file));
      }
      return;
    }
    const mfg::Results results = mfg::read_results(options_.resume);
    for (std::size_t k = 0; k < family_.members.size(); ++k) {
      if (!states_the_same(results.config, config(k))) continue;
      std::error_code ignored;
      if (!fs::equivalent(options_.resume, member_path(family_, k), ignored)) resumed_ = k;
      return;
    }
    throw ConfigError(fmt::format("{} is of no run of this family", options_.resume));
  }

  /// Take a member that an earlier run has done from its file.
  bool take_finished(std::size_t k) {
    const fs::path file = member_path(family_, k);
    std::error_code ignored;
    if (options_.resume.empty() || !fs::exists(file, ignored)) return false;
    const mfg::Results results = mfg::read_results(file);
    if (!states_the_same(results.config, config(k)))
      throw ConfigError(fmt::format("{} is of another configuration", file.string()));
    reports_.push_back(report_of(results));
    note_values(k, results.status == mfg::RunStatus::converged ? std::optional(values_of(results))
                                                               : std::nullopt);
    return true;
  }

  void note_values(std::size_t k, const std::optional<mfg::Fields>& values) {
    neighbours_.add(k, values);
  }

  mfg::SolveOptions options_for(std::size_t k, const mfg::DiscreteProblem& problem) const {
    if (resumed_ == k) {
      const Start start = find_start(config(k), options_.resume, problem);
      // Without anything done the member begins as it would have, from its neighbour.
      if (!start.options.state.empty()) return start.options;
    }
    mfg::SolveOptions solve_options = find_start(config(k), "", problem).options;
    const mfg::Fields* near = neighbours_.of(k);
    Shape shape = problem.grid().shape();
    shape.insert(0, problem.problem().levels());
    if (near && near->size() == problem.size() && (*near)[0].shape() == shape) {
      solve_options.initial_guess = mfg::InitialGuess::given;
      solve_options.initial_u = *near;
    }
    return solve_options;
  }

  /// Solve a member and write its file; gives an exit code where all end here.
  std::optional<int> solve(std::size_t k) {
    const std::string toml = to_toml(config(k));
    try {
      const mfg::DiscreteProblem problem = lay_out(config(k));
      const RunContext context{config(k), toml, problem,
                               setting_of(backend_, problem.grid().free_cells())};
      WatchedSolve solve(context, options_, checkpoint_path(config(k)),
                         resumed_ == k ? options_.resume : "");
      const mfg::Solution solution = solve.solve(options_for(k, problem));
      if (solution.report.status == mfg::Status::interrupted) {
        if (solution.state.empty()) return stop(k, resumed_ == k ? options_.resume : "");
        solve.write_checkpoint(make_stopped(context, solution));
        return stop(k, solve.checkpoint().string());
      }
      mfg::Results results = make_results(context, solution, 1);
      add_particles(context, solution, 1, results);
      solve.warn(mfg::write_results(results, member_path(family_, k),
                                    {.compression = static_cast<int>(config(k).output.compression),
                                     .overwrite = true,
                                     .xdmf = false}));
      solve.remove_checkpoint();
      reports_.push_back(report_of(results));
      reports_.back().reason = make_summary(context, solution, results).reason;
      note_values(k, solution.report.status == mfg::Status::converged ? std::optional(solution.u)
                                                                      : std::nullopt);
    } catch (const IoError&) {
      throw;
    } catch (const Error& error) {
      failures_[k] = error.what();
      reports_.push_back({.status = "failed", .reason = error.what()});
      note_values(k, std::nullopt);
    }
    if (reports_.back().status != "converged")
      say(fmt::format("run {} ({}): {}: {}", k + 1, family_.description(k),
                      reports_.back().status == "failed" ? "failed" : "did not converge",
                      reports_.back().reason));
    return std::nullopt;
  }

  /// An interrupted family leaves the files of those that are done, and perhaps a checkpoint.
  int stop(std::size_t member, std::string checkpoint) {
    FamilySummary summary = summary_of("interrupted");
    for (std::size_t k = 0; k < member; ++k) {
      if (!failures_.contains(k)) summary.files.push_back(member_path(family_, k).string());
    }
    if (checkpoint.empty() && !summary.files.empty()) checkpoint = summary.files.back();
    print(summary);
    say(checkpoint.empty()
            ? "interrupted before anything was done"
            : fmt::format("interrupted in run {} of {}; the same command with --resume {} goes on",
                          member + 1, family_.members.size(), checkpoint));
    return exit_interrupted;
  }

  int finish() {
    const mfg::Config& first = config(0);
    const bool converged = std::ranges::all_of(
        reports_, [](const MemberReport& report) { return report.status == "converged"; });
    mfg::Family head{
        .title = first.title,
        .config = options_.config_toml,
        .backend = std::string(backend_.name()),
        .device = to_string(backend_.device()),
        .dtype = first.backend.dtype,
        .threads = backend_.capabilities().threads,
        .status = converged ? mfg::RunStatus::converged : mfg::RunStatus::not_converged,
        .wall_seconds = seconds(),
        .parameters = {}};
    for (std::size_t p = 0; p < family_.parameters.size(); ++p) {
      const SweepParameter& parameter = family_.parameters[p];
      mfg::Family::Parameter column{parameter.key, {}, {}};
      for (const FamilyMember& member : family_.members) {
        column.values.push_back(parameter.plain(member.at[p]));
        if (!parameter.numbers.empty()) column.numbers.push_back(parameter.numbers[member.at[p]]);
      }
      head.parameters.push_back(std::move(column));
    }
    write(std::move(head));
    FamilySummary summary = summary_of(converged ? "converged" : "not_converged");
    summary.files = {first.output.file};
    print(summary);
    return converged ? exit_converged : exit_not_converged;
  }

  void write(mfg::Family head) try {
    const mfg::Config& first = config(0);
    mfg::FamilyWriter writer(std::move(head), first.output.file,
                             {.compression = static_cast<int>(first.output.compression),
                              .overwrite = options_.overwrite,
                              .xdmf = false});
    for (std::size_t k = 0; k < family_.members.size(); ++k) {
      if (const auto failed = failures_.find(k); failed != failures_.end()) {
        writer.add_failure(failed->second);
        continue;
      }
      mfg::Results results = mfg::read_results(member_path(family_, k));
      thin_out(results, first.output.stride);
      writer.add(results);
    }
    if (const std::string warning = writer.commit(); !warning.empty()) say("warning: " + warning);
    std::error_code ignored;
    for (std::size_t k = 0; k < family_.members.size(); ++k)
      fs::remove(member_path(family_, k), ignored);
    // The checkpoint that this run went on from has served.
    if (resumed_ && fs::equivalent(options_.resume, checkpoint_path(first), ignored))
      fs::remove(options_.resume, ignored);
  } catch (const IoError& error) {
    throw IoError(fmt::format("{}; the runs are kept in {} and so on", error.what(),
                              member_path(family_, 0).string()));
  }

  FamilySummary summary_of(const std::string& status) const {
    return {.family = family_,
            .status = status,
            .members = reports_,
            .wall_seconds = seconds(),
            .backend = std::string(backend_.name()),
            .device = to_string(backend_.device()),
            .files = {}};
  }

  void print(const FamilySummary& summary) const {
    print_stdout(options_.json ? to_json(summary) + "\n" : to_table(summary));
  }

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  const Family& family_;
  const Options& options_;
  BaseBackend& backend_;
  Neighbours neighbours_;
  std::vector<MemberReport> reports_;
  std::map<std::size_t, std::string> failures_;
  std::optional<std::size_t> resumed_;  // the member whose checkpoint this run goes on from
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

void check_memory(const Family& family, std::size_t member) {
  const std::string lack = lack_of_memory(family.members[member].config);
  if (!lack.empty())
    throw ConfigError(fmt::format("run {} ({}): {}", member + 1, family.description(member), lack));
}

}  // namespace

int check_family(const Family& family, const Options& options) {
  check_output(without_sidecar(family.members[0].config), options.overwrite);
  BaseBackend& backend = choose_backend(family.members[0].config.backend);
  const ScopedBackend scope(backend);
  std::vector<Setting> settings;
  for (std::size_t k = 0; k < family.members.size(); ++k)
    settings.push_back(look_at(family.members[k].config, backend, "", k == 0));
  print_stdout(options.json ? plan_to_json(family, settings) + "\n"
                            : plan_to_table(family, settings));
  for (std::size_t k = 0; k < family.members.size(); ++k) {
    const std::string lack = lack_of_memory(family.members[k].config);
    if (!lack.empty()) say(fmt::format("warning: run {}: {}", k + 1, lack));
  }
  return exit_converged;
}

int run_family(const Family& family, const Options& options) {
  check_output(without_sidecar(family.members[0].config), options.overwrite);
  BaseBackend& backend = choose_backend(family.members[0].config.backend);
  const ScopedBackend scope(backend);
  for (std::size_t k = 0; k < family.members.size(); ++k) check_memory(family, k);
  if (!options.profile) return FamilyJob(family, options, backend).run();
  Profile profile;
  const int code = FamilyJob(family, options, backend).run();
  profile.stop();
  print_message(stderr, profile.table());
  return code;
}

}  // namespace isofield::mfg_solve
