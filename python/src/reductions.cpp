#include <isofield/searching.hpp>

#include "binding.hpp"

namespace isofield::python {
namespace {

using Reducer = UnifiedArray (*)(Operand, const std::vector<int>&, bool);
using Sum = UnifiedArray (*)(Operand, const std::vector<int>&, bool, std::optional<DType>);
using Moment = UnifiedArray (*)(Operand, const std::vector<int>&, double, bool);

/// Run `f(operand, axes)` with the interpreter released where that pays.
template <class F>
UnifiedArray reduced(const UnifiedArray& x, nb::handle axis, F f) {
  const std::vector<int> axes = axes_in(axis, x.ndim());
  Operand operand(x, nowhere);
  const Unlocked lock(is_long(x.shape()));
  return f(std::move(operand), axes);
}

void define(nb::module_& m, const char* name, Reducer f, const char* doc) {
  const std::string sig = std::string("def ") + name +
                          "(x: UnifiedArray, /, *, axis: int | typing.Sequence[int] | None = None, "
                          "keepdims: _bool = False) -> UnifiedArray";
  m.def(
      name,
      [f](const UnifiedArray& x, nb::handle axis, bool keepdims) {
        return reduced(x, axis, [&](Operand&& o, const auto& axes) {
          return f(std::move(o), axes, keepdims);
        });
      },
      nb::sig(sig.c_str()), nb::arg(), nb::kw_only(), nb::arg("axis") = nb::none(),
      nb::arg("keepdims") = false, doc);
}

/// Sums and products take the dtype that the result is to have.
void define(nb::module_& m, const char* name, Sum f, const char* doc) {
  const std::string sig =
      std::string("def ") + name +
      "(x: UnifiedArray, /, *, axis: int | typing.Sequence[int] | None = None, "
      "dtype: _DTypeLike | None = None, keepdims: _bool = False) -> UnifiedArray";
  m.def(
      name,
      [f](const UnifiedArray& x, nb::handle axis, std::optional<DType> dtype, bool keepdims) {
        return reduced(x, axis, [&](Operand&& o, const auto& axes) {
          return f(std::move(o), axes, keepdims, dtype);
        });
      },
      nb::sig(sig.c_str()), nb::arg(), nb::kw_only(), nb::arg("axis") = nb::none(),
      nb::arg("dtype") = nb::none(), nb::arg("keepdims") = false, doc);
}

/// Moments about the mean, with the standard's correction.
void define(nb::module_& m, const char* name, Moment f, const char* doc) {
  const std::string sig = std::string("def ") + name +
                          "(x: UnifiedArray, /, *, axis: int | typing.Sequence[int] | None = None, "
                          "correction: float = 0.0, keepdims: _bool = False) -> UnifiedArray";
  m.def(
      name,
      [f](const UnifiedArray& x, nb::handle axis, double correction, bool keepdims) {
        return reduced(x, axis, [&](Operand&& o, const auto& axes) {
          return f(std::move(o), axes, correction, keepdims);
        });
      },
      nb::sig(sig.c_str()), nb::arg(), nb::kw_only(), nb::arg("axis") = nb::none(),
      nb::arg("correction") = 0.0, nb::arg("keepdims") = false, doc);
}

}  // namespace

void bind_reductions(nb::module_& m) {
  define(m, "sum", static_cast<Sum>(&isofield::sum), "Sum over axes, all by default.");
  define(m, "prod", static_cast<Sum>(&isofield::prod), "Product over axes, all by default.");
  const auto plain = [&](const char* name, Reducer f, const char* doc) { define(m, name, f, doc); };
  plain("min", &isofield::min, "Smallest element over axes; NaN where there is one.");
  plain("max", &isofield::max, "Largest element over axes; NaN where there is one.");
  plain("mean", &isofield::mean, "Mean over axes, all by default.");
  plain("any", &isofield::any, "Whether any element over axes is true, or not zero.");
  plain("all", &isofield::all, "Whether all elements over axes are true, or not zero.");
  plain("count_nonzero", &isofield::count_nonzero, "How many elements over axes are not zero.");
  define(m, "var", static_cast<Moment>(&isofield::var), "Variance over axes.");
  define(m, "std", static_cast<Moment>(&isofield::std), "Standard deviation over axes.");
}

}  // namespace isofield::python
