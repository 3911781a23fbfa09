#include <isofield/linalg.hpp>

#include <isofield/ops.hpp>

#include "core/emit.hpp"
#include "core/node.hpp"
#include "core/step.hpp"
#include "core/transform.hpp"

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

/// Compute those of `nodes` that one program over `shape` cannot compute where they are read; tell
/// whether some of them come from memory that a trace stands for.
bool compute_what_does_not_fit_inside(const std::vector<NodePtr>& nodes, const Shape& shape) {
  bool symbolic = false;
  int weight = 0;
  for (const auto& node : nodes) {
    symbolic = symbolic || node->symbolic;
    weight += node->weight.load(std::memory_order_relaxed);
  }
  const bool too_many = weight > detail::Node::weight_limit;
  std::vector<NodePtr> apart;
  for (const auto& node : nodes)
    if (!node->is_leaf() && (too_many || node->shape != shape || node->symbolic != symbolic))
      apart.push_back(node);
  detail::evaluate(apart);
  return symbolic && detail::tracer();
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
  if (detail::wrapped(operands)) return detail::transformed_matmul(std::move(a), std::move(b));
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
  if (detail::wrapped(operands))
    return detail::transformed_tridiagonal_solve(operands, axis, periodic);
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
  const bool symbolic = compute_what_does_not_fit_inside(nodes, shape);
  detail::Step step;
  step.kind = detail::Step::Kind::tridiagonal;
  step.backend = &backend;
  step.axis = axis;
  step.periodic = periodic;
  step.where = place;
  std::vector<NodePtr> inside, in_memory;
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    NodePtr& node = nodes[k];
    step.computed[k] = !node->is_leaf() || node->shape != shape || !node->layout().contiguous();
    if (!step.computed[k]) step.in.push_back(node->view());
    (step.computed[k] ? inside : in_memory).push_back(std::move(node));
  }
  NodePtr result = detail::make_leaf(detail::make_storage(backend, shape, dtype, symbolic), dtype,
                                     Layout(shape));
  step.out = {result->view()};
  if (element_count(shape) == 0) return UnifiedArray(std::move(result));
  if (inside.empty())
    detail::execute(std::move(step));
  else
    detail::evaluate_inside(inside, shape, std::move(step));
  return UnifiedArray(std::move(result));
}

UnifiedArray vecdot(Operand a, Operand b) { return sum(multiply(std::move(a), std::move(b))); }

}  // namespace isofield::linalg
