#define ISOFIELD_ISA unsigned_integer
#define ISOFIELD_KERNEL_DTYPES(X) X(std::uint8_t) X(std::uint16_t) X(std::uint32_t) X(std::uint64_t)
#include "program/kernels/more_dtypes.inc"
