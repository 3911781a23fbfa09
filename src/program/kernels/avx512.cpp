#define ISOFIELD_ISA avx512
#include "program/kernels/kernels.inc"
