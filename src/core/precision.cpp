#include <isofield/precision.hpp>

namespace isofield {
namespace {
thread_local Precision allowed = Precision::exact;
}

Precision matmul_precision() noexcept { return allowed; }

ScopedMatmulPrecision::ScopedMatmulPrecision(Precision lowest) noexcept : previous_(allowed) {
  allowed = lowest;
}
ScopedMatmulPrecision::~ScopedMatmulPrecision() { allowed = previous_; }

}  // namespace isofield
