#include "core/step.hpp"

#include <isofield/error.hpp>

#include "core/emit.hpp"
#include "core/profile.hpp"
#include "core/transform.hpp"

namespace isofield::detail {
namespace {

thread_local Tracer* active = nullptr;

bool any_symbolic(std::span<const View> views) {
  for (const auto& v : views)
    if (v.storage->symbolic) return true;
  return false;
}

[[noreturn]] void throw_broken(const Step& step, std::int64_t place) {
  const Shape& shape = step.out[0].layout.shape;
  std::string line;
  std::int64_t row = 0;
  for (int k = shape.size() - 1; k >= 0; --k) {
    const std::int64_t index = place % shape[k];
    place /= shape[k];
    if (k == step.axis) row = index;
    line = (k == step.axis ? ":" : std::to_string(index)) + (line.empty() ? "" : ", " + line);
  }
  throw SolverError("tridiagonal_solve: elimination breaks at row " + std::to_string(row) +
                    " of line (" + line + "), shape " + to_string(shape) +
                    ": the pivot is zero or not finite; there is no pivoting, the systems should "
                    "be diagonally dominant" +
                    context(*step.backend, step.out[0].dtype, step.where));
}

[[noreturn]] void throw_bad_index(const Step& step, const BadIndex& bad) {
  // The place among the indices as they were given: with the axis of lines where it was, else
  // without the axes that are only walked along.
  const Shape& shape = step.in[static_cast<std::size_t>(bad.which) + 1].layout.shape;
  const int along = step.indexed.along, first = along < 0 ? step.arrangement.batch : 0;
  std::int64_t rest = bad.place;
  Dims place;
  for (int k = shape.size() - 1; k >= first; --k) {
    place.insert(0, rest % shape[k]);
    rest /= shape[k];
  }
  if (along >= 0) {
    const std::int64_t last = place.back();
    place.erase(place.size() - 1);
    place.insert(along, last);
  }
  const int axis = step.indexed.axes[static_cast<std::size_t>(bad.which)];
  throw IndexError(std::string(step.indexed.operation) + ": " + std::to_string(bad.value) + " at " +
                   to_string(place) + " of the indices is out of range for axis " +
                   std::to_string(axis) + " of length " + std::to_string(step.indexed.shape[axis]) +
                   ", shape " + to_string(step.indexed.shape) +
                   context(*step.backend, step.out[0].dtype, step.where));
}

/// What is wrong with a matrix that a factorization has no result for.
std::string_view failure_of(Factorization::Kind kind) {
  using Kind = Factorization::Kind;
  switch (kind) {
    case Kind::cholesky: return "is not positive definite";
    case Kind::svd:
      return "has no singular values: iterations do not converge, or it is not finite";
    case Kind::eigh:
    case Kind::eig: return "has no eigenvalues: iterations do not converge, or it is not finite";
    default: return "is singular";
  }
}

[[noreturn]] void throw_failed(const Step& step, std::int64_t place) {
  const View& a = step.in[0];
  const Shape& shape = a.layout.shape;
  std::string index;
  for (int k = shape.size() - 3; k >= 0; --k) {
    index = std::to_string(place % shape[k]) + ", " + index;
    place /= shape[k];
  }
  const std::string which =
      index.empty() ? "the matrix of shape " : "matrix (" + index + ":, :) of shape ";
  throw LinAlgError(std::string(step.operation) + ": " + which + to_string(shape) + " " +
                    std::string(failure_of(step.factorization.kind)) +
                    context(*step.backend, a.dtype, step.where));
}

}  // namespace

void Step::run() const {
  if (active_profiles.load(std::memory_order_relaxed) == 0) return call_backend();
  // A device's kernels come back before they are done.
  const bool waits = !backend->device().is_host();
  if (waits) backend->synchronize();
  const auto start = std::chrono::steady_clock::now();
  call_backend();
  if (waits) backend->synchronize();
  add_to_profiles(*this, std::chrono::steady_clock::now() - start);
}

void Step::call_backend() const {
  switch (kind) {
    case Kind::program:
      backend->run({*program, shape, in, immediates, out, repeated ? &plan : nullptr});
      break;
    case Kind::matmul: {
      const ScopedMatmulPrecision scope(precision);
      backend->matmul(in[0], in[1], out[0]);
      break;
    }
    case Kind::tridiagonal: solve_lines(); break;
    case Kind::fourier:
      backend->fourier_transform(in[0], out[0], transform, repeated ? &plan : nullptr);
      break;
    case Kind::arrange: arrange(); break;
    case Kind::factorization: factorize(); break;
  }
}

void Step::factorize() const {
  const std::optional<std::int64_t> failed = backend->factorize(factorization, in, out);
  if (failed && !tolerant) throw_failed(*this, *failed);
}

void Step::solve_lines() const {
  const std::span<const View> inputs(in), outputs(out);
  const std::size_t read = program ? program->inputs.size() : 0;
  std::array<const View*, 4> operands = {};
  int inside = 0;
  for (std::size_t k = 0, next = read; k < 4; ++k)
    if (computed[k])
      ++inside;
    else
      operands[k] = &in[next++];
  std::optional<std::int64_t> broken;
  if (program) {
    const Launch launch{*program,
                        shape,
                        inputs.first(read),
                        immediates,
                        outputs.subspan(1),
                        repeated ? &plan : nullptr,
                        inside};
    broken = backend->tridiagonal_solve({operands, &launch, out[0], axis, periodic});
  } else {
    broken = backend->tridiagonal_solve({operands, nullptr, out[0], axis, periodic});
  }
  if (broken) throw_broken(*this, *broken);
}

void Step::arrange() const {
  if (const auto bad = backend->arrange(arrangement, in, out)) throw_bad_index(*this, *bad);
}

void throw_escaped(const std::source_location* where) {
  if (transform_depth > 0)
    throw NotAvailable(
        "an array that grad, vmap or a like transform looks into has outlived it, or has come to "
        "an operation without a rule for them" +
        (where ? at(*where) : ""));
  throw Error(
      "an array made inside a function that jit, grad, vmap or the like ran was used "
      "outside of it" +
      (where ? at(*where) : ""));
}

Tracer* tracer() noexcept { return active; }
ScopedTracer::ScopedTracer(Tracer* tracer) noexcept : previous_(active) { active = tracer; }
ScopedTracer::~ScopedTracer() { active = previous_; }

bool recorded(std::span<const View> in) { return active && any_symbolic(in); }

void execute(Step&& step) {
  const bool symbolic = any_symbolic(step.in) || any_symbolic(step.out);
  if (!symbolic) {
    step.run();
  } else if (active) {
    step.repeated = true;
    active->record(std::move(step));
    step.repeated = false;
  } else {
    throw_escaped();
  }
}

}  // namespace isofield::detail
