#include "transforms/rules.hpp"

#include <algorithm>
#include <complex>

namespace isofield::detail {

UnifiedArray array_of(const Operand& operand, DType dtype) {
  return operand.is_scalar() ? full({}, operand.scalar(), dtype) : operand.array();
}

UnifiedArray summed_to(const UnifiedArray& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  const int extra = x.ndim() - shape.size();
  std::vector<int> axes;
  for (int k = 0; k < x.ndim(); ++k)
    if (k < extra || (shape[k - extra] == 1 && x.shape()[k] != 1)) axes.push_back(k);
  return reshape(sum(x, axes), shape);
}

UnifiedArray fitted(UnifiedArray cotangent, const Shape& shape, DType dtype) {
  UnifiedArray result = summed_to(cotangent, shape);
  if (is_complex(result.dtype()) && !is_complex(dtype)) result = real(result);
  return result.dtype() == dtype ? result : result.astype(dtype);
}

Operand conjugated(const Operand& x) {
  if (!is_complex(dtype_of(x))) return x;
  return x.is_scalar() ? Operand(std::conj(x.scalar().to<std::complex<double>>()), x.where())
                       : Operand(conj(x), x.where());
}

void align_batch(std::span<Operand> in, const std::vector<bool>& batched) {
  int rank = 0;
  for (std::size_t k = 0; k < in.size(); ++k)
    if (!in[k].is_scalar())
      rank = std::max(rank, in[k].node()->shape.size() - (batched[k] ? 1 : 0));
  for (std::size_t k = 0; k < in.size(); ++k) {
    if (!batched[k]) continue;
    const Shape& own = in[k].node()->shape;
    if (own.size() == rank + 1) continue;
    Shape wider{own[0]};
    for (int i = own.size(); i <= rank; ++i) wider.push_back(1);
    for (int i = 1; i < own.size(); ++i) wider.push_back(own[i]);
    const auto where = in[k].where();
    in[k] = Operand(reshape(std::move(in[k]), wider), where);
  }
}

Shape batch_shape(std::int64_t n, const Shape& shape) {
  Shape result = shape;
  result.insert(0, n);
  return result;
}

UnifiedArray with_batch(const Operand& operand, bool batched, std::int64_t n, DType dtype) {
  const UnifiedArray x = array_of(operand, dtype);
  return batched ? x : broadcast_to(x, batch_shape(n, x.shape()));
}

}  // namespace isofield::detail
