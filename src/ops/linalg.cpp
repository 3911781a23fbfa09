#include <isofield/linalg.hpp>

#include <isofield/ops.hpp>

#include "core/emit.hpp"
#include "core/node.hpp"
#include "core/step.hpp"

namespace isofield::linalg {
namespace {

using detail::NodePtr;

/// The operand cast, broadcast and laid out in C order, as kernels of whole arrays want it.
NodePtr packed(const NodePtr& node, const Shape& shape) {
  if (node->shape == shape) return detail::contiguous(node);
  detail::evaluate(node);
  return detail::contiguous(
      detail::make_leaf(node->storage, node->dtype, node->layout().broadcast(shape)));
}

DType floating_type(std::string_view operation, std::span<const Operand> operands) {
  DType dtype = DType::float64;
  bool found = false;
  for (const auto& o : operands) {
    if (o.is_scalar()) continue;
    const DType d = o.node()->dtype;
    if (!is_floating(d))
      throw DTypeError(std::string(operation) + ": needs a floating-point dtype, got " +
                       std::string(name(d)) + detail::context(o));
    dtype = found ? result_type(dtype, d) : d;
    found = true;
  }
  return dtype;
}

Shape leading(const Shape& shape) {
  Shape result;
  for (int k = 0; k + 2 < shape.size(); ++k) result.push_back(shape[k]);
  return result;
}

Shape with_matrix(Shape stack, std::int64_t n, std::int64_t m) {
  stack.push_back(n);
  stack.push_back(m);
  return stack;
}

}  // namespace

UnifiedArray matmul(Operand a, Operand b) {
  if (a.is_scalar() || b.is_scalar() || a.node()->shape.empty() || b.node()->shape.empty())
    throw ShapeError("matmul: operands must be matrices or vectors, not scalars" + at(a.where()));
  const Operand operands[] = {a, b};
  BaseBackend& backend = detail::common_backend("matmul", operands);
  const DType dtype = floating_type("matmul", operands);
  NodePtr x = detail::cast(a.node(), dtype), y = detail::cast(b.node(), dtype);
  const bool row = x->shape.size() == 1, column = y->shape.size() == 1;
  if (row) x = expand_dims(UnifiedArray(x), 0).node();
  if (column) y = expand_dims(UnifiedArray(y), 1).node();
  const int p = x->shape.size(), q = y->shape.size();
  const std::int64_t n = x->shape[p - 2], k = x->shape[p - 1], m = y->shape[q - 1];
  if (k != y->shape[q - 2])
    throw ShapeError("matmul: shapes " + to_string(a.node()->shape) + " and " +
                     to_string(b.node()->shape) + " do not align: " + std::to_string(k) +
                     " != " + std::to_string(y->shape[q - 2]) + detail::context(a));
  const Shape stack = detail::located(
      a, [&] { return broadcast_shapes(leading(x->shape), leading(y->shape), "matmul"); });
  const NodePtr left = packed(x, with_matrix(stack, n, k));
  const NodePtr right = packed(y, with_matrix(stack, k, m));
  detail::Step step;
  step.kind = detail::Step::Kind::matmul;
  step.backend = &backend;
  step.in = {left->view(), right->view()};
  const Shape shape = with_matrix(stack, n, m);
  NodePtr result = detail::make_result(backend, shape, dtype, step.in);
  if (k == 0 || element_count(shape) == 0) {
    if (element_count(shape) > 0) detail::fill_elements(0, result->view(), backend);
  } else {
    step.out = {result->view()};
    detail::execute(std::move(step));
  }
  UnifiedArray product(std::move(result));
  if (column) product = squeeze(product, -1);
  if (row) product = squeeze(product, column ? -1 : -2);
  return product;
}

UnifiedArray tridiagonal_solve(Operand lower, Operand diag, Operand upper, Operand rhs, int axis,
                               bool periodic) {
  Operand operands[] = {std::move(lower), std::move(diag), std::move(upper), std::move(rhs)};
  const std::source_location place = operands[3].where();
  BaseBackend& backend = detail::common_backend("tridiagonal_solve", operands);
  const DType dtype = floating_type("tridiagonal_solve", operands);
  std::vector<NodePtr> nodes;
  Shape shape;
  try {
    for (auto& o : operands) {
      nodes.push_back(detail::node_of(o, backend, dtype));
      o.take();
      shape = broadcast_shapes(shape, nodes.back()->shape, "tridiagonal_solve");
    }
    axis = normalize_axis(axis, shape.size(), "tridiagonal_solve");
  } catch (const ShapeError& e) {
    throw ShapeError(e.what() + detail::context(backend, dtype, place));
  } catch (const IndexError& e) {
    throw IndexError(e.what() + detail::context(backend, dtype, place));
  }
  detail::evaluate(nodes);  // one program for all that are pending
  detail::Step step;
  step.kind = detail::Step::Kind::tridiagonal;
  step.backend = &backend;
  step.axis = axis;
  step.periodic = periodic;
  step.where = place;
  for (auto& node : nodes) {
    node = packed(node, shape);
    step.in.push_back(node->view());
  }
  NodePtr result = detail::make_result(backend, shape, dtype, step.in);
  step.out = {result->view()};
  if (element_count(shape) > 0) detail::execute(std::move(step));
  return UnifiedArray(std::move(result));
}

UnifiedArray vecdot(Operand a, Operand b) { return sum(multiply(std::move(a), std::move(b))); }

}  // namespace isofield::linalg
