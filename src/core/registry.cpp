#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <isofield/registry.hpp>
#include <map>
#include <mutex>

#include "backends/eigen/eigen_backend.hpp"
#include "core/log.hpp"

#if defined(ISOFIELD_LINKED_KOKKOS)
extern "C" const isofield::BackendModule* isofield_kokkos_module();
#endif
#if defined(ISOFIELD_LINKED_TORCH)
extern "C" const isofield::BackendModule* isofield_torch_module();
#endif

namespace isofield {
namespace {

namespace fs = std::filesystem;

/// A backend that the registry knows by name: where its module is, or why there is none.
struct Entry {
  std::string name;
  const BackendModule* module = nullptr;
  std::string reason;
  bool tried = false;
  std::map<std::string, BaseBackend*> open;  // by device
};

// The modules that belong to this library, in the folder beside it, and how to get them.
struct Known {
  const char* name;
  const char* how;
};
constexpr Known known_modules[] = {
    {"kokkos", "configure with -DISOFIELD_KOKKOS=ON and a Kokkos of 4.2 or later"},
    {"torch", "configure with -DISOFIELD_TORCH=ON and LibTorch"},
};

const BackendModule* linked_module(std::string_view name) {
#if defined(ISOFIELD_LINKED_KOKKOS)
  if (name == "kokkos") return isofield_kokkos_module();
#endif
#if defined(ISOFIELD_LINKED_TORCH)
  if (name == "torch") return isofield_torch_module();
#endif
  (void)name;
  return nullptr;
}

fs::path module_folder() {
  Dl_info here;
  if (dladdr(reinterpret_cast<const void*>(&eigen_module), &here) == 0 || !here.dli_fname)
    return {};
  std::error_code error;
  return fs::weakly_canonical(here.dli_fname, error).parent_path() / "isofield";
}

/// What `work` throws, as text; empty if nothing. Modules are other people's code.
template <class F>
std::string failure(F&& work) {
  try {
    work();
  } catch (const std::exception& error) {
    return *error.what() ? error.what() : "an error without a text";
  } catch (...) {
    return "an error that is no std::exception";
  }
  return "";
}

/// Whether a file is a library that was cut short, on which the loader crashes.
bool cut_short(const fs::path& file) {
  ElfW(Ehdr) header{};
  std::ifstream in(file, std::ios::binary);
  if (!in.read(reinterpret_cast<char*>(&header), sizeof header)) return false;
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return false;
  std::error_code error;
  const auto end = header.e_shoff + std::uint64_t{header.e_shnum} * header.e_shentsize;
  return end > fs::file_size(file, error);
}

class Registry {
 public:
  static Registry& instance() {
    static Registry* registry = new Registry;
    return *registry;
  }

  BaseBackend& get(std::string_view spelling) {
    const std::lock_guard lock(mutex_);
    const auto colon = spelling.find(':');
    const std::string name(spelling.substr(0, colon));
    Entry* entry = find(name);
    if (!entry) fail("unknown backend '" + std::string(spelling) + "'");
    load(*entry);
    if (!entry->module)
      fail("backend '" + std::string(spelling) + "' is not available: " + entry->reason);
    std::vector<Device> devices;
    const std::string broken = failure([&] { devices = entry->module->devices(); });
    if (!broken.empty()) fail("backend '" + name + "' cannot look for devices: " + broken);
    if (devices.empty()) fail("backend '" + name + "' finds no device on this machine");
    Device device = devices.front();
    if (colon != std::string_view::npos) {
      device = device_from_name(spelling.substr(colon + 1));
      bool found = false;
      for (const auto& d : devices) found = found || d == device;
      if (!found) fail("backend '" + name + "' has no device " + to_string(device) + " here");
    } else if (name == "torch") {
      device = Device{};  // "torch" alone is the host: a GPU is asked for by name
    }
    return open(*entry, device);
  }

  std::vector<BackendStatus> list() {
    const std::lock_guard lock(mutex_);
    return list_locked();
  }

  void add(const BackendModule& module) {
    const std::lock_guard lock(mutex_);
    if (module.abi != BackendModule::current_abi)
      throw BackendError("register_backend: '" + std::string(module.name ? module.name : "") +
                         "' was built for another version of Isofield");
    if (!module.name || !module.devices || !module.open)
      throw BackendError("register_backend: a module has a name, devices and open");
    const std::string_view name = module.name;
    const auto fits = [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; };
    if (name.empty() || name == "auto" || !std::all_of(name.begin(), name.end(), fits))
      throw BackendError("register_backend: '" + std::string(name) +
                         "' is no name; letters, digits, '_' and '-' make one");
    if (find(module.name))
      throw BackendError("register_backend: the name '" + std::string(module.name) +
                         "' is already taken");
    Entry entry;
    entry.name = module.name;
    entry.module = &module;
    entry.tried = true;
    entries_.push_back(std::move(entry));
  }

