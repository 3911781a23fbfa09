#pragma once

#include <functional>
#include <isofield/backend.hpp>

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
void tridiagonal_solve(const View& lower, const View& diag, const View& upper, const View& rhs,
                       const View& out, int axis, bool periodic, Executor& executor);

/// Pooled host memory, aligned to 64 bytes, huge pages where large.
StoragePtr allocate(BaseBackend& backend, std::size_t bytes);
/// A storage over memory that somebody else owns.
StoragePtr wrap(BaseBackend& backend, void* data, std::size_t bytes, std::shared_ptr<void> owner);
void copy_bytes(Storage& to, std::size_t to_offset, const Storage& from, std::size_t from_offset,
                std::size_t bytes);

/// The instruction set the kernels run with: "avx512", "avx2", "baseline". The environment variable
/// ISOFIELD_ISA can ask for a smaller one.
std::string_view instruction_set();
/// Threads to use when nobody says: ISOFIELD_THREADS, else the cores this process may run on.
int default_threads();

}  // namespace isofield::host
