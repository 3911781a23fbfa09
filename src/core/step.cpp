#include "core/step.hpp"

namespace isofield::detail {
namespace {

thread_local Tracer* active = nullptr;

bool any_symbolic(std::span<const View> views) {
  for (const auto& v : views)
    if (v.storage->symbolic) return true;
  return false;
}

}  // namespace

void Step::run() const {
  switch (kind) {
    case Kind::program:
      backend->run({*program, shape, in, immediates, out, repeated ? &plan : nullptr});
      break;
    case Kind::matmul: backend->matmul(in[0], in[1], out[0]); break;
    case Kind::tridiagonal:
      backend->tridiagonal_solve(in[0], in[1], in[2], in[3], out[0], axis, periodic);
      break;
  }
}

void throw_escaped(const std::source_location* where) {
  throw Error("jit: an array made inside a traced function was used outside of it" +
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
