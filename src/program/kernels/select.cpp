#include <cstdlib>
#include <isofield/host.hpp>
#include <string>
#include <string_view>

#include "program/fourier/fourier_kernels.hpp"
#include "program/kernels/kernel_table.hpp"

namespace isofield::host {
namespace {

/// The kernels of one instruction set.
struct InstructionSet {
  const KernelTable& kernels;
  const FourierKernels& (*fourier)(DType dtype);
};

InstructionSet choose() {
  const char* asked = std::getenv("ISOFIELD_ISA");
  const std::string_view limit = asked && *asked ? asked : "avx512";
  if (limit != "avx512" && limit != "avx2" && limit != "baseline")
    throw ConfigError("ISOFIELD_ISA: expected avx512, avx2 or baseline, got '" +
                      std::string(limit) + "'");
#if defined(ISOFIELD_AVX512_KERNELS)
  if (limit == "avx512" && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
    return {avx512_kernels(), avx512_fourier};
#endif
#if defined(ISOFIELD_AVX2_KERNELS)
  if (limit != "baseline" && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return {avx2_kernels(), avx2_fourier};
#endif
  return {baseline_kernels(), baseline_fourier};
}

const InstructionSet& chosen() {
  static const InstructionSet set = choose();
  return set;
}

/// The dtype's own set; null for those that every instruction set has.
const MoreKernels* more_kernels(DType dtype) {
  switch (dtype) {
    case DType::int8:
    case DType::int16:
    case DType::int32: return &signed_integer_kernels();
    case DType::uint8:
    case DType::uint16:
    case DType::uint32:
    case DType::uint64: return &unsigned_integer_kernels();
    case DType::complex64:
    case DType::complex128: return &complex_number_kernels();
    default: return nullptr;
  }
}

}  // namespace

PointwiseKernel pointwise_kernel(Op op, DType dtype, unsigned scalars) {
  const MoreKernels* more = more_kernels(dtype);
  return (more ? more->pointwise : kernels().pointwise)(op, dtype, scalars);
}
PointwiseKernel cast_kernel(DType from, DType to) {
  const PointwiseKernel own = kernels().cast(from, to);
  return own ? own : any_cast(from, to);
}
const FoldKernels* fold_kernels(Reduce op, DType dtype) {
  const MoreKernels* more = more_kernels(dtype);
  return (more ? more->fold : kernels().fold)(op, dtype);
}

const KernelTable& kernels() { return chosen().kernels; }
const FourierKernels& fourier_kernels(DType dtype) { return chosen().fourier(dtype); }

std::string_view instruction_set() { return kernels().instruction_set; }

}  // namespace isofield::host
