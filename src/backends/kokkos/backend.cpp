// The Kokkos backend: Kokkos' memory, and the shared host kernels under Kokkos' parallel_for.
#include <memory>
#include <new>
#include <string>

#include "backends/kokkos/runtime.hpp"
#include "core/storage_pool.hpp"

namespace isofield::kokkos {
namespace {

/// Memory from Kokkos' host space.
class Block {
 public:
  explicit Block(std::size_t bytes) : bytes_(bytes) {
    try {
      data_ = Kokkos::HostSpace().allocate("isofield", bytes);
    } catch (const std::exception&) {  // its type differs between versions of Kokkos
      throw std::bad_alloc();
    }
    advise_huge_pages(data_, bytes);
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  // What outlives Kokkos goes with the process: nothing of Kokkos may be called then.
  ~Block() {
    if (data_ && !Runtime::instance().over())
      Kokkos::HostSpace().deallocate("isofield", data_, bytes_);
  }
  void* data() const noexcept { return data_; }

 private:
  std::size_t bytes_;
  void* data_ = nullptr;
};

StoragePool<Block>& pool() {
  static auto* storages = new StoragePool<Block>;  // never destroyed: arrays in statics use it
  return *storages;
}

/// Keeps the owner of memory that may be Kokkos'.
struct CountedOwner {
  explicit CountedOwner(std::shared_ptr<void> of) : owner(std::move(of)) { ++count; }
  ~CountedOwner() {
    owner.reset();
    --count;
  }
  CountedOwner(const CountedOwner&) = delete;
  CountedOwner& operator=(const CountedOwner&) = delete;
  std::shared_ptr<void> owner;
  static inline std::atomic<std::int64_t> count = 0;
};

/// Marks what one kernel does for Kokkos Tools, where a tool is loaded.
class ToolRegion {
 public:
  template <class Name>
  explicit ToolRegion(Name name) : marked_(Kokkos::Tools::profileLibraryLoaded()) {
    if (marked_) Kokkos::Profiling::pushRegion("isofield: " + std::string(name()));
  }
  ~ToolRegion() {
    if (marked_) Kokkos::Profiling::popRegion();
  }
  ToolRegion(const ToolRegion&) = delete;
  ToolRegion& operator=(const ToolRegion&) = delete;

 private:
  bool marked_;
};

class KokkosBackend final : public BaseBackend {
 public:
  KokkosBackend() {
    capabilities_.dtypes.assign(all_dtypes.begin(), all_dtypes.end());
    capabilities_.threads = Runtime::instance().threads();
    capabilities_.details = {
        {"Kokkos", std::to_string(KOKKOS_VERSION / 10000) + "." +
                       std::to_string(KOKKOS_VERSION / 100 % 100) + "." +
                       std::to_string(KOKKOS_VERSION % 100)},
        {"execution space", HostExec::name()},
        {"instruction set", std::string(host::instruction_set())},
        {"programs", host::program_form()},
    };
    capabilities_.delegated = {
        {"matmul", "the host kernels shared with the eigen backend"},
        {"Fourier transforms", "pocketfft"},
        {"decompositions of matrices", "Eigen"},
        {"indexing, sorting, scans", "the host kernels shared with the eigen backend"}};
    Runtime::instance().watch([] { return pool().live() + CountedOwner::count > 0; },
                              [] { pool().close(); });
  }

  std::string_view name() const noexcept override { return "kokkos"; }
  Device device() const noexcept override { return {}; }
  const Capabilities& capabilities() const override { return capabilities_; }

  StoragePtr allocate(std::size_t bytes) override {
    Runtime::instance().require();
    return pool().allocate(*this, bytes);
  }

  StoragePtr wrap(void* data, std::size_t bytes, std::shared_ptr<void> owner) override {
    return host::wrap(*this, data, bytes, std::make_shared<CountedOwner>(std::move(owner)));
  }

  void copy_bytes(Storage& to, std::size_t to_offset, const Storage& from, std::size_t from_offset,
                  std::size_t bytes) override {
    host::copy_bytes(to, to_offset, from, from_offset, bytes);
  }

  void synchronize() override {
    if (Kokkos::is_initialized() && !Runtime::instance().ending()) Kokkos::fence("isofield");
  }

  void set_threads(int threads) override {
    Runtime::instance().set_threads(threads);
    capabilities_.threads = Runtime::instance().threads();
  }

  void run(const Launch& launch) override {
    Runtime::instance().require();
    const ToolRegion region([&] { return launch.program.expression(80); });
    host::run(launch, executor_);
  }
  void matmul(const View& a, const View& b, const View& out) override {
    Runtime::instance().require();
    const ToolRegion region([] { return "matmul"; });
    host::matmul(a, b, out, executor_);
  }
  std::optional<std::int64_t> tridiagonal_solve(const LineSystems& systems) override {
    Runtime::instance().require();
    const ToolRegion region([] { return "tridiagonal_solve"; });
    return host::tridiagonal_solve(systems, executor_);
  }
  void fourier_transform(const View& in, const View& out, const FourierTransform& transform,
                         std::shared_ptr<void>* plan) override {
    Runtime::instance().require();
    const ToolRegion region([&] { return isofield::name(transform.kind); });
    host::fourier_transform(in, out, transform, plan, executor_);
  }
  std::optional<BadIndex> arrange(const Arrangement& arrangement, std::span<const View> in,
                                  std::span<const View> out) override {
    Runtime::instance().require();
    const ToolRegion region([&] { return isofield::name(arrangement.kind); });
    return host::arrange(arrangement, in, out, executor_);
  }
  std::optional<std::int64_t> factorize(const Factorization& factorization,
                                        std::span<const View> in,
                                        std::span<const View> out) override {
    Runtime::instance().require();
    const ToolRegion region([&] { return isofield::name(factorization.kind); });
    return host::factorize(factorization, in, out, executor_);
  }

 private:
  KokkosExecutor executor_;
  Capabilities capabilities_;
};

std::vector<Device> devices() { return {Device{}}; }

BaseBackend* open(Device device) {
  if (!device.is_host())
    throw NotAvailable("kokkos:" + to_string(device) +
                       " is not available: Kokkos' device spaces are not built; take kokkos, which "
                       "runs on " +
                       std::string(HostExec::name()) + ", or torch:" + to_string(device));
  static auto* backend = new KokkosBackend;  // never destroyed: arrays in static objects use it
  return backend;
}

}  // namespace
}  // namespace isofield::kokkos

extern "C" const isofield::BackendModule* isofield_kokkos_module() {
  static const isofield::BackendModule module = {isofield::BackendModule::current_abi, "kokkos",
                                                 isofield::kokkos::devices, isofield::kokkos::open};
  return &module;
}
