#include <isofield/indexing.hpp>
#include <isofield/numerical.hpp>
#include <isofield/sets.hpp>
#include <isofield/sorting.hpp>

#include "ops/arranged.hpp"

namespace isofield {
namespace {

using detail::Arranged;
using detail::NodePtr;

/// The real or the imaginary parts of complex numbers, where they lie.
UnifiedArray parts(const NodePtr& x, int which) {
  Layout layout = x->layout();
  for (auto& stride : layout.strides) stride *= 2;
  layout.offset = 2 * layout.offset + which;
  return UnifiedArray(detail::make_leaf(x->storage, real_dtype(x->dtype), layout));
}

/// Elements of one axis in order, and where they come from.
detail::Sorted in_order(std::string_view operation, const UnifiedArray& line, bool places) {
  if (!is_complex(line.dtype())) return detail::sorted(operation, line, 0, false, true, places);
  // The sort is stable: by the less important part first.
  const UnifiedArray by_imag = argsort(parts(line.node(), 1));
  const UnifiedArray order = take(by_imag, argsort(take(parts(line.node(), 0), by_imag)));
  return {take(line, order), order};
}

/// What the four functions are made of, for an array with elements.
class Unique {
 public:
  Unique(std::string_view operation, const Operand& x, bool places)
      : operation_(operation),
        where_(x.where()),
        x_(Arranged(operation, x).node),
        n_(x_.size()),
        sorted_(in_order(operation, detail::flat(x_), places)),
        first_(full({n_}, Scalar(true), DType::bool_, &x_.backend())) {
    if (n_ > 1) first_(from(1)) = sorted_.values(from(1)) != sorted_.values(upto(n_ - 1));
    starts_ = UnifiedArray(detail::true_places(first_.node(), operation_, where_)[0]);
  }

  UnifiedArray values() const { return take(sorted_.values, starts_); }
  UnifiedArray indices() const { return take(sorted_.places, starts_); }
  UnifiedArray inverse() const {
    if (n_ == 0) return empty(x_.shape(), DType::int64, &x_.backend());
    const UnifiedArray numbers = cumulative_sum(first_.astype(int64)) - 1;
    return reshape(scatter(empty({n_}, DType::int64, &x_.backend()), sorted_.places, numbers),
                   x_.shape());
  }
  UnifiedArray counts() const {
    return diff(starts_, -1, 1, {}, full({1}, n_, DType::int64, &x_.backend()));
  }

 private:
  std::string_view operation_;
  std::source_location where_;
  UnifiedArray x_;
  std::int64_t n_;
  detail::Sorted sorted_;
  UnifiedArray first_, starts_;
};

}  // namespace

UniqueAll unique_all(Operand x) {
  const Unique unique("unique_all", x, true);
  return {unique.values(), unique.indices(), unique.inverse(), unique.counts()};
}

UniqueCounts unique_counts(Operand x) {
  const Unique unique("unique_counts", x, false);
  return {unique.values(), unique.counts()};
}

UniqueInverse unique_inverse(Operand x) {
  const Unique unique("unique_inverse", x, true);
  return {unique.values(), unique.inverse()};
}

UnifiedArray unique_values(Operand x) { return Unique("unique_values", x, false).values(); }

// Equal elements of both have one number among the different ones of all.
UnifiedArray isin(Operand x1, Operand x2, bool invert) {
  const auto where = x1.where();
  const Operand both[] = {x1, x2};
  BaseBackend& backend = detail::common_backend("isin", both);
  DType dtype = detail::dtype_of(x1.is_scalar() ? x2 : x1);
  if (!x1.is_scalar() && !x2.is_scalar())
    dtype = detail::located(x1, [&] { return result_type(dtype, detail::dtype_of(x2)); });
  for (const Operand& x : both)
    if (x.is_scalar() && !detail::goes_into(x, dtype))
      throw DTypeError("isin: " + x.scalar().text() + " does not go into dtype " +
                       std::string(name(dtype)) + at(where));
  const UnifiedArray asked(detail::node_of(x1, backend, dtype));
  const UnifiedArray known(detail::node_of(x2, backend, dtype));
  if (known.size() == 0 || asked.size() == 0)
    return full(asked.shape(), Scalar(invert), DType::bool_, &backend);
  const UnifiedArray all = concat({detail::flat(known), detail::flat(asked)}, 0, where);
  const UnifiedArray numbers = unique_inverse({all, where}).inverse_indices;
  UnifiedArray found = full({all.size()}, Scalar(invert), DType::bool_, &backend);
  found = scatter(found, numbers(upto(known.size())), Scalar(!invert));
  return reshape(take(found, numbers(from(known.size()))), asked.shape());
}

}  // namespace isofield
