#include "isofield/mfg/read_config.hpp"

#include <memory>
#include <vector>

#include "../config/config.hpp"

namespace isofield::mfg {

namespace {

Config read(std::shared_ptr<const mfg_solve::Source> source,
            std::span<const std::string> settings) {
  std::vector<mfg_solve::Override> overrides;
  for (const std::string& s : settings) overrides.push_back(mfg_solve::parse_setting("setting", s));
  return mfg_solve::read_config(std::move(source), overrides);
}

}  // namespace

Config read_config(std::string_view toml, const std::string& name,
                   std::span<const std::string> settings) {
  return read(std::make_shared<const mfg_solve::Source>(mfg_solve::Source{name, std::string(toml)}),
              settings);
}

Config read_config_file(const std::string& path, std::span<const std::string> settings) {
  return read(mfg_solve::read_source(path), settings);
}

}  // namespace isofield::mfg
