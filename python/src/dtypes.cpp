#include <array>
#include <isofield/data_types.hpp>

#include "binding.hpp"

namespace isofield::python {
namespace {

/// A dtype as Python sees it: one object for each, so that `==` is identity and never raises.
struct DTypeObject {
  DType dtype;
};
PyTypeObject* dtype_type;
std::array<PyObject*, dtype_count> objects;  // as long as the process: the module never goes away

DTypeObject& object_in(PyObject* object) { return *nb::inst_ptr<DTypeObject>(object); }

/// The dtype of an array or of a dtype object.
DType dtype_of_argument(nb::handle object, const char* operation) {
  if (is_array(object.ptr())) return array_in(object.ptr()).dtype();
  if (const auto dtype = dtype_in(object.ptr())) return *dtype;
  throw DTypeError(std::string(operation) + ": takes an array or a dtype, not " +
                   nb::cast<std::string>(nb::repr(object)));
}

/// A dtype stands for an array of it.
Operand promoting(nb::handle object) {
  if (const auto operand = operand_in(object.ptr())) return *operand;
  return Operand(empty({}, dtype_of_argument(object, "result_type")), nowhere);
}

DType result_of(const nb::args& arguments) {
  std::vector<Operand> operands;
  for (const nb::handle a : arguments) operands.push_back(promoting(a));
  return result_type(operands);
}

bool is_of(DType dtype, nb::handle kind) {
  if (PyTuple_Check(kind.ptr())) {
    for (const nb::handle entry : nb::borrow<nb::tuple>(kind))
      if (is_of(dtype, entry)) return true;
    return false;
  }
  if (PyUnicode_Check(kind.ptr())) return isdtype(dtype, nb::cast<std::string>(kind));
  return dtype == dtype_of_argument(kind, "isdtype");
}

std::optional<DType> dtype_of_name(std::string_view text) noexcept {
  if (text == "bool_") return DType::bool_;
  for (const DType dtype : all_dtypes)
    if (name(dtype) == text) return dtype;
  return {};
}

std::optional<DType> dtype_of_text(PyObject* object) noexcept {
  if (const char* text = PyUnicode_AsUTF8(object)) return dtype_of_name(text);
  PyErr_Clear();
  return {};
}

/// "finfo(bits=32, ...)"
template <class... Value>
std::string listed(const char* type, const char* const (&names)[sizeof...(Value)],
                   const Value&... values) {
  std::string text = std::string(type) + "(";
  std::size_t k = 0;
  const auto add = [&](const auto& value) {
    text += (k ? ", " : "") + std::string(names[k]) + "=" +
            nb::cast<std::string>(nb::repr(nb::cast(value)));
    ++k;
  };
  (add(values), ...);
  return text + ")";
}

}  // namespace

std::optional<DType> dtype_in(PyObject* object) noexcept {
  if (Py_TYPE(object) == dtype_type) return object_in(object).dtype;
  if (object == reinterpret_cast<PyObject*>(&PyBool_Type)) return DType::bool_;
  if (object == reinterpret_cast<PyObject*>(&PyLong_Type)) return DType::int64;
  if (object == reinterpret_cast<PyObject*>(&PyFloat_Type)) return DType::float64;
  if (object == reinterpret_cast<PyObject*>(&PyComplex_Type)) return DType::complex128;
  if (PyUnicode_Check(object)) return dtype_of_text(object);
  constexpr std::string_view numpy = "numpy.";
  if (PyType_Check(object)) {  // numpy.float32
    const std::string_view name = reinterpret_cast<PyTypeObject*>(object)->tp_name;
    return name.starts_with(numpy) ? dtype_of_name(name.substr(numpy.size())) : std::nullopt;
  }
  if (!std::string_view(Py_TYPE(object)->tp_name).starts_with(numpy)) return {};
  const nb::object text = nb::steal(PyObject_GetAttrString(object, "name"));  // numpy.dtype("f4")
  if (text.is_valid() && PyUnicode_Check(text.ptr())) return dtype_of_text(text.ptr());
  PyErr_Clear();
  return {};
}

PyObject* dtype_object(DType dtype) noexcept {
  PyObject* object = objects[static_cast<std::size_t>(dtype)];
  Py_INCREF(object);
  return object;
}

void bind_dtypes(nb::module_& m) {
  dtype_type = reinterpret_cast<PyTypeObject*>(
      nb::class_<DTypeObject>(m, "DType", nb::is_final(), "A data type: one of thirteen objects.")
          .def_prop_ro(
              "name", [](const DTypeObject& d) { return std::string(name(d.dtype)); },
              "The standard's name, such as \"float64\".")
          .def_prop_ro(
              "itemsize", [](const DTypeObject& d) { return itemsize(d.dtype); },
              "Bytes of one element.")
          .def("__repr__",
               [](const DTypeObject& d) { return "isofield." + std::string(name(d.dtype)); })
          .def("__reduce__", [](const DTypeObject& d) { return std::string(name(d.dtype)); })
          .ptr());
  for (const DType dtype : all_dtypes) {
    nb::object object = nb::inst_alloc(nb::handle(reinterpret_cast<PyObject*>(dtype_type)));
    new (nb::inst_ptr<DTypeObject>(object)) DTypeObject{dtype};
    nb::inst_mark_ready(object);
    m.attr(std::string(name(dtype)).c_str()) = object;
    objects[static_cast<std::size_t>(dtype)] = object.release().ptr();
  }
}

void bind_dtype_functions(nb::module_& m) {
  nb::class_<FloatInfo>(m, "finfo_object", "Limits of a floating-point dtype.")
      .def_ro("bits", &FloatInfo::bits)
      .def_ro("eps", &FloatInfo::eps)
      .def_ro("max", &FloatInfo::max)
      .def_ro("min", &FloatInfo::min)
      .def_ro("smallest_normal", &FloatInfo::smallest_normal)
      .def_ro("dtype", &FloatInfo::dtype)
      .def("__repr__", [](const FloatInfo& i) {
        return listed("finfo", {"bits", "eps", "max", "min", "smallest_normal", "dtype"}, i.bits,
                      i.eps, i.max, i.min, i.smallest_normal, i.dtype);
      });
  nb::class_<IntegerInfo>(m, "iinfo_object", "Limits of an integer dtype.")
      .def_ro("bits", &IntegerInfo::bits)
      .def_ro("max", &IntegerInfo::max)
      .def_ro("min", &IntegerInfo::min)
      .def_ro("dtype", &IntegerInfo::dtype)
      .def("__repr__", [](const IntegerInfo& i) {
        return listed("iinfo", {"bits", "max", "min", "dtype"}, i.bits, i.max, i.min, i.dtype);
      });
  m.def(
      "finfo", [](nb::handle type) { return finfo(dtype_of_argument(type, "finfo")); },
      nb::sig("def finfo(type: DType | UnifiedArray, /) -> finfo_object"),
      "Limits of a floating-point dtype, or of the components of a complex one.");
  m.def(
      "iinfo", [](nb::handle type) { return iinfo(dtype_of_argument(type, "iinfo")); },
      nb::sig("def iinfo(type: DType | UnifiedArray, /) -> iinfo_object"),
      "Limits of an integer dtype.");
  m.def(
      "can_cast",
      [](nb::handle from, nb::handle to) {
        return can_cast(dtype_of_argument(from, "can_cast"), dtype_of_argument(to, "can_cast"));
      },
      nb::sig("def can_cast(from_: DType | UnifiedArray, to: DType, /) -> _bool"),
      "Whether promotion can turn one dtype into another.");
  m.def("result_type", &result_of,
        nb::sig("def result_type(*arrays_and_dtypes: UnifiedArray | DType | complex) -> DType"),
        "The dtype that arrays, dtypes and Python numbers promote to.");
  m.def("isdtype", &is_of,
        nb::sig("def isdtype(dtype: DType, kind: DType | str | tuple[DType | str, ...]) -> _bool"),
        nb::arg("dtype"), nb::arg("kind"),
        "Whether a dtype is of a kind: \"bool\", \"signed integer\", \"unsigned integer\",\n"
        "\"integral\", \"real floating\", \"complex floating\", \"numeric\", a dtype, or a tuple\n"
        "of these.");
  m.def(
      "astype",
      [](nb::handle x, DType dtype, bool copy, const DeviceArgument& device) {
        if (!is_array(x.ptr())) throw nb::type_error("astype: takes an array");
        return same_or(x, brought(array_in(x.ptr()), dtype, device.backend(),
                                  copy ? std::optional(true) : std::nullopt));
      },
      nb::sig("def astype(x: UnifiedArray, dtype: _DTypeLike, /, *, copy: _bool = True, "
              "device: str | None = None) -> UnifiedArray"),
      nb::arg(), nb::arg(), nb::kw_only(), nb::arg("copy") = true, nb::arg("device") = nb::none(),
      "Cast an array to another dtype; `copy=False` gives the array itself where nothing changes.");
}

}  // namespace isofield::python
