#include <algorithm>
#include <cmath>
#include <isofield/linalg.hpp>

#include "core/transform.hpp"
#include "ops/matrices.hpp"
#include "transforms/matrix_rules.hpp"

namespace isofield::linalg {
namespace {

using Where = std::source_location;
constexpr double infinity = std::numeric_limits<double>::infinity();

double epsilon(DType dtype) {
  return real_dtype(dtype) == DType::float32 ? std::numeric_limits<float>::epsilon()
                                             : std::numeric_limits<double>::epsilon();
}

std::vector<int> every_axis(int rank) {
  std::vector<int> axes;
  for (int k = 0; k < rank; ++k) axes.push_back(k);
  return axes;
}

/// An operand that has a real or complex floating-point dtype, as an array.
UnifiedArray inexact(std::string_view operation, Operand x) {
  const DType dtype = detail::inexact_type(operation, {&x, 1});
  if (!x.is_scalar()) return UnifiedArray(x.take());
  return UnifiedArray(detail::node_of(x, detail::common_backend(operation, {&x, 1}), dtype));
}

/// A root of sums, whose derivative at 0 is infinite; where it is taken, it is 0 as that of `abs`.
template <class F>
UnifiedArray root(const UnifiedArray& sums, const Where& where, F of) {
  if (!detail::wrapped(sums.node())) return of(sums);
  const UnifiedArray none = equal({sums, where}, 0.0);
  return isofield::where({none, where}, 0.0, of(isofield::where({none, where}, 1.0, sums)));
}

/// Sum of |x|^2, square root.
UnifiedArray euclidean(const UnifiedArray& x, const std::vector<int>& axes, bool keepdims,
                       const Where& where) {
  const UnifiedArray size = is_complex(x.dtype()) ? abs({x, where}) : x;
  return root(sum(square({size, where}), axes, keepdims), where, [&](const UnifiedArray& sums) {
    return sqrt({sums, where});
  });
}

/// The same with a shape that has 1 for each axis that is gone.
UnifiedArray with_ones(UnifiedArray x, std::vector<int> axes) {
  std::sort(axes.begin(), axes.end());
  for (const int axis : axes) x = expand_dims(std::move(x), axis);
  return x;
}

/// Sums over `inner` first, then the largest or the smallest over `outer`.
UnifiedArray extreme_sum(const UnifiedArray& x, int inner, int outer, bool largest, bool keepdims,
                         const Where& where) {
  const UnifiedArray sums = sum(abs({x, where}), {inner}, true);
  const UnifiedArray result =
      largest ? max({sums, where}, {outer}, true) : min({sums, where}, {outer}, true);
  if (keepdims) return result;
  return squeeze({squeeze({result, where}, -1), where}, -1);
}

/// The largest, the smallest or the sum of the singular values of matrices of at least one element.
UnifiedArray of_singular_values(const UnifiedArray& x, const MatrixOrder& ord, bool keepdims,
                                const Where& where) {
  const UnifiedArray s = svdvals({x, where});
  UnifiedArray result = !ord.name().empty() ? sum({s, where}, {-1})
                        : ord.value() > 0   ? max({s, where}, {-1})
                                            : min({s, where}, {-1});
  if (!keepdims) return result;
  return expand_dims({expand_dims({result, where}, -1), where}, -1);
}

/// Singular values above the tolerance, and all of them.
struct Kept {
  UnifiedArray larger;  ///< bool
  UnifiedArray S;
};
Kept kept_values(const UnifiedArray& S, std::int64_t m, std::int64_t n,
                 const std::optional<Operand>& rtol, const Where& where) {
  Operand relative =
      rtol ? *rtol : Operand(static_cast<double>(std::max(m, n)) * epsilon(S.dtype()), where);
  if (!relative.is_scalar() && relative.node()->shape.size() > 0)
    relative = Operand(expand_dims(relative, -1), where);
  const UnifiedArray largest = max({S, where}, {-1}, true);
  return {greater({S, where}, multiply({largest, where}, std::move(relative))), S};
}

/// 1 / S where S is kept, else 0.
UnifiedArray inverted(const Kept& kept, const Where& where) {
  const UnifiedArray safe = isofield::where({kept.larger, where}, {kept.S, where}, 1.0);
  return isofield::where({kept.larger, where}, reciprocal({safe, where}), 0.0);
}

UnifiedArray adjoint(const UnifiedArray& x, const Where& where) {
  return detail::conj_if_complex({matrix_transpose({x, where}), where});
}

UnifiedArray count_of(const UnifiedArray& flags, const Where& where) {
  return sum({flags, where}, {-1});
}

/// Throw ArgumentError unless matrices have a norm of this order.
void check_order(std::string_view operation, const MatrixOrder& ord, const UnifiedArray& x,
                 const Where& where) {
  const double p = std::abs(ord.value());
  if (ord.name().empty() ? p == 1.0 || p == 2.0 || p == infinity
                         : ord.name() == "fro" || ord.name() == "nuc")
    return;
  throw ArgumentError(std::string(operation) + ": no order " +
                      (ord.name().empty() ? std::to_string(ord.value()) : "'" + ord.name() + "'") +
                      "; there are 'fro', 'nuc', 1, 2, inf, -1, -2, -inf" +
                      detail::context({x, where}));
}

}  // namespace

UnifiedArray vector_norm(Operand x, const std::optional<std::vector<int>>& axis, bool keepdims,
                         double ord) {
  const Where where = x.where();
  const UnifiedArray a = inexact("vector_norm", std::move(x));
  const std::vector<int> axes = axis ? *axis : every_axis(a.ndim());
  if (ord == 2.0) return euclidean(a, axes, keepdims, where);
  if (ord == infinity) return max(abs({a, where}), axes, keepdims);
  if (ord == -infinity) return min(abs({a, where}), axes, keepdims);
  if (ord == 0.0)
    return sum(not_equal({a, where}, 0.0).astype(real_dtype(a.dtype())), axes, keepdims);
  if (ord == 1.0) return sum(abs({a, where}), axes, keepdims);
  return root(sum(power(abs({a, where}), ord), axes, keepdims), where,
              [&](const UnifiedArray& sums) {
                return power({sums, where}, 1.0 / ord);
              });
}

UnifiedArray matrix_norm(Operand x, bool keepdims, const MatrixOrder& ord) {
  const Where where = x.where();
  const detail::Matrices a = detail::matrices("matrix_norm", std::move(x), false);
  const UnifiedArray m(a.node);
  check_order("matrix_norm", ord, m, where);
  if (ord.name() == "fro") return euclidean(m, {-2, -1}, keepdims, where);
  if (ord.name() == "nuc") return of_singular_values(m, ord, keepdims, where);
  const double p = ord.value();
  if (std::abs(p) == 2.0) return of_singular_values(m, ord, keepdims, where);
  return std::abs(p) == 1.0 ? extreme_sum(m, -2, -1, p > 0, keepdims, where)
                            : extreme_sum(m, -1, -2, p > 0, keepdims, where);
}

UnifiedArray norm(Operand x, const std::optional<MatrixOrder>& ord,
                  const std::optional<std::vector<int>>& axis, bool keepdims) {
  const Where where = x.where();
  const UnifiedArray a = inexact("norm", std::move(x));
  const bool matrices = axis ? axis->size() == 2 : ord && a.ndim() == 2;
  if (axis && axis->size() != 1 && !matrices)
    throw ShapeError("norm: " + std::to_string(axis->size()) +
                     " axes; one is for vectors, two are for matrices" +
                     detail::context({a, where}));
  if (!ord || (!matrices && ord->name().empty()))
    return vector_norm({a, where}, axis, keepdims, ord ? ord->value() : 2.0);
  if (!matrices)
    throw ArgumentError("norm: order '" + ord->name() + "' is one of matrices, not of shape " +
                        to_string(a.shape()) + detail::context({a, where}));
  check_order("norm", *ord, a, where);
  const std::vector<int> chosen = axis ? *axis : std::vector<int>{0, 1};
  std::vector<int> gone, order;
  for (const int k : chosen)
    gone.push_back(
        detail::located(Operand(a, where), [&] { return normalize_axis(k, a.ndim(), "norm"); }));
  if (gone[0] == gone[1])
    throw IndexError("norm: axis " + std::to_string(gone[0]) + " appears twice" +
                     detail::context({a, where}));
  for (int k = 0; k < a.ndim(); ++k)
    if (k != gone[0] && k != gone[1]) order.push_back(k);
  order.insert(order.end(), gone.begin(), gone.end());
  UnifiedArray result = matrix_norm({permute_dims({a, where}, order), where}, false, *ord);
  return keepdims ? with_ones(std::move(result), gone) : result;
}

UnifiedArray cond(Operand x, const MatrixOrder& p) {
  const Where where = x.where();
  if (p.name().empty() && std::abs(p.value()) == 2.0) {
    const UnifiedArray s = svdvals(std::move(x));
    const UnifiedArray largest = max({s, where}, {-1}), smallest = min({s, where}, {-1});
    return p.value() > 0 ? divide({largest, where}, {smallest, where})
                         : divide({smallest, where}, {largest, where});
  }
  const detail::Matrices a = detail::matrices("cond", std::move(x), true);
  check_order("cond", p, UnifiedArray(a.node), where);
  const detail::NodePtr in = detail::contiguous(a.node);
  const detail::Result result[] = {{in->shape, a.place.dtype}};
  const UnifiedArray inverse = detail::factorized("cond", {Factorization::Kind::inverse}, {&in, 1},
                                                  result, a.place, true)[0];
  const UnifiedArray of = matrix_norm({UnifiedArray(in), where}, false, p);
  const UnifiedArray number = multiply({of, where}, matrix_norm({inverse, where}, false, p));
  // No inverse, though the matrix is finite: it is singular.
  const UnifiedArray singular = logical_and(isnan({number, where}), isfinite({of, where}));
  return isofield::where({singular, where}, infinity, {number, where});
}

UnifiedArray matrix_rank(Operand x, const std::optional<Operand>& rtol) {
  const Where where = x.where();
  const detail::Matrices a = detail::matrices("matrix_rank", std::move(x), false);
  if (std::min(a.m, a.n) == 0) return zeros(a.stack, int64, a.node->backend);
  const UnifiedArray s = svdvals({UnifiedArray(a.node), where});
  return count_of(kept_values(s, a.m, a.n, rtol, where).larger, where);
}

UnifiedArray pinv(Operand x, const std::optional<Operand>& rtol) {
  const Where where = x.where();
  const detail::Matrices a = detail::matrices("pinv", std::move(x), false);
  if (std::min(a.m, a.n) == 0)
    return zeros(detail::with_matrix(a.stack, a.n, a.m), a.place.dtype, a.node->backend);
  const Operand given[] = {UnifiedArray(a.node), rtol.value_or(Operand(0.0))};
  if (detail::wrapped(given)) return detail::transformed_pinv(given[0].array(), rtol, where);
  const SvdResult f = svd({UnifiedArray(a.node), where}, false);
  const UnifiedArray scale = inverted(kept_values(f.S, a.m, a.n, rtol, where), where);
  const UnifiedArray right = adjoint(f.Vh, where), left = adjoint(f.U, where);
  return matmul({multiply({right, where}, expand_dims({scale, where}, -2)), where}, {left, where});
}

LstsqResult lstsq(Operand x1, Operand x2, const std::optional<Operand>& rtol) {
  const Where where = x1.where();
  const Operand operands[] = {x1, x2};
  const DType dtype = detail::inexact_type("lstsq", operands);
  (void)detail::common_backend("lstsq", operands);
  const detail::Matrices a = detail::matrices("lstsq", std::move(x1), false);
  if (x2.is_scalar() || x2.node()->shape.empty())
    throw ShapeError("lstsq: the right side must be a vector or a matrix" +
                     detail::context(a.place));
  const bool vector = x2.node()->shape.size() == 1;
  const UnifiedArray m(detail::cast(a.node, dtype));
  UnifiedArray b(detail::cast(x2.take(), dtype));
  if (vector) b = expand_dims({b, where}, -1);
  if (b.shape()[b.ndim() - 2] != a.m)
    throw ShapeError("lstsq: shapes " + to_string(m.shape()) + " and " + to_string(b.shape()) +
                     " do not fit: " + std::to_string(a.m) +
                     " != " + std::to_string(b.shape()[b.ndim() - 2]) + detail::context(a.place));
  const Operand given[] = {m, b, rtol.value_or(Operand(0.0))};
  const bool transformed = detail::wrapped(given);
  const SvdResult f = transformed ? SvdResult{m, svdvals({m, where}), m} : svd({m, where}, false);
  UnifiedArray rank = zeros(a.stack, int64, a.node->backend), scale = f.S, x = b;
  if (std::min(a.m, a.n) > 0) {
    const Kept kept = kept_values(f.S, a.m, a.n, rtol, where);
    rank = count_of(kept.larger, where);
    scale = inverted(kept, where);
  }
  if (transformed) {
    x = detail::transformed_lstsq(m, b, rtol, where);
  } else {
    const UnifiedArray left = matmul({adjoint(f.U, where), where}, {b, where});
    x = matmul({adjoint(f.Vh, where), where},
               multiply({left, where}, expand_dims({scale, where}, -1)));
  }
  const UnifiedArray rest = subtract(matmul({m, where}, {x, where}), {b, where});
  UnifiedArray residuals = square(vector_norm({rest, where}, std::vector<int>{-2}));
  if (vector) {
    x = squeeze({x, where}, -1);
    residuals = squeeze({residuals, where}, -1);
  }
  return {std::move(x), std::move(residuals), std::move(rank), f.S};
}

}  // namespace isofield::linalg
