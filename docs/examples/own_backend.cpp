// A backend in one file; the snippets of docs/development/adding_backends.md.
#include <cstdio>
#include <isofield/host.hpp>
#include <isofield/isofield.hpp>

#include "expect.hpp"

namespace {

using namespace isofield;

// [executor]
/// Where pieces of work run: here one after the other. Threads, a queue, a fibre pool go here.
class InOrder final : public host::Executor {
 public:
  int concurrency() const override { return 1; }
  void parallel_for(std::int64_t n, void (*body)(void*, std::int64_t), void* context) override {
    for (std::int64_t i = 0; i < n; ++i) body(context, i);
  }
};
// [end]

// [backend]
/// Host memory and the shared kernels, in one thread. Memory of another kind, a matrix product of
/// one's own: override `allocate`, `matmul`.
class SerialBackend final : public host::HostBackend {
 public:
  SerialBackend() : HostBackend("serial", std::make_unique<InOrder>()) {}
};
// [end]

// [module]
const BackendModule& serial_module() {
  static const BackendModule module{.abi = BackendModule::current_abi,
                                    .name = "serial",
                                    .devices = [] { return std::vector<Device>{Device{}}; },
                                    .open = [](Device) -> BaseBackend* {
                                      static auto* backend =
                                          new SerialBackend;  // lives until the process ends
                                      return backend;
                                    }};
  return module;
}
// [end]

}  // namespace

int main() {
  // [use]
  register_backend(serial_module());
  const ScopedBackend scope("serial");
  const UnifiedArray x = linspace(0.0, 1.0, 11);
  const double total = sum(2.0 * x + 1.0).item<double>();  // 22, computed by it
  // [end]
  expect(total == 22.0 && x.backend().spelling() == "serial");
  const UnifiedArray moved = x.to_backend("eigen");
  expect(moved.view().bytes() == x.view().bytes());  // one device: shared memory
}
