#include "backends/eigen/eigen_backend.hpp"

#include <Eigen/Core>
#include <atomic>
#include <exception>
#include <isofield/host.hpp>
#include <memory>
#include <mutex>
#include <unsupported/Eigen/CXX11/ThreadPool>

namespace isofield {
namespace {

/// Work sharing on Eigen's thread pool; the caller's thread takes part.
class EigenThreads : public host::Executor {
 public:
  explicit EigenThreads(int threads) : threads_(threads) {}

  int concurrency() const override { return threads_; }

  void parallel_for(std::int64_t n, void (*body)(void*, std::int64_t), void* context) override {
    std::call_once(started_, [this] { pool_ = std::make_unique<Eigen::ThreadPool>(threads_ - 1); });
    std::atomic<std::int64_t> next{0};
    std::exception_ptr error;
    std::mutex error_mutex;
    const auto work = [&] {
      try {
        for (std::int64_t i = next++; i < n; i = next++) body(context, i);
      } catch (...) {
        const std::lock_guard lock(error_mutex);
        error = std::current_exception();
        next = n;
      }
    };
    const auto helpers = static_cast<unsigned>(std::min<std::int64_t>(threads_ - 1, n - 1));
    Eigen::Barrier done(helpers);
    for (unsigned k = 0; k < helpers; ++k)
      pool_->Schedule([&] {
        work();
        done.Notify();
      });
    work();
    done.Wait();
    if (error) std::rethrow_exception(error);
  }

 private:
  int threads_;
  std::once_flag started_;
  std::unique_ptr<Eigen::ThreadPool> pool_;
};

class EigenBackend final : public BaseBackend {
 public:
  EigenBackend() { set_threads(0); }

  std::string_view name() const noexcept override { return "eigen"; }
  Device device() const noexcept override { return {}; }
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
  void set_threads(int threads) override {
    threads_ = std::make_unique<EigenThreads>(threads > 0 ? threads : host::default_threads());
    capabilities_.dtypes = {DType::bool_, DType::int64, DType::float32, DType::float64};
    capabilities_.threads = threads_->concurrency();
    capabilities_.details = {{"version", std::to_string(EIGEN_WORLD_VERSION) + "." +
                                             std::to_string(EIGEN_MAJOR_VERSION) + "." +
                                             std::to_string(EIGEN_MINOR_VERSION)},
                             {"instruction set", std::string(host::instruction_set())},
                             {"matrix product", "Eigen"}};
  }

  void run(const Launch& launch) override { host::run(launch, *threads_); }
  void matmul(const View& a, const View& b, const View& out) override {
    host::matmul(a, b, out, *threads_);
  }
  void tridiagonal_solve(const View& lower, const View& diag, const View& upper, const View& rhs,
                         const View& out, int axis, bool periodic) override {
    host::tridiagonal_solve(lower, diag, upper, rhs, out, axis, periodic, *threads_);
  }

 private:
  Capabilities capabilities_;
  std::unique_ptr<EigenThreads> threads_;
};

std::vector<Device> eigen_devices() { return {Device{}}; }

BaseBackend* open_eigen(Device) {
  static EigenBackend* backend = new EigenBackend;  // outlives every array
  return backend;
}

}  // namespace

const BackendModule& eigen_module() {
  static constexpr BackendModule module = {BackendModule::current_abi, "eigen", eigen_devices,
                                           open_eigen};
  return module;
}

}  // namespace isofield
