// A result file: damaged, of other objects than those expected, or no HDF5 at all. It is refused
// with a typed error, or what is read fits together; of a damaged file, it is what was written.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <vector>

#include "bytes.hpp"
#include "io/manifest.hpp"
#include "io/sample_results.hpp"
#include "isofield/io/hdf5.hpp"

namespace isofield::fuzz {
namespace {

namespace fs = std::filesystem;

/// A folder in memory where there is one, for as long as the process lives.
class Folder {
 public:
  Folder() {
    const fs::path memory = "/dev/shm";
    const fs::path base = fs::is_directory(memory) ? memory : fs::temp_directory_path();
    std::string name = (base / "isofield-fuzz-XXXXXX").string();
    require(::mkdtemp(name.data()) != nullptr, "no folder for files");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  fs::path operator/(const char* name) const { return path_ / name; }

 private:
  fs::path path_;
};

const Folder& folder() {
  static const Folder the;
  return the;
}

std::string bytes_of(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write_bytes(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

/// All of some results as one text, so that any difference shows.
std::string contents(const mfg::Results& r) {
  std::string all;
  const auto text = [&](const std::string& s) { all.append(s).append(1, '\0'); };
  const auto values = [&](const auto& v) {
    text(std::to_string(v.size()));
    if (!v.empty()) all.append(reinterpret_cast<const char*>(v.data()), v.size() * sizeof v[0]);
  };
  for (const auto* s :
       {&r.title, &r.config, &r.version, &r.created, &r.backend, &r.device, &r.dtype})
    text(*s);
  text(to_string(r.status));
  values(std::vector<double>{static_cast<double>(r.threads), static_cast<double>(r.iterations),
                             r.residual, r.wall_seconds});
  for (const auto& axis : r.axes) values(axis);
  values(r.times);
  values(r.mask);
  for (const mfg::PopulationResult& population : r.populations) {
    text(population.name);
    values(population.u);
    values(population.m);
    values(std::vector<double>(population.lambda ? 1 : 0, population.lambda.value_or(0)));
  }
  const mfg::ConvergenceTable& c = r.convergence;
  values(c.iteration);
  for (const auto* v : {&c.residual, &c.hjb_residual, &c.fp_residual, &c.exploitability, &c.seconds,
                        &r.diagnostics.mass, &r.diagnostics.kinetic_cost,
                        &r.diagnostics.running_cost, &r.diagnostics.terminal_cost})
    values(*v);
  for (const mfg::StateArray& array : r.state) {
    text(array.name);
    values(array.extents);
    values(array.values);
  }
  return all;
}

/// A file as it was written, and what is in it.
struct Sample {
  std::string bytes, contents;
};

const Sample& sample() {
  static const Sample the = [] {
    const fs::path path = folder() / "sample.h5";
    mfg::Results results = mfg::test::sample_results(2, 5, 3, 2);
    results.created = "2026-01-01T00:00:00Z";
    mfg::write_results(results, path, {.xdmf = false});
    return Sample{bytes_of(path), contents(mfg::read_results(path))};
  }();
  return the;
}

/// Read a file; "" where it is refused.
std::string read(const fs::path& path) {
  std::string all;
  const std::string error = error_of([&] {
    const mfg::Results results = mfg::read_results(path);
    all = contents(results);
    mfg::write_results(results, folder() / "again.h5", {.overwrite = true, .xdmf = false});
    require(contents(mfg::read_results(folder() / "again.h5")) == all, "written again, it differs");
  });
  require(all.empty() || error.empty(), "what was read does not fit together: " + error);
  require(!all.empty() || error.find(path.filename().string()) != std::string::npos,
          "refused without the file's name: " + error);
  return all;
}

void no_hdf5(std::string_view bytes) {
  const fs::path path = folder() / "raw.h5";
  write_bytes(path, std::string(bytes));
  read(path);
}

void damaged(Bytes in) {
  std::string bytes = sample().bytes;
  for (int change = 1 + in.pick(4); change > 0; --change) {
    const std::size_t size = bytes.size();
    if (size == 0) break;
    const std::size_t at = in.bits<std::uint32_t>() % size;
    const std::size_t length = std::min<std::size_t>(std::size_t{1} << in.pick(12), size - at);
    switch (in.pick(5)) {
      case 0: bytes[at] = static_cast<char>(bytes[at] ^ (1 << in.pick(8))); break;
      case 1: bytes.resize(at); break;
      case 2: bytes.replace(at, length, length, '\0'); break;
      case 3: bytes.replace(at, length, bytes, in.bits<std::uint32_t>() % size, length); break;
      default: bytes[at] = static_cast<char>(in.byte()); break;
    }
  }
  const fs::path path = folder() / "damaged.h5";
  write_bytes(path, bytes);
  const std::string all = read(path);
  require(all.empty() || all == sample().contents, "damage that nobody sees");
}

const char* const paths[] = {"/grid/x",
                             "/grid/y",
                             "/grid/z",
                             "/grid/t",
                             "/grid/mask",
                             "/populations/0/u",
                             "/populations/0/m",
                             "/populations/0/lambda",
                             "/populations/b/u",
                             "/populations/b/m",
                             "/populations/b",
                             "/convergence/iteration",
                             "/convergence/residual",
                             "/convergence/hjb_residual",
                             "/convergence/fp_residual",
                             "/convergence/exploitability",
                             "/convergence/seconds",
                             "/diagnostics/mass",
                             "/diagnostics/kinetic_cost",
                             "/diagnostics/running_cost",
                             "/diagnostics/terminal_cost",
                             "/state/damping",
                             "/state/a/b",
                             "/populations",
                             "/state"};
const char* const attributes[] = {
    "title",   "isofield_version", "created",    "config",   "backend",      "device", "dtype",
    "threads", "status",           "iterations", "residual", "wall_seconds", "format", "index",
    "manifest"};

/// Objects of our writer's in the places of a result file, each what is expected there or not.
void of_other_objects(Bytes in) {
  const fs::path path = folder() / "other.h5";
  static_cast<void>(error_of([&] {
    io::FileWriter file(path, io::Existing::replace);
    const auto attribute = [&](const std::string& object, const std::string& name) {
      static_cast<void>(error_of([&] {
        switch (in.pick(8)) {
          case 0: file.set_attribute(object, name, in.bits<double>()); break;
          case 1: file.set_attribute(object, name, in.integer(2)); break;
          case 2: break;
          case 3: file.set_attribute(object, name, "converged"); break;
          case 4:
            file.set_attribute(object, name,
                               std::string(static_cast<std::size_t>(1 + in.pick(4)), 'x'));
            break;
          default:
            if (name == "status")
              file.set_attribute(object, name, "converged");
            else if (name == "residual" || name == "wall_seconds")
              file.set_attribute(object, name, 0.5);
            else if (name == "threads" || name == "iterations" || name == "format" ||
                     name == "index")
              file.set_attribute(object, name, std::int64_t{1});
            else
              file.set_attribute(object, name, "text");
        }
      }));
    };
    const auto dataset = [&](const std::string& where, std::uint64_t n) {
      static_cast<void>(error_of([&] {
        io::Extents extents{n};
        switch (in.pick(16)) {
          case 0: extents = {}; break;
          case 1: extents = {static_cast<std::uint64_t>(in.pick(4))}; break;
          case 2: extents = {static_cast<std::uint64_t>(in.pick(3)), n}; break;
          case 3: return file.create_group(where);
          case 4: return;
          case 5: return file.soft_link(where, "/grid/x");
          default: break;
        }
        const std::uint64_t size = io::count(extents);
        if (in.pick(8) == 0)
          file.write<std::int64_t>(where, std::vector<std::int64_t>(size, in.integer(3)), extents);
        else if (in.pick(8) == 0 || where == "/grid/mask")
          file.write<std::uint8_t>(where, std::vector<std::uint8_t>(size, in.byte()), extents);
        else
          file.write<double>(where, std::vector<double>(size, in.bits<float>()), extents);
      }));
    };
    const std::uint64_t nodes = 2, levels = 3;
    const std::uint32_t present = in.bits<std::uint32_t>() ^ 0x1fb8fbU;
    for (std::size_t k = 0; k < std::size(paths); ++k) {
      if (!(present >> k & 1U)) continue;
      const std::string_view where = paths[k];
      dataset(paths[k], where == "/grid/t"                                     ? levels
                        : where.ends_with("/u") || where.ends_with("/m")       ? levels * nodes
                        : where == "/diagnostics/mass"                         ? levels
                        : where.ends_with("_cost") || where.ends_with("ambda") ? 1
                                                                               : nodes);
    }
    for (const char* name : attributes) attribute("/", name);
    attribute("/populations/0", "index");
    attribute("/populations/b", "index");
    file.commit();
  }));
  if (fs::exists(path)) read(path);
  std::error_code ignored;
  fs::remove(path, ignored);
}

/// A manifest with a right checksum and any records.
void of_any_manifest(std::string_view text) {
  io::Manifest manifest;
  for (std::size_t from = 0; from < text.size();) {
    io::Record record;
    for (std::size_t end = from; end != from + 6 && from < text.size(); ++end) {
      const std::size_t stop = std::min(text.find_first_of("\t\n", from), text.size());
      record.emplace_back(text.substr(from, stop - from));
      from = stop + 1;
      if (stop >= text.size() || text[stop] == '\n') break;
    }
    manifest.add(record);
  }
  require(error_of([&] {
            require(io::Manifest::parse(manifest.text()).text() == manifest.text(),
                    "other records");
          }).empty(),
          "a manifest of ours is refused");
  static_cast<void>(error_of([&] { static_cast<void>(io::Manifest::parse(text)); }));
}

}  // namespace
}  // namespace isofield::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace isofield::fuzz;
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0: no_hdf5(rest); break;
    case 1: damaged({data + 1, size - 1}); break;
    case 2: of_other_objects({data + 1, size - 1}); break;
    default: of_any_manifest(rest); break;
  }
  return 0;
}
