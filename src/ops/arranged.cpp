#include "ops/arranged.hpp"

#include <isofield/indexing.hpp>
#include <isofield/ops.hpp>
#include <isofield/sorting.hpp>
#include <numeric>

#include "transforms/indexing_rules.hpp"

namespace isofield::detail {

Arranged::Arranged(std::string_view name, const Operand& x)
    : operation(name),
      backend(common_backend(name, {&x, 1})),
      place{backend, dtype_of(x), x.where()},
      node(node_of(x, backend, place.dtype)) {
  evaluate(node);
}

int Arranged::axis(std::int64_t axis) const {
  return located(place, [&] { return normalize_axis(axis, rank(), operation); });
}

int new_axis(std::int64_t axis, int rank, std::string_view operation) {
  if (axis < -rank || axis >= rank)
    throw IndexError(std::string(operation) + ": there is no place " + std::to_string(axis) +
                     " for a new axis in a result of rank " + std::to_string(rank));
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

int Arranged::axis_or_flat(std::optional<int> given) {
  if (given) return axis(*given);
  node = reshape(UnifiedArray(node), {-1}).node();
  return 0;
}

void Arranged::check_ordered() const {
  if (kind(dtype()) == Kind::complex)
    throw DTypeError(std::string(operation) + ": complex numbers have no order, got " +
                     std::string(name(dtype())) + context());
}

Step Arranged::step(Arrangement::Kind kind) const {
  Step step;
  step.kind = Step::Kind::arrange;
  step.backend = &backend;
  step.where = place.where;
  step.arrangement.kind = kind;
  step.in = {node->view()};
  return step;
}

Layout axis_last(const Layout& layout, int axis) {
  std::vector<int> axes;
  for (int k = 0; k < layout.rank(); ++k)
    if (k != axis) axes.push_back(k);
  axes.push_back(axis);
  return layout.permute(axes);
}

View axis_last(View view, int axis) {
  view.layout = axis_last(view.layout, axis);
  return view;
}

NodePtr checked_indices(std::string_view operation, const Operand& x, const Operand& indices) {
  const Operand both[] = {x, indices};
  BaseBackend& backend = common_backend(operation, both);
  const DType dtype = dtype_of(indices);
  if (!is_integer(dtype))
    throw DTypeError(std::string(operation) + ": indices must be integers, not " +
                     std::string(name(dtype)) + context(indices));
  return node_of(indices, backend, int64);
}

UnifiedArray int64s(const std::vector<std::int64_t>& values, BaseBackend& backend) {
  return asarray(std::span<const std::int64_t>(values),
                 Shape{static_cast<std::int64_t>(values.size())}, &backend);
}

void Arranged::check_size(const Shape& shape) const {
  located(place, [&] { return byte_count(shape, dtype()); });
}

UnifiedArray iota(std::int64_t n, BaseBackend& backend) {
  (void)byte_count({n}, DType::int64);  // throws where there are too many
  auto values = host_elements<std::int64_t>(n, DType::int64, {n});
  std::iota(values.begin(), values.end(), std::int64_t{0});
  return int64s(values, backend);
}

Scalar zero_of(DType dtype) { return dtype == DType::bool_ ? Scalar(false) : Scalar(0); }

UnifiedArray inexact(std::string_view operation, const Operand& x) {
  const Arranged a(operation, x);
  if (a.dtype() == DType::bool_)
    throw DTypeError(std::string(operation) + ": needs a numeric dtype, got bool" + a.context());
  const UnifiedArray values(a.node);
  return is_integer(a.dtype()) ? values.astype(float64) : values;
}

UnifiedArray flat(const UnifiedArray& x) { return reshape(x, {x.size()}); }

namespace {

/// Places have no derivatives; values are those at the places.
Sorted transformed_sorted(const Arranged& a, int axis, bool descending) {
  const auto places_along = [=](int along) {
    return [=](std::span<Operand> in) { return argsort(std::move(in[0]), along, descending); };
  };
  Operand x(UnifiedArray(a.node), a.place.where);
  UnifiedArray places =
      transformed_places(a.operation, {&x, 1}, places_along(axis), places_along(axis + 1));
  return {take_along_axis(UnifiedArray(a.node), places, axis), places};
}

}  // namespace

Sorted sorted(std::string_view operation, Operand x, int axis, bool descending, bool values,
              bool places) {
  const Arranged a(operation, x);
  a.check_ordered();
  axis = a.axis(axis);
  if (wrapped(a.node)) return transformed_sorted(a, axis, descending);
  Step step = a.step(Arrangement::Kind::sort);
  step.in = {axis_last(a.node->view(), axis)};
  step.arrangement.descending = descending;
  step.arrangement.values = values;
  step.arrangement.places = places;
  NodePtr results[2];
  const auto add = [&](NodePtr& result, DType dtype) {
    result = make_result(a.backend, a.shape(), dtype, step.in);
    step.out.push_back(axis_last(result->view(), axis));
  };
  if (values) add(results[0], a.dtype());
  if (places) add(results[1], DType::int64);
  if (element_count(a.shape()) > 0) execute(std::move(step));
  return {UnifiedArray(std::move(results[0])), UnifiedArray(std::move(results[1]))};
}

}  // namespace isofield::detail
