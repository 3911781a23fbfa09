#pragma once

#include <cstdint>
#include <isofield/program.hpp>

#include "program/kernels/line_kernels.hpp"

/// The host kernels: loops over contiguous elements, compiled once for each instruction set.
namespace isofield::host {

/// Compute `out[i]` from `in[0][i], in[1][i], ...`. A scalar operand is read once, from `in[k][0]`.
/// `out` may be one of the inputs.
using PointwiseKernel = void (*)(void* out, const void* const* in, std::int64_t n);
/// A fold into one element, by way of 32 lanes of partial results.
inline constexpr int fold_lanes = 32;
/// Bytes of the widest dtype.
inline constexpr int widest_element = 16;
struct FoldKernels {
  void (*start)(void* lanes);
  /// Fold `n` elements into the lanes; n is a multiple of their number.
  void (*into_lanes)(void* lanes, const void* in, std::int64_t n);
  /// Join the lanes, then fold `n` more elements in.
  void (*finish)(void* total, const void* lanes, const void* rest, std::int64_t n);
};
/// c(n, m) = a(n, k) b(k, m); leading dimensions in elements, rows contiguous.
using GemmKernel = void (*)(const void* a, std::int64_t lda, const void* b, std::int64_t ldb,
                            void* c, std::int64_t ldc, std::int64_t n, std::int64_t k,
                            std::int64_t m);

/// Two instructions in one pass: second(first(a, b), c), bit for bit what the two give apart.
struct Pair {
  Op first, second;
  bool first_is_right = false;  ///< second(c, first(a, b))
};

struct KernelTable {
  const char* instruction_set;
  /// Bit k of `scalars`: operand k is a scalar. Null where the table has no such kernel.
  PointwiseKernel (*pointwise)(Op op, DType dtype, unsigned scalars);
  PointwiseKernel (*cast)(DType from, DType to);
  /// Operands a, b, c; bit k of `scalars` as above. Null where this pair is not fused.
  PointwiseKernel (*pair)(const Pair& pair, DType dtype, unsigned scalars);
  /// square(extremum((a - b) * k, bound)), plus `more` if asked; k and bound are scalars.
  PointwiseKernel (*upwind)(Op extremum, bool more, DType dtype);
  const FoldKernels* (*fold)(Reduce op, DType dtype);
  GemmKernel (*gemm)(DType dtype);
  const LineKernels* (*lines)(DType dtype);
};

/// The table for this processor, chosen once.
const KernelTable& kernels();

/// Kernels of dtypes that have one set for all processors.
struct MoreKernels {
  PointwiseKernel (*pointwise)(Op op, DType dtype, unsigned scalars);
  const FoldKernels* (*fold)(Reduce op, DType dtype);
};
const MoreKernels& signed_integer_kernels();
const MoreKernels& unsigned_integer_kernels();
const MoreKernels& complex_number_kernels();
PointwiseKernel any_cast(DType from, DType to);

/// The kernel for an operation in any dtype, this processor's where there is one; null outside of
/// the operation's domain.
PointwiseKernel pointwise_kernel(Op op, DType dtype, unsigned scalars);
PointwiseKernel cast_kernel(DType from, DType to);
const FoldKernels* fold_kernels(Reduce op, DType dtype);

const KernelTable& baseline_kernels();
const KernelTable& avx2_kernels();    // only where ISOFIELD_AVX2_KERNELS is defined
const KernelTable& avx512_kernels();  // only where ISOFIELD_AVX512_KERNELS is defined

}  // namespace isofield::host
