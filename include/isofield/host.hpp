#pragma once

#include <isofield/backend.hpp>
#include <memory>
#include <optional>
#include <string>

/// What backends whose memory the processor can read build on: kernels for every instruction set,
/// chosen at run time, under whatever threads the backend brings.
namespace isofield::host {

/// How a backend runs independent pieces of work.
class Executor {
 public:
  virtual ~Executor() = default;
  /// How many pieces can run at once.
  virtual int concurrency() const = 0;
  /// Call `body(context, i)` for every i in [0, n), in any order, on any thread, and wait.
  virtual void parallel_for(std::int64_t n, void (*body)(void* context, std::int64_t i),
                            void* context) = 0;
};

void run(const Launch& launch, Executor& executor);
void matmul(const View& a, const View& b, const View& out, Executor& executor);
std::optional<std::int64_t> tridiagonal_solve(const LineSystems& systems, Executor& executor);
void fourier_transform(const View& in, const View& out, const FourierTransform& transform,
                       std::shared_ptr<void>* plan, Executor& executor);
std::optional<BadIndex> arrange(const Arrangement& arrangement, std::span<const View> in,
                                std::span<const View> out, Executor& executor);
std::optional<std::int64_t> factorize(const Factorization& factorization, std::span<const View> in,
                                      std::span<const View> out, Executor& executor);

/// Pooled host memory, aligned to 64 bytes, huge pages where large.
StoragePtr allocate(BaseBackend& backend, std::size_t bytes);
/// A storage over memory that somebody else owns.
StoragePtr wrap(BaseBackend& backend, void* data, std::size_t bytes, std::shared_ptr<void> owner);
void copy_bytes(Storage& to, std::size_t to_offset, const Storage& from, std::size_t from_offset,
                std::size_t bytes);

/// A backend whose memory is the host's and whose kernels are the shared ones: all that it adds is
/// a name, and threads. What it does better, it overrides.
class HostBackend : public BaseBackend {
 public:
  HostBackend(std::string name, std::unique_ptr<Executor> executor);

  std::string_view name() const noexcept override { return name_; }
  Device device() const noexcept override { return {}; }
  const Capabilities& capabilities() const override { return capabilities_; }

  StoragePtr allocate(std::size_t bytes) override;
  StoragePtr wrap(void* data, std::size_t bytes, std::shared_ptr<void> owner) override;
  void copy_bytes(Storage& to, std::size_t to_offset, const Storage& from, std::size_t from_offset,
                  std::size_t bytes) override;
  void synchronize() override {}
  /// Nothing here: how many threads there are is the executor's matter.
  void set_threads(int) override {}

  void run(const Launch& launch) override;
  void matmul(const View& a, const View& b, const View& out) override;
  std::optional<std::int64_t> tridiagonal_solve(const LineSystems& systems) override;
  void fourier_transform(const View& in, const View& out, const FourierTransform& transform,
                         std::shared_ptr<void>* plan) override;
  std::optional<BadIndex> arrange(const Arrangement& arrangement, std::span<const View> in,
                                  std::span<const View> out) override;
  std::optional<std::int64_t> factorize(const Factorization& factorization,
                                        std::span<const View> in,
                                        std::span<const View> out) override;

 protected:
  /// Run on another executor from now on.
  void use(std::unique_ptr<Executor> executor);
  Capabilities capabilities_;  ///< dtypes, threads and the instruction set are filled in

 private:
  std::string name_;
  std::unique_ptr<Executor> executor_;
};

/// The instruction set the kernels run with: "avx512", "avx2", "baseline". The environment variable
/// ISOFIELD_ISA can ask for a smaller one; throws ConfigError where it names none.
std::string_view instruction_set();
/// How programs run: "machine code", or "kernels" and why: no AVX2, ISOFIELD_INTERPRET=1, a system
/// that gives no executable memory.
std::string program_form();
/// Threads to use when nobody says: ISOFIELD_THREADS, else the cores this process may run on.
/// Throws ConfigError where ISOFIELD_THREADS is no number from 0, which is all, to 4096.
int default_threads();

}  // namespace isofield::host
