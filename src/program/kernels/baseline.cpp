#define ISOFIELD_ISA baseline
#include "program/kernels/kernels.inc"
