#include <isofield/numerical.hpp>

#include "binding.hpp"

namespace isofield::python {
namespace {

using Running = UnifiedArray (*)(Operand, std::optional<int>, std::optional<DType>, bool);
using Given = std::optional<UnifiedArray>;

void bind_running(nb::module_& m) {
  const auto define = [&](const char* name, Running f, const char* doc) {
    const std::string sig = std::string("def ") + name +
                            "(x: UnifiedArray, /, *, axis: int | None = None, "
                            "dtype: _DTypeLike | None = None, include_initial: _bool = False)"
                            " -> UnifiedArray";
    m.def(
        name,
        [f](Operand x, std::optional<int> axis, std::optional<DType> dtype, bool initial) {
          return unlocked([&] { return f(std::move(x), axis, dtype, initial); });
        },
        nb::sig(sig.c_str()), nb::arg(), nb::kw_only(), nb::arg("axis") = nb::none(),
        nb::arg("dtype") = nb::none(), nb::arg("include_initial") = false, doc);
  };
  define("cumulative_sum", &cumulative_sum, "Sums of all elements up to each one.");
  define("cumulative_prod", &cumulative_prod, "Products of all elements up to each one.");
  const auto extremes = [&](const char* name, UnifiedArray (*f)(Operand, std::optional<int>),
                            const char* doc) {
    const std::string sig = std::string("def ") + name +
                            "(x: UnifiedArray, /, *, axis: int | None = None) -> UnifiedArray";
    m.def(
        name,
        [f](Operand x, std::optional<int> axis) {
          return unlocked([&] { return f(std::move(x), axis); });
        },
        nb::sig(sig.c_str()), nb::arg(), nb::kw_only(), nb::arg("axis") = nb::none(), doc);
  };
  extremes("cumulative_min", &cumulative_min, "The smallest of all elements up to each one.");
  extremes("cumulative_max", &cumulative_max, "The largest of all elements up to each one.");
  m.def(
      "diff",
      [](Operand x, int axis, int n, const Given& prepend, const Given& append) {
        return unlocked([&] { return diff(std::move(x), axis, n, prepend, append); });
      },
      nb::sig("def diff(x: UnifiedArray, /, *, axis: int = -1, n: int = 1, "
              "prepend: UnifiedArray | None = None, append: UnifiedArray | None = None)"
              " -> UnifiedArray"),
      nb::arg(), nb::kw_only(), nb::arg("axis") = -1, nb::arg("n") = 1,
      nb::arg("prepend") = nb::none(), nb::arg("append") = nb::none(),
      "Differences of neighbours along an axis, n times.");
}

UnifiedArray gradient_of(Operand x, nb::handle spacing, int axis, int edge_order) {
  if (is_array(spacing.ptr())) {
    const UnifiedArray at = array_in(spacing.ptr());
    return unlocked([&] { return gradient(std::move(x), at, axis, edge_order); });
  }
  const double h = argument<double>(spacing, "spacing", "a number or an array");
  return unlocked([&] { return gradient(std::move(x), h, axis, edge_order); });
}

UnifiedArray trapezoid_of(Operand y, const Given& x, double dx, int axis) {
  if (x) return unlocked([&] { return trapezoid(std::move(y), *x, axis); });
  return unlocked([&] { return trapezoid(std::move(y), dx, axis); });
}

void bind_calculus(nb::module_& m) {
  m.def("gradient", &gradient_of,
        nb::sig("def gradient(x: UnifiedArray, spacing: float | UnifiedArray = 1.0, /, *, "
                "axis: int = -1, edge_order: int = 1) -> UnifiedArray"),
        nb::arg(), nb::arg() = 1.0, nb::kw_only(), nb::arg("axis") = -1, nb::arg("edge_order") = 1,
        "Derivative along an axis by differences of second order.");
  m.def("trapezoid", &trapezoid_of,
        nb::sig("def trapezoid(y: UnifiedArray, x: UnifiedArray | None = None, /, *, "
                "dx: float = 1.0, axis: int = -1) -> UnifiedArray"),
        nb::arg(), nb::arg() = nb::none(), nb::kw_only(), nb::arg("dx") = 1.0, nb::arg("axis") = -1,
        "Integral along an axis by the trapezoidal rule.");
  m.def(
      "interp",
      [](Operand x, Operand xp, Operand fp, std::optional<double> left,
         std::optional<double> right) {
        return unlocked(
            [&] { return interp(std::move(x), std::move(xp), std::move(fp), left, right); });
      },
      nb::sig("def interp(x: UnifiedArray, xp: UnifiedArray, fp: UnifiedArray, /, *, "
              "left: float | None = None, right: float | None = None) -> UnifiedArray"),
      nb::arg(), nb::arg(), nb::arg(), nb::kw_only(), nb::arg("left") = nb::none(),
      nb::arg("right") = nb::none(), "The piecewise linear function through points (xp, fp).");
}

}  // namespace

void bind_numerical(nb::module_& m) {
  bind_running(m);
  bind_calculus(m);
}

}  // namespace isofield::python
