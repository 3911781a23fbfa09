#include <isofield/indexing.hpp>
#include <isofield/ops.hpp>
#include <isofield/searching.hpp>
#include <isofield/sorting.hpp>

#include "ops/arranged.hpp"
#include "transforms/indexing_rules.hpp"

namespace isofield {
namespace {

using detail::Arranged;
using detail::NodePtr;

UnifiedArray extreme(std::string_view operation, Arrangement::Fold fold, const Operand& x,
                     std::optional<int> given, bool keepdims) {
  Arranged a(operation, x);
  a.check_ordered();
  const Shape whole = a.shape();
  const int axis = a.axis_or_flat(given);
  if (a.shape()[axis] == 0)
    throw ShapeError(std::string(operation) + ": axis " + std::to_string(axis) + " of shape " +
                     to_string(whole) + " is empty" + a.context());
  if (detail::wrapped(a.node)) {
    const auto along = [=](int k) {
      return [=](std::span<Operand> in) { return extreme(operation, fold, in[0], k, keepdims); };
    };
    Operand line(UnifiedArray(a.node), a.place.where);
    const UnifiedArray places =
        detail::transformed_places(operation, {&line, 1}, along(axis), along(axis + 1));
    return given || !keepdims ? places : reshape(places, Shape(whole.size(), 1));
  }
  detail::Step step = a.step(Arrangement::Kind::extremum);
  step.in = {detail::axis_last(a.node->view(), axis)};
  step.arrangement.fold = fold;
  Shape shape = a.shape();
  shape.erase(axis);
  const NodePtr result = detail::make_result(a.backend, shape, DType::int64, step.in);
  step.out = {result->view()};
  if (element_count(shape) > 0) detail::execute(std::move(step));
  UnifiedArray places(result);
  if (!keepdims) return places;
  return given ? expand_dims(places, axis) : reshape(places, Shape(whole.size(), 1));
}

/// Truth values: whether elements are not zero.
UnifiedArray truth(Operand x) {
  if (detail::dtype_of(x) != DType::bool_) return not_equal(std::move(x), 0);
  return UnifiedArray(Arranged("nonzero", x).node);
}

}  // namespace

UnifiedArray argmax(Operand x, std::optional<int> axis, bool keepdims) {
  return extreme("argmax", Arrangement::Fold::max, x, axis, keepdims);
}
UnifiedArray argmin(Operand x, std::optional<int> axis, bool keepdims) {
  return extreme("argmin", Arrangement::Fold::min, x, axis, keepdims);
}

UnifiedArray count_nonzero(Operand x) {
  const auto where = x.where();
  return sum({truth(std::move(x)).astype(int64), where});
}
UnifiedArray count_nonzero(Operand x, const std::vector<int>& axes, bool keepdims) {
  const auto where = x.where();
  return sum({truth(std::move(x)).astype(int64), where}, axes, keepdims);
}

std::vector<UnifiedArray> nonzero(Operand x) {
  const Arranged a("nonzero", x);
  if (a.rank() == 0) throw ShapeError("nonzero: an array of rank 0 has no places" + a.context());
  std::vector<UnifiedArray> result;
  const NodePtr mask = truth(UnifiedArray(a.node)).node();
  for (auto& places : detail::true_places(mask, "nonzero", a.place.where))
    result.emplace_back(std::move(places));
  return result;
}

UnifiedArray searchsorted(Operand x1, Operand x2, Side side,
                          const std::optional<UnifiedArray>& sorter) {
  const auto where = x1.where();
  if (sorter) {
    const Arranged keys("searchsorted", x1);
    if (sorter->shape() != keys.shape())
      throw ShapeError("searchsorted: a sorter of shape " + to_string(sorter->shape()) +
                       " for shape " + to_string(keys.shape()) + keys.context());
    x1 = {take(std::move(x1), {*sorter, where}, 0), where};
  }
  const Operand both[] = {x1, x2};
  BaseBackend& backend = detail::common_backend("searchsorted", both);
  const Arranged line("searchsorted", x1);
  line.check_ordered();
  if (line.rank() != 1)
    throw ShapeError("searchsorted: shape " + to_string(line.shape()) + " is not one axis" +
                     line.context());
  const DType other = detail::dtype_of(x2);
  const DType dtype = x2.is_scalar() ? line.dtype() : detail::located(line.place, [&] {
    return result_type(line.dtype(), other);
  });
  if (x2.is_scalar() && !detail::goes_into(x2, dtype))
    throw DTypeError("searchsorted: " + x2.scalar().text() + " does not go into dtype " +
                     std::string(name(dtype)) + line.context());
  if (Operand all[] = {x1, x2}; detail::wrapped(all))
    return detail::transformed_places(
        "searchsorted", all,
        [=](std::span<Operand> in) { return searchsorted(std::move(in[0]), in[1], side); }, {});
  const NodePtr sorted = detail::cast(line.node, dtype),
                values = detail::node_of(x2, backend, dtype);
  detail::evaluate(sorted);
  detail::evaluate(values);
  detail::Step step = line.step(Arrangement::Kind::search);
  step.in = {sorted->view(), values->view()};
  step.arrangement.right = side == Side::right;
  NodePtr result = detail::make_result(backend, values->shape, DType::int64, step.in);
  step.out = {result->view()};
  if (element_count(values->shape) > 0) detail::execute(std::move(step));
  return UnifiedArray(std::move(result));
}

UnifiedArray sort(Operand x, int axis, bool descending, bool) {
  return detail::sorted("sort", std::move(x), axis, descending, true, false).values;
}

UnifiedArray argsort(Operand x, int axis, bool descending, bool) {
  return detail::sorted("argsort", std::move(x), axis, descending, false, true).places;
}

}  // namespace isofield
