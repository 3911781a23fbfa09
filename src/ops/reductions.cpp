#include <isofield/ops.hpp>

#include "core/emit.hpp"
#include "core/node.hpp"
#include "core/transform.hpp"

namespace isofield {
namespace {

using detail::NodePtr;

std::uint32_t every_axis(int rank) { return rank >= 32 ? 0xffffffffu : (1u << rank) - 1; }

std::uint32_t axis_mask(const Operand& x, const std::vector<int>& axes, int rank,
                        std::string_view operation) {
  std::uint32_t mask = 0;
  for (const int axis : axes) {
    const int k = detail::located(x, [&] { return normalize_axis(axis, rank, operation); });
    if ((mask >> k) & 1)
      throw IndexError(std::string(operation) + ": axis " + std::to_string(axis) +
                       " appears twice" + detail::context(x));
    mask |= 1u << k;
  }
  return mask;
}

/// What an error message says of an operand that has been taken over.
struct Place {
  explicit Place(const Operand& x)
      : backend(detail::common_backend("", {&x, 1})),
        dtype(detail::dtype_of(x)),
        where(x.where()) {}
  std::string text() const { return detail::context(backend, dtype, where); }
  BaseBackend& backend;
  DType dtype;
  std::source_location where;
};

/// The operand in the dtype that the reduction runs in.
NodePtr prepared(Reduce op, Operand x) {
  const Place place(x);
  const bool logical = op == Reduce::any || op == Reduce::all;
  if (!logical && place.dtype == DType::bool_) {
    if (op == Reduce::min || op == Reduce::max)
      throw DTypeError(std::string(name(op)) + ": needs a numeric dtype, got bool" + place.text());
    return detail::node_of(x, place.backend, DType::int64);
  }
  if (logical && place.dtype != DType::bool_) return not_equal(std::move(x), 0).node();
  return x.is_scalar() ? detail::node_of(x, place.backend, place.dtype) : x.take();
}

UnifiedArray reduced(Reduce op, const NodePtr& x, std::uint32_t axes, bool keepdims,
                     const Place& place) {
  const Shape shape = x->shape;
  for (int k = 0; k < shape.size(); ++k)
    if ((op == Reduce::min || op == Reduce::max) && ((axes >> k) & 1) && shape[k] == 0)
      throw ShapeError(std::string(name(op)) + ": axis " + std::to_string(k) + " of shape " +
                       to_string(shape) + " is empty" + place.text());
  const NodePtr result = detail::evaluate_reduction(x, {op, axes});
  if (keepdims) return UnifiedArray(result);
  Layout layout({}, {}, result->offset);
  for (int k = 0; k < shape.size(); ++k) {
    if ((axes >> k) & 1) continue;
    layout.shape.push_back(result->shape[k]);
    layout.strides.push_back(result->strides[k]);
  }
  return UnifiedArray(detail::make_leaf(result->storage, result->dtype, std::move(layout)));
}

UnifiedArray over_all(Reduce op, Operand x) {
  if (detail::wrapped(x)) {
    const std::uint32_t mask = every_axis(x.node()->shape.size());
    return detail::transformed_reduction(op, std::move(x), mask, false);
  }
  const Place place(x);
  const NodePtr node = prepared(op, std::move(x));
  return reduced(op, node, every_axis(node->shape.size()), false, place);
}

UnifiedArray over(Reduce op, Operand x, const std::vector<int>& axes, bool keepdims) {
  const Place place(x);
  const int rank = x.is_scalar() ? 0 : x.node()->shape.size();
  const std::uint32_t mask = axis_mask(x, axes, rank, name(op));
  if (detail::wrapped(x)) return detail::transformed_reduction(op, std::move(x), mask, keepdims);
  return reduced(op, prepared(op, std::move(x)), mask, keepdims, place);
}

void check_mean(const Operand& x) {
  if (!is_floating(detail::dtype_of(x)))
    throw DTypeError("mean: needs a floating-point dtype, got " +
                     std::string(name(detail::dtype_of(x))) + "; convert with astype" +
                     detail::context(x));
}

std::int64_t count_of(const Operand& x) {
  return x.is_scalar() ? 1 : element_count(x.node()->shape);
}

UnifiedArray divided(const UnifiedArray& total, std::int64_t count) {
  const std::int64_t results = std::max<std::int64_t>(total.size(), 1);
  return divide(total, static_cast<double>(count) / static_cast<double>(results));
}

}  // namespace

#define ISOFIELD_REDUCTION(op)                                              \
  UnifiedArray op(Operand x) { return over_all(Reduce::op, std::move(x)); } \
  UnifiedArray op(Operand x, const std::vector<int>& axes, bool keepdims) { \
    return over(Reduce::op, std::move(x), axes, keepdims);                  \
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
  const std::int64_t count = count_of(x);
  return divided(sum(std::move(x)), count);
}
UnifiedArray mean(Operand x, const std::vector<int>& axes, bool keepdims) {
  check_mean(x);
  const std::int64_t count = count_of(x);
  return divided(sum(std::move(x), axes, keepdims), count);
}

bool has_nan_or_inf(Operand x) {
  if (!is_floating(detail::dtype_of(x))) return false;
  const auto where = x.where();
  return any(logical_not(isfinite(std::move(x)))).item<bool>(where);
}

}  // namespace isofield
