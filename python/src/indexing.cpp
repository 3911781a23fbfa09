#include "binding.hpp"
#include "operators.hpp"

namespace isofield::python {
namespace {

std::int64_t integer(PyObject* object) {
  const nb::object number = nb::steal(PyNumber_Index(object));
  if (!number.is_valid()) throw nb::python_error();
  const long long value = PyLong_AsLongLong(number.ptr());
  if (value == -1 && PyErr_Occurred()) {
    PyErr_Clear();
    throw IndexError("index " + nb::cast<std::string>(nb::repr(number)) + " is out of range");
  }
  return value;
}

/// An end of a slice; what is too large for an array is as good as the largest number.
std::optional<std::int64_t> end_of(PyObject* object) {
  if (object == Py_None) return {};
  const Py_ssize_t value = PyNumber_AsSsize_t(object, nullptr);
  if (value == -1 && PyErr_Occurred()) throw nb::python_error();
  return value;
}

Slice slice_in(PyObject* object) {
  const auto* parts = reinterpret_cast<PySliceObject*>(object);
  return {end_of(parts->start), end_of(parts->stop), end_of(parts->step).value_or(1)};
}

Index index_in(PyObject* entry) {
  if (entry == Py_Ellipsis) return {ellipsis, nowhere};
  if (entry == Py_None) return {newaxis, nowhere};
  if (PySlice_Check(entry)) return {slice_in(entry), nowhere};
  if (PyIndex_Check(entry) && !PyBool_Check(entry)) return {integer(entry), nowhere};
  throw IndexError("an index is an int, a slice, ... or None, not " +
                   nb::cast<std::string>(nb::repr(nb::handle(entry))));
}

std::vector<Index> indices_in(PyObject* key) {
  std::vector<Index> indices;
  if (!PyTuple_Check(key)) return {index_in(key)};
  for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(key); ++k)
    indices.push_back(index_in(PyTuple_GET_ITEM(key, k)));
  return indices;
}

}  // namespace

PyObject* get_item(PyObject* self, PyObject* key) noexcept {
  try {
    const UnifiedArray array = array_in(self);
    const std::vector<Index> indices = indices_in(key);
    if (array.pending()) evaluate(array);
    return wrap(array.index(indices));
  } catch (...) {
    set_error();
    return nullptr;
  }
}

PyObject* get_entry(PyObject* self, Py_ssize_t i) noexcept {
  try {
    const Index index{static_cast<std::int64_t>(i), nowhere};
    return wrap(array_in(self).index({&index, 1}));
  } catch (...) {
    set_error();
    return nullptr;
  }
}

int set_item(PyObject* self, PyObject* key, PyObject* value) noexcept {
  try {
    if (!value) throw nb::type_error("elements of an array cannot be deleted");
    const std::vector<Index> indices = indices_in(key);
    UnifiedArray& target = array_in(self);
    if (const auto scalar = scalar_in(value)) {
      target.assign(indices, {*scalar, nowhere});
    } else {
      const UnifiedArray source = to_array(value, {}, &target.backend(), {});
      evaluate(source);
      target.assign(indices, {source, nowhere});
    }
    return 0;
  } catch (...) {
    set_error();
    return -1;
  }
}

}  // namespace isofield::python
