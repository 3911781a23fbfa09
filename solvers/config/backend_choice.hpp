#pragma once

#include <isofield/backend.hpp>
#include <isofield/mfg/config.hpp>

namespace isofield::mfg_solve {

/// Find the backend that a configuration asks for and set its threads; "auto" leaves the choice to
/// the environment, the preference file and the machine. Throws NotAvailable that lists what there
/// is.
BaseBackend& choose_backend(const mfg::BackendConfig& config);

}  // namespace isofield::mfg_solve
