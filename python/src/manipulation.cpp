#include <nanobind/stl/pair.h>
#include <isofield/manipulation.hpp>

#include "binding.hpp"

namespace isofield::python {
namespace {

UnifiedArray reshaped(const UnifiedArray& x, const ShapeArgument& given, std::optional<bool> copy) {
  const Shape shape = given;
  if (copy == true) return unlocked([&] { return reshape({x.copy(), nowhere}, shape); });
  evaluate(x);
  UnifiedArray result = reshape({x, nowhere}, shape);
  if (copy == false && x.size() > 0 && result.view(nowhere).bytes() != x.view(nowhere).bytes())
    throw nb::value_error("reshape: this layout needs a copy, and copy=False");
  return result;
}

UnifiedArray flipped(Operand x, nb::handle axis) {
  const auto axes = axes_in(axis);
  return axes ? flip(std::move(x), *axes) : flip(std::move(x));
}

BaseBackend& backend_of(const Operand& x) {
  return x.is_scalar() ? default_backend() : x.array().backend();
}

UnifiedArray repeated(Operand x, nb::handle repeats, std::optional<int> axis) {
  if (is_array(repeats.ptr())) {
    const UnifiedArray counts = array_in(repeats.ptr());
    return unlocked([&] { return repeat(std::move(x), counts, axis); });
  }
  if (holds_elements(repeats.ptr())) {
    const UnifiedArray counts = to_array(repeats, {}, &backend_of(x), {});
    return unlocked([&] { return repeat(std::move(x), counts, axis); });
  }
  const auto count = argument<std::int64_t>(repeats, "repeats", "an int or an array of ints");
  return unlocked([&] { return repeat(std::move(x), count, axis); });
}

constexpr const char* ints = "an int or a sequence of ints";

UnifiedArray rolled(const UnifiedArray& x, nb::handle shift, nb::handle axis) {
  const auto axes = axes_in(axis);
  if (PyIndex_Check(shift.ptr())) {
    const auto places = argument<std::int64_t>(shift, "shift", ints);
    if (!axes) return unlocked([&] { return roll({x, nowhere}, places); });
    const std::vector<std::int64_t> shifts(axes->size(), places);
    return unlocked([&] { return roll({x, nowhere}, shifts, *axes); });
  }
  const auto shifts = argument<std::vector<std::int64_t>>(shift, "shift", ints);
  if (!axes) throw nb::value_error("roll: shifts of several axes need their axes");
  return unlocked([&] { return roll({x, nowhere}, shifts, *axes); });
}

Pad mode_in(const std::string& name) {
  if (name == "constant") return Pad::constant;
  if (name == "edge") return Pad::edge;
  if (name == "reflect") return Pad::reflect;
  if (name == "symmetric") return Pad::symmetric;
  if (name == "wrap") return Pad::wrap;
  throw nb::value_error(
      "pad: mode is \"constant\", \"edge\", \"reflect\", \"symmetric\" or \"wrap\"");
}

UnifiedArray padded(Operand x, nb::handle width, const std::string& mode, Scalar value) {
  std::vector<std::pair<std::int64_t, std::int64_t>> widths;
  if (PyIndex_Check(width.ptr())) {
    const auto both =
        argument<std::int64_t>(width, "width", "an int, a pair of ints or pairs of ints");
    widths.emplace_back(both, both);
  } else if (std::pair<std::int64_t, std::int64_t> one; nb::try_cast(width, one)) {
    widths.push_back(one);
  } else {
    widths = argument<std::vector<std::pair<std::int64_t, std::int64_t>>>(
        width, "width", "an int, a pair of ints or pairs of ints");
  }
  const Pad chosen = mode_in(mode);
  return unlocked([&] { return pad(std::move(x), widths, chosen, value); });
}

void bind_layouts(nb::module_& m) {
  m.def("reshape", &reshaped,
        nb::sig("def reshape(x: UnifiedArray, /, shape: int | typing.Sequence[int], *, "
                "copy: _bool | None = None) -> UnifiedArray"),
        nb::arg(), nb::arg("shape"), nb::kw_only(), nb::arg("copy") = nb::none(),
        "The same elements in C order with another shape; one length may be -1.");
  m.def(
      "permute_dims",
      [](const UnifiedArray& x, const std::vector<int>& axes) {
        return permute_dims({x, nowhere}, axes);
      },
      nb::sig("def permute_dims(x: UnifiedArray, /, axes: typing.Sequence[int]) -> UnifiedArray"),
      nb::arg(), nb::arg("axes"), "Reorder the axes.");
  m.def(
      "matrix_transpose", [](const Operand& x) { return matrix_transpose(x); },
      nb::sig("def matrix_transpose(x: UnifiedArray, /) -> UnifiedArray"),
      "Swap the last two axes.");
  m.def(
      "moveaxis",
      [](const Operand& x, nb::handle source, nb::handle destination) {
        return moveaxis(x, given_axes_in(source, "source"),
                        given_axes_in(destination, "destination"));
      },
      nb::sig("def moveaxis(x: UnifiedArray, source: int | typing.Sequence[int], "
              "destination: int | typing.Sequence[int], /) -> UnifiedArray"),
      "Move axes to other positions; the others keep their order.");
  m.def(
      "expand_dims",
      [](const Operand& x, nb::handle axis) { return expand_dims(x, given_axes_in(axis)); },
      nb::sig(
          "def expand_dims(x: UnifiedArray, /, axis: int | typing.Sequence[int]) -> UnifiedArray"),
      nb::arg(), nb::arg("axis"), "Add axes of length 1.");
  m.def(
      "squeeze", [](const Operand& x, nb::handle axis) { return squeeze(x, given_axes_in(axis)); },
      nb::sig("def squeeze(x: UnifiedArray, /, axis: int | typing.Sequence[int]) -> UnifiedArray"),
      nb::arg(), nb::arg("axis"), "Remove axes of length 1.");
  m.def("flip", &flipped,
        nb::sig("def flip(x: UnifiedArray, /, *, axis: int | typing.Sequence[int] | None = None)"
                " -> UnifiedArray"),
        nb::arg(), nb::kw_only(), nb::arg("axis") = nb::none(), "Reverse axes, all by default.");
}

void bind_broadcasts(nb::module_& m) {
  m.def(
      "broadcast_to",
      [](const Operand& x, const ShapeArgument& shape) { return broadcast_to(x, shape); },
      nb::sig("def broadcast_to(x: UnifiedArray, /, shape: int | typing.Sequence[int]) -> "
              "UnifiedArray"),
      nb::arg(), nb::arg("shape"), "Repeat the elements to fill a shape, without a copy.");
  m.def(
      "broadcast_arrays",
      [](const nb::args& arrays) { return to_tuple(broadcast_arrays(arrays_in(arrays), nowhere)); },
      nb::sig("def broadcast_arrays(*arrays: UnifiedArray) -> tuple[UnifiedArray, ...]"),
      "Bring arrays to their common shape, without copies.");
  m.def(
      "broadcast_shapes",
      [](const nb::args& shapes) {
        std::vector<Shape> all;
        for (const nb::handle s : shapes) all.push_back(ShapeArgument{nb::borrow(s)});
        return to_tuple(broadcast_shapes(all));
      },
      nb::sig("def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]"),
      "The shape that shapes broadcast to.");
  m.def(
      "meshgrid",
      [](const nb::args& arrays, const std::string& indexing) {
        if (indexing != "xy" && indexing != "ij")
          throw nb::value_error("meshgrid: indexing is \"xy\" or \"ij\"");
        return to_tuple(
            meshgrid(arrays_in(arrays), indexing == "xy" ? Indexing::xy : Indexing::ij, nowhere));
      },
      nb::sig("def meshgrid(*arrays: UnifiedArray, indexing: str = 'xy')"
              " -> tuple[UnifiedArray, ...]"),
      nb::arg(), nb::arg("indexing") = "xy",
      "Coordinate arrays of a grid of one-dimensional ones.");
}

void bind_joins(nb::module_& m) {
  m.def(
      "concat",
      [](const std::vector<UnifiedArray>& arrays, std::optional<int> axis) {
        return unlocked([&] { return concat(arrays, axis, nowhere); });
      },
      nb::sig("def concat(arrays: tuple[UnifiedArray, ...] | list[UnifiedArray], /, *, "
              "axis: int | None = 0) -> UnifiedArray"),
      nb::arg(), nb::kw_only(), nb::arg("axis").none() = 0,
      "Join arrays along an axis; `None`: all elements in a row.");
  m.def(
      "stack",
      [](const std::vector<UnifiedArray>& arrays, int axis) {
        return unlocked([&] { return stack(arrays, axis, nowhere); });
      },
      nb::sig("def stack(arrays: tuple[UnifiedArray, ...] | list[UnifiedArray], /, *, "
              "axis: int = 0) -> UnifiedArray"),
      nb::arg(), nb::kw_only(), nb::arg("axis") = 0, "Join arrays along a new axis.");
  m.def(
      "unstack", [](const Operand& x, int axis) { return to_tuple(unstack(x, axis)); },
      nb::sig("def unstack(x: UnifiedArray, /, *, axis: int = 0) -> tuple[UnifiedArray, ...]"),
      nb::arg(), nb::kw_only(), nb::arg("axis") = 0, "The slices along an axis.");
}

void bind_repetitions(nb::module_& m) {
  m.def("repeat", &repeated,
        nb::sig("def repeat(x: UnifiedArray, repeats: int | UnifiedArray, /, *, "
                "axis: int | None = None) -> UnifiedArray"),
        nb::arg(), nb::arg(), nb::kw_only(), nb::arg("axis") = nb::none(),
        "Each element several times, along an axis or in C order.");
  m.def(
      "tile",
      [](Operand x, nb::handle repetitions) {
        const auto counts =
            PyIndex_Check(repetitions.ptr())
                ? std::vector{argument<std::int64_t>(repetitions, "repetitions", ints)}
                : argument<std::vector<std::int64_t>>(repetitions, "repetitions", ints);
        return unlocked([&] { return tile(std::move(x), counts); });
      },
      nb::sig(
          "def tile(x: UnifiedArray, repetitions: int | typing.Sequence[int], /) -> UnifiedArray"),
      "The whole array again and again along each axis.");
  m.def("roll", &rolled,
        nb::sig("def roll(x: UnifiedArray, /, shift: int | typing.Sequence[int], *, "
                "axis: int | typing.Sequence[int] | None = None) -> UnifiedArray"),
        nb::arg(), nb::arg("shift"), nb::kw_only(), nb::arg("axis") = nb::none(),
        "Move elements along axes; what leaves at the end comes in at the beginning.");
  m.def("pad", &padded,
        nb::sig("def pad(x: UnifiedArray, width: int | tuple[int, int] | "
                "typing.Sequence[tuple[int, int]], /, *, mode: str = 'constant', "
                "value: complex = 0) -> UnifiedArray"),
        nb::arg(), nb::arg(), nb::kw_only(), nb::arg("mode") = "constant", nb::arg("value") = 0,
        "Put elements before and behind along each axis.");
  const auto triangle = [&](const char* name, UnifiedArray (*f)(Operand, std::int64_t),
                            const char* doc) {
    const std::string sig =
        std::string("def ") + name + "(x: UnifiedArray, /, *, k: int = 0) -> UnifiedArray";
    m.def(
        name,
        [f](Operand x, std::int64_t k) { return unlocked([&] { return f(std::move(x), k); }); },
        nb::sig(sig.c_str()), nb::arg(), nb::kw_only(), nb::arg("k") = 0, doc);
  };
  triangle("tril", &tril, "Matrices with zeros above diagonal k.");
  triangle("triu", &triu, "Matrices with zeros below diagonal k.");
}

}  // namespace

void bind_manipulation(nb::module_& m) {
  bind_layouts(m);
  bind_broadcasts(m);
  bind_joins(m);
  bind_repetitions(m);
}

}  // namespace isofield::python
