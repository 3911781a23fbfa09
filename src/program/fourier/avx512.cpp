#define ISOFIELD_ISA avx512
#include "program/fourier/fourier.inc"
