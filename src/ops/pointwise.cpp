#include <isofield/ops.hpp>

#include "core/emit.hpp"
#include "core/node.hpp"

namespace isofield {

namespace {

template <class... O>
UnifiedArray emitted(Op op, O&... operands) {
  Operand list[] = {std::move(operands)...};
  return detail::emit(op, list);
}

}  // namespace

#define UNARY(name, domain, result, value) \
  UnifiedArray name(Operand x) { return emitted(Op::name, x); }
#define BINARY(name, domain, result, value) \
  UnifiedArray name(Operand a, Operand b) { return emitted(Op::name, a, b); }
#include <isofield/ops.def>
#undef UNARY
#undef BINARY

UnifiedArray where(Operand condition, Operand x, Operand y) {
  return emitted(Op::where, condition, x, y);
}

UnifiedArray clip(Operand x, Operand low, Operand high) {
  const auto place = x.where();
  return minimum(Operand(maximum(std::move(x), std::move(low)), place), std::move(high));
}

UnifiedArray shift(Operand x, int axis, std::int64_t offset, Boundary boundary, Scalar fill) {
  BaseBackend& backend = detail::common_backend("shift", {&x, 1});
  const DType dtype = detail::dtype_of(x);
  const detail::NodePtr base = detail::node_of(x, backend, dtype);
  axis = detail::located(x.where(),
                         [&] { return normalize_axis(axis, base->shape.size(), "shift"); });
  if (base->shape[axis] == 0 && boundary != Boundary::constant)
    throw ShapeError("shift: axis " + std::to_string(axis) + " of shape " + to_string(base->shape) +
                     " is empty" + detail::context(x));
  using NodeKind = detail::Node::Kind;
  bool combine = base->kind.load() == NodeKind::shifted;
  for (const auto& s : base->shifts) combine = combine && s.axis.axis != axis;
  if (!combine) detail::evaluate(base);
  if (offset == 0) return UnifiedArray(base);
  const Scalar none;
  const detail::NodePtr& leaf = combine ? base->in[0] : base;
  detail::NodePtr node =
      detail::make_pointwise(Op::cast, dtype, base->shape, backend, {&leaf, 1}, {&none, 1});
  node->shifts = combine ? base->shifts : std::vector<detail::NodeShift>{};
  node->shifts.push_back({AxisShift{axis, offset, boundary, -1}, fill});
  node->kind.store(NodeKind::shifted);
  if (detail::eager()) detail::evaluate(node);
  return UnifiedArray(std::move(node));
}

void eval(std::initializer_list<const UnifiedArray*> arrays) {
  std::vector<detail::NodePtr> nodes;
  for (const auto* a : arrays) nodes.push_back(a->node());
  detail::evaluate(nodes);
}

}  // namespace isofield
