#include <algorithm>
#include <utility>

#include "isofield/error.hpp"
#include "isofield/io/hdf5.hpp"
#include "isofield/mfg/results.hpp"
#include "results_layout.hpp"

namespace isofield::mfg {
namespace {

[[noreturn]] void fail(const std::string& file, const std::string& reason) {
  throw IoError("cannot read '" + file + "': " + reason);
}

RunStatus status_from(const std::string& text, const std::string& file) {
  for (const RunStatus status : {RunStatus::converged, RunStatus::not_converged, RunStatus::failed,
                                 RunStatus::interrupted, RunStatus::checkpoint}) {
    if (text == to_string(status)) return status;
  }
  fail(file, "the status '" + text + "' is unknown");
}

void read_attributes(const io::FileReader& file, const std::string& group, const std::string& name,
                     Results& results) {
  const std::string root = group.empty() ? "/" : group;
  const auto text = [&](const char* attribute) { return file.text_attribute(root, attribute); };
  results.title = text("title");
  results.version = text("isofield_version");
  results.created = text("created");
  results.config = text("config");
  results.backend = text("backend");
  results.device = text("device");
  results.dtype = text("dtype");
  results.threads = file.integer_attribute(root, "threads");
  results.status = status_from(text("status"), name);
  results.iterations = file.integer_attribute(root, "iterations");
  results.residual = file.real_attribute(root, "residual");
  results.wall_seconds = file.real_attribute(root, "wall_seconds");
}

void read_grid(const io::FileReader& file, const std::string& group, Results& results) {
  for (std::size_t k = 0; k < 3 && file.exists(group + layout::axis(k)); ++k) {
    results.axes.push_back(file.read<double>(group + layout::axis(k)));
  }
  results.times = file.read<double>(group + "/grid/t");
  results.mask = file.read<std::uint8_t>(group + "/grid/mask");
}

std::vector<std::string> population_names(const io::FileReader& file, const std::string& group) {
  std::vector<std::string> names = file.list(group + "/populations");
  const auto index = [&](const std::string& name) {
    return file.integer_attribute(group + layout::population(name), layout::index);
  };
  std::sort(names.begin(), names.end(),
            [&](const auto& a, const auto& b) { return index(a) < index(b); });
  return names;
}

void read_tables(const io::FileReader& file, const std::string& group, Results& results) {
  results.convergence.iteration = file.read<std::int64_t>(group + "/convergence/iteration");
  layout::for_each_column(results.convergence, [&](const std::string& name, auto& column) {
    column = file.read<double>(group + "/convergence/" + name);
  });
  results.diagnostics.mass = file.read<double>(group + "/diagnostics/mass");
  layout::for_each_cost(results.diagnostics, [&](const std::string& name, auto& values) {
    values = file.read<double>(group + "/diagnostics/" + name);
  });
}

}  // namespace

Results read_results(const std::filesystem::path& path, const std::string& run) {
  const io::FileReader file = io::FileReader::verified(path);
  const std::string name = path.string();
  if (!file.has_attribute("/", "format")) fail(name, "it is not a result file of mfg_solve");
  if (run.empty() && file.exists(layout::members)) {
    fail(name, "it holds a family of runs, and one of them is needed");
  }
  if (!file.exists(run + "/populations")) {
    fail(name, run.empty() ? "it is not a result file of mfg_solve" : "there is no run " + run);
  }
  if (file.integer_attribute("/", "format") > layout::format) {
    fail(name, "a newer version of Isofield wrote it");
  }
  Results results;
  read_attributes(file, run, name, results);
  read_grid(file, run, results);
  for (const std::string& population : population_names(file, run)) {
    const std::string group = run + layout::population(population);
    PopulationResult read{.name = population,
                          .u = file.read<double>(group + "/u"),
                          .m = file.read<double>(group + "/m"),
                          .lambda = {},
                          .particles = {},
                          .particles_inside = {}};
    if (file.exists(group + layout::particle_places)) {
      read.particles = file.read<double>(group + layout::particle_places);
      read.particles_inside = file.read<std::uint8_t>(group + layout::particle_inside);
    }
    if (file.exists(group + "/lambda")) {
      const std::vector<double> lambda = file.read<double>(group + "/lambda");
      if (lambda.size() != 1) fail(name, group + "/lambda is not a single number");
      read.lambda = lambda[0];
    }
    results.populations.push_back(std::move(read));
  }
  read_tables(file, run, results);
  if (file.exists(run + "/state")) {
    for (const std::string& array : file.list(run + "/state")) {
      const std::string where = run + "/state/" + array;
      results.state.push_back({array, file.extents(where), file.read<double>(where)});
    }
  }
  if (const std::string wrong = layout::misfit(results); !wrong.empty()) fail(name, wrong);
  return results;
}

}  // namespace isofield::mfg
