#define ISOFIELD_ISA avx2
#include "program/kernels/kernels.inc"
