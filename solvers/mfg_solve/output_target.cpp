#include "output_target.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <isofield/error.hpp>
#include <isofield/mfg/results.hpp>
#include <vector>

namespace isofield::mfg_solve {
namespace {

namespace fs = std::filesystem;

void check_folder(const fs::path& file) {
  std::error_code ignored;
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  if (!fs::is_directory(folder, ignored)) {
    throw IoError(
        fmt::format("cannot write {}: there is no folder {}", file.string(), folder.string()));
  }
  if (access(folder.c_str(), W_OK | X_OK) != 0) {
    throw IoError(fmt::format("cannot write {}: the folder {} is not writable", file.string(),
                              folder.string()));
  }
}

}  // namespace

std::int64_t kept_levels(const mfg::Config& config) {
  if (config.ergodic()) return 1;
  const std::int64_t steps = config.time.steps, stride = config.output.stride;
  return steps / stride + 1 + (steps % stride != 0 ? 1 : 0);
}

double output_bytes(const mfg::Config& config) {
  double values = 2.0 * static_cast<double>(config.populations.size()) *
                  static_cast<double>(kept_levels(config));
  for (const std::int64_t cells : config.domain.cells) values *= static_cast<double>(cells);
  return values * (config.backend.dtype == "float32" ? 4 : 8);
}

void check_output(const mfg::Config& config, bool overwrite) {
  const fs::path file = config.output.file;
  std::error_code ignored;
  if (fs::is_directory(file, ignored)) {
    throw IoError(fmt::format("cannot write {}: it is a folder", file.string()));
  }
  std::vector<fs::path> written{file};
  if (config.output.xdmf) written.push_back(mfg::xdmf_path(file));
  for (const fs::path& path : written) {
    if (overwrite || !fs::exists(path, ignored)) continue;
    throw IoError(fmt::format("{} exists; --overwrite replaces it, --output FILE writes another",
                              path.string()));
  }
  check_folder(file);
  mfg::check_destination(file, {.overwrite = overwrite, .xdmf = config.output.xdmf});
  const fs::space_info space =
      fs::space(file.has_parent_path() ? file.parent_path() : ".", ignored);
  // Without compression nothing is saved: then the room must be there beforehand.
  const bool too_small = !ignored && config.output.compression == 0 &&
                         static_cast<double>(space.available) < output_bytes(config);
  if (too_small) {
    throw IoError(fmt::format("cannot write {}: it needs {:.0f} MB and the disk has {:.0f} MB left",
                              file.string(), output_bytes(config) / 1e6,
                              static_cast<double>(space.available) / 1e6));
  }
}

}  // namespace isofield::mfg_solve
