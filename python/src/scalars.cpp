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
  if (PyComplex_Check(object)) {
    const Py_complex z = PyComplex_AsCComplex(object);
    return Scalar(std::complex<double>(z.real, z.imag));
  }
  if (const auto number = foreign_number_in(object)) return number->value;
  return {};
}

bool holds_elements(PyObject* object) noexcept {
  if (PyList_Check(object) || PyTuple_Check(object) || PyRange_Check(object)) return true;
  if (PyBytes_Check(object) || PyByteArray_Check(object)) return false;
  return PyObject_CheckBuffer(object) || PyObject_HasAttrString(object, "__dlpack__");
}

void refuse(const char* name, const char* wanted, nb::handle given) {
  throw nb::type_error(
      (std::string(name) + " is " + wanted + ", not " + nb::cast<std::string>(nb::repr(given)))
          .c_str());
}

ShapeArgument::operator Shape() const {
  constexpr const char* wanted = "an int or a sequence of ints";
  const auto length = [&](nb::handle entry) -> std::int64_t {
    const nb::object number = nb::steal(PyNumber_Index(entry.ptr()));
    if (!number.is_valid()) {
      PyErr_Clear();
      refuse("shape", wanted, given);
    }
    int overflow = 0;
    const long long value = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
    if (overflow)
      throw ShapeError("shape: the length " + nb::cast<std::string>(nb::str(number)) +
                       " does not fit into 64 bits");
    return value;
  };
  const Py_ssize_t count = PySequence_Check(given.ptr()) ? PySequence_Size(given.ptr()) : -1;
  if (count < 0) {
    PyErr_Clear();
    return {length(given)};
  }
  if (count > Dims::max_rank)
    throw ShapeError("shape: rank " + std::to_string(count) + " is above the largest, " +
                     std::to_string(Dims::max_rank));
  Shape shape;
  for (Py_ssize_t k = 0; k < count; ++k) {
    const nb::object entry = nb::steal(PySequence_GetItem(given.ptr(), k));
    if (!entry.is_valid()) throw nb::python_error();
    shape.push_back(length(entry));
  }
  return shape;
}

std::optional<Operand> operand_in(PyObject* object) {
  if (is_array(object)) return Operand(array_in(object), nowhere);
  if (const auto scalar = scalar_in(object)) return Operand(*scalar, nowhere);
  return {};
}

std::optional<std::vector<int>> axes_in(nb::handle axis, const char* name) {
  constexpr const char* wanted = "an int, a sequence of ints or None";
  if (axis.is_none()) return {};
  if (PyIndex_Check(axis.ptr())) return std::vector<int>{argument<int>(axis, name, wanted)};
  return argument<std::vector<int>>(axis, name, wanted);
}

std::vector<int> given_axes_in(nb::handle axis, const char* name) {
  if (axis.is_none()) refuse(name, "an int or a sequence of ints", axis);
  return *axes_in(axis, name);
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
    if (!is_array(a.ptr())) refuse("every argument", "an array", a);
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
