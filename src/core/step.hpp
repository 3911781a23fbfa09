#pragma once

#include <array>
#include <isofield/backend.hpp>
#include <isofield/precision.hpp>
#include <memory>
#include <source_location>
#include <vector>

namespace isofield::detail {

/// What a message says of indices: what they are indices of.
struct IndexedAxes {
  std::string_view operation;  ///< static text
  std::vector<int> axes;       ///< the axes that the indices are for
  Shape shape;                 ///< of the array that is indexed
  int along = -1;              ///< the axis of the indices that a step has last; -1: none
};

/// One call of a backend's kernel, with everything it needs to be made again.
struct Step {
  enum class Kind : std::uint8_t { program, matmul, tridiagonal, fourier, arrange, factorization };
  Kind kind = Kind::program;
  BaseBackend* backend = nullptr;
  std::vector<View> in, out;
  // A program's.
  std::shared_ptr<const Program> program;
  Shape shape;
  std::vector<Scalar> immediates;
  // A tridiagonal solve's. Its program's inputs come first in `in`, then the operands in memory;
  // its solution comes first in `out`, then what the program stores.
  std::array<bool, 4> computed = {};  ///< lower, diag, upper, rhs are the program's first outputs
  int axis = 0;
  bool periodic = false;
  std::source_location where;  ///< the caller's place
  FourierTransform transform = {};
  Arrangement arrangement = {};
  IndexedAxes indexed = {};
  Precision precision = matmul_precision();  ///< of a matrix product
  // A factorization's.
  Factorization factorization = {};
  std::string_view operation;  ///< what the user called, for messages
  bool tolerant = false;       ///< a matrix that has no result is no error: its results are NaN
  // What the backend keeps between runs of a recorded step.
  bool repeated = false;
  mutable std::shared_ptr<void> plan;

  void run() const;

 private:
  void call_backend() const;
  void solve_lines() const;
  void arrange() const;
  void factorize() const;
};

/// Records steps instead of running them.
class Tracer {
 public:
  virtual ~Tracer() = default;
  virtual void record(Step step) = 0;
  /// Memory that a replay will provide.
  virtual StoragePtr allocate(BaseBackend& backend, std::size_t bytes) = 0;
};

/// This thread's tracer, or null.
Tracer* tracer() noexcept;
class ScopedTracer {
 public:
  explicit ScopedTracer(Tracer* tracer) noexcept;
  ~ScopedTracer();
  ScopedTracer(const ScopedTracer&) = delete;
  ScopedTracer& operator=(const ScopedTracer&) = delete;

 private:
  Tracer* previous_;
};

/// Throw that an array of a trace was used where it means nothing.
[[noreturn]] void throw_escaped(const std::source_location* where = nullptr);

/// Whether a step on these views is recorded: a trace runs, and one of them stands for its memory.
bool recorded(std::span<const View> in);
/// The one place that calls a backend: runs the step, or records it under a trace.
void execute(Step&& step);

}  // namespace isofield::detail
