#include <isofield/error.hpp>

namespace isofield {

std::string at(const std::source_location& where) {
  if (where.line() == 0) return "";  // no place of a C++ program: a caller in another language
  std::string_view file = where.file_name();
  if (const auto slash = file.rfind('/'); slash != std::string_view::npos)
    file.remove_prefix(slash + 1);
  return " at " + std::string(file) + ":" + std::to_string(where.line());
}

}  // namespace isofield
