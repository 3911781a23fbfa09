#include "isofield/mfg/results.hpp"

#include <ctime>
#include <limits>
#include <optional>

#include "isofield/error.hpp"
#include "isofield/io/hdf5.hpp"
#include "isofield/version.hpp"
#include "results_layout.hpp"

namespace isofield::mfg {
namespace {

using io::Extents;

void check(const Results& results) {
  if (const std::string wrong = layout::misfit(results); !wrong.empty()) {
    throw ShapeError("write_results: " + wrong);
  }
}

std::string now() {
  const std::time_t seconds = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[sizeof "2026-11-21T08:34:00Z"];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

// Writes one file; members in the order of the layout.
class ResultWriter {
 public:
  ResultWriter(const Results& results, const std::filesystem::path& path,
               const WriteOptions& options)
      : results_(results),
        file_(path, options.overwrite ? io::Existing::replace : io::Existing::refuse) {
    stored_.compression = options.compression;
    fields_ = stored_;
    fields_.narrow = results.dtype == "float32";
  }

  io::Published write(bool with_points) {
    write_attributes();
    write_grid(with_points);
    for (std::size_t k = 0; k < results_.populations.size(); ++k) write_population(k);
    file_.hard_link("/u", layout::population(results_.populations[0].name) + "/u");
    file_.hard_link("/m", layout::population(results_.populations[0].name) + "/m");
    write_convergence();
    write_diagnostics();
    for (const StateArray& array : results_.state) {
      write("/state/" + array.name, array.values, array.extents, array.name, "");
    }
    return file_.commit();
  }

 private:
  void describe(const std::string& path, const std::string& long_name, const std::string& units) {
    file_.set_attribute(path, "long_name", long_name);
    file_.set_attribute(path, "units", units);
  }

  void write(const std::string& path, const std::vector<double>& values, const Extents& extents,
             const std::string& long_name, const std::string& units) {
    file_.write<double>(path, values, extents, stored_);
    describe(path, long_name, units);
  }

  void write_attributes() {
    const Results& r = results_;
    const auto text = [&](const char* name, const std::string& value) {
      file_.set_attribute("/", name, value);
    };
    text("title", r.title);
    text("isofield_version", r.version.empty() ? version() : r.version);
    text("created", r.created.empty() ? now() : r.created);
    text("config", r.config);
    text("backend", r.backend);
    text("device", r.device);
    text("dtype", r.dtype);
    file_.set_attribute("/", "threads", r.threads);
    text("status", to_string(r.status));
    file_.set_attribute("/", "iterations", r.iterations);
    file_.set_attribute("/", "residual", r.residual);
    file_.set_attribute("/", "wall_seconds", r.wall_seconds);
    file_.set_attribute("/", "format", layout::format);
  }

  void write_grid(bool with_points) {
    for (std::size_t k = 0; k < results_.axes.size(); ++k) {
      const std::string name = layout::axis_names[k];
      write(layout::axis(k), results_.axes[k], {results_.axes[k].size()}, "position " + name,
            "length");
      file_.make_scale(layout::axis(k), name);
      shape_.push_back(results_.axes[k].size());
    }
    write("/grid/t", results_.times, {results_.times.size()}, "time", "time");
    file_.make_scale("/grid/t", "t");
    std::vector<std::uint8_t> mask = results_.mask;
    if (mask.empty()) mask.assign(results_.nodes(), static_cast<std::uint8_t>(NodeKind::free));
    file_.write<std::uint8_t>("/grid/mask", mask, shape_, stored_);
    describe("/grid/mask", "what a node is: 0 free, 1 obstacle, 2 exit", "1");
    attach_axes("/grid/mask", 0);
    if (with_points) write_points();
  }

  // Positions of all nodes, for programs that take no other grid with the last axis contiguous.
  void write_points() {
    const auto& axes = results_.axes;
    std::vector<double> points;
    points.reserve(3 * results_.nodes());
    const auto node = [&](std::size_t k, std::size_t i) {
      return k < axes.size() ? axes[k][i] : 0;
    };
    const auto size = [&](std::size_t k) { return k < axes.size() ? axes[k].size() : 1; };
    for (std::size_t i = 0; i < size(0); ++i) {
      for (std::size_t j = 0; j < size(1); ++j) {
        for (std::size_t k = 0; k < size(2); ++k) {
          points.insert(points.end(), {node(0, i), node(1, j), node(2, k)});
        }
      }
    }
    Extents extents = shape_;
    extents.push_back(3);
    io::DatasetOptions options = stored_;
    options.narrow = true;
    file_.write<double>(layout::points, points, extents, options);
    describe(layout::points, "positions of the nodes, for ParaView", "length");
  }

  void attach_axes(const std::string& path, unsigned first) {
    for (std::size_t k = 0; k < shape_.size(); ++k) {
      file_.attach_scale(path, first + static_cast<unsigned>(k), layout::axis(k));
    }
  }

  void write_population(std::size_t index) {
    const PopulationResult& population = results_.populations[index];
    const std::string group = layout::population(population.name);
    const std::size_t axes = shape_.size();
    const std::string of_whom = results_.populations.size() > 1 ? " of " + population.name : "";
    Extents extents{results_.times.size()};
    extents.insert(extents.end(), shape_.begin(), shape_.end());
    const auto field = [&](const char* name, const std::vector<double>& values,
                           const std::string& long_name, const std::string& units) {
      const std::string path = group + "/" + name;
      file_.write<double>(path, values, extents, fields_);
      describe(path, long_name + of_whom, units);
      file_.attach_scale(path, 0, "/grid/t");
      attach_axes(path, 1);
    };
    field("u", population.u, "value", "cost");
    field("m", population.m, "density",
          axes == 1 ? "mass/length" : "mass/length^" + std::to_string(axes));
    file_.set_attribute(group, layout::index, static_cast<std::int64_t>(index));
    if (population.lambda) {
      write(group + "/lambda", {*population.lambda}, {}, "ergodic constant" + of_whom, "cost/time");
    }
  }

  void write_convergence() {
    const auto& table = results_.convergence;
    const std::size_t rows = table.iteration.size();
    file_.write("/convergence/iteration", table.iteration);
    describe("/convergence/iteration", "outer iteration", "1");
    file_.make_scale("/convergence/iteration", "iteration");
    layout::for_each_column(table, [&](const std::string& name, const auto& column) {
      const std::string path = "/convergence/" + name;
      write(path, or_nan(column, rows), {rows}, long_column_name(name),
            name == "seconds"          ? "s"
            : name == "exploitability" ? "cost"
                                       : "1");
      file_.attach_scale(path, 0, "/convergence/iteration");
    });
  }

  static std::string long_column_name(const std::string& name) {
    if (name == "residual") return "residual of the discrete system, max norm, scaled";
    if (name == "hjb_residual") return "residual of the Hamilton-Jacobi-Bellman equation";
    if (name == "fp_residual") return "residual of the Fokker-Planck equation";
    return name == "seconds" ? "time since the start" : "what the best response would gain";
  }

  void write_diagnostics() {
    const std::uint64_t levels = results_.times.size();
    const std::uint64_t populations = results_.populations.size();
    Extents mass{levels}, costs;
    if (populations > 1) {
      mass.push_back(populations);
      costs.push_back(populations);
    }
    const auto& sums = results_.diagnostics;
    write("/diagnostics/mass", or_nan(sums.mass, levels * populations), mass, "mass", "mass");
    file_.attach_scale("/diagnostics/mass", 0, "/grid/t");
    layout::for_each_cost(sums, [&](std::string name, const auto& values) {
      const std::string path = "/diagnostics/" + name;
      name[name.find('_')] = ' ';
      write(path, or_nan(values, populations), costs, name, "cost");
    });
  }

  static std::vector<double> or_nan(const std::vector<double>& values, std::uint64_t size) {
    if (!values.empty()) return values;
    return std::vector<double>(size, std::numeric_limits<double>::quiet_NaN());
  }

  const Results& results_;
  io::FileWriter file_;
  io::DatasetOptions stored_, fields_;
  Extents shape_;
};

}  // namespace

std::string to_string(RunStatus status) {
  switch (status) {
    case RunStatus::converged: return "converged";
    case RunStatus::not_converged: return "not_converged";
    case RunStatus::failed: return "failed";
    case RunStatus::interrupted: return "interrupted";
    case RunStatus::checkpoint: break;
  }
  return "checkpoint";
}

std::uint64_t Results::nodes() const {
  std::uint64_t product = 1;
  for (const auto& axis : axes) product *= axis.size();
  return product;
}

std::filesystem::path xdmf_path(const std::filesystem::path& path) {
  auto result = path;
  const auto extension = path.extension();
  if (extension == ".h5" || extension == ".hdf5") return result.replace_extension(".xdmf");
  return result += ".xdmf";
}

std::string write_results(const Results& results, const std::filesystem::path& path,
                          const WriteOptions& options) {
  check(results);
  ResultWriter writer(results, path, options);
  if (!options.xdmf) return writer.write(false).warning;
  const auto existing = options.overwrite ? io::Existing::replace : io::Existing::refuse;
  // What is in the sidecar's way is told before anything is written. Whatever else prevents it is
  // no reason to lose the results.
  std::string warning;
  std::optional<io::SafeFile> sidecar;
  try {
    sidecar.emplace(xdmf_path(path), existing);
  } catch (const io::FileExistsError&) {
    throw;
  } catch (const IoError& error) {
    warning = error.what();
  }
  const std::string of_the_file = writer.write(true).warning;
  if (sidecar) {
    try {
      sidecar->write(layout::xdmf_text(results, path.filename().string()));
      sidecar->publish();
    } catch (const IoError& error) {
      warning = error.what();
    }
  }
  return of_the_file + (of_the_file.empty() || warning.empty() ? "" : "; ") + warning;
}

void check_destination(const std::filesystem::path& path, const WriteOptions& options) {
  const auto existing = options.overwrite ? io::Existing::replace : io::Existing::refuse;
  const io::SafeFile file(path, existing);
  if (options.xdmf) const io::SafeFile sidecar(xdmf_path(path), existing);
}

}  // namespace isofield::mfg
