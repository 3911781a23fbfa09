#pragma once

#include <span>
#include <string>
#include <string_view>

namespace isofield::mfg_solve {

/// A commented example, one of docs/examples.
struct Template {
  std::string_view name;
  std::string_view text;
};

/// List the examples, by name; defined in a file that CMake makes of docs/examples.
std::span<const Template> templates();

/// Give the text of an example, or for "list" their names with what each is about; throw UsageError
/// that names the nearest where there is none.
std::string template_text(std::string_view name);

}  // namespace isofield::mfg_solve
