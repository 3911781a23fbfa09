#include "isofield/mfg/results_family.hpp"

#include <fmt/format.h>

#include <limits>

#include "isofield/error.hpp"
#include "isofield/io/hdf5.hpp"
#include "isofield/version.hpp"
#include "results_layout.hpp"
#include "results_writer.hpp"

namespace isofield::mfg {

std::string member_group(std::size_t member) {
  return fmt::format("{}/{:04}", layout::members, member);
}

struct FamilyWriter::Impl {
  Impl(Family of, const std::filesystem::path& path, const WriteOptions& write_options)
      : family(std::move(of)),
        options(write_options),
        file(path, options.overwrite ? io::Existing::replace : io::Existing::refuse) {}

  // What is known of each member beside its group.
  void note(RunStatus status, std::int64_t count, double left, double time,
            const std::vector<double>& rates) {
    const std::string group = member_group(statuses.size());
    for (const Family::Parameter& parameter : family.parameters) {
      const std::size_t k = statuses.size();
      if (parameter.numbers.empty()) {
        file.set_attribute(group, parameter.key, parameter.values.at(k));
      } else {
        file.set_attribute(group, parameter.key, parameter.numbers.at(k));
      }
    }
    statuses.push_back(static_cast<std::int64_t>(status));
    iterations.push_back(count);
    residuals.push_back(left);
    seconds.push_back(time);
    lambdas.push_back(rates.empty() ? std::numeric_limits<double>::quiet_NaN() : rates[0]);
    has_lambda = has_lambda || !rates.empty();
  }

  template <class T>
  void column(const std::string& name, const std::vector<T>& values, const std::string& about,
              const std::string& units) {
    const std::string path = "/sweep/" + name;
    file.write(path, values);
    file.set_attribute(path, "long_name", about);
    file.set_attribute(path, "units", units);
  }

  void write_head() {
    const auto text = [&](const char* name, const std::string& value) {
      file.set_attribute("/", name, value);
    };
    text("title", family.title);
    text("isofield_version", version());
    text("created", layout::utc_now());
    text("config", family.config);
    text("backend", family.backend);
    text("device", family.device);
    text("dtype", family.dtype);
    file.set_attribute("/", "threads", family.threads);
    text("status", to_string(family.status));
    file.set_attribute("/", "members", static_cast<std::int64_t>(statuses.size()));
    file.set_attribute("/", "wall_seconds", family.wall_seconds);
    file.set_attribute("/", "format", layout::format);
  }

  void write_table() {
    for (const Family::Parameter& parameter : family.parameters) {
      if (!parameter.numbers.empty()) column(parameter.key, parameter.numbers, parameter.key, "");
    }
    column("status", statuses, "0 converged, 1 not converged, 2 failed", "1");
    column("iterations", iterations, "outer iterations", "1");
    column("residual", residuals, "residual of the discrete system, max norm, scaled", "1");
    column("seconds", seconds, "time of the solve", "s");
    if (has_lambda)
      column("lambda", lambdas, "ergodic constant of the first population", "cost/time");
  }

  Family family;
  WriteOptions options;
  io::FileWriter file;
  std::vector<std::int64_t> statuses, iterations;
  std::vector<double> residuals, seconds, lambdas;
  bool has_lambda = false;
};

FamilyWriter::FamilyWriter(Family family, const std::filesystem::path& path,
                           const WriteOptions& options)
    : impl_(std::make_unique<Impl>(std::move(family), path, options)) {}
FamilyWriter::~FamilyWriter() = default;

void FamilyWriter::add(const Results& results) {
  if (const std::string wrong = layout::misfit(results); !wrong.empty()) {
    throw ShapeError("FamilyWriter: " + wrong);
  }
  layout::write_run(results, impl_->file, member_group(impl_->statuses.size()),
                    impl_->options.compression, false);
  std::vector<double> rates;
  for (const PopulationResult& population : results.populations) {
    if (population.lambda) rates.push_back(*population.lambda);
  }
  impl_->note(results.status, results.iterations, results.residual, results.wall_seconds, rates);
}

void FamilyWriter::add_failure(const std::string& reason) {
  const std::string group = member_group(impl_->statuses.size());
  impl_->file.create_group(group);
  impl_->file.set_attribute(group, "status", to_string(RunStatus::failed));
  impl_->file.set_attribute(group, "message", reason);
  const double none = std::numeric_limits<double>::quiet_NaN();
  impl_->note(RunStatus::failed, 0, none, none, {});
}

std::string FamilyWriter::commit() {
  impl_->write_head();
  impl_->write_table();
  return impl_->file.commit().warning;
}

}  // namespace isofield::mfg
