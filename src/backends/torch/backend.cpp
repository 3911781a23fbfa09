// The LibTorch backend: memory is tensors. On the cpu programs run on their memory and at::
// multiplies matrices; elsewhere programs are replayed as at:: operations.
#include <ATen/Context.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/empty.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <torch/version.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <new>

#include "backends/torch/host_path.hpp"
#include "backends/torch/replay.hpp"
#include "backends/torch/tensors.hpp"
#include "core/storage_pool.hpp"

namespace isofield::torch_backend {
namespace {

/// Bytes that LibTorch gives; throws c10::Error.
at::Tensor empty_bytes(std::size_t bytes, Device device) {
  return at::empty({static_cast<std::int64_t>(bytes)},
                   at::TensorOptions().dtype(at::kByte).device(torch_device(device)));
}

/// A tensor on the cpu, to be used again and again.
class Block {
 public:
  explicit Block(std::size_t bytes) try : tensor_(empty_bytes(bytes, Device{})) {
    advise_huge_pages(tensor_.data_ptr(), bytes);
  } catch (const c10::Error&) {
    throw std::bad_alloc();
  }
  void* data() const noexcept { return tensor_.data_ptr(); }
  at::Tensor* object() noexcept { return &tensor_; }

 private:
  at::Tensor tensor_;
};

StoragePool<Block>& pool() {
  static auto* storages = new StoragePool<Block>;  // never destroyed: arrays in statics use it
  return *storages;
}

/// ISOFIELD_TORCH_REPLAY=1 runs on the cpu what other devices run, to test it without one.
bool replay_asked_for() {
  const char* value = std::getenv("ISOFIELD_TORCH_REPLAY");
  return value && std::string_view(value) == "1";
}

/// Whether LibTorch's own operations know a dtype on a device.
bool is_known(DType dtype, Device device) {
  if (dtype == DType::uint16 || dtype == DType::uint32 || dtype == DType::uint64) return false;
  const bool wide = dtype == DType::float64 || is_complex(dtype);
  return !wide || device.kind != Device::Kind::mps;
}

class TorchBackend final : public BaseBackend {
 public:
  explicit TorchBackend(Device device)
      : device_(device), replays_(!device.is_host() || replay_asked_for()) {
    for (const DType dtype : all_dtypes)
      if (!replays_ || is_known(dtype, device)) capabilities_.dtypes.push_back(dtype);
    capabilities_.details = {{"LibTorch", TORCH_VERSION}};
    if (device.is_host()) {
      set_threads(0);
      capabilities_.details.emplace_back("BLAS", blas_name());
      if (!replays_) {
        capabilities_.details.emplace_back("instruction set", std::string(host::instruction_set()));
        capabilities_.details.emplace_back("programs", host::program_form());
      }
    }
    if (replays_)
      capabilities_.details.emplace_back("programs", "replayed as at:: operations");
    else
      capabilities_.delegated = {
          {"tridiagonal_solve", "the host kernels shared with the eigen backend"},
          {"Fourier transforms", "pocketfft"},
          {"indexing, sorting, scans", "the host kernels shared with the eigen backend"},
          {"decompositions of matrices", "Eigen"},
          {"matmul of small matrices and vectors",
           "the host kernels shared with the eigen backend"}};
  }

  std::string_view name() const noexcept override { return "torch"; }
  Device device() const noexcept override { return device_; }
  const Capabilities& capabilities() const override { return capabilities_; }

  StoragePtr allocate(std::size_t bytes) override {
    if (device_.is_host()) return pool().allocate(*this, bytes);
    try {  // LibTorch pools the memory of devices itself
      return owned_by(std::make_shared<at::Tensor>(empty_bytes(size_class(bytes), device_)), bytes);
    } catch (const c10::Error& error) {
      throw OutOfMemory(spelled() + ": no memory for " + std::to_string(bytes) +
                        " bytes: " + error.what_without_backtrace());
    }
  }

