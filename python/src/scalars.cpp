#include <complex>

#include "binding.hpp"

namespace isofield::python {

std::optional<Scalar> scalar_in(PyObject* object) noexcept {
  if (PyFloat_Check(object)) return Scalar(PyFloat_AS_DOUBLE(object));
  if (PyBool_Check(object)) return Scalar(object == Py_True);
  if (PyLong_Check(object)) {
    int overflow = 0;
    const long long value = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (!overflow) return Scalar(static_cast<std::int64_t>(value));
    if (overflow < 0) return {};
    const unsigned long long wide = PyLong_AsUnsignedLongLong(object);
    if (!PyErr_Occurred()) return Scalar(static_cast<std::uint64_t>(wide));
    PyErr_Clear();
    return {};
  }
  if (!PyComplex_Check(object)) return {};
  const Py_complex z = PyComplex_AsCComplex(object);
  return Scalar(std::complex<double>(z.real, z.imag));
}

std::optional<Operand> operand_in(PyObject* object) {
  if (is_array(object)) return Operand(array_in(object), nowhere);
  if (const auto scalar = scalar_in(object)) return Operand(*scalar, nowhere);
  return {};
}

std::optional<std::vector<int>> axes_in(nb::handle axis) {
  if (axis.is_none()) return {};
  if (PyIndex_Check(axis.ptr())) return std::vector<int>{nb::cast<int>(axis)};
  return nb::cast<std::vector<int>>(axis);
}

std::vector<int> axes_in(nb::handle axis, int rank) {
  if (auto axes = axes_in(axis)) return *std::move(axes);
  std::vector<int> all;
  for (int k = 0; k < rank; ++k) all.push_back(k);
  return all;
}

std::vector<UnifiedArray> arrays_in(const nb::args& arguments) {
  std::vector<UnifiedArray> arrays;
  for (const nb::handle a : arguments) {
    if (!is_array(a.ptr())) throw nb::type_error("every argument is an array");
    arrays.push_back(array_in(a.ptr()));
  }
  return arrays;
}

nb::tuple to_tuple(std::vector<UnifiedArray>&& arrays) {
  nb::object tuple = nb::steal(PyTuple_New(static_cast<Py_ssize_t>(arrays.size())));
  for (std::size_t k = 0; k < arrays.size(); ++k)
    PyTuple_SET_ITEM(tuple.ptr(), static_cast<Py_ssize_t>(k), wrap(std::move(arrays[k])));
  return nb::borrow<nb::tuple>(tuple);
}

nb::tuple to_tuple(const Dims& dims) {
  nb::object tuple = nb::steal(PyTuple_New(dims.size()));
  for (int k = 0; k < dims.size(); ++k)
    PyTuple_SET_ITEM(tuple.ptr(), k, PyLong_FromLongLong(dims[k]));
  return nb::borrow<nb::tuple>(tuple);
}

}  // namespace isofield::python
