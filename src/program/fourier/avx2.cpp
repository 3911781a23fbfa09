#define ISOFIELD_ISA avx2
#include "program/fourier/fourier.inc"
