// Products of matrices, vectors and arrays.
#include <algorithm>
#include <cstdlib>
#include <isofield/linalg.hpp>
#include <numeric>

#include "core/step.hpp"
#include "core/transform.hpp"
#include "ops/matrices.hpp"

namespace isofield::linalg {
namespace {

using detail::NodePtr;
using Where = std::source_location;

const Shape& shape_of(std::string_view operation, const Operand& x) {
  if (x.is_scalar())
    throw ShapeError(std::string(operation) + ": operands must be arrays, not scalars" +
                     at(x.where()));
  return x.node()->shape;
}

std::string do_not_fit(std::string_view operation, const Shape& a, const Shape& b) {
  return std::string(operation) + ": shapes " + to_string(a) + " and " + to_string(b) +
         " do not fit: ";
}

/// Element i along an axis, which is gone after.
UnifiedArray element(const UnifiedArray& x, int axis, std::int64_t i, const Where& where) {
  std::vector<Index> indices(static_cast<std::size_t>(axis), Index(all_of, where));
  indices.emplace_back(i, where);
  return x.index(indices);
}

/// The axes of an array of this rank that are not in a list, in order.
std::vector<int> others(int rank, const std::vector<int>& axes) {
  std::vector<int> result;
  for (int k = 0; k < rank; ++k)
    if (std::find(axes.begin(), axes.end(), k) == axes.end()) result.push_back(k);
  return result;
}

std::vector<int> normalized(const Operand& x, const std::vector<int>& axes, int rank) {
  std::vector<int> result;
  for (const int axis : axes) {
    result.push_back(detail::located(x, [&] { return normalize_axis(axis, rank, "tensordot"); }));
    if (std::count(result.begin(), result.end(), result.back()) > 1)
      throw IndexError("tensordot: axis " + std::to_string(axis) + " appears twice" +
                       detail::context(x));
  }
  return result;
}

std::vector<int> joined(std::vector<int> a, const std::vector<int>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

UnifiedArray matmul(Operand x1, Operand x2) {
  if (x1.is_scalar() || x2.is_scalar() || x1.node()->shape.empty() || x2.node()->shape.empty())
    throw ShapeError("matmul: operands must be matrices or vectors, not scalars" + at(x1.where()));
  const Operand operands[] = {x1, x2};
  BaseBackend& backend = detail::common_backend("matmul", operands);
  const DType dtype = detail::numeric_type("matmul", operands);
  if (detail::wrapped(operands)) return detail::transformed_matmul(std::move(x1), std::move(x2));
  NodePtr a = detail::cast(x1.node(), dtype), b = detail::cast(x2.node(), dtype);
  const bool row = a->shape.size() == 1, column = b->shape.size() == 1;
  if (row) a = expand_dims(UnifiedArray(a), 0).node();
  if (column) b = expand_dims(UnifiedArray(b), 1).node();
  const int p = a->shape.size(), q = b->shape.size();
  const std::int64_t n = a->shape[p - 2], k = a->shape[p - 1], m = b->shape[q - 1];
  if (k != b->shape[q - 2])
    throw ShapeError("matmul: shapes " + to_string(x1.node()->shape) + " and " +
                     to_string(x2.node()->shape) + " do not align: " + std::to_string(k) +
                     " != " + std::to_string(b->shape[q - 2]) + detail::context(x1));
  const Shape stack = detail::located(x1, [&] {
    return broadcast_shapes(detail::leading(a->shape), detail::leading(b->shape), "matmul");
  });
  const NodePtr left = detail::packed(a, detail::with_matrix(stack, n, k));
  const NodePtr right = detail::packed(b, detail::with_matrix(stack, k, m));
  detail::Step step;
  step.kind = detail::Step::Kind::matmul;
  step.backend = &backend;
  step.in = {left->view(), right->view()};
  const Shape shape = detail::with_matrix(stack, n, m);
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

UnifiedArray vecdot(Operand x1, Operand x2, int axis) {
  const Where where = x1.where();
  const Shape a = shape_of("vecdot", x1), b = shape_of("vecdot", x2);
  const Operand operands[] = {x1, x2};
  (void)detail::common_backend("vecdot", operands);
  (void)detail::numeric_type("vecdot", operands);
  const int p = detail::located(x1, [&] { return normalize_axis(axis, a.size(), "vecdot"); });
  const int q = detail::located(x2, [&] { return normalize_axis(axis, b.size(), "vecdot"); });
  if (a[p] != b[q])
    throw ShapeError(do_not_fit("vecdot", a, b) + std::to_string(a[p]) +
                     " != " + std::to_string(b[q]) + " along axis " + std::to_string(axis) +
                     detail::context(x1));
  // An axis counted from the front means another one where ranks differ.
  const int at = axis < 0 ? axis : p - std::max(a.size(), b.size());
  if (axis >= 0 && a.size() != b.size())
    throw ShapeError(do_not_fit("vecdot", a, b) + "count the axis from the last, as " +
                     std::to_string(axis - std::min(a.size(), b.size())) + detail::context(x1));
  const UnifiedArray products =
      multiply({detail::conj_if_complex(std::move(x1)), where}, std::move(x2));
  return sum({products, where}, std::vector{at}, false, products.dtype());
}

UnifiedArray tensordot(Operand x1, Operand x2, const std::vector<int>& axes1,
                       const std::vector<int>& axes2) {
  const Where where = x1.where();
  const Shape a = shape_of("tensordot", x1), b = shape_of("tensordot", x2);
  if (axes1.size() != axes2.size())
    throw ShapeError("tensordot: " + std::to_string(axes1.size()) + " axes of the first operand, " +
                     std::to_string(axes2.size()) + " of the second" + detail::context(x1));
  const std::vector<int> inner1 = normalized(x1, axes1, a.size()),
                         inner2 = normalized(x2, axes2, b.size());
  std::int64_t n = 1, k = 1, m = 1;
  for (std::size_t i = 0; i < inner1.size(); ++i) {
    if (a[inner1[i]] != b[inner2[i]])
      throw ShapeError(do_not_fit("tensordot", a, b) + std::to_string(a[inner1[i]]) + " != " +
                       std::to_string(b[inner2[i]]) + " along axes " + std::to_string(axes1[i]) +
                       " and " + std::to_string(axes2[i]) + detail::context(x1));
    k *= a[inner1[i]];
  }
  const std::vector<int> outer1 = others(a.size(), inner1), outer2 = others(b.size(), inner2);
  Shape shape;
  for (const int axis : outer1) {
    shape.push_back(a[axis]);
    n *= a[axis];
  }
  for (const int axis : outer2) {
    shape.push_back(b[axis]);
    m *= b[axis];
  }
  const UnifiedArray left = permute_dims(std::move(x1), joined(outer1, inner1));
  const UnifiedArray right = permute_dims(std::move(x2), joined(inner2, outer2));
  return reshape(matmul({reshape(left, {n, k}), where}, {reshape(right, {k, m}), where}), shape);
}

UnifiedArray tensordot(Operand x1, Operand x2, int axes) {
  const int a = shape_of("tensordot", x1).size(), b = shape_of("tensordot", x2).size();
  if (axes < 0 || axes > std::min(a, b))
    throw ShapeError("tensordot: " + std::to_string(axes) + " axes of shapes " +
                     to_string(x1.node()->shape) + " and " + to_string(x2.node()->shape) +
                     detail::context(x1));
  std::vector<int> last, first;
  for (int k = 0; k < axes; ++k) {
    last.push_back(a - axes + k);
    first.push_back(k);
  }
  return tensordot(std::move(x1), std::move(x2), last, first);
}

UnifiedArray outer(Operand x1, Operand x2) {
  const Where where = x1.where();
  for (const Operand* x : {&x1, &x2})
    if (shape_of("outer", *x).size() != 1)
      throw ShapeError("outer: needs vectors, got shape " + to_string(x->node()->shape) +
                       detail::context(*x));
  const Operand operands[] = {x1, x2};
  (void)detail::numeric_type("outer", operands);
  const UnifiedArray column = expand_dims(std::move(x1), 1), row = expand_dims(std::move(x2), 0);
  return multiply({column, where}, {row, where});
}

UnifiedArray kron(Operand x1, Operand x2) {
  const Where where = x1.where();
  const Shape a = shape_of("kron", x1), b = shape_of("kron", x2);
  const int rank = std::max(a.size(), b.size());
  if (2 * rank > Dims::max_rank)
    throw ShapeError("kron: shapes " + to_string(a) + " and " + to_string(b) +
                     " have too many axes" + detail::context(x1));
  // Blocks: axes of the two by turns.
  Shape left, right, shape;
  for (int k = 0; k < rank; ++k) {
    const int i = k - (rank - a.size()), j = k - (rank - b.size());
    const std::int64_t n = i < 0 ? 1 : a[i], m = j < 0 ? 1 : b[j];
    left.push_back(n);
    left.push_back(1);
    right.push_back(1);
    right.push_back(m);
    shape.push_back(n * m);
  }
  const UnifiedArray blocks =
      multiply({reshape(std::move(x1), left), where}, {reshape(std::move(x2), right), where});
  return reshape({blocks, where}, shape);
}

UnifiedArray cross(Operand x1, Operand x2, int axis) {
  const Where where = x1.where();
  const Operand operands[] = {x1, x2};
  const int ranks[] = {shape_of("cross", x1).size(), shape_of("cross", x2).size()};
  (void)detail::common_backend("cross", operands);
  (void)detail::numeric_type("cross", operands);
  std::vector<UnifiedArray> parts[2];
  for (std::size_t i = 0; i < 2; ++i) {
    const Operand& x = operands[i];
    const int k = detail::located(x, [&] { return normalize_axis(axis, ranks[i], "cross"); });
    if (x.node()->shape[k] != 3)
      throw ShapeError("cross: axis " + std::to_string(axis) + " of shape " +
                       to_string(x.node()->shape) + " does not have length 3" + detail::context(x));
    for (int c = 0; c < 3; ++c) parts[i].push_back(element(x.array(), k, c, where));
  }
  const auto& [a, b] = parts;
  std::vector<UnifiedArray> result;
  for (std::size_t i = 0; i < 3; ++i) {
    const std::size_t j = (i + 1) % 3, k = (i + 2) % 3;
    const UnifiedArray one = multiply({a[j], where}, {b[k], where});
    const UnifiedArray two = multiply({a[k], where}, {b[j], where});
    result.push_back(subtract({one, where}, {two, where}));
  }
  return stack(result, axis, where);
}

UnifiedArray matrix_power(Operand x, std::int64_t n) {
  const Where where = x.where();
  if (x.is_scalar() || x.node()->shape.size() < 2)
    throw ShapeError("matrix_power: needs a matrix" + detail::context(x));
  (void)detail::numeric_type("matrix_power", {&x, 1});
  const detail::Place place{*x.node()->backend, x.node()->dtype, where};
  const Shape shape = x.node()->shape;
  detail::check_square("matrix_power", shape, place);
  UnifiedArray base = n < 0 ? inv(std::move(x)) : UnifiedArray(x.take());
  if (n == 0 && detail::wrapped(base.node()))
    return broadcast_to(eye(shape.back(), base.dtype(), &base.backend()), shape);
  if (n == 0) {
    const View from = (detail::evaluate(base.node()), base.node()->view());
    NodePtr one = detail::make_result(*from.storage->backend, shape, base.dtype(), {&from, 1});
    if (element_count(shape) > 0) detail::fill_identity(one);
    return UnifiedArray(std::move(one));
  }
  std::optional<UnifiedArray> power;
  for (auto left = n < 0 ? 0 - static_cast<std::uint64_t>(n) : static_cast<std::uint64_t>(n);;) {
    if (left & 1) power = power ? matmul({*power, where}, {base, where}) : base;
    left >>= 1;
    if (left == 0) return *power;
    base = matmul({base, where}, {base, where});
  }
}

}  // namespace isofield::linalg
