#include <isofield/error.hpp>
#include <new>
#include <typeinfo>

#include "binding.hpp"

namespace isofield::python {
namespace {

// The module never goes away, so neither do its exceptions.
PyObject *error, *shape_error, *dtype_error, *index_error, *argument_error, *backend_error,
    *out_of_memory, *not_available, *device_error, *config_error, *solver_error, *linalg_error,
    *io_error;

PyObject* make(nb::module_& m, const char* name, const char* doc, nb::handle bases) {
  const std::string full = std::string("isofield.") + name;
  PyObject* type = PyErr_NewExceptionWithDoc(full.c_str(), doc, bases.ptr(), nullptr);
  if (!type) nb::raise_python_error();
  m.attr(name) = nb::borrow(type);
  return type;
}

/// An exception of ours that is one of Python's, too.
PyObject* derive(nb::module_& m, const char* name, const char* doc, PyObject* builtin) {
  return make(m, name, doc, nb::make_tuple(nb::borrow(error), nb::borrow(builtin)));
}

}  // namespace

void set_error() noexcept {
  try {
    throw;
  } catch (nb::python_error& e) {
    e.restore();
  } catch (const ShapeError& e) {
    PyErr_SetString(shape_error, e.what());
  } catch (const DTypeError& e) {
    PyErr_SetString(dtype_error, e.what());
  } catch (const IndexError& e) {
    PyErr_SetString(index_error, e.what());
  } catch (const ArgumentError& e) {
    PyErr_SetString(argument_error, e.what());
  } catch (const OutOfMemory& e) {
    PyErr_SetString(out_of_memory, e.what());
  } catch (const BackendError& e) {
    PyErr_SetString(backend_error, e.what());
  } catch (const NotAvailable& e) {
    PyErr_SetString(not_available, e.what());
  } catch (const DeviceError& e) {
    PyErr_SetString(device_error, e.what());
  } catch (const ConfigError& e) {
    PyErr_SetString(config_error, e.what());
  } catch (const SolverError& e) {
    PyErr_SetString(solver_error, e.what());
  } catch (const LinAlgError& e) {
    PyErr_SetString(linalg_error, e.what());
  } catch (const IoError& e) {
    PyErr_SetString(io_error, e.what());
  } catch (const Error& e) {
    PyErr_SetString(error, e.what());
  } catch (const nb::builtin_exception& e) {
    PyObject* type = e.type() == nb::exception_type::type_error     ? PyExc_TypeError
                     : e.type() == nb::exception_type::index_error  ? PyExc_IndexError
                     : e.type() == nb::exception_type::buffer_error ? PyExc_BufferError
                     : e.type() == nb::exception_type::value_error  ? PyExc_ValueError
                                                                    : PyExc_RuntimeError;
    PyErr_SetString(type, e.what());
  } catch (const std::bad_alloc&) {
    PyErr_SetString(out_of_memory, "there is no memory for what an operation needs by the way");
  } catch (const std::bad_cast&) {
    PyErr_SetString(PyExc_TypeError, "a value of another type was expected");
  } catch (const std::exception& e) {
    PyErr_SetString(PyExc_RuntimeError, e.what());
  } catch (...) {
    PyErr_SetString(PyExc_RuntimeError, "an exception of an unknown kind");
  }
}

void bind_errors(nb::module_& m) {
  error = make(m, "Error", "Base of every error that this library raises.",
               nb::handle(PyExc_Exception));
  shape_error = derive(m, "ShapeError", "Shapes that do not fit together.", PyExc_ValueError);
  dtype_error =
      derive(m, "DTypeError", "Data types that do not go together, or not here.", PyExc_TypeError);
  index_error =
      derive(m, "IndexError", "An index, axis or slice outside its array.", PyExc_IndexError);
  argument_error =
      derive(m, "ArgumentError", "An argument with a value that an operation does not take.",
             PyExc_ValueError);
  backend_error = derive(m, "BackendError",
                         "Arrays of two backends in one operation, or a backend that failed.",
                         PyExc_RuntimeError);
  out_of_memory = make(m, "OutOfMemory", "Memory that a backend could not get.",
                       nb::make_tuple(nb::borrow(backend_error), nb::borrow(PyExc_MemoryError)));
  not_available = derive(m, "NotAvailable",
                         "A backend, a device or a feature that this build or machine lacks.",
                         PyExc_RuntimeError);
  device_error = derive(m, "DeviceError", "Arrays of two devices, or a device that cannot do this.",
                        PyExc_RuntimeError);
  config_error = derive(m, "ConfigError", "A configuration that is wrong.", PyExc_ValueError);
  solver_error =
      derive(m, "SolverError", "A numerical method that broke down.", PyExc_ArithmeticError);
  linalg_error = derive(m, "LinAlgError", "A matrix that has no inverse or no such decomposition.",
                        PyExc_ValueError);
  io_error = derive(m, "IoError", "A file that cannot be read or written.", PyExc_OSError);
  nb::register_exception_translator([](const std::exception_ptr& p, void*) {
    try {
      std::rethrow_exception(p);
    } catch (const Error&) {
      set_error();
    } catch (const std::bad_alloc&) {
      set_error();
    } catch (const std::bad_cast&) {
      set_error();
    }
  });
}

}  // namespace isofield::python
