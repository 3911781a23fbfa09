#pragma once

#include <cstdint>

namespace isofield {

/// How exactly products of float32 matrices are computed.
enum class Precision : std::uint8_t {
  exact,     ///< in float32
  tf32,      ///< factors rounded to 10 bits of fraction, where the device has units for it
  bfloat16,  ///< factors rounded to 7 bits of fraction, as automatic mixed precision does
};

/// The lowest precision that this thread allows for products of float32 matrices; `exact` outside
/// of every ScopedMatmulPrecision, whatever switches of LibTorch the application has set.
Precision matmul_precision() noexcept;

/// Allow less exact products of float32 matrices on this thread, for the scope's lifetime. It is a
/// permission: LibTorch's devices make use of it, hosts and other dtypes stay exact. A traced
/// product keeps what was allowed when it was traced.
class ScopedMatmulPrecision {
 public:
  explicit ScopedMatmulPrecision(Precision lowest) noexcept;
  ~ScopedMatmulPrecision();
  ScopedMatmulPrecision(const ScopedMatmulPrecision&) = delete;
  ScopedMatmulPrecision& operator=(const ScopedMatmulPrecision&) = delete;

 private:
  Precision previous_;
};

}  // namespace isofield
