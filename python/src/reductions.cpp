#include "binding.hpp"

namespace isofield::python {
namespace {

using Reducer = UnifiedArray (*)(Operand, const std::vector<int>&, bool);

/// An int, a sequence of ints or None, as the axes of an array of some rank.
std::vector<int> axes_of(nb::handle axis, int rank) {
  if (axis.is_none()) {
    std::vector<int> all;
    for (int k = 0; k < rank; ++k) all.push_back(k);
    return all;
  }
  if (PyIndex_Check(axis.ptr())) return {nb::cast<int>(axis)};
  return nb::cast<std::vector<int>>(axis);
}

UnifiedArray reduced(Reducer f, const UnifiedArray& x, nb::handle axis, bool keepdims) {
  const std::vector<int> axes = axes_of(axis, x.ndim());
  Operand operand(x, nowhere);
  const Unlocked lock(is_long(x.shape()));
  return f(std::move(operand), axes, keepdims);
}

void define(nb::module_& m, const char* name, Reducer f, const char* doc) {
  const std::string sig = std::string("def ") + name +
                          "(x: UnifiedArray, /, *, axis: int | tuple[int, ...] | None = None, "
                          "keepdims: _bool = False) -> UnifiedArray";
  m.def(
      name,
      [f](const UnifiedArray& x, nb::handle axis, bool keepdims) {
        return reduced(f, x, axis, keepdims);
      },
      nb::sig(sig.c_str()), nb::arg(), nb::kw_only(), nb::arg("axis") = nb::none(),
      nb::arg("keepdims") = false, doc);
}

/// Sums and products take the dtype that the result is to have.
void define_with_dtype(nb::module_& m, const char* name, Reducer f, const char* doc) {
  const std::string sig = std::string("def ") + name +
                          "(x: UnifiedArray, /, *, axis: int | tuple[int, ...] | None = None, "
                          "dtype: DType | None = None, keepdims: _bool = False) -> UnifiedArray";
  m.def(
      name,
      [f](const UnifiedArray& x, nb::handle axis, std::optional<DType> dtype, bool keepdims) {
        return reduced(f, dtype ? x.astype(*dtype) : x, axis, keepdims);
      },
      nb::sig(sig.c_str()), nb::arg(), nb::kw_only(), nb::arg("axis") = nb::none(),
      nb::arg("dtype") = nb::none(), nb::arg("keepdims") = false, doc);
}

}  // namespace

void bind_reductions(nb::module_& m) {
  define_with_dtype(m, "sum", &isofield::sum, "Sum over axes, all by default.");
  define_with_dtype(m, "prod", &isofield::prod, "Product over axes, all by default.");
  define(m, "min", &isofield::min, "Smallest element over axes; NaN where there is one.");
  define(m, "max", &isofield::max, "Largest element over axes; NaN where there is one.");
  define(m, "mean", &isofield::mean, "Mean over axes, all by default.");
  define(m, "any", &isofield::any, "Whether any element over axes is true, or not zero.");
  define(m, "all", &isofield::all, "Whether all elements over axes are true, or not zero.");
}

}  // namespace isofield::python
