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

}  // namespace

const KernelTable& kernels() { return chosen().kernels; }
const FourierKernels& fourier_kernels(DType dtype) { return chosen().fourier(dtype); }

std::string_view instruction_set() { return kernels().instruction_set; }

}  // namespace isofield::host