 private:
  Registry() {
    for (const auto& k : known_modules) {
      Entry entry;
      entry.name = k.name;
      entry.reason = k.how;
      entries_.push_back(std::move(entry));
    }
    Entry eigen;
    eigen.name = "eigen";
    eigen.module = &eigen_module();
    eigen.tried = true;
    entries_.push_back(std::move(eigen));
  }

  Entry* find(std::string_view name) {
    for (auto& e : entries_)
      if (e.name == name) return &e;
    return nullptr;
  }

  void load(Entry& entry) {
    if (entry.tried) return;
    entry.tried = true;
    entry.module = linked_module(entry.name);
    if (entry.module) return;
    const fs::path file = module_folder() / ("libisofield_" + entry.name + ".so");
    std::error_code error;
    if (!fs::exists(file, error)) {
      entry.reason = "this build has no " + entry.name + " backend; " + entry.reason;
      return;
    }
    if (cut_short(file)) {
      entry.reason = "its module was cut short: " + file.string();
      return;
    }
    void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
      entry.reason = std::string("its module cannot be loaded: ") + dlerror();
      return;
    }
    const std::string symbol = "isofield_" + entry.name + "_module";
    using Make = const BackendModule* (*)();
    const auto make = reinterpret_cast<Make>(dlsym(library, symbol.c_str()));
    const BackendModule* module = nullptr;
    const std::string broken = failure([&] { module = make ? make() : nullptr; });
    if (!broken.empty()) {
      entry.reason = file.string() + ": " + broken;
      return;
    }
    if (!module || module->abi != BackendModule::current_abi) {
      entry.reason = file.string() + " was built for another version of Isofield";
      return;
    }
    entry.module = module;
    detail::log(detail::LogLevel::info, "loaded " + file.string());
  }

  BaseBackend& open(Entry& entry, Device device) {
    BaseBackend*& backend = entry.open[to_string(device)];
    if (backend) return *backend;
    try {
      backend = entry.module->open(device);
    } catch (const std::exception&) {
      throw;
    } catch (...) {
      throw NotAvailable("backend '" + entry.name + "': an error that is no std::exception");
    }
    if (!backend) throw NotAvailable("backend '" + entry.name + "' opened nothing");
    if (detail::logs(detail::LogLevel::info)) log_opened(*backend);
    return *backend;
  }

  static void log_opened(const BaseBackend& backend) {
    std::string text = "opened " + backend.spelling() + ", " +
                       std::to_string(backend.capabilities().threads) + " threads";
    for (const auto& [what, value] : backend.capabilities().details)
      text += ", " + what + " " + value;
    detail::log(detail::LogLevel::info, text);
  }

  std::vector<BackendStatus> list_locked() {
    std::vector<BackendStatus> result;
    for (auto& entry : entries_) {
      load(entry);
      if (!entry.module) {
        result.push_back({entry.name, false, entry.reason});
        continue;
      }
      std::vector<Device> devices;
      std::string reason = failure([&] { devices = entry.module->devices(); });
      if (reason.empty() && devices.empty()) reason = "it finds no device";
      if (!reason.empty()) result.push_back({entry.name, false, reason});
      for (const auto& device : devices) {
        BackendStatus status{entry.name, true, ""};
        if (entry.name == "torch" || !device.is_host()) status.spelling += ":" + to_string(device);
        status.reason = failure([&] { open(entry, device); });
        status.available = status.reason.empty();
        result.push_back(std::move(status));
      }
    }
    return result;
  }

  [[noreturn]] void fail(const std::string& what) {
    std::string available, rest;
    for (const auto& s : list_locked()) {
      if (s.available)
        available += (available.empty() ? "" : ", ") + s.spelling;
      else
        rest += "\n  " + s.spelling + ": " + s.reason;
    }
    throw NotAvailable(what + "; available: " + available +
                       (rest.empty() ? "" : "; not available:" + rest));
  }

