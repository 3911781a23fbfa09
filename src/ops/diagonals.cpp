#include <cstdlib>
#include <isofield/linalg.hpp>

#include "core/transform.hpp"
#include "ops/matrices.hpp"

namespace isofield::linalg {
namespace {

using detail::NodePtr;

/// The operand as a leaf with two axes at least.
NodePtr matrix_leaf(std::string_view operation, const Operand& x, int least) {
  BaseBackend& backend = detail::common_backend(operation, {&x, 1});
  NodePtr node = detail::node_of(x, backend, detail::dtype_of(x));
  if (node->shape.size() < least)
    throw ShapeError(std::string(operation) + ": needs " +
                     (least == 2 ? "a matrix" : "a vector or a matrix") + ", got shape " +
                     to_string(node->shape) + detail::context(x));
  detail::evaluate(node);
  return node;
}

/// The elements of a diagonal in the rows of matrices, one behind the other.
Index places_of(const Layout& diagonal, std::int64_t columns) {
  const std::int64_t n = diagonal.shape.back(), step = columns + 1;
  return Slice{diagonal.offset, n > 0 ? diagonal.offset + (n - 1) * step + 1 : diagonal.offset,
               step};
}

UnifiedArray diagonal_view(const NodePtr& node, int offset) {
  if (detail::wrapped(node)) {
    const Layout matrix(Shape{node->shape[node->shape.size() - 2], node->shape.back()});
    Shape rows = detail::leading(node->shape);
    rows.push_back(element_count(matrix.shape));
    return reshape(UnifiedArray(node), rows)
        .index({ellipsis, places_of(detail::diagonal_of(matrix, offset), matrix.shape[1])});
  }
  return UnifiedArray(
      detail::make_leaf(node->storage, node->dtype, detail::diagonal_of(node->layout(), offset)));
}

}  // namespace

UnifiedArray diagonal(Operand x, int offset) {
  return diagonal_view(matrix_leaf("diagonal", x, 2), offset);
}

UnifiedArray trace(Operand x, int offset, std::optional<DType> dtype) {
  const std::source_location where = x.where();
  UnifiedArray elements = diagonal_view(matrix_leaf("trace", x, 2), offset);
  return sum({std::move(elements), where}, std::vector{-1}, false, dtype);
}

UnifiedArray diag(Operand x, int offset) {
  const NodePtr node = matrix_leaf("diag", x, 1);
  if (node->shape.size() > 1) return diagonal_view(node, offset);
  const std::int64_t n = node->shape[0] + std::abs(offset);
  if (detail::wrapped(node)) {
    UnifiedArray elements = zeros({n * n}, node->dtype, node->backend);
    const Index places = places_of(detail::diagonal_of(Layout(Shape{n, n}), offset), n);
    elements.assign({&places, 1}, UnifiedArray(node));
    return reshape(elements, {n, n});
  }
  const View from = node->view();
  BaseBackend& backend = *node->backend;
  NodePtr result = detail::make_result(backend, {n, n}, node->dtype, {&from, 1});
  if (n == 0) return UnifiedArray(std::move(result));
  detail::fill_elements(0, result->view(), backend);
  View to = result->view();
  to.layout = detail::diagonal_of(to.layout, offset);
  if (node->shape[0] > 0) detail::copy_elements(from, to, backend);
  return UnifiedArray(std::move(result));
}

}  // namespace isofield::linalg
