#include <algorithm>
#include <cmath>
#include <isofield/ops.hpp>

#include "core/emit.hpp"
#include "core/node.hpp"
#include "core/transform.hpp"

namespace isofield {

namespace {

/// The shortest offset that reads the same elements of an axis of length `n`.
std::int64_t nearest_offset(std::int64_t offset, Boundary boundary, std::int64_t n) {
  if (boundary == Boundary::constant || boundary == Boundary::clamp)
    return std::clamp(offset, -n, n);
  const std::int64_t period = boundary == Boundary::periodic ? n : 2 * n;
  offset %= period;
  if (2 * offset > period) return offset - period;
  if (2 * offset < -period) return offset + period;
  return offset;
}

/// What lies beyond the edge, as a number of the array's kind; throws DTypeError if it is none.
Scalar checked_fill(Scalar fill, DType dtype, const Operand& x) {
  if (is_complex(dtype)) return fill.to<std::complex<double>>();
  if (is_floating(dtype) && fill.kind() != Kind::complex) return fill.to<double>();
  const double value = fill.to<double>();
  const bool whole =
      fill.kind() != Kind::complex &&
      (fill.kind() != Kind::real || (std::trunc(value) == value && std::abs(value) < 0x1p63));
  const Scalar number = whole && fill.kind() == Kind::real ? Scalar(fill.to<std::int64_t>()) : fill;
  const bool boolean = dtype == DType::bool_;
  const bool fits =
      whole && (boolean ? value == 0 || value == 1 : !is_floating(dtype) && number.fits(dtype));
  if (!fits)
    throw DTypeError("shift: a fill of " + fill.text() + " does not go into dtype " +
                     std::string(name(dtype)) + detail::context(x));
  return boolean ? Scalar(value != 0) : number;
}

template <class... O>
UnifiedArray emitted(Op op, O&... operands) {
  Operand list[] = {std::move(operands)...};
  return detail::emit(op, list);
}

}  // namespace

#define UNARY(name, domain, result, value, ...) \
  UnifiedArray name(Operand x) { return emitted(Op::name, x); }
#define BINARY(name, domain, result, value, ...) \
  UnifiedArray name(Operand a, Operand b) { return emitted(Op::name, a, b); }
#include <isofield/ops.def>
#undef UNARY
#undef BINARY

UnifiedArray where(Operand condition, Operand x, Operand y) {
  return emitted(Op::where, condition, x, y);
}

UnifiedArray clip(Operand x, std::optional<Operand> low, std::optional<Operand> high) {
  const auto place = x.where();
  const DType dtype = detail::dtype_of(x);
  const auto bound = [&](std::optional<Operand>& by, auto&& limit) {
    if (!by) return;
    // An optional operand was made in <optional>: it does not know the caller's place.
    Operand here = by->is_scalar() ? Operand(by->scalar(), place) : Operand(by->array(), place);
    x = Operand(limit(std::move(x), std::move(here)), place);
  };
  detail::as_part_of("clip", [&] {
    bound(low, [](Operand a, Operand b) { return maximum(std::move(a), std::move(b)); });
    bound(high, [](Operand a, Operand b) { return minimum(std::move(a), std::move(b)); });
  });
  if (x.is_scalar()) return asarray(x.scalar());
  return x.array().astype(dtype, place);
}

UnifiedArray shift(Operand x, int axis, std::int64_t offset, Boundary boundary, Scalar fill) {
  BaseBackend& backend = detail::common_backend("shift", {&x, 1});
  const DType dtype = detail::dtype_of(x);
  const detail::NodePtr base = detail::node_of(x, backend, dtype);
  axis = detail::located(x, [&] { return normalize_axis(axis, base->shape.size(), "shift"); });
  if (base->shape[axis] == 0 && boundary != Boundary::constant)
    throw ShapeError("shift: axis " + std::to_string(axis) + " of shape " + to_string(base->shape) +
                     " is empty" + detail::context(x));
  if (boundary == Boundary::constant) fill = checked_fill(fill, dtype, x);
  offset = nearest_offset(offset, boundary, base->shape[axis]);
  if (detail::wrapped(x))
    return detail::transformed_shift(std::move(x), axis, offset, boundary, fill);
  if (offset == 0) return UnifiedArray(base);
  // A shift along another axis joins those that are pending; everything else is computed first.
  std::vector<detail::NodeShift> shifts;
  detail::NodePtr leaf;
  {
    const std::lock_guard lock(detail::evaluation_mutex());
    bool joins = base->kind.load() == detail::Node::Kind::shifted;
    // In a corner beyond two edges the last shift's fill holds: kernels know no order. One fill a
    // leaf also bounds how many a program has.
    for (const auto& s : base->shifts)
      joins = joins && s.axis.axis != axis &&
              !(boundary == Boundary::constant && s.axis.boundary == Boundary::constant &&
                !identical(s.fill, fill));
    if (joins) {
      shifts = base->shifts;
      leaf = base->in[0];
    }
  }
  if (!leaf) {
    detail::evaluate(base);
    leaf = base;
  }
  shifts.push_back({AxisShift{axis, offset, boundary, -1}, fill});
  detail::NodePtr node = detail::make_shifted(leaf, std::move(shifts));
  if (detail::eager()) detail::evaluate(node);
  return UnifiedArray(std::move(node));
}

void eval(std::initializer_list<const UnifiedArray*> arrays) {
  std::vector<detail::NodePtr> nodes;
  for (const auto* a : arrays) nodes.push_back(detail::innermost(a->node()));
  detail::evaluate(nodes);
}

}  // namespace isofield