  StoragePtr wrap(void* data, std::size_t bytes, std::shared_ptr<void> owner) override {
    at::Tensor tensor = tensor_over(data, bytes, device_, std::move(owner));
    StoragePtr storage = owned_by(std::make_shared<at::Tensor>(std::move(tensor)), bytes);
    storage->foreign = true;
    return storage;
  }

  void copy_bytes(Storage& to, std::size_t to_offset, const Storage& from, std::size_t from_offset,
                  std::size_t bytes) override {
    if (on_host(to) && on_host(from))
      return host::copy_bytes(to, to_offset, from, from_offset, bytes);
    if (bytes == 0) return;
    const at::AutoDispatchBelowADInplaceOrView no_autograd;
    flat(to, to_offset, bytes).copy_(flat(from, from_offset, bytes));
  }

  void synchronize() override {
    if (device_.is_host()) return;
    const at::Device device = torch_device(device_);
    if (device_.kind == Device::Kind::mps)
      (void)at::empty({1}, at::TensorOptions().dtype(at::kFloat).device(device)).cpu();  // waits
    else
      c10::impl::VirtualGuardImpl(device.type()).getStream(device).synchronize();
  }

  void set_threads(int threads) override {
    executor_.set_threads(threads);
    capabilities_.threads = executor_.concurrency();
  }

  void run(const Launch& launch) override {
    if (!replays_) return host::run(launch, executor_);
    for (const DType dtype : launch.program.inputs) refuse_unsupported(dtype);
    for (const Program::Instruction& i : launch.program.code) refuse_unsupported(i.result);
    for (const View& out : launch.outputs) refuse_unsupported(out.dtype);
    guarded([&] { replay(launch, device_); });
  }

  void matmul(const View& a, const View& b, const View& out) override {
    refuse_unsupported(a.dtype);
    if (replays_) return guarded([&] { replay_matmul(a, b, out); });
    if (!blas_pays(a, out)) return host::matmul(a, b, out, executor_);
    guarded([&] { blas_matmul(a, b, out, executor_); });
  }

  std::optional<std::int64_t> tridiagonal_solve(const LineSystems& systems) override {
    if (!replays_) return host::tridiagonal_solve(systems, executor_);
    refuse_unsupported(systems.out.dtype);
    std::array<View, 4> operands;
    std::vector<StoragePtr> memory;
    compute_operands(systems, operands, memory);
    guarded([&] {
      replay_tridiagonal_solve(operands[0], operands[1], operands[2], operands[3], systems.out,
                               systems.axis, systems.periodic);
    });
    return std::nullopt;  // to look would mean to wait for the device
  }

  void fourier_transform(const View& in, const View& out, const FourierTransform& transform,
                         std::shared_ptr<void>* plan) override {
    if (!replays_) return host::fourier_transform(in, out, transform, plan, executor_);
    refuse_unsupported(out.dtype);
    guarded([&] { replay_fourier_transform(in, out, transform); });
  }

  std::optional<BadIndex> arrange(const Arrangement& arrangement, std::span<const View> in,
                                  std::span<const View> out) override {
    if (!replays_) return host::arrange(arrangement, in, out, executor_);
    for (const View& v : in) refuse_unsupported(v.dtype);
    std::optional<BadIndex> bad;
    guarded([&] { bad = replay_arrange(arrangement, in, out); });
    return bad;
  }

  std::optional<std::int64_t> factorize(const Factorization& factorization,
                                        std::span<const View> in,
                                        std::span<const View> out) override {
    if (!replays_) return host::factorize(factorization, in, out, executor_);
    refuse_unsupported(in[0].dtype);
    std::optional<std::int64_t> failed;
    guarded([&] { failed = replay_factorize(factorization, in, out); });
    return failed;
  }

