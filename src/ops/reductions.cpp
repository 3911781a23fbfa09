#include <isofield/ops.hpp>

#include "core/emit.hpp"
#include "core/node.hpp"

namespace isofield {
namespace {

using detail::NodePtr;

std::uint32_t every_axis(int rank) {
  return rank >= 32 ? 0xffffffffu : (1u << rank) - 1;
}

std::uint32_t axis_mask(const Operand& x, const std::vector<int>& axes, int rank,
                        std::string_view operation) {
  std::uint32_t mask = 0;
  for (const int axis : axes) {
    const int k = detail::located(x.where(), [&] { return normalize_axis(axis, rank, operation); });
    if ((mask >> k) & 1)
      throw IndexError(std::string(operation) + ": axis " + std::to_string(axis) +
                       " appears twice" + detail::context(x));
    mask |= 1u << k;
  }
  return mask;
}

UnifiedArray reduced(Reduce op, const UnifiedArray& x, std::uint32_t axes, bool keepdims,
                     const Operand& operand) {
  if ((op == Reduce::min || op == Reduce::max))
    for (int k = 0; k < x.ndim(); ++k)
      if (((axes >> k) & 1) && x.shape()[k] == 0)
        throw ShapeError(std::string(name(op)) + ": axis " + std::to_string(k) + " of shape " +
                         to_string(x.shape()) + " is empty" + detail::context(operand));
  const NodePtr result = detail::evaluate_reduction(x.node(), {op, axes});
  if (keepdims) return UnifiedArray(result);
  Layout layout({}, {}, result->offset);
  for (int k = 0; k < x.ndim(); ++k) {
    if ((axes >> k) & 1) continue;
    layout.shape.push_back(result->shape[k]);
    layout.strides.push_back(result->strides[k]);
  }
  return UnifiedArray(detail::make_leaf(result->storage, result->dtype, std::move(layout)));
}

/// The operand in the dtype that the reduction runs in.
UnifiedArray prepared(Reduce op, const Operand& x) {
  if (x.is_scalar()) return prepared(op, asarray(x.scalar()));
  const UnifiedArray& a = x.array();
  const bool logical = op == Reduce::any || op == Reduce::all;
  if (logical) return a.dtype() == DType::bool_ ? a : not_equal(a, 0);
  if (a.dtype() != DType::bool_) return a;
  if (op == Reduce::min || op == Reduce::max)
    throw DTypeError(std::string(name(op)) + ": needs a numeric dtype, got bool" +
                     detail::context(x));
  return a.astype(DType::int64);
}

UnifiedArray over_all(Reduce op, const Operand& x) {
  const UnifiedArray a = prepared(op, x);
  return reduced(op, a, every_axis(a.ndim()), false, x);
}

UnifiedArray over(Reduce op, const Operand& x, const std::vector<int>& axes, bool keepdims) {
  const UnifiedArray a = prepared(op, x);
  return reduced(op, a, axis_mask(x, axes, a.ndim(), name(op)), keepdims, x);
}

void check_mean(const Operand& x) {
  const DType dtype = x.is_scalar() ? x.scalar().default_dtype() : x.array().dtype();
  if (!is_floating(dtype))
    throw DTypeError("mean: needs a floating-point dtype, got " + std::string(name(dtype)) +
                     "; convert with astype" + detail::context(x));
}

UnifiedArray divided(const UnifiedArray& total, const Operand& x) {
  const std::int64_t from = x.is_scalar() ? 1 : x.array().size();
  const std::int64_t to = std::max<std::int64_t>(total.size(), 1);
  return divide(total, static_cast<double>(from) / static_cast<double>(to));
}

}  // namespace

#define ISOFIELD_REDUCTION(op)                                                     \
  UnifiedArray op(Operand x) { return over_all(Reduce::op, x); }                   \
  UnifiedArray op(Operand x, const std::vector<int>& axes, bool keepdims) {        \
    return over(Reduce::op, x, axes, keepdims);                                    \
  }
ISOFIELD_REDUCTION(sum)
ISOFIELD_REDUCTION(prod)
ISOFIELD_REDUCTION(min)
ISOFIELD_REDUCTION(max)
ISOFIELD_REDUCTION(any)
ISOFIELD_REDUCTION(all)
#undef ISOFIELD_REDUCTION

UnifiedArray mean(Operand x) {
  check_mean(x);
  return divided(sum(x), x);
}
UnifiedArray mean(Operand x, const std::vector<int>& axes, bool keepdims) {
  check_mean(x);
  return divided(sum(x, axes, keepdims), x);
}

bool has_nan_or_inf(Operand x) {
  const DType dtype = x.is_scalar() ? x.scalar().default_dtype() : x.array().dtype();
  if (!is_floating(dtype)) return false;
  return any(logical_not(isfinite(x))).item<bool>();
}

}  // namespace isofield
