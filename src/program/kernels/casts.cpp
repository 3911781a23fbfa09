// Casts between all dtypes.

#include "program/kernels/headers.inc"

namespace isofield::host {
namespace {

template <class F>
auto by_dtype(DType dtype, F f) -> decltype(f(bool{})) {
  return visit_dtype(dtype, f);
}

#include "program/kernels/cast.inc"

}  // namespace

PointwiseKernel any_cast(DType from, DType to) { return cast(from, to); }

}  // namespace isofield::host
