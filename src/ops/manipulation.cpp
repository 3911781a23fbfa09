#include <algorithm>
#include <isofield/ops.hpp>

#include "core/emit.hpp"
#include "core/node.hpp"
#include "core/transform.hpp"
#include "ops/arranged.hpp"

namespace isofield {
namespace {

using detail::NodePtr;

/// The operand as a leaf, ready to be looked at in another way.
NodePtr leaf_of(const Operand& x) {
  BaseBackend& backend = detail::common_backend("array", {&x, 1});
  const DType dtype = detail::dtype_of(x);
  NodePtr node = detail::node_of(x, backend, dtype);
  detail::evaluate(node);
  return node;
}

UnifiedArray viewed(const NodePtr& node, Layout layout) {
  return UnifiedArray(detail::make_leaf(node->storage, node->dtype, std::move(layout)));
}

/// A target shape with one -1 worked out.
Shape resolved(const Shape& shape, std::int64_t count, const Operand& x) {
  Shape result = shape;
  int open = -1;
  for (int k = 0; k < shape.size(); ++k) {
    if (shape[k] < -1)
      throw ShapeError("reshape: shape " + to_string(shape) + " has a negative length" +
                       detail::context(x));
    if (shape[k] != -1) continue;
    if (open >= 0)
      throw ShapeError("reshape: more than one -1 in " + to_string(shape) + detail::context(x));
    open = k;
  }
  if (open < 0) return result;
  result[open] = 1;
  const std::int64_t known = detail::located(x, [&] { return element_count(result); });
  if (known == 0)
    throw ShapeError("reshape: -1 in " + to_string(shape) + " could be any length" +
                     detail::context(x));
  result[open] = count / known;
  return result;
}

}  // namespace

UnifiedArray reshape(Operand x, const Shape& shape) {
  const NodePtr node = leaf_of(x);
  const std::int64_t count = element_count(node->shape);
  const Shape target = resolved(shape, count, x);
  if (detail::located(x, [&] { return element_count(target); }) != count)
    throw ShapeError("reshape: shape " + to_string(node->shape) + " does not fit " +
                     to_string(shape) + ": " + std::to_string(count) + " elements" +
                     detail::context(x));
  if (detail::wrapped(x)) return detail::transformed_reshape(std::move(x), target);
  if (const auto layout = node->layout().reshape(target)) return viewed(node, *layout);
  const NodePtr packed = detail::contiguous(node);
  return viewed(packed, Layout(target, contiguous_strides(target), packed->offset));
}

UnifiedArray permute_dims(Operand x, const std::vector<int>& order) {
  const NodePtr node = leaf_of(x);
  std::vector<int> axes = order;
  for (int& axis : axes) axis += axis < 0 ? node->shape.size() : 0;
  Layout layout = detail::located(x, [&] { return node->layout().permute(axes); });
  if (detail::wrapped(x)) return detail::transformed_permute(std::move(x), axes);
  return viewed(node, std::move(layout));
}

UnifiedArray matrix_transpose(Operand x) {
  const NodePtr node = leaf_of(x);
  const int rank = node->shape.size();
  if (rank < 2)
    throw ShapeError("matrix_transpose: shape " + to_string(node->shape) +
                     " has fewer than two axes" + detail::context(x));
  std::vector<int> axes(static_cast<std::size_t>(rank));
  for (int k = 0; k < rank; ++k) axes[static_cast<std::size_t>(k)] = k;
  std::swap(axes[axes.size() - 1], axes[axes.size() - 2]);
  if (detail::wrapped(x)) return detail::transformed_permute(std::move(x), axes);
  return viewed(node, node->layout().permute(axes));
}

UnifiedArray broadcast_to(Operand x, const Shape& shape) {
  const NodePtr node = leaf_of(x);
  Layout layout = detail::located(x, [&] { return node->layout().broadcast(shape); });
  if (detail::wrapped(x)) return detail::transformed_broadcast(std::move(x), shape);
  return viewed(node, std::move(layout));
}

UnifiedArray expand_dims(Operand x, int axis) {
  const NodePtr node = leaf_of(x);
  Layout layout = node->layout();
  if (layout.rank() == Dims::max_rank)
    throw ShapeError("expand_dims: shape " + to_string(layout.shape) + " has the largest rank, " +
                     std::to_string(Dims::max_rank) + detail::context(x));
  axis =
      detail::located(x, [&] { return detail::new_axis(axis, layout.rank() + 1, "expand_dims"); });
  layout.shape.insert(axis, 1);
  layout.strides.insert(axis, 0);
  if (detail::wrapped(x)) return detail::transformed_reshape(std::move(x), layout.shape);
  return viewed(node, std::move(layout));
}

UnifiedArray squeeze(Operand x, int axis) {
  const NodePtr node = leaf_of(x);
  Layout layout = node->layout();
  axis = detail::located(x, [&] { return normalize_axis(axis, layout.rank(), "squeeze"); });
  if (layout.shape[axis] != 1)
    throw ShapeError("squeeze: axis " + std::to_string(axis) + " of shape " +
                     to_string(layout.shape) + " does not have length 1" + detail::context(x));
  layout.shape.erase(axis);
  layout.strides.erase(axis);
  if (detail::wrapped(x)) return detail::transformed_reshape(std::move(x), layout.shape);
  return viewed(node, std::move(layout));
}

UnifiedArray flip(Operand x, int axis) {
  const NodePtr node = leaf_of(x);
  axis = detail::located(x, [&] { return normalize_axis(axis, node->shape.size(), "flip"); });
  if (detail::wrapped(x)) return detail::transformed_flip(std::move(x), axis);
  return viewed(node, node->layout().flip(axis));
}

UnifiedArray concat(const std::vector<UnifiedArray>& arrays, std::optional<int> given,
                    std::source_location where) {
  if (arrays.empty()) throw ShapeError("concat: no arrays" + at(where));
  if (!given) {
    std::vector<UnifiedArray> flat;
    for (const auto& a : arrays) flat.push_back(reshape({a, where}, {a.size()}));
    return concat(flat, 0, where);
  }
  int axis = *given;
  std::vector<Operand> operands;
  for (const auto& a : arrays) operands.emplace_back(a, where);
  BaseBackend& backend = detail::common_backend("concat", operands);
  Shape shape = arrays[0].shape();
  DType dtype = arrays[0].dtype();
  axis = detail::located(operands[0], [&] { return normalize_axis(axis, shape.size(), "concat"); });
  for (std::size_t i = 1; i < arrays.size(); ++i) {
    Shape other = arrays[i].shape(), first = arrays[0].shape();
    const bool ranks = other.size() == first.size();
    if (ranks) other[axis] = first[axis];
    if (!ranks || other != first)
      throw ShapeError("concat: shapes " + to_string(first) + " and " +
                       to_string(arrays[i].shape()) + " differ off axis " + std::to_string(axis) +
                       detail::context(operands[i]));
    try {
      dtype = result_type(dtype, arrays[i].dtype());
    } catch (const DTypeError& e) {
      throw DTypeError(std::string("concat: ") + e.what() + detail::context(operands[i]));
    }
    shape[axis] += arrays[i].shape()[axis];
  }
  if (detail::wrapped(operands)) return detail::transformed_concat(operands, axis);
  std::vector<View> parts;
  for (const auto& a : arrays) {
    detail::evaluate(a.node());
    parts.push_back(a.node()->view());
  }
  NodePtr result = detail::make_result(backend, shape, dtype, parts);
  std::int64_t start = 0;
  for (const auto& part : parts) {
    View to = result->view();
    to.layout.offset += start * to.layout.strides[axis];
    to.layout.shape = part.layout.shape;
    start += part.layout.shape[axis];
    if (element_count(part.layout.shape) > 0) detail::copy_elements(part, to, backend);
  }
  return UnifiedArray(std::move(result));
}

UnifiedArray stack(const std::vector<UnifiedArray>& arrays, int axis, std::source_location where) {
  if (arrays.empty()) throw ShapeError("stack: no arrays" + at(where));
  axis = detail::located(Operand(arrays[0], where),
                         [&] { return detail::new_axis(axis, arrays[0].ndim() + 1, "stack"); });
  std::vector<UnifiedArray> expanded;
  for (const auto& a : arrays) {
    if (a.shape() != arrays[0].shape())
      throw ShapeError("stack: shapes " + to_string(arrays[0].shape()) + " and " +
                       to_string(a.shape()) + " differ" + detail::context({a, where}));
    expanded.push_back(detail::as_part_of("stack", [&] { return expand_dims({a, where}, axis); }));
  }
  return detail::as_part_of("stack", [&] { return concat(expanded, axis, where); });
}

}  // namespace isofield
