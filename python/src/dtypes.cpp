#include <array>
#include <limits>
#include <type_traits>

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

struct FloatInfo {
  int bits;
  double eps, max, min, smallest_normal;
  DType dtype;
};
struct IntInfo {
  int bits;
  nb::object max, min;
  DType dtype;
};

/// The dtype of an array or of a dtype object.
DType dtype_of_argument(nb::handle object, const char* operation) {
  if (is_array(object.ptr())) return array_in(object.ptr()).dtype();
  if (const auto dtype = dtype_in(object.ptr())) return *dtype;
  throw DTypeError(std::string(operation) + ": takes an array or a dtype, not " +
                   nb::cast<std::string>(nb::repr(object)));
}

template <class T>
FloatInfo float_info(DType dtype) {
  using L = std::numeric_limits<T>;
  return {static_cast<int>(8 * sizeof(T)),
          double(L::epsilon()),
          double(L::max()),
          double(L::lowest()),
          double(L::min()),
          dtype};
}

FloatInfo finfo(nb::handle type) {
  switch (const DType dtype = dtype_of_argument(type, "finfo"); dtype) {
    case DType::float32:
    case DType::complex64: return float_info<float>(DType::float32);
    case DType::float64:
    case DType::complex128: return float_info<double>(DType::float64);
    default: throw DTypeError("finfo: " + std::string(name(dtype)) + " is no floating-point dtype");
  }
}

/// The number as one that Python takes for an int, not for a character.
template <class T>
auto wide(T value) {
  return static_cast<std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>(value);
}

template <class T>
IntInfo int_info(DType dtype) {
  using L = std::numeric_limits<T>;
  return {static_cast<int>(8 * sizeof(T)), nb::int_(wide(L::max())), nb::int_(wide(L::min())),
          dtype};
}

IntInfo iinfo(nb::handle type) {
  switch (const DType dtype = dtype_of_argument(type, "iinfo"); dtype) {
    case DType::int8: return int_info<std::int8_t>(dtype);
    case DType::int16: return int_info<std::int16_t>(dtype);
    case DType::int32: return int_info<std::int32_t>(dtype);
    case DType::int64: return int_info<std::int64_t>(dtype);
    case DType::uint8: return int_info<std::uint8_t>(dtype);
    case DType::uint16: return int_info<std::uint16_t>(dtype);
    case DType::uint32: return int_info<std::uint32_t>(dtype);
    case DType::uint64: return int_info<std::uint64_t>(dtype);
    default: throw DTypeError("iinfo: " + std::string(name(dtype)) + " is no integer dtype");
  }
}

bool can_cast(nb::handle from, nb::handle to) {
  const DType target = dtype_of_argument(to, "can_cast");
  const DType source = dtype_of_argument(from, "can_cast");
  try {
    return isofield::result_type(source, target) == target;
  } catch (const DTypeError&) {
    return false;
  }
}

/// The dtype that a Python number takes beside arrays of `dtype`; throws DTypeError.
DType with_scalar(DType dtype, Scalar scalar) {
  const Kind kind = scalar.kind();
  if (kind == Kind::complex && is_floating(dtype)) return complex_dtype(dtype);
  const bool fits = kind == Kind::boolean   ? dtype == DType::bool_
                    : kind == Kind::real    ? isofield::kind(dtype) >= Kind::real
                    : kind == Kind::complex ? is_complex(dtype)
                                            : dtype != DType::bool_;
  if (!fits)
    throw DTypeError("result_type: a scalar of kind " + std::string(name(scalar.default_dtype())) +
                     " does not go with dtype " + std::string(name(dtype)));
  return dtype;
}

DType result_type(const nb::args& arguments) {
  std::optional<DType> dtype;
  for (const nb::handle a : arguments) {
    if (scalar_in(a.ptr())) continue;
    const DType own = dtype_of_argument(a, "result_type");
    dtype = dtype ? isofield::result_type(*dtype, own) : own;
  }
  if (!dtype) throw DTypeError("result_type: takes at least one array or dtype");
  for (const nb::handle a : arguments)
    if (const auto scalar = scalar_in(a.ptr())) dtype = with_scalar(*dtype, *scalar);
  return *dtype;
}

