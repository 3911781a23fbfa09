#include "isofield/mfg/results.hpp"

#include <optional>

#include "isofield/error.hpp"
#include "isofield/io/hdf5.hpp"
#include "results_layout.hpp"
#include "results_writer.hpp"

namespace isofield::mfg {
namespace {

void check(const Results& results) {
  if (const std::string wrong = layout::misfit(results); !wrong.empty()) {
    throw ShapeError("write_results: " + wrong);
  }
}

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
  const auto existing = options.overwrite ? io::Existing::replace : io::Existing::refuse;
  io::FileWriter file(path, existing);
  const auto write = [&] {
    layout::write_run(results, file, "", options.compression, options.xdmf);
    return file.commit().warning;
  };
  if (!options.xdmf) return write();
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
  const std::string of_the_file = write();
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
