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

nb::tuple to_tuple(const Dims& dims) {
  nb::object tuple = nb::steal(PyTuple_New(dims.size()));
  for (int k = 0; k < dims.size(); ++k)
    PyTuple_SET_ITEM(tuple.ptr(), k, PyLong_FromLongLong(dims[k]));
  return nb::borrow<nb::tuple>(tuple);
}

}  // namespace isofield::python
