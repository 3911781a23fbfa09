#include <isofield/indexing.hpp>
#include <isofield/searching.hpp>
#include <isofield/sets.hpp>
#include <isofield/sorting.hpp>

#include "binding.hpp"

namespace isofield::python {
namespace {

void bind_places(nb::module_& m) {
  const auto extremum = [&](const char* name, UnifiedArray (*f)(Operand, std::optional<int>, bool),
                            const char* doc) {
    const std::string sig = std::string("def ") + name +
                            "(x: UnifiedArray, /, *, axis: int | None = None, "
                            "keepdims: _bool = False) -> UnifiedArray";
    m.def(
        name,
        [f](Operand x, std::optional<int> axis, bool keepdims) {
          return unlocked([&] { return f(std::move(x), axis, keepdims); });
        },
        nb::sig(sig.c_str()), nb::arg(), nb::kw_only(), nb::arg("axis") = nb::none(),
        nb::arg("keepdims") = false, doc);
  };
  extremum("argmax", &argmax, "The first place of the largest element, along an axis or of all.");
  extremum("argmin", &argmin, "The first place of the smallest element, along an axis or of all.");
  m.def(
      "nonzero",
      [](Operand x) { return to_tuple(unlocked([&] { return nonzero(std::move(x)); })); },
      nb::sig("def nonzero(x: UnifiedArray, /) -> tuple[UnifiedArray, ...]"),
      "The places of elements that are not zero: an array for each axis.");
  m.def(
      "searchsorted",
      [](Operand x1, Operand x2, const std::string& side, std::optional<UnifiedArray> sorter) {
        if (side != "left" && side != "right")
          throw nb::value_error("searchsorted: side is \"left\" or \"right\"");
        const Side end = side == "left" ? Side::left : Side::right;
        return unlocked([&] { return searchsorted(std::move(x1), std::move(x2), end, sorter); });
      },
      nb::sig("def searchsorted(x1: UnifiedArray, x2: UnifiedArray | float, /, *, "
              "side: str = 'left', sorter: UnifiedArray | None = None) -> UnifiedArray"),
      nb::arg(), nb::arg(), nb::kw_only(), nb::arg("side") = "left", nb::arg("sorter") = nb::none(),
      "The places at which elements of x2 go into x1.");
}

void bind_sorting(nb::module_& m) {
  const auto define = [&](const char* name, UnifiedArray (*f)(Operand, int, bool, bool),
                          const char* doc) {
    const std::string sig = std::string("def ") + name +
                            "(x: UnifiedArray, /, *, axis: int = -1, descending: _bool = False, "
                            "stable: _bool = True) -> UnifiedArray";
    m.def(
        name,
        [f](Operand x, int axis, bool descending, bool stable) {
          return unlocked([&] { return f(std::move(x), axis, descending, stable); });
        },
        nb::sig(sig.c_str()), nb::arg(), nb::kw_only(), nb::arg("axis") = -1,
        nb::arg("descending") = false, nb::arg("stable") = true, doc);
  };
  define("sort", &sort, "Elements in order along an axis; NaN is above all numbers.");
  define("argsort", &argsort, "The places that elements in order come from.");
}

void bind_sets(nb::module_& m) {
  m.def(
      "unique_all",
      [](Operand x) {
        auto r = unlocked([&] { return unique_all(std::move(x)); });
        return named("UniqueAllResult", std::move(r.values), std::move(r.indices),
                     std::move(r.inverse_indices), std::move(r.counts));
      },
      nb::sig("def unique_all(x: UnifiedArray, /)"
              " -> tuple[UnifiedArray, UnifiedArray, UnifiedArray, UnifiedArray]"),
      "Different values in order, where each is first, which each element is, and how many.");
  m.def(
      "unique_counts",
      [](Operand x) {
        auto r = unlocked([&] { return unique_counts(std::move(x)); });
        return named("UniqueCountsResult", std::move(r.values), std::move(r.counts));
      },
      nb::sig("def unique_counts(x: UnifiedArray, /) -> tuple[UnifiedArray, UnifiedArray]"),
      "Different values in order, and how many of each there are.");
  m.def(
      "unique_inverse",
      [](Operand x) {
        auto r = unlocked([&] { return unique_inverse(std::move(x)); });
        return named("UniqueInverseResult", std::move(r.values), std::move(r.inverse_indices));
      },
      nb::sig("def unique_inverse(x: UnifiedArray, /) -> tuple[UnifiedArray, UnifiedArray]"),
      "Different values in order, and which of them each element is.");
  m.def(
      "unique_values",
      [](Operand x) { return unlocked([&] { return unique_values(std::move(x)); }); },
      nb::sig("def unique_values(x: UnifiedArray, /) -> UnifiedArray"),
      "The different values in order.");
  m.def(
      "isin",
      [](Operand x1, Operand x2, bool invert) {
        return unlocked([&] { return isin(std::move(x1), std::move(x2), invert); });
      },
      nb::sig("def isin(x1: UnifiedArray | int, x2: UnifiedArray | int, /, *, "
              "invert: _bool = False) -> UnifiedArray"),
      nb::arg(), nb::arg(), nb::kw_only(), nb::arg("invert") = false,
      "Whether each element of x1 is one of x2's, or is not.");
}

Scatter how_in(const std::string& name) {
  if (name == "set") return Scatter::set;
  if (name == "add") return Scatter::add;
  if (name == "multiply") return Scatter::multiply;
  if (name == "min") return Scatter::min;
  if (name == "max") return Scatter::max;
  throw nb::value_error("scatter: how is \"set\", \"add\", \"multiply\", \"min\" or \"max\"");
}

void bind_indexing(nb::module_& m) {
  m.def(
      "take",
      [](Operand x, Operand indices, std::optional<int> axis) {
        return unlocked([&] { return take(std::move(x), std::move(indices), axis); });
      },
      nb::sig("def take(x: UnifiedArray, indices: UnifiedArray, /, *, axis: int | None = None)"
              " -> UnifiedArray"),
      nb::arg(), nb::arg(), nb::kw_only(), nb::arg("axis") = nb::none(),
      "Take the slices that indices name along an axis.");
  m.def(
      "take_along_axis",
      [](Operand x, Operand indices, int axis) {
        return unlocked([&] { return take_along_axis(std::move(x), std::move(indices), axis); });
      },
      nb::sig("def take_along_axis(x: UnifiedArray, indices: UnifiedArray, /, *, axis: int = -1)"
              " -> UnifiedArray"),
      nb::arg(), nb::arg(), nb::kw_only(), nb::arg("axis") = -1,
      "Take the element of each line along an axis that indices name.");
  m.def(
      "scatter",
      [](Operand x, Operand indices, Operand values, int axis, const std::string& how) {
        const Scatter what = how_in(how);
        return unlocked([&] {
          return scatter(std::move(x), std::move(indices), std::move(values), axis, what);
        });
      },
      nb::sig("def scatter(x: UnifiedArray, indices: UnifiedArray, "
              "values: UnifiedArray | complex, /, *, axis: int = 0, how: str = 'set')"
              " -> UnifiedArray"),
      nb::arg(), nb::arg(), nb::arg(), nb::kw_only(), nb::arg("axis") = 0, nb::arg("how") = "set",
      "The array with values put, or added and so on, where indices name slices.\n\n"
      "`how` is \"set\", \"add\", \"multiply\", \"min\" or \"max\".");
  m.def(
      "scatter_along_axis",
      [](Operand x, Operand indices, Operand values, int axis, const std::string& how) {
        const Scatter what = how_in(how);
        return unlocked([&] {
          return scatter_along_axis(std::move(x), std::move(indices), std::move(values), axis,
                                    what);
        });
      },
      nb::sig("def scatter_along_axis(x: UnifiedArray, indices: UnifiedArray, "
              "values: UnifiedArray | complex, /, *, axis: int = -1, how: str = 'set')"
              " -> UnifiedArray"),
      nb::arg(), nb::arg(), nb::arg(), nb::kw_only(), nb::arg("axis") = -1, nb::arg("how") = "set",
      "The array with values put where indices name elements of lines along an axis; `how` as for\n"
      "`scatter`.");
  m.def(
      "one_hot",
      [](Operand indices, std::int64_t count, std::optional<DType> dtype) {
        return unlocked(
            [&] { return one_hot(std::move(indices), count, dtype.value_or(DType::float64)); });
      },
      nb::sig(
          "def one_hot(indices: UnifiedArray, count: int, /, *, dtype: _DTypeLike | None = None)"
          " -> UnifiedArray"),
      nb::arg(), nb::arg(), nb::kw_only(), nb::arg("dtype") = nb::none(),
      "A last axis more: 1 where the index names the place, 0 elsewhere. An index that is not in\n"
      "[0, count) gives zeros only.");
}

}  // namespace

void bind_searching(nb::module_& m) {
  bind_places(m);
  bind_sorting(m);
  bind_sets(m);
  bind_indexing(m);
}

}  // namespace isofield::python
