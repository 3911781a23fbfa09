#pragma once

#include <Python.h>

namespace isofield::python {

/// The slots of Python's type for operators, indexing, comparison and the buffer protocol, which
/// the interpreter calls without looking a method up. Ends with an empty one.
extern const PyType_Slot array_slots[];

// Parts of it, by source.
PyObject* get_item(PyObject* self, PyObject* key) noexcept;
int set_item(PyObject* self, PyObject* key, PyObject* value) noexcept;
PyObject* get_entry(PyObject* self, Py_ssize_t i) noexcept;
int get_buffer(PyObject* self, Py_buffer* buffer, int flags) noexcept;
void release_buffer(PyObject* self, Py_buffer* buffer) noexcept;

}  // namespace isofield::python
