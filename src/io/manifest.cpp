#include "io/manifest.hpp"

#include "io/crc64.hpp"
#include "isofield/error.hpp"

namespace isofield::io {
namespace {

constexpr std::string_view heading = "isofield manifest 1\n";
constexpr std::string_view ending = "end\t";

Record split(std::string_view line) {
  Record fields;
  for (std::size_t from = 0;;) {
    const std::size_t tab = line.find('\t', from);
    fields.emplace_back(line.substr(from, tab - from));
    if (tab == std::string_view::npos) return fields;
    from = tab + 1;
  }
}

}  // namespace

std::string Manifest::text() const {
  std::string text(heading);
  for (const Record& record : records_) {
    for (const std::string& field : record) text.append(field).append(1, '\t');
    text.back() = '\n';
  }
  return text + std::string(ending) + crc64(text.data(), text.size()) + "\n";
}

Manifest Manifest::parse(std::string_view text) {
  constexpr std::size_t last_line = ending.size() + 16 + 1;
  if (!text.starts_with(heading) || text.size() < heading.size() + last_line) {
    throw IoError("the manifest is not one that this version can read");
  }
  std::string_view body = text.substr(0, text.size() - last_line);
  if (text.substr(body.size()) != std::string(ending) + crc64(body.data(), body.size()) + "\n") {
    throw IoError("the manifest is damaged");
  }
  Manifest manifest;
  body.remove_prefix(heading.size());
  while (!body.empty()) {
    const std::size_t end = body.find('\n');
    manifest.add(split(body.substr(0, end)));
    body.remove_prefix(end == std::string_view::npos ? body.size() : end + 1);
  }
  return manifest;
}

}  // namespace isofield::io
