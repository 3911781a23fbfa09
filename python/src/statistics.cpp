#include <nanobind/stl/pair.h>
#include <isofield/statistics.hpp>

#include "binding.hpp"

namespace isofield::python {
namespace {

using Given = std::optional<UnifiedArray>;

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

/// The backend that goes with an operand; null for a number.
BaseBackend* backend_of(const Operand& x) { return x.is_scalar() ? nullptr : &x.array().backend(); }

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
        if (holds_elements(q.ptr())) {
          const UnifiedArray parts = to_array(q, {}, backend_of(x), {});
          return unlocked([&] { return quantile(std::move(x), parts, axis, keepdims, chosen); });
        }
        const double part = argument<double>(q, "q", "a number or an array");
        return unlocked([&] { return quantile(std::move(x), part, axis, keepdims, chosen); });
      },
      nb::sig("def quantile(x: UnifiedArray, q: float | UnifiedArray, /, *, "
              "axis: int | None = None, keepdims: _bool = False, method: str = 'linear')"
              " -> UnifiedArray"),
      nb::arg(), nb::arg(), nb::kw_only(), nb::arg("axis") = nb::none(),
      nb::arg("keepdims") = false, nb::arg("method") = "linear",
      "The element below which the part q of the elements lies.\n\n"
      "Between two elements `method` chooses: \"linear\", \"lower\", \"higher\", \"midpoint\" or\n"
      "\"nearest\".");
  m.def(
      "percentile",
      [](Operand x, nb::handle q, std::optional<int> axis, bool keepdims,
         const std::string& method) {
        const Quantile chosen = method_in(method);
        if (holds_elements(q.ptr()) || is_array(q.ptr())) {
          const UnifiedArray parts = to_array(q, DType::float64, backend_of(x), {}) / 100.0;
          return unlocked([&] { return quantile(std::move(x), parts, axis, keepdims, chosen); });
        }
        const double part = argument<double>(q, "q", "a number or an array");
        return unlocked([&] { return percentile(std::move(x), part, axis, keepdims, chosen); });
      },
      nb::sig("def percentile(x: UnifiedArray, q: float | UnifiedArray, /, *, "
              "axis: int | None = None, "
              "keepdims: _bool = False, method: str = 'linear') -> UnifiedArray"),
      nb::arg(), nb::arg(), nb::kw_only(), nb::arg("axis") = nb::none(),
      nb::arg("keepdims") = false, nb::arg("method") = "linear",
      "The element below which q of a hundred elements lie; `method` as for `quantile`.");
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
    if (holds_elements(bins.ptr())) {
      const UnifiedArray edges = to_array(bins, {}, backend_of(x), {});
      return unlocked([&] { return histogram(std::move(x), edges); });
    }
    const auto count = argument<std::int64_t>(bins, "bins", "an int or an array of edges");
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

void bind_relations(nb::module_& m) {
  m.def(
      "average",
      [](const UnifiedArray& x, const Given& weights, std::optional<int> axis) {
        return unlocked([&] {
          if (weights) return average({x, nowhere}, *weights, axis);
          return axis ? mean({x, nowhere}, {*axis}) : mean({x, nowhere});
        });
      },
      nb::sig("def average(x: UnifiedArray, /, weights: UnifiedArray | None = None, *, "
              "axis: int | None = None) -> UnifiedArray"),
      nb::arg(), nb::arg("weights") = nb::none(), nb::kw_only(), nb::arg("axis") = nb::none(),
      "Mean with weights, of all elements or along an axis; without weights `mean`.");
  m.def(
      "cov", [](Operand x, int ddof) { return unlocked([&] { return cov(std::move(x), ddof); }); },
      nb::sig("def cov(x: UnifiedArray, /, *, ddof: int = 1) -> UnifiedArray"), nb::arg(),
      nb::kw_only(), nb::arg("ddof") = 1,
      "Covariances of variables: (variables, observations) to (variables, variables).");
  m.def(
      "corrcoef", [](Operand x) { return unlocked([&] { return corrcoef(std::move(x)); }); },
      nb::sig("def corrcoef(x: UnifiedArray, /) -> UnifiedArray"),
      "Correlation coefficients of variables: (variables, observations) to (variables, "
      "variables).");
  m.def(
      "gaussian",
      [](Operand x, Operand mean, Operand deviation) {
        return gaussian(std::move(x), std::move(mean), std::move(deviation));
      },
      nb::sig("def gaussian(x: UnifiedArray, /, mean: UnifiedArray | float = 0.0, "
              "deviation: UnifiedArray | float = 1.0) -> UnifiedArray"),
      nb::arg(), nb::arg("mean") = 0.0, nb::arg("deviation") = 1.0,
      "Density of the normal distribution.");
}

}  // namespace

void bind_statistics(nb::module_& m) {
  bind_quantiles(m);
  bind_counts(m);
  bind_relations(m);
}

}  // namespace isofield::python
