#pragma once

#include <isofield/mfg/config.hpp>
#include <string>

namespace isofield::mfg_solve {

/// Tell whether the configuration in a file, as TOML, states the same computation as `config`: all
/// but the title, the start, files, backend, threads and the number of iterations allowed.
bool states_the_same(const std::string& toml, const mfg::Config& config);

}  // namespace isofield::mfg_solve
