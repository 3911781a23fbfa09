#include "binding.hpp"

namespace isofield::python {
namespace {

std::vector<int> axes_in(nb::handle object) {
  if (PyIndex_Check(object.ptr())) return {nb::cast<int>(object)};
  return nb::cast<std::vector<int>>(object);
}

UnifiedArray reshaped(const UnifiedArray& x, Shape shape, std::optional<bool> copy) {
  const Operand operand(x, nowhere);
  if (copy == true) return reshape({x.copy(), nowhere}, shape);
  evaluate(x);
  UnifiedArray result = reshape(operand, shape);
  if (copy == false && x.size() > 0 && result.view(nowhere).bytes() != x.view(nowhere).bytes())
    throw nb::value_error("reshape: this layout needs a copy, and copy=False");
  return result;
}

UnifiedArray squeezed(UnifiedArray x, nb::handle axis) {
  std::vector<int> axes = axes_in(axis);
  for (int& a : axes) a = normalize_axis(a, x.ndim(), "squeeze");
  std::sort(axes.rbegin(), axes.rend());
  for (const int a : axes) x = squeeze({std::move(x), nowhere}, a);
  return x;
}

UnifiedArray flipped(UnifiedArray x, nb::handle axis) {
  std::vector<int> axes;
  if (axis.is_none())
    for (int k = 0; k < x.ndim(); ++k) axes.push_back(k);
  else
    axes = axes_in(axis);
  for (const int a : axes) x = flip({std::move(x), nowhere}, a);
  return x;
}

UnifiedArray concatenated(const std::vector<UnifiedArray>& arrays, std::optional<int> axis) {
  if (axis) return concat(arrays, *axis, nowhere);
  std::vector<UnifiedArray> flat;
  for (const auto& a : arrays) flat.push_back(reshape({a, nowhere}, {a.size()}));
  return concat(flat, 0, nowhere);
}

std::vector<UnifiedArray> broadcast_all(const nb::args& arguments) {
  std::vector<UnifiedArray> arrays;
  for (const nb::handle a : arguments) arrays.push_back(nb::cast<UnifiedArray>(a));
  Shape shape;
  for (const auto& a : arrays) shape = broadcast_shapes(shape, a.shape(), "broadcast_arrays");
  for (auto& a : arrays) a = broadcast_to({a, nowhere}, shape);
  return arrays;
}

}  // namespace

void bind_manipulation(nb::module_& m) {
  m.def("reshape", &reshaped,
        nb::sig("def reshape(x: UnifiedArray, /, shape: tuple[int, ...], *, "
                "copy: _bool | None = None) -> UnifiedArray"),
        nb::arg(), nb::arg("shape"), nb::kw_only(), nb::arg("copy") = nb::none(),
        "The same elements in C order with another shape; one length may be -1.");
  m.def(
      "permute_dims",
      [](const Operand& x, const std::vector<int>& axes) { return permute_dims(x, axes); },
      nb::sig("def permute_dims(x: UnifiedArray, /, axes: tuple[int, ...]) -> UnifiedArray"),
      nb::arg(), nb::arg("axes"), "Reorder the axes.");
  m.def(
      "matrix_transpose", [](const Operand& x) { return matrix_transpose(x); },
      nb::sig("def matrix_transpose(x: UnifiedArray, /) -> UnifiedArray"),
      "Swap the last two axes.");
  m.def(
      "broadcast_to", [](const Operand& x, const Shape& shape) { return broadcast_to(x, shape); },
      nb::sig("def broadcast_to(x: UnifiedArray, /, shape: tuple[int, ...]) -> UnifiedArray"),
      nb::arg(), nb::arg("shape"), "Repeat the elements to fill a shape, without a copy.");
  m.def("broadcast_arrays", &broadcast_all,
        nb::sig("def broadcast_arrays(*arrays: UnifiedArray) -> list[UnifiedArray]"),
        "Bring arrays to their common shape, without copies.");
  m.def(
      "expand_dims", [](const Operand& x, int axis) { return expand_dims(x, axis); },
      nb::sig("def expand_dims(x: UnifiedArray, /, axis: int = 0) -> UnifiedArray"), nb::arg(),
      nb::arg("axis") = 0, "Add an axis of length 1.");
  m.def("squeeze", &squeezed,
        nb::sig("def squeeze(x: UnifiedArray, /, axis: int | tuple[int, ...]) -> UnifiedArray"),
        nb::arg(), nb::arg("axis"), "Remove axes of length 1.");
  m.def("flip", &flipped,
        nb::sig("def flip(x: UnifiedArray, /, *, axis: int | tuple[int, ...] | None = None)"
                " -> UnifiedArray"),
        nb::arg(), nb::kw_only(), nb::arg("axis") = nb::none(), "Reverse axes, all by default.");
  m.def("concat", &concatenated,
        nb::sig("def concat(arrays: tuple[UnifiedArray, ...] | list[UnifiedArray], /, *, "
                "axis: int | None = 0) -> UnifiedArray"),
        nb::arg(), nb::kw_only(), nb::arg("axis").none() = 0,
        "Join arrays along an axis; `None`: all elements in a row.");
  m.def(
      "stack",
      [](const std::vector<UnifiedArray>& arrays, int axis) {
        return stack(arrays, axis, nowhere);
      },
      nb::sig("def stack(arrays: tuple[UnifiedArray, ...] | list[UnifiedArray], /, *, "
              "axis: int = 0) -> UnifiedArray"),
      nb::arg(), nb::kw_only(), nb::arg("axis") = 0, "Join arrays along a new axis.");
}

}  // namespace isofield::python
