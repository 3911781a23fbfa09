#define ISOFIELD_ISA baseline
#include "program/fourier/fourier.inc"
