#define ISOFIELD_ISA signed_integer
#define ISOFIELD_KERNEL_DTYPES(X) X(std::int8_t) X(std::int16_t) X(std::int32_t)
#include "program/kernels/more_dtypes.inc"
