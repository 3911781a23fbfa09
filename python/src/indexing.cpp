#include <algorithm>

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

/// A truth value or an array of indices or truth values, also as a list or another library's.
Index array_index_in(PyObject* entry, BaseBackend& backend) {
  if (is_array(entry)) return {array_in(entry), nowhere};
  const UnifiedArray array = to_array(entry, {}, &backend, {});
  // An empty list has no dtype of its own.
  if (PySequence_Check(entry) && array.size() == 0 && is_floating(array.dtype()))
    return {array.astype(DType::int64, nowhere), nowhere};
  return {array, nowhere};
}

Index index_in(PyObject* entry, BaseBackend& backend) {
  if (entry == Py_Ellipsis) return {ellipsis, nowhere};
  if (entry == Py_None) return {newaxis, nowhere};
  if (PySlice_Check(entry)) return {slice_in(entry), nowhere};
  const bool is_list = PyList_Check(entry) || PyTuple_Check(entry);
  if (PyBool_Check(entry) || is_list || is_array(entry) || PyObject_CheckBuffer(entry))
    return array_index_in(entry, backend);
  if (PyIndex_Check(entry)) return {integer(entry), nowhere};
  throw IndexError(
      "an index is an int, a slice, ..., None, or an array of integers or truth "
      "values, not " +
      nb::cast<std::string>(nb::repr(nb::handle(entry))));
}

std::vector<Index> indices_in(PyObject* key, BaseBackend& backend) {
  std::vector<Index> indices;
  if (!PyTuple_Check(key)) return {index_in(key, backend)};
  for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(key); ++k)
    indices.push_back(index_in(PyTuple_GET_ITEM(key, k), backend));
  return indices;
}

}  // namespace

PyObject* get_item(PyObject* self, PyObject* key) noexcept {
  try {
    const UnifiedArray array = array_in(self);
    const std::vector<Index> indices = indices_in(key, array.backend());
    const auto read = [&] { return array.index(indices); };
    if (array.pending()) evaluate(array);
    const bool gathers = std::any_of(indices.begin(), indices.end(),
                                     [](const Index& i) { return static_cast<bool>(i.array()); });
    return wrap(gathers ? unlocked(read) : read());
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
    UnifiedArray& target = array_in(self);
    const std::vector<Index> indices = indices_in(key, target.backend());
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
