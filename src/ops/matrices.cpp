#include "ops/matrices.hpp"

#include <algorithm>
#include <isofield/ops.hpp>

#include "core/step.hpp"
#include "core/transform.hpp"
#include "transforms/matrix_rules.hpp"

namespace isofield::detail {
namespace {

void fill_empty(const Factorization& factorization, const NodePtr& result, std::size_t which) {
  using Kind = Factorization::Kind;
  if (element_count(result->shape) == 0) return;
  if (factorization.kind == Kind::determinant || factorization.kind == Kind::log_determinant)
    fill_elements(which == 0 ? 1 : 0, result->view(), *result->backend);
  else
    fill_identity(result);
}

}  // namespace

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

NodePtr packed(const NodePtr& node, const Shape& shape) {
  if (node->shape == shape) return contiguous(node);
  if (wrapped(node)) return broadcast_to(UnifiedArray(node), shape).node();
  evaluate(node);
  return contiguous(make_leaf(node->storage, node->dtype, node->layout().broadcast(shape)));
}

UnifiedArray conj_if_complex(Operand x) {
  const std::source_location where = x.where();
  const bool complex = is_complex(x.node()->dtype);
  UnifiedArray array(x.take());
  return complex ? conj({std::move(array), where}) : array;
}

DType inexact_type(std::string_view operation, std::span<const Operand> operands) {
  for (const auto& o : operands)
    if (!o.is_scalar() && !is_floating(o.node()->dtype) && !is_complex(o.node()->dtype))
      throw DTypeError(std::string(operation) + ": needs a floating-point dtype, got " +
                       std::string(name(o.node()->dtype)) + "; convert with astype" + context(o));
  return located(operands[0], [&] { return promoted(operation, operands); });
}

DType numeric_type(std::string_view operation, std::span<const Operand> operands) {
  for (const auto& o : operands)
    if (!o.is_scalar() && o.node()->dtype == DType::bool_)
      throw DTypeError(std::string(operation) + ": needs a numeric dtype, got bool" + context(o));
  return located(operands[0], [&] { return promoted(operation, operands); });
}

void check_square(std::string_view operation, const Shape& shape, const Place& place) {
  if (shape[shape.size() - 2] != shape.back())
    throw ShapeError(std::string(operation) + ": needs square matrices, got shape " +
                     to_string(shape) + context(place));
}

Matrices matrices(std::string_view operation, Operand x, bool square) {
  const DType dtype = inexact_type(operation, {&x, 1});
  if (x.is_scalar())
    throw ShapeError(std::string(operation) + ": needs a matrix, got a scalar" + at(x.where()));
  const Place place{*x.node()->backend, dtype, x.where()};
  NodePtr node = x.take();
  const Shape& shape = node->shape;
  if (shape.size() < 2)
    throw ShapeError(std::string(operation) + ": needs a matrix, got shape " + to_string(shape) +
                     context(place));
  if (square) check_square(operation, shape, place);
  const std::int64_t m = shape[shape.size() - 2], n = shape.back();
  Shape stack = leading(shape);
  return {std::move(node), place, std::move(stack), m, n};
}

std::vector<UnifiedArray> factorized(std::string_view operation, const Factorization& factorization,
                                     std::span<const NodePtr> in, std::span<const Result> results,
                                     const Place& place, bool tolerant) {
  if (std::any_of(in.begin(), in.end(), [](const NodePtr& node) { return wrapped(node); }))
    return transformed_factorization(operation, factorization, in, results, place, tolerant);
  BaseBackend& backend = *in[0]->backend;
  Step step;
  step.kind = Step::Kind::factorization;
  step.backend = &backend;
  step.where = place.where;
  step.factorization = factorization;
  step.operation = operation;
  step.tolerant = tolerant;
  for (const auto& node : in) step.in.push_back(node->view());
  std::vector<NodePtr> nodes;
  for (const auto& r : results) {
    nodes.push_back(make_result(backend, r.shape, r.dtype, step.in));
    step.out.push_back(nodes.back()->view());
  }
  const bool empty = std::any_of(in.begin(), in.end(),
                                 [](const NodePtr& n) { return element_count(n->shape) == 0; });
  if (!empty) execute(std::move(step));
  std::vector<UnifiedArray> arrays;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (empty) fill_empty(factorization, nodes[i], i);
    arrays.emplace_back(std::move(nodes[i]));
  }
  return arrays;
}

Layout diagonal_of(const Layout& layout, std::int64_t offset) {
  const int rank = layout.rank();
  const std::int64_t m = layout.shape[rank - 2], n = layout.shape[rank - 1];
  const std::int64_t down = layout.strides[rank - 2], across = layout.strides[rank - 1];
  const std::int64_t length =
      std::max<std::int64_t>(0, offset >= 0 ? std::min(m, n - offset) : std::min(m + offset, n));
  Layout result(leading(layout.shape), leading(layout.strides), layout.offset);
  if (length > 0) result.offset += offset >= 0 ? offset * across : -offset * down;
  result.shape.push_back(length);
  result.strides.push_back(down + across);
  return result;
}

void fill_identity(const NodePtr& matrices) {
  fill_elements(0, matrices->view(), *matrices->backend);
  View diagonal = matrices->view();
  diagonal.layout = diagonal_of(diagonal.layout, 0);
  if (element_count(diagonal.layout.shape) > 0) fill_elements(1, diagonal, *matrices->backend);
}

}  // namespace isofield::detail
