#include "backend_choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <isofield/registry.hpp>
#include <string>

namespace isofield::mfg_solve {
namespace {

/// Tell whether a backend computes where `device` says; a kind without an index is any of its kind.
bool is_on(const BaseBackend& backend, const std::string& device) {
  const std::string own = to_string(backend.device());
  return own == device || own.starts_with(device + ":");
}

/// Take the default backend if it is on the device, else the first that is.
BaseBackend& first_on(const std::string& device) {
  BaseBackend& usual = default_backend();
  if (is_on(usual, device)) return usual;
  std::string others;
  for (const BackendStatus& status : list_backends()) {
    if (!status.available) {
      others += fmt::format("\n  {}: {}", status.spelling, status.reason);
      continue;
    }
    BaseBackend& backend = get_backend(status.spelling);
    if (is_on(backend, device)) return backend;
    others += fmt::format("\n  {}: on {}", status.spelling, to_string(backend.device()));
  }
  throw NotAvailable(fmt::format("no backend has a device {} here:{}", device, others));
}

BaseBackend& find(const mfg::BackendConfig& config) {
  const bool any_device = config.device == "auto";
  if (config.name == "auto") return any_device ? default_backend() : first_on(config.device);
  if (any_device || config.name.find(':') != std::string::npos) return get_backend(config.name);
  return get_backend(config.name + ":" + config.device);
}

void check_dtype(const BaseBackend& backend, const std::string& dtype) {
  const std::vector<DType>& dtypes = backend.capabilities().dtypes;
  if (std::ranges::find(dtypes, dtype_from_name(dtype)) != dtypes.end()) return;
  throw NotAvailable(
      fmt::format("backend {} has no {}; --dtype chooses another", backend.spelling(), dtype));
}

}  // namespace

BaseBackend& choose_backend(const mfg::BackendConfig& config) try {
  BaseBackend& backend = find(config);
  check_dtype(backend, config.dtype);
  if (config.threads > 0) backend.set_threads(static_cast<int>(config.threads));
  return backend;
} catch (const DeviceError& error) {
  throw NotAvailable(error.what());
}

}  // namespace isofield::mfg_solve
