#include <isofield/indexing.hpp>

#include <isofield/ops.hpp>

#include "ops/arranged.hpp"
#include "transforms/indexing_rules.hpp"

namespace isofield {
namespace {

using detail::Arranged;
using detail::NodePtr;
using Moves = Arrangement::Kind;

Arrangement::Fold fold_of(Scatter how) {
  switch (how) {
    case Scatter::set: return Arrangement::Fold::set;
    case Scatter::add: return Arrangement::Fold::sum;
    case Scatter::multiply: return Arrangement::Fold::prod;
    case Scatter::min: return Arrangement::Fold::min;
    case Scatter::max: return Arrangement::Fold::max;
  }
  return Arrangement::Fold::set;
}

Shape part(const Shape& shape, int from, int to) {
  Shape result;
  for (int k = from; k < to; ++k) result.push_back(shape[k]);
  return result;
}

Shape joined(Shape a, const Shape& b, const Shape& c, const Arranged& x) {
  if (a.size() + b.size() + c.size() > Dims::max_rank)
    throw ShapeError(std::string(x.operation) + ": indices of shape " + to_string(b) +
                     " make rank " + std::to_string(a.size() + b.size() + c.size()) +
                     ", above the largest, " + std::to_string(Dims::max_rank) + x.context());
  for (const auto n : b) a.push_back(n);
  for (const auto n : c) a.push_back(n);
  return a;
}

/// The shape of indices of lines along `axis` and that of the lines' array, broadcast to each other
/// off the axis.
std::pair<Shape, Shape> along_shapes(const Arranged& x, const Shape& indices, int axis) {
  if (indices.size() != x.rank())
    throw ShapeError(std::string(x.operation) + ": indices of shape " + to_string(indices) +
                     " do not have the rank of shape " + to_string(x.shape()) + x.context());
  Shape of_indices = indices, of_x = x.shape();
  of_indices[axis] = of_x[axis] = 1;
  const Shape off =
      detail::located(x.place, [&] { return broadcast_shapes(of_x, of_indices, x.operation); });
  of_indices = of_x = off;
  of_indices[axis] = indices[axis];
  of_x[axis] = x.shape()[axis];
  return {of_indices, of_x};
}

View broadcast_last(const NodePtr& node, const Shape& shape, int axis) {
  return detail::axis_last(View{node->storage.get(), node->dtype, node->layout().broadcast(shape)},
                           axis);
}

/// New memory with the elements of `x`, which a step on `step.in` then writes to.
NodePtr target_of(const Arranged& x, std::vector<View> in) {
  in.push_back(x.node->view());
  NodePtr target = detail::make_result(x.backend, x.shape(), x.dtype(), in);
  if (element_count(x.shape()) > 0)
    detail::copy_elements(x.node->view(), target->view(), x.backend);
  return target;
}

void check_fold(const Arranged& x, Scatter how) {
  if (how == Scatter::min || how == Scatter::max) x.check_ordered();
  if (how != Scatter::set && x.dtype() == DType::bool_)
    throw DTypeError(std::string(x.operation) + ": needs a numeric dtype, got bool" + x.context());
}

/// Values in the dtype of `x`, as a leaf.
NodePtr checked_values(const Arranged& x, const Operand& values) {
  const DType from = detail::dtype_of(values), to = x.dtype();
  if (!detail::goes_into(values, to))
    throw DTypeError(std::string(x.operation) + ": values of dtype " + std::string(name(from)) +
                     " do not go into an array of dtype " + std::string(name(to)) +
                     "; convert them with astype" + detail::context(values));
  const Operand both[] = {{UnifiedArray(x.node), x.place.where}, values};
  detail::common_backend(x.operation, both);
  NodePtr node = detail::node_of(values, x.backend, to);
  detail::evaluate(node);
  return node;
}

Layout fitted(const Arranged& x, const NodePtr& values, const Shape& shape) {
  return detail::located(x.place, [&] {
    if (broadcast_shapes(values->shape, shape, x.operation) != shape)
      throw ShapeError(std::string(x.operation) + ": values of shape " + to_string(values->shape) +
                       " do not fit into " + to_string(shape));
    return values->layout().broadcast(shape);
  });
}

}  // namespace

UnifiedArray take(Operand x, Operand indices, std::optional<int> given) {
  const Arranged a("take", x);
  const NodePtr index = detail::checked_indices("take", x, indices);
  if (!given && a.rank() != 1)
    throw ShapeError("take: an axis must be given for shape " + to_string(a.shape()) + a.context());
  const int axis = a.axis(given.value_or(0));
  if (const Operand both[] = {x, indices}; detail::wrapped(both))
    return detail::transformed_take(std::move(x), std::move(indices), axis);
  const Shape before = part(a.shape(), 0, axis), after = part(a.shape(), axis + 1, a.rank());
  const Shape shape = joined(before, index->shape, after, a);
  const auto leaves = detail::index_leaves({&index, 1}, before, index->shape);
  detail::Step step = a.step(Moves::gather);
  step.indexed = {"take", {axis}, a.shape()};
  step.arrangement.batch = axis;
  step.in.push_back(leaves[0]->view());
  NodePtr result = detail::make_result(a.backend, shape, a.dtype(), step.in);
  step.out = {result->view()};
  if (element_count(shape) > 0) detail::execute(std::move(step));
  return UnifiedArray(std::move(result));
}

UnifiedArray take_along_axis(Operand x, Operand indices, int axis) {
  const Arranged a("take_along_axis", x);
  const NodePtr given = detail::checked_indices("take_along_axis", x, indices);
  axis = a.axis(axis);
  const auto [shape, lines] = along_shapes(a, given->shape, axis);
  if (const Operand both[] = {x, indices}; detail::wrapped(both))
    return detail::transformed_take_along(std::move(x), std::move(indices), axis);
  const auto leaves = detail::index_leaves({&given, 1}, {}, shape);
  detail::Step step = a.step(Moves::gather);
  step.indexed = {"take_along_axis", {axis}, a.shape(), axis};
  step.arrangement.batch = a.rank() - 1;
  step.in = {broadcast_last(a.node, lines, axis), detail::axis_last(leaves[0]->view(), axis)};
  NodePtr result = detail::make_result(a.backend, shape, a.dtype(), step.in);
  step.out = {detail::axis_last(result->view(), axis)};
  if (element_count(shape) > 0) detail::execute(std::move(step));
  return UnifiedArray(std::move(result));
}

UnifiedArray scatter(Operand x, Operand indices, Operand values, int axis, Scatter how) {
  const Arranged a("scatter", x);
  check_fold(a, how);
  if (Operand all[] = {x, indices, values}; detail::wrapped(all))
    return detail::transformed_scatter(all, a.axis(axis), false, how);
  const NodePtr index = detail::checked_indices("scatter", x, indices);
  const NodePtr source = checked_values(a, values);
  axis = a.axis(axis);
  const Shape before = part(a.shape(), 0, axis), after = part(a.shape(), axis + 1, a.rank());
  const Shape shape = joined(before, index->shape, after, a);
  const auto leaves = detail::index_leaves({&index, 1}, before, index->shape);
  detail::Step step = a.step(Moves::scatter);
  step.indexed = {"scatter", {axis}, a.shape()};
  step.arrangement.batch = axis;
  step.arrangement.fold = fold_of(how);
  step.in = {{source->storage.get(), a.dtype(), fitted(a, source, shape)}, leaves[0]->view()};
  NodePtr target = target_of(a, step.in);
  step.out = {target->view()};
  if (element_count(shape) > 0) detail::execute(std::move(step));
  return UnifiedArray(std::move(target));
}

UnifiedArray scatter_along_axis(Operand x, Operand indices, Operand values, int axis, Scatter how) {
  const Arranged a("scatter_along_axis", x);
  check_fold(a, how);
  if (Operand all[] = {x, indices, values}; detail::wrapped(all))
    return detail::transformed_scatter(all, a.axis(axis), true, how);
  const NodePtr given = detail::checked_indices("scatter_along_axis", x, indices);
  const NodePtr source = checked_values(a, values);
  axis = a.axis(axis);
  const auto [shape, lines] = along_shapes(a, given->shape, axis);
  if (lines != a.shape())
    throw ShapeError("scatter_along_axis: indices of shape " + to_string(given->shape) +
                     " do not fit lines of shape " + to_string(a.shape()) + a.context());
  const auto leaves = detail::index_leaves({&given, 1}, {}, shape);
  detail::Step step = a.step(Moves::scatter);
  step.indexed = {"scatter_along_axis", {axis}, a.shape(), axis};
  step.arrangement.batch = a.rank() - 1;
  step.arrangement.fold = fold_of(how);
  const View from{source->storage.get(), a.dtype(), fitted(a, source, shape)};
  step.in = {detail::axis_last(from, axis), detail::axis_last(leaves[0]->view(), axis)};
  NodePtr target = target_of(a, step.in);
  step.out = {detail::axis_last(target->view(), axis)};
  if (element_count(shape) > 0) detail::execute(std::move(step));
  return UnifiedArray(std::move(target));
}

UnifiedArray one_hot(Operand indices, std::int64_t count, DType dtype) {
  const auto where = indices.where();
  const UnifiedArray index(detail::checked_indices("one_hot", indices, indices));
  if (count < 0)
    throw ShapeError("one_hot: count " + std::to_string(count) + " is negative" + at(where));
  Shape shape = index.shape();
  shape.push_back(count);
  const UnifiedArray places = [&] {
    try {
      return detail::iota(count, index.backend());
    } catch (const OutOfMemory&) {
      detail::throw_no_memory(shape, dtype, detail::context({index, where}));
    }
  }();
  return equal(expand_dims({index, where}, -1), places).astype(dtype);
}

}  // namespace isofield
