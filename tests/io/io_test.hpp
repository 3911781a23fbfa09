#pragma once

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "isofield/io/hdf5.hpp"

namespace isofield::io::test {

/// A folder of its own for a test, removed at the end.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "isofield-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  explicit Folder(std::filesystem::path path) : path_(std::move(path)) {}
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }
  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      result.push_back(entry.path().filename().string());
    }
    return result;
  }

 private:
  std::filesystem::path path_;
};

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// Values that differ between versions and do not compress to nothing.
inline std::vector<double> field(int version, std::size_t size) {
  std::vector<double> values(size);
  for (std::size_t i = 0; i < size; ++i)
    values[i] = std::sin(0.1 * static_cast<double>(i)) + version;
  return values;
}

/// A file with an object of every kind; its contents tell the version.
inline Published write_sample(const std::filesystem::path& path, int version, Existing existing,
                              std::uint64_t levels = 5, std::uint64_t nodes = 40) {
  FileWriter file(path, existing);
  const std::vector<double> x = field(version, nodes), t = field(version, levels);
  file.write("/grid/x", x);
  file.write("/grid/t", t);
  file.write("/grid/mask", std::vector<std::uint8_t>(nodes, static_cast<std::uint8_t>(version)));
  file.write("/steps", std::vector<std::int64_t>{version, -1});
  file.create_dataset("/u", DType::float64, {nodes});
  for (std::uint64_t level = 0; level < levels; ++level) file.append<double>("/u", x);
  file.write<double>("/m32", field(version, levels * nodes), {levels, nodes}, {.narrow = true});
  file.write<double>("/lambda", std::vector<double>{0.5 + version}, Extents{});
  file.make_scale("/grid/x", "x");
  file.make_scale("/grid/t", "t");
  file.attach_scale("/u", 0, "/grid/t");
  file.attach_scale("/u", 1, "/grid/x");
  file.set_attribute("/", "title", "version " + std::to_string(version));
  file.set_attribute("/", "residual", 1e-9 * version);
  file.set_attribute("/grid", "iterations", static_cast<std::int64_t>(version));
  file.set_attribute("/u", "units", "");
  file.hard_link("/links/hard", "/u");
  file.soft_link("/links/soft", "/m32");
  return file.commit();
}

/// Everything of write_sample() as one text, so that any difference shows.
inline std::string sample_contents(const FileReader& file) {
  std::string all;
  const auto add = [&](const auto& values) {
    all.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof values[0]);
    all += '|';
  };
  for (const char* path : {"/grid/x", "/grid/t", "/u", "/links/hard", "/lambda"}) {
    add(file.read<double>(path));
  }
  for (const char* path : {"/m32", "/links/soft"}) add(file.read<float>(path));
  add(file.read<std::uint8_t>("/grid/mask"));
  add(file.read<std::int64_t>("/steps"));
  add(file.text_attribute("/", "title"));
  add(file.text_attribute("/u", "units"));
  return all + std::to_string(file.real_attribute("/", "residual") * 1e12) + "|" +
         std::to_string(file.integer_attribute("/grid", "iterations"));
}

inline int version_of(const std::filesystem::path& path) {
  const FileReader file(path);
  file.verify();
  return static_cast<int>(file.integer_attribute("/grid", "iterations"));
}

}  // namespace isofield::io::test
