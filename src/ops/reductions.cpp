#include <algorithm>
#include <isofield/ops.hpp>
#include <optional>

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

/// Sums and products of small integers are of 64 bits, as the Array API's defaults say.
DType accumulating(DType dtype) {
  const Kind k = kind(dtype);
  if (k == Kind::boolean || k == Kind::signed_integer) return DType::int64;
  return k == Kind::unsigned_integer ? DType::uint64 : dtype;
}

/// The operand in the dtype that the reduction runs in.
NodePtr prepared(Reduce op, Operand x, std::optional<DType> dtype) {
  const Place place(x);
  const auto as = [&](DType wanted) { return detail::node_of(x, place.backend, wanted); };
  switch (op) {
    case Reduce::any:
    case Reduce::all:
      if (place.dtype != DType::bool_) return not_equal(std::move(x), 0).node();
      break;
    case Reduce::min:
    case Reduce::max:
      if (!in_domain(Domain::real, place.dtype))
        throw DTypeError(std::string(name(op)) + ": needs a real-valued dtype, got " +
                         std::string(name(place.dtype)) + place.text());
      break;
    case Reduce::sum:
    case Reduce::prod: {
      const DType wanted = dtype.value_or(accumulating(place.dtype));
      if (wanted == DType::bool_ || (is_complex(place.dtype) && !is_complex(wanted)))
        throw DTypeError(std::string(name(op)) + ": dtype " + std::string(name(wanted)) +
                         " does not hold it" + place.text());
      if (wanted != place.dtype) return as(wanted);
      break;
    }
  }
  return x.is_scalar() ? as(place.dtype) : x.take();
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

/// The operand of a transform, in the dtype asked for.
Operand in_dtype(Operand x, std::optional<DType> dtype) {
  if (!dtype || *dtype == detail::dtype_of(x)) return x;
  return {x.array().astype(*dtype, x.where()), x.where()};
}

UnifiedArray over_all(Reduce op, Operand x, std::optional<DType> dtype = {}) {
  if (detail::wrapped(x)) {
    const std::uint32_t mask = every_axis(x.node()->shape.size());
    return detail::transformed_reduction(op, in_dtype(std::move(x), dtype), mask, false);
  }
  const Place place(x);
  const NodePtr node = prepared(op, std::move(x), dtype);
  return reduced(op, node, every_axis(node->shape.size()), false, place);
}

UnifiedArray over(Reduce op, Operand x, const std::vector<int>& axes, bool keepdims,
                  std::optional<DType> dtype = {}) {
  const Place place(x);
  const int rank = x.is_scalar() ? 0 : x.node()->shape.size();
  const std::uint32_t mask = axis_mask(x, axes, rank, name(op));
  if (detail::wrapped(x))
    return detail::transformed_reduction(op, in_dtype(std::move(x), dtype), mask, keepdims);
  return reduced(op, prepared(op, std::move(x), dtype), mask, keepdims, place);
}

void check_mean(std::string_view operation, const Operand& x, Domain domain) {
  detail::located(x, [&] { detail::check_domain(operation, domain, detail::dtype_of(x)); });
}

std::int64_t count_of(const Operand& x) {
  return x.is_scalar() ? 1 : element_count(x.node()->shape);
}

UnifiedArray divided(const UnifiedArray& total, std::int64_t count) {
  const std::int64_t results = std::max<std::int64_t>(total.size(), 1);
  return divide(total, static_cast<double>(count) / static_cast<double>(results));
}

std::vector<int> all_axes(const Operand& x) {
  std::vector<int> axes(x.is_scalar() ? 0 : static_cast<std::size_t>(x.node()->shape.size()));
  for (std::size_t k = 0; k < axes.size(); ++k) axes[k] = static_cast<int>(k);
  return axes;
}

}  // namespace

#define ISOFIELD_REDUCTION(op)                                              \
  UnifiedArray op(Operand x) { return over_all(Reduce::op, std::move(x)); } \
  UnifiedArray op(Operand x, const std::vector<int>& axes, bool keepdims) { \
    return over(Reduce::op, std::move(x), axes, keepdims);                  \
  }
ISOFIELD_REDUCTION(min)
ISOFIELD_REDUCTION(max)
ISOFIELD_REDUCTION(any)
ISOFIELD_REDUCTION(all)
#undef ISOFIELD_REDUCTION

UnifiedArray sum(Operand x, std::optional<DType> dtype) {
  return over_all(Reduce::sum, std::move(x), dtype);
}
UnifiedArray prod(Operand x, std::optional<DType> dtype) {
  return over_all(Reduce::prod, std::move(x), dtype);
}
UnifiedArray sum(Operand x, const std::vector<int>& axes, bool keepdims,
                 std::optional<DType> dtype) {
  return over(Reduce::sum, std::move(x), axes, keepdims, dtype);
}
UnifiedArray prod(Operand x, const std::vector<int>& axes, bool keepdims,
                  std::optional<DType> dtype) {
  return over(Reduce::prod, std::move(x), axes, keepdims, dtype);
}

UnifiedArray mean(Operand x) {
  check_mean("mean", x, Domain::inexact);
  const std::int64_t count = count_of(x);
  return divided(sum(std::move(x)), count);
}
UnifiedArray mean(Operand x, const std::vector<int>& axes, bool keepdims) {
  check_mean("mean", x, Domain::inexact);
  const std::int64_t count = count_of(x);
  return divided(sum(std::move(x), axes, keepdims), count);
}

// The mean first, then the squares of what is left: nothing cancels.
UnifiedArray var(Operand x, const std::vector<int>& axes, double correction, bool keepdims) {
  check_mean("var", x, Domain::floating);
  const std::int64_t count = count_of(x);
  const Operand::Where where = x.where();
  UnifiedArray middle = mean(x, axes, true);
  const std::int64_t results = std::max<std::int64_t>(middle.size(), 1);
  const double each = static_cast<double>(count) / static_cast<double>(results) - correction;
  const UnifiedArray squares = square({subtract(std::move(x), {std::move(middle), where}), where});
  return divide({sum({squares, where}, axes, keepdims), where}, std::max(each, 0.0));
}
UnifiedArray var(Operand x) {
  const std::vector<int> axes = all_axes(x);
  return var(std::move(x), axes);
}
UnifiedArray std(Operand x, const std::vector<int>& axes, double correction, bool keepdims) {
  check_mean("std", x, Domain::floating);
  return sqrt(var(std::move(x), axes, correction, keepdims));
}
UnifiedArray std(Operand x) {
  const std::vector<int> axes = all_axes(x);
  return isofield::std(std::move(x), axes);
}

bool has_nan_or_inf(Operand x) {
  if (!in_domain(Domain::inexact, detail::dtype_of(x))) return false;
  const auto where = x.where();
  return any(logical_not(isfinite(std::move(x)))).item<bool>(where);
}

}  // namespace isofield