 private:
  /// The operands of systems in memory, those that are not there already computed by their program.
  void compute_operands(const LineSystems& systems, std::array<View, 4>& operands,
                        std::vector<StoragePtr>& memory) {
    std::vector<View> outputs;
    for (std::size_t k = 0; k < 4; ++k) {
      if (systems.operands[k]) {
        operands[k] = *systems.operands[k];
        continue;
      }
      const View& out = systems.out;
      memory.push_back(
          allocate(static_cast<std::size_t>(element_count(out.shape())) * itemsize(out.dtype)));
      operands[k] = {memory.back().get(), out.dtype, Layout(out.shape())};
      outputs.push_back(operands[k]);
    }
    if (outputs.empty()) return;
    const Launch& inside = *systems.program;
    outputs.insert(outputs.end(), inside.outputs.begin(), inside.outputs.end());
    run({inside.program, inside.shape, inside.inputs, inside.immediates, outputs});
  }

  StoragePtr owned_by(std::shared_ptr<at::Tensor> tensor, std::size_t bytes) {
    StoragePtr storage(new Storage);
    storage->backend = this;
    storage->bytes = bytes;
    storage->data = tensor->data_ptr();
    storage->owner = std::move(tensor);
    return storage;
  }

  /// Plain host memory belongs to no backend.
  static bool on_host(const Storage& storage) {
    return !storage.backend || storage.backend->device().is_host();
  }

  /// Bytes of a storage as a tensor: ours, or another backend's on the host.
  static at::Tensor flat(const Storage& storage, std::size_t offset, std::size_t bytes) {
    if (!on_host(storage)) return bytes_of(storage, offset, bytes);
    return tensor_over(static_cast<std::byte*>(storage.data) + offset, bytes, Device{}, nullptr);
  }

  void refuse_unsupported(DType dtype) const {
    if (device_.kind == Device::Kind::mps && dtype == DType::float64)
      throw DTypeError(
          "torch:mps: Metal has no float64; make the arrays float32, cast them with "
          "astype(float32), or use torch:cpu");
  }

  /// LibTorch's errors as ours: its messages without the C++ stack.
  template <class F>
  void guarded(F&& work) const {
    try {
      work();
    } catch (const c10::Error& error) {
      throw BackendError(spelled() + ": " + error.what_without_backtrace());
    }
  }

  std::string spelled() const { return "torch:" + to_string(device_); }

  Device device_;
  bool replays_;
  TorchExecutor executor_;
  Capabilities capabilities_;
};

/// Open the library whose kernels make CUDA known to LibTorch, once, where there is one. It is not
/// linked: where parts of CUDA that it needs are missing, the cpu must still work.
void open_cuda_library() {
  [[maybe_unused]] static void* const library =
      ::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL);
}

std::vector<Device> devices() {
  open_cuda_library();
  std::vector<Device> found;
  if (at::hasCUDA())
    for (int i = 0; i < static_cast<int>(at::getNumGPUs()); ++i)
      found.push_back({Device::Kind::cuda, i});
  if (at::hasMPS()) found.push_back({Device::Kind::mps, 0});
  found.push_back({});
  return found;
}

BaseBackend* open(Device device) {
  static std::mutex mutex;
  // Never destroyed: arrays in static objects use their backend.
  static auto* backends = new std::map<std::string, TorchBackend*>;
  const std::lock_guard lock(mutex);
  const std::string key = to_string(device);
  const auto found = backends->find(key);
  if (found != backends->end()) return found->second;
  std::string usable;
  for (const Device& d : devices()) {
    if (d == device) return backends->emplace(key, new TorchBackend(device)).first->second;
    usable += (usable.empty() ? "torch:" : ", torch:") + to_string(d);
  }
  throw NotAvailable("torch:" + key +
                     " is not available: this LibTorch (" TORCH_VERSION ") can use " + usable +
                     " on this machine");
}

}  // namespace
}  // namespace isofield::torch_backend

extern "C" const isofield::BackendModule* isofield_torch_module() {
  static const isofield::BackendModule module = {isofield::BackendModule::current_abi, "torch",
                                                 isofield::torch_backend::devices,
                                                 isofield::torch_backend::open};
  return &module;
}
