#include <isofield/version.hpp>
#include <limits>

#include "binding.hpp"

namespace {

/// Set an attribute of nanobind's own types of functions, which Python code may not change. They
/// belong to this module alone.
void set_type_attribute(nanobind::type_object type, const char* name, nanobind::handle value) {
  auto* t = reinterpret_cast<PyTypeObject*>(type.ptr());
  if (PyDict_SetItemString(t->tp_dict, name, value.ptr()) != 0) throw nanobind::python_error();
  PyType_Modified(t);
}

}  // namespace

NB_MODULE(_core, m) {
  using namespace isofield::python;
  namespace nb = nanobind;
  nb::set_leak_warnings(false);  // dtypes and exceptions live as long as the process
  // What is bound here belongs to the package: pickles, stubs and messages name it so.
  const nb::object own_name = m.attr("__name__");
  m.attr("__name__") = "isofield";
  bind_errors(m);
  bind_dtypes(m);
  bind_array(m);
  bind_dtype_functions(m);
  bind_backends(m);
  bind_creation(m);
  bind_pointwise(m);
  bind_manipulation(m);
  bind_reductions(m);
  bind_searching(m);
  bind_numerical(m);
  bind_statistics(m);
  bind_activations(m);
  bind_features(m);
  bind_random(m);
  bind_linalg(m);
  bind_fft(m);
  bind_transforms(m);
  bind_mfg(m);
  m.def("_set_type_attribute", &set_type_attribute);
  m.attr("e") = 2.718281828459045;
  m.attr("pi") = 3.141592653589793;
  m.attr("inf") = std::numeric_limits<double>::infinity();
  m.attr("nan") = std::numeric_limits<double>::quiet_NaN();
  m.attr("newaxis") = nb::none();
  m.attr("__version__") = ISOFIELD_VERSION;
  m.attr("__name__") = own_name;
}