  // A backend may ask for another while it is opened.
  std::recursive_mutex mutex_;
  std::deque<Entry> entries_;
};

struct Default {
  std::mutex mutex;
  BaseBackend* chosen = nullptr;    // by set_backend
  BaseBackend* resolved = nullptr;  // from the environment, the file or automatically
  std::string origin;
};
Default& process_default() {
  static Default* d = new Default;
  return *d;
}
thread_local BaseBackend* scoped = nullptr;

bool nvidia_device_present() {
  std::error_code error;
  return fs::exists("/dev/nvidia0", error) || fs::exists("/dev/nvidiactl", error) ||
         fs::exists("/dev/dxg", error);
}

BaseBackend* try_backend(std::string_view spelling) {
  BaseBackend* backend = nullptr;
  const std::string reason = failure([&] { backend = &get_backend(spelling); });
  if (!backend)
    detail::log(detail::LogLevel::info, "not chosen: " + std::string(spelling) + ": " + reason);
  return backend;
}

std::string trimmed_line(std::istream& in) {
  std::string line;
  std::getline(in, line);
  const auto from = line.find_first_not_of(" \t\r");
  const auto to = line.find_last_not_of(" \t\r");
  return from == std::string::npos ? "" : line.substr(from, to - from + 1);
}

BaseBackend& by_preference(std::string_view text, const std::string& origin) {
  if (text == "auto") return automatic_backend();
  try {
    return get_backend(text);
  } catch (const NotAvailable& error) {
    throw NotAvailable(std::string(error.what()) + "\n  (asked for by " + origin + ")");
  } catch (const DeviceError& error) {
    throw DeviceError(std::string(error.what()) + "\n  (asked for by " + origin + ")");
  }
}

BaseBackend& resolve(std::string& origin) {
  if (const char* text = std::getenv("ISOFIELD_BACKEND"); text && *text) {
    origin = "environment";
    return by_preference(text, "the environment variable ISOFIELD_BACKEND");
  }
  if (std::ifstream file(preference_file()); file) {
    if (const std::string text = trimmed_line(file); !text.empty()) {
      origin = "preference file";
      return by_preference(text, "the preference file " + preference_file());
    }
  }
  origin = "automatic";
  return automatic_backend();
}

BaseBackend& resolve_once(Default& d) {
  if (!d.resolved) {
    d.resolved = &resolve(d.origin);
    detail::log(detail::LogLevel::info,
                "the default backend is " + d.resolved->spelling() + ", by " + d.origin);
  }
  return *d.resolved;
}

}  // namespace

BaseBackend& get_backend(std::string_view spelling) {
  if (spelling == "auto") return automatic_backend();
  return Registry::instance().get(spelling);
}

BaseBackend& default_backend() {
  if (scoped) return *scoped;
  Default& d = process_default();
  const std::lock_guard lock(d.mutex);
  return d.chosen ? *d.chosen : resolve_once(d);
}

void set_backend(std::string_view spelling) {
  BaseBackend* backend = spelling == "auto" ? nullptr : &get_backend(spelling);
  Default& d = process_default();
  const std::lock_guard lock(d.mutex);
  d.chosen = backend;
}

std::string default_backend_origin() {
  if (scoped) return "scope";
  Default& d = process_default();
  const std::lock_guard lock(d.mutex);
  if (d.chosen) return "set_backend";
  resolve_once(d);
  return d.origin;
}

BaseBackend& automatic_backend() {
  // LibTorch takes half a second to load: it is asked for a GPU only where there may be one.
  if (nvidia_device_present())
    if (auto* cuda = try_backend("torch:cuda")) return *cuda;
#if defined(__APPLE__)
  if (auto* mps = try_backend("torch:mps")) return *mps;
#endif
  for (const char* spelling : {"kokkos", "torch:cpu"})
    if (auto* backend = try_backend(spelling)) return *backend;
  return get_backend("eigen");
}

std::vector<BackendStatus> list_backends() { return Registry::instance().list(); }

std::vector<Device> get_available_devices() {
  std::vector<Device> devices = {Device{}};
  for (const BackendStatus& status : list_backends()) {
    const auto colon = status.spelling.find(':');
    if (!status.available || colon == std::string::npos) continue;
    const Device device = device_from_name(std::string_view(status.spelling).substr(colon + 1));
    if (std::find(devices.begin(), devices.end(), device) == devices.end())
      devices.push_back(device);
  }
  return devices;
}

void register_backend(const BackendModule& module) { Registry::instance().add(module); }

std::string preference_file() {
  if (const char* base = std::getenv("XDG_CONFIG_HOME"); base && *base)
    return std::string(base) + "/isofield/backend";
  const char* home = std::getenv("HOME");
  return std::string(home ? home : "") + "/.config/isofield/backend";
}

ScopedBackend::ScopedBackend(BaseBackend& backend) : previous_(scoped) { scoped = &backend; }
ScopedBackend::ScopedBackend(std::string_view spelling) : ScopedBackend(get_backend(spelling)) {}
ScopedBackend::~ScopedBackend() { scoped = previous_; }

}  // namespace isofield
