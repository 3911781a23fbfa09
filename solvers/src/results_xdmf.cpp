#include <charconv>

#include "results_layout.hpp"

namespace isofield::mfg::layout {
namespace {

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      default: result += c;
    }
  }
  return result;
}

std::string shortest(double value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  return {digits, end};
}

using Sizes = std::vector<std::uint64_t>;

std::string join(const Sizes& sizes) {
  std::string text;
  for (const std::uint64_t size : sizes) {
    if (!text.empty()) text += ' ';
    text += std::to_string(size);
  }
  return text;
}

// Builds the text; `file_` is named relative to the sidecar.
class Sidecar {
 public:
  Sidecar(const Results& results, const std::string& file)
      : results_(results), file_(escaped(file)) {
    for (const auto& axis : results.axes) shape_.push_back(axis.size());
    topology_ = shape_;
    while (topology_.size() < 3) topology_.insert(topology_.begin(), 1);
  }

  std::string text() const {
    std::string out =
        "<?xml version=\"1.0\" ?>\n<Xdmf Version=\"2.0\">\n  <Domain>\n"
        "    <Grid Name=\"" +
        escaped(results_.title.empty() ? "Isofield" : results_.title) +
        "\" GridType=\"Collection\" CollectionType=\"Temporal\">\n";
    for (std::size_t level = 0; level < results_.times.size(); ++level) out += grid(level);
    out += "    </Grid>\n";
    for (const PopulationResult& population : results_.populations) {
      if (layout::particle_count(results_, population) > 0) out += particles(population);
    }
    return out + "  </Domain>\n</Xdmf>\n";
  }

 private:
  std::string grid(std::size_t level) const {
    Sizes points = shape_;
    points.push_back(3);
    std::string out =
        "      <Grid Name=\"level " + std::to_string(level) +
        "\" GridType=\"Uniform\">\n        <Time Value=\"" + shortest(results_.times[level]) +
        "\"/>\n        <Topology TopologyType=\"3DSMesh\" Dimensions=\"" + join(topology_) +
        "\"/>\n        <Geometry GeometryType=\"XYZ\">\n" +
        item(layout::points, points, "Float", 4, "          ") + "        </Geometry>\n";
    const bool single = results_.populations.size() == 1;
    for (const PopulationResult& population : results_.populations) {
      for (const char* field : {"u", "m"}) {
        const std::string name = single ? field : field + ("_" + population.name);
        out += attribute(name, level_of(layout::population(population.name) + "/" + field, level));
      }
    }
    return out + attribute("mask", mask()) + "      </Grid>\n";
  }

  // The particles of a population: points that move, with whether each is inside.
  std::string particles(const PopulationResult& population) const {
    const bool single = results_.populations.size() == 1;
    const std::string name = single ? "particles" : "particles of " + population.name;
    const std::string group = layout::population(population.name);
    const Sizes::value_type levels = results_.times.size();
    const Sizes::value_type count = layout::particle_count(results_, population);
    std::string out = "    <Grid Name=\"" + escaped(name) +
                      "\" GridType=\"Collection\" CollectionType=\"Temporal\">\n";
    for (std::size_t level = 0; level < levels; ++level) {
      out += "      <Grid Name=\"" + escaped(name) + ", level " + std::to_string(level) +
             "\" GridType=\"Uniform\">\n        <Time Value=\"" + shortest(results_.times[level]) +
             "\"/>\n        <Topology TopologyType=\"Polyvertex\" NodesPerElement=\"1\" "
             "NumberOfElements=\"" +
             std::to_string(count) + "\"/>\n        <Geometry GeometryType=\"XYZ\">\n" +
             part({level, 0, 0}, {1, count, 3}, {count, 3},
                  item(group + layout::particle_points, {levels, count, 3}, "Float", 4,
                       "            ")) +
             "        </Geometry>\n" +
             attribute("inside", part({level, 0}, {1, count}, {count},
                                      item(group + layout::particle_inside, {levels, count},
                                           "UChar", 1, "            "))) +
             "      </Grid>\n";
    }
    return out + "    </Grid>\n";
  }

  std::string attribute(const std::string& name, const std::string& data) const {
    return "        <Attribute Name=\"" + escaped(name) +
           "\" AttributeType=\"Scalar\" Center=\"Node\">\n" + data + "        </Attribute>\n";
  }

  std::string item(const std::string& path, const Sizes& sizes, const char* type, int precision,
                   const std::string& indent) const {
    return indent + "<DataItem Format=\"HDF\" NumberType=\"" + type + "\" Precision=\"" +
           std::to_string(precision) + "\" Dimensions=\"" + join(sizes) + "\">" + file_ + ":" +
           escaped(path) + "</DataItem>\n";
  }

  // A part of a dataset, by start, stride and count of each axis. ParaView demands that a field has
  // exactly the three dimensions of the topology.
  std::string part(const Sizes& start, const Sizes& count, const Sizes& shown,
                   const std::string& whole) const {
    return "          <DataItem ItemType=\"HyperSlab\" Dimensions=\"" + join(shown) +
           "\">\n            <DataItem Format=\"XML\" NumberType=\"Int\" Dimensions=\"3 " +
           std::to_string(start.size()) + "\">" + join(start) + "  " +
           join(Sizes(start.size(), 1)) + "  " + join(count) + "</DataItem>\n" + whole +
           "          </DataItem>\n";
  }

  std::string level_of(const std::string& path, std::size_t level) const {
    Sizes start(shape_.size() + 1, 0), one{1}, whole{results_.times.size()};
    start[0] = level;
    one.insert(one.end(), shape_.begin(), shape_.end());
    whole.insert(whole.end(), shape_.begin(), shape_.end());
    const int precision = results_.dtype == "float32" ? 4 : 8;
    return part(start, one, topology_, item(path, whole, "Float", precision, "            "));
  }

  std::string mask() const {
    return part(Sizes(shape_.size(), 0), shape_, topology_,
                item("/grid/mask", shape_, "UChar", 1, "            "));
  }

  const Results& results_;
  std::string file_;
  Sizes shape_, topology_;
};

}  // namespace

std::string xdmf_text(const Results& results, const std::string& file_name) {
  return Sidecar(results, file_name).text();
}

}  // namespace isofield::mfg::layout
