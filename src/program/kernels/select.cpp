#include <cstdlib>
#include <isofield/host.hpp>
#include <string>
#include <string_view>

#include "program/kernels/kernel_table.hpp"

namespace isofield::host {
namespace {

const KernelTable& choose() {
  const char* asked = std::getenv("ISOFIELD_ISA");
  const std::string_view limit = asked && *asked ? asked : "avx512";
  if (limit != "avx512" && limit != "avx2" && limit != "baseline")
    throw ConfigError("ISOFIELD_ISA: expected avx512, avx2 or baseline, got '" +
                      std::string(limit) + "'");
#if defined(ISOFIELD_X86_KERNELS)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512bw");
  if (avx512 && limit == "avx512") return avx512_kernels();
  if (avx2 && limit != "baseline") return avx2_kernels();
#endif
  return baseline_kernels();
}

}  // namespace

const KernelTable& kernels() {
  static const KernelTable& table = choose();
  return table;
}

std::string_view instruction_set() { return kernels().instruction_set; }

}  // namespace isofield::host
