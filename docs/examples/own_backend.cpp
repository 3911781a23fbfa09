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
/// Host memory and the shared kernels, in one thread.
class SerialBackend final : public BaseBackend {
 public:
  SerialBackend() {
    capabilities_.dtypes = {bool_, int64, float32, float64};
    capabilities_.details = {{"instruction set", std::string(host::instruction_set())}};
  }
  std::string_view name() const noexcept override { return "serial"; }
  Device device() const noexcept override { return {}; }  // the cpu
  const Capabilities& capabilities() const override { return capabilities_; }

  StoragePtr allocate(std::size_t bytes) override { return host::allocate(*this, bytes); }
  StoragePtr wrap(void* data, std::size_t bytes, std::shared_ptr<void> owner) override {
    return host::wrap(*this, data, bytes, std::move(owner));
  }
  void copy_bytes(Storage& to, std::size_t to_offset, const Storage& from, std::size_t from_offset,
                  std::size_t bytes) override {
    host::copy_bytes(to, to_offset, from, from_offset, bytes);
  }
  void synchronize() override {}
  void set_threads(int) override {}

  void run(const Launch& launch) override { host::run(launch, executor_); }
  void matmul(const View& a, const View& b, const View& out) override {
    host::matmul(a, b, out, executor_);
  }
  void tridiagonal_solve(const View& lower, const View& diag, const View& upper, const View& rhs,
                         const View& out, int axis, bool periodic) override {
    host::tridiagonal_solve(lower, diag, upper, rhs, out, axis, periodic, executor_);
  }

 private:
  Capabilities capabilities_;
  InOrder executor_;
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