bool is_of_kind(DType dtype, std::string_view text) {
  const Kind kind = isofield::kind(dtype);
  if (text == "bool") return kind == Kind::boolean;
  if (text == "signed integer") return kind == Kind::signed_integer;
  if (text == "unsigned integer") return kind == Kind::unsigned_integer;
  if (text == "integral") return is_integer(dtype);
  if (text == "real floating") return kind == Kind::real;
  if (text == "complex floating") return kind == Kind::complex;
  if (text == "numeric") return kind != Kind::boolean;
  throw nb::value_error(("isdtype: \"" + std::string(text) +
                         "\" is none of \"bool\", \"signed "
                         "integer\", \"unsigned integer\", \"integral\", \"real floating\", "
                         "\"complex floating\", \"numeric\"")
                            .c_str());
}

bool isdtype(DType dtype, nb::handle kind) {
  if (PyTuple_Check(kind.ptr())) {
    for (const nb::handle entry : nb::borrow<nb::tuple>(kind))
      if (isdtype(dtype, entry)) return true;
    return false;
  }
  if (PyUnicode_Check(kind.ptr())) return is_of_kind(dtype, nb::cast<std::string>(kind));
  return dtype == dtype_of_argument(kind, "isdtype");
}

}  // namespace

std::optional<DType> dtype_in(PyObject* object) noexcept {
  if (Py_TYPE(object) == dtype_type) return object_in(object).dtype;
  if (object == reinterpret_cast<PyObject*>(&PyBool_Type)) return DType::bool_;
  if (object == reinterpret_cast<PyObject*>(&PyLong_Type)) return DType::int64;
  if (object == reinterpret_cast<PyObject*>(&PyFloat_Type)) return DType::float64;
  if (object == reinterpret_cast<PyObject*>(&PyComplex_Type)) return DType::complex128;
  if (!PyUnicode_Check(object)) return {};
  const char* text = PyUnicode_AsUTF8(object);
  if (!text) {
    PyErr_Clear();
    return {};
  }
  for (const DType dtype : all_dtypes)
    if (name(dtype) == text) return dtype;
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
      .def_ro("dtype", &FloatInfo::dtype);
  nb::class_<IntInfo>(m, "iinfo_object", "Limits of an integer dtype.")
      .def_ro("bits", &IntInfo::bits)
      .def_ro("max", &IntInfo::max)
      .def_ro("min", &IntInfo::min)
      .def_ro("dtype", &IntInfo::dtype);
  m.def("finfo", &finfo, nb::sig("def finfo(type: DType | UnifiedArray, /) -> finfo_object"),
        "Limits of a floating-point dtype, or of the components of a complex one.");
  m.def("iinfo", &iinfo, nb::sig("def iinfo(type: DType | UnifiedArray, /) -> iinfo_object"),
        "Limits of an integer dtype.");
  m.def("can_cast", &can_cast,
        nb::sig("def can_cast(from_: DType | UnifiedArray, to: DType, /) -> _bool"),
        "Whether promotion can turn one dtype into another.");
  m.def("result_type", &result_type,
        nb::sig("def result_type(*arrays_and_dtypes: UnifiedArray | DType | complex) -> DType"),
        "The dtype that arrays, dtypes and Python numbers promote to.");
  m.def("isdtype", &isdtype,
        nb::sig("def isdtype(dtype: DType, kind: DType | str | tuple[DType | str, ...]) -> _bool"),
        nb::arg("dtype"), nb::arg("kind"),
        "Whether a dtype is of a kind: \"bool\", \"signed integer\", \"unsigned integer\",\n"
        "\"integral\", \"real floating\", \"complex floating\", \"numeric\", a dtype, or a tuple\n"
        "of these.");
  m.def(
      "astype",
      [](const UnifiedArray& x, DType dtype, bool copy, const DeviceArgument& device) {
        return brought(x, dtype, device.backend(), copy ? std::optional(true) : std::nullopt);
      },
      nb::sig("def astype(x: UnifiedArray, dtype: DType, /, *, copy: _bool = True, "
              "device: str | None = None) -> UnifiedArray"),
      nb::arg(), nb::arg(), nb::kw_only(), nb::arg("copy") = true, nb::arg("device") = nb::none(),
      "Cast an array to another dtype; `copy=False` gives the array itself where nothing changes.");
}

}  // namespace isofield::python
