// Systems along lines.
#include <isofield/linalg.hpp>

#include <isofield/ops.hpp>

#include "core/emit.hpp"
#include "core/node.hpp"
#include "core/step.hpp"
#include "core/transform.hpp"

namespace isofield::linalg {
namespace {

using detail::NodePtr;

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

}  // namespace

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

}  // namespace isofield::linalg
