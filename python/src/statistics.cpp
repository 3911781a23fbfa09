#include <nanobind/stl/pair.h>
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
                            "dtype: DType | None = None, include_initial: _bool = False)"
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
  const double h = nb::cast<double>(spacing);
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

Quantile method_in(const std::string& name) {
  if (name == "linear") return Quantile::linear;
  if (name == "lower") return Quantile::lower;
  if (name == "higher") return Quantile::higher;
  if (name == "midpoint") return Quantile::midpoint;
  if (name == "nearest") return Quantile::nearest;
  throw nb::value_error(
      "quantile: method is \"linear\", \"lower\", \"higher\", \"midpoint\" or "
      "\"nearest\"");
}

void bind_quantiles(nb::module_& m) {
  m.def(
      "quantile",
      [](Operand x, nb::handle q, std::optional<int> axis, bool keepdims,
         const std::string& method) {
        const Quantile chosen = method_in(method);
        if (is_array(q.ptr())) {
          const UnifiedArray parts = array_in(q.ptr());
          return unlocked([&] { return quantile(std::move(x), parts, axis, keepdims, chosen); });
        }
        const double part = nb::cast<double>(q);
        return unlocked([&] { return quantile(std::move(x), part, axis, keepdims, chosen); });
      },
      nb::sig("def quantile(x: UnifiedArray, q: float | UnifiedArray, /, *, "
              "axis: int | None = None, keepdims: _bool = False, method: str = 'linear')"
              " -> UnifiedArray"),
      nb::arg(), nb::arg(), nb::kw_only(), nb::arg("axis") = nb::none(),
      nb::arg("keepdims") = false, nb::arg("method") = "linear",
      "The element below which the part q of the elements lies.");
  m.def(
      "percentile",
      [](Operand x, double q, std::optional<int> axis, bool keepdims, const std::string& method) {
        const Quantile chosen = method_in(method);
        return unlocked([&] { return percentile(std::move(x), q, axis, keepdims, chosen); });
      },
      nb::sig("def percentile(x: UnifiedArray, q: float, /, *, axis: int | None = None, "
              "keepdims: _bool = False, method: str = 'linear') -> UnifiedArray"),
      nb::arg(), nb::arg(), nb::kw_only(), nb::arg("axis") = nb::none(),
      nb::arg("keepdims") = false, nb::arg("method") = "linear",
      "The element below which q of a hundred elements lie.");
  m.def(
      "median",
      [](Operand x, std::optional<int> axis, bool keepdims) {
        return unlocked([&] { return median(std::move(x), axis, keepdims); });
      },
      nb::sig("def median(x: UnifiedArray, /, *, axis: int | None = None, "
              "keepdims: _bool = False) -> UnifiedArray"),
      nb::arg(), nb::kw_only(), nb::arg("axis") = nb::none(), nb::arg("keepdims") = false,
      "The middle element, or the mean of the two in the middle.");
}

nb::object histogram_of(Operand x, nb::handle bins,
                        std::optional<std::pair<double, double>> range) {
  auto r = [&] {
    if (is_array(bins.ptr())) {
      const UnifiedArray edges = array_in(bins.ptr());
      return unlocked([&] { return histogram(std::move(x), edges); });
    }
    const auto count = nb::cast<std::int64_t>(bins);
    std::optional<double> low, high;
    if (range) low = range->first, high = range->second;
    return unlocked([&] { return histogram(std::move(x), count, low, high); });
  }();
  return named("HistogramResult", std::move(r.counts), std::move(r.edges));
}

void bind_counts(nb::module_& m) {
  m.def(
      "bincount",
      [](Operand x, const Given& weights, std::int64_t minlength) {
        return unlocked([&] { return bincount(std::move(x), weights, minlength); });
      },
      nb::sig("def bincount(x: UnifiedArray, /, *, weights: UnifiedArray | None = None, "
              "minlength: int = 0) -> UnifiedArray"),
      nb::arg(), nb::kw_only(), nb::arg("weights") = nb::none(), nb::arg("minlength") = 0,
      "How often each integer occurs, from 0 to the largest.");
  m.def("histogram", &histogram_of,
        nb::sig("def histogram(x: UnifiedArray, /, *, bins: int | UnifiedArray = 10, "
                "range: tuple[float, float] | None = None) -> tuple[UnifiedArray, UnifiedArray]"),
        nb::arg(), nb::kw_only(), nb::arg("bins") = 10, nb::arg("range") = nb::none(),
        "Count the elements between edges; gives counts and edges.");
}

}  // namespace

void bind_statistics(nb::module_& m) {
  bind_running(m);
  bind_calculus(m);
  bind_quantiles(m);
  bind_counts(m);
}

}  // namespace isofield::python
