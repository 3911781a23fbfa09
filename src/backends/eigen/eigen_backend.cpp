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

std::unique_ptr<EigenThreads> threads(int count) {
  return std::make_unique<EigenThreads>(count > 0 ? count : host::default_threads());
}

class EigenBackend final : public host::HostBackend {
 public:
  EigenBackend() : HostBackend("eigen", threads(0)) {
    capabilities_.details.insert(capabilities_.details.begin(),
                                 {"version", std::to_string(EIGEN_WORLD_VERSION) + "." +
                                                 std::to_string(EIGEN_MAJOR_VERSION) + "." +
                                                 std::to_string(EIGEN_MINOR_VERSION)});
    capabilities_.details.emplace_back("matrix product", "Eigen");
  }

  void set_threads(int count) override { use(threads(count)); }
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
