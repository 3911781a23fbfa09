#pragma once

#include <isofield/backend.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace isofield {

/// A backend, and whether it can be used here.
struct BackendStatus {
  std::string spelling;  ///< "eigen", "kokkos", "torch:cpu", "torch:cuda:0"
  bool available = false;
  std::string reason;  ///< why not, and how to get it
};

/// Find a backend by its spelling `name[:device[:index]]`, opening its module at first use. Throws
/// NotAvailable that lists what is available and why each of the others is not.
BaseBackend& get_backend(std::string_view spelling);

/// The backend in force: innermost scope, else `set_backend`, else the environment variable
/// ISOFIELD_BACKEND, else the preference file, else automatic.
BaseBackend& default_backend();

/// Choose the process's default backend; "auto" undoes it.
void set_backend(std::string_view spelling);

/// Where the default came from: "scope", "set_backend", "environment", "preference file",
/// "automatic".
std::string default_backend_origin();

/// The first of torch:cuda, torch:mps, kokkos, torch:cpu, eigen that can be used.
BaseBackend& automatic_backend();

/// Every known backend and device with its status.
std::vector<BackendStatus> list_backends();

/// The devices that some backend can use here, the host first.
std::vector<Device> get_available_devices();

/// Add a backend of one's own under a name; throws BackendError if the name is taken.
void register_backend(const BackendModule& module);

/// The preference file: $XDG_CONFIG_HOME/isofield/backend, else ~/.config/isofield/backend.
std::string preference_file();

/// Make a backend the default of this thread for the scope's lifetime.
class ScopedBackend {
 public:
  explicit ScopedBackend(BaseBackend& backend);
  explicit ScopedBackend(std::string_view spelling);
  ~ScopedBackend();
  ScopedBackend(const ScopedBackend&) = delete;
  ScopedBackend& operator=(const ScopedBackend&) = delete;

 private:
  BaseBackend* previous_;
};

}  // namespace isofield
