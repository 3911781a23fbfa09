#include <isofield/error.hpp>

namespace isofield {
namespace {

/// Whether a file is one of this library's own, which lie around this one: nobody's line.
bool is_own(std::string_view file) {
  constexpr std::string_view here = __FILE__, below = "src/core/error.cpp";
  static_assert(here.ends_with(below));
  constexpr std::string_view root = here.substr(0, here.size() - below.size());
  if (!file.starts_with(root)) return false;
  file.remove_prefix(root.size());
  for (const std::string_view folder : {"src/core/", "src/ops/", "src/transforms/", "src/program/",
                                        "src/backends/", "include/isofield/", "python/src/"})
    if (file.starts_with(folder)) return true;
  return false;
}

}  // namespace

std::string at(const std::source_location& where) {
  if (where.line() == 0) return "";  // no place of a C++ program: a caller in another language
  std::string_view file = where.file_name();
  if (is_own(file)) return "";
  if (const auto slash = file.rfind('/'); slash != std::string_view::npos)
    file.remove_prefix(slash + 1);
  return " at " + std::string(file) + ":" + std::to_string(where.line());
}

}  // namespace isofield
