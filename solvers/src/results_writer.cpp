#include "results_writer.hpp"

#include <ctime>
#include <limits>

#include "isofield/version.hpp"
#include "results_layout.hpp"

namespace isofield::mfg::layout {

std::string utc_now() {
  const std::time_t seconds = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[sizeof "2026-11-21T08:34:00Z"];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

namespace {

using io::Extents;

// Writes one run; members in the order of the layout.
class ResultWriter {
 public:
  ResultWriter(const Results& results, io::FileWriter& file, std::string group, int compression)
      : results_(results), file_(file), group_(std::move(group)) {
    stored_.compression = compression;
    fields_ = stored_;
    fields_.narrow = results.dtype == "float32";
  }

  void write(bool with_points) {
    write_attributes();
    write_grid(with_points);
    for (std::size_t k = 0; k < results_.populations.size(); ++k) {
      write_population(k);
      write_particles(results_.populations[k], with_points);
    }
    file_.hard_link(at("/u"), at(layout::population(results_.populations[0].name) + "/u"));
    file_.hard_link(at("/m"), at(layout::population(results_.populations[0].name) + "/m"));
    write_convergence();
    write_diagnostics();
    for (const StateArray& array : results_.state) {
      write("/state/" + array.name, array.values, array.extents, array.name, "");
    }
  }

 private:
  // The place of what a result file has at `path`.
  std::string at(const std::string& path) const { return group_ + path; }

  void describe(const std::string& path, const std::string& long_name, const std::string& units) {
    file_.set_attribute(at(path), "long_name", long_name);
    file_.set_attribute(at(path), "units", units);
  }

  void write(const std::string& path, const std::vector<double>& values, const Extents& extents,
             const std::string& long_name, const std::string& units) {
    file_.write<double>(at(path), values, extents, stored_);
    describe(path, long_name, units);
  }

  void write_attributes() {
    const Results& r = results_;
    const std::string root = group_.empty() ? "/" : group_;
    if (!group_.empty()) file_.create_group(group_);
    const auto text = [&](const char* name, const std::string& value) {
      file_.set_attribute(root, name, value);
    };
    text("title", r.title);
    text("isofield_version", r.version.empty() ? version() : r.version);
    text("created", r.created.empty() ? utc_now() : r.created);
    text("config", r.config);
    text("backend", r.backend);
    text("device", r.device);
    text("dtype", r.dtype);
    file_.set_attribute(root, "threads", r.threads);
    text("status", to_string(r.status));
    file_.set_attribute(root, "iterations", r.iterations);
    file_.set_attribute(root, "residual", r.residual);
    file_.set_attribute(root, "wall_seconds", r.wall_seconds);
    file_.set_attribute(root, "format", format);
  }

  void write_grid(bool with_points) {
    for (std::size_t k = 0; k < results_.axes.size(); ++k) {
      const std::string name = axis_names[k];
      write(axis(k), results_.axes[k], {results_.axes[k].size()}, "position " + name, "length");
      file_.make_scale(at(axis(k)), name);
      shape_.push_back(results_.axes[k].size());
    }
    write("/grid/t", results_.times, {results_.times.size()}, "time", "time");
    file_.make_scale(at("/grid/t"), "t");
    std::vector<std::uint8_t> mask = results_.mask;
    if (mask.empty()) mask.assign(results_.nodes(), static_cast<std::uint8_t>(NodeKind::free));
    file_.write<std::uint8_t>(at("/grid/mask"), mask, shape_, stored_);
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
    file_.write<double>(at(layout::points), points, extents, options);
    describe(layout::points, "positions of the nodes, for ParaView", "length");
  }

  void attach_axes(const std::string& path, unsigned first) {
    for (std::size_t k = 0; k < shape_.size(); ++k) {
      file_.attach_scale(at(path), first + static_cast<unsigned>(k), at(axis(k)));
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
      file_.write<double>(at(path), values, extents, fields_);
      describe(path, long_name + of_whom, units);
      file_.attach_scale(at(path), 0, at("/grid/t"));
      attach_axes(path, 1);
    };
    field("u", population.u, "value", "cost");
    field("m", population.m, "density",
          axes == 1 ? "mass/length" : "mass/length^" + std::to_string(axes));
    file_.set_attribute(at(group), layout::index, static_cast<std::int64_t>(index));
    if (population.lambda) {
      write(group + "/lambda", {*population.lambda}, {}, "ergodic constant" + of_whom, "cost/time");
    }
  }

  void write_particles(const PopulationResult& population, bool with_points) {
    const std::uint64_t count = particle_count(results_, population);
    if (count == 0) return;
    const std::string group = layout::population(population.name);
    const std::uint64_t levels = results_.times.size(), axes = results_.axes.size();
    const std::string places = group + particle_places, inside = group + particle_inside;
    file_.write<double>(at(places), population.particles, {levels, count, axes}, fields_);
    describe(places, "positions of particles; each is an equal share of the mass", "length");
    file_.attach_scale(at(places), 0, at("/grid/t"));
    file_.write<std::uint8_t>(at(inside), population.particles_inside, {levels, count}, stored_);
    describe(inside, "whether a particle is inside: 0 once it has left", "1");
    file_.attach_scale(at(inside), 0, at("/grid/t"));
    if (!with_points) return;
    std::vector<double> points;
    points.reserve(3 * levels * count);
    for (std::size_t i = 0; i < levels * count; ++i)
      for (std::size_t k = 0; k < 3; ++k)
        points.push_back(k < axes ? population.particles[i * axes + k] : 0.0);
    io::DatasetOptions options = stored_;
    options.narrow = true;
    file_.write<double>(at(group + particle_points), points, {levels, count, 3}, options);
    describe(group + particle_points, "positions of particles, for ParaView", "length");
  }

  void write_convergence() {
    const auto& table = results_.convergence;
    const std::size_t rows = table.iteration.size();
    file_.write(at("/convergence/iteration"), table.iteration);
    describe("/convergence/iteration", "outer iteration", "1");
    file_.make_scale(at("/convergence/iteration"), "iteration");
    for_each_column(table, [&](const std::string& name, const auto& column) {
      const std::string path = "/convergence/" + name;
      write(path, or_nan(column, rows), {rows}, long_column_name(name),
            name == "seconds"          ? "s"
            : name == "exploitability" ? "cost"
                                       : "1");
      file_.attach_scale(at(path), 0, at("/convergence/iteration"));
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
    file_.attach_scale(at("/diagnostics/mass"), 0, at("/grid/t"));
    for_each_cost(sums, [&](std::string name, const auto& values) {
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
  io::FileWriter& file_;
  std::string group_;
  io::DatasetOptions stored_, fields_;
  Extents shape_;
};

}  // namespace

void write_run(const Results& results, io::FileWriter& file, const std::string& group,
               int compression, bool with_points) {
  ResultWriter(results, file, group, compression).write(with_points);
}

}  // namespace isofield::mfg::layout
