#define ISOFIELD_ISA complex_number
#define ISOFIELD_KERNEL_DTYPES(X) X(std::complex<float>) X(std::complex<double>)
#include "program/kernels/more_dtypes.inc"
