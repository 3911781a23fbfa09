#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <isofield/interop/foreign.hpp>
#include <isofield/ops.hpp>
#include <isofield/registry.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// What the sources of the Python module share: how Python's objects become the library's and back.
namespace isofield::python {

namespace nb = nanobind;

/// No place in a C++ file: a Python exception has a traceback of its own.
inline constexpr std::source_location nowhere{};

// One function a page of the standard, each in the source of its name.
void bind_errors(nb::module_& m);
void bind_dtypes(nb::module_& m);
void bind_dtype_functions(nb::module_& m);
void bind_array(nb::module_& m);
void bind_exchange(nb::module_& m, nb::class_<UnifiedArray>& c);
void bind_backends(nb::module_& m);
void bind_creation(nb::module_& m);
void bind_pointwise(nb::module_& m);
void bind_manipulation(nb::module_& m);
void bind_reductions(nb::module_& m);
void bind_searching(nb::module_& m);
void bind_numerical(nb::module_& m);
void bind_statistics(nb::module_& m);
void bind_activations(nb::module_& m);
void bind_features(nb::module_& m);
void bind_random(nb::module_& m);
void bind_linalg(nb::module_& m);
void bind_fft(nb::module_& m);
void bind_transforms(nb::module_& m);
void bind_mfg(nb::module_& m);

/// The Python type of arrays.
extern PyTypeObject* array_type;
inline bool is_array(PyObject* object) noexcept {
  return Py_TYPE(object) == array_type || PyObject_TypeCheck(object, array_type);
}
/// The array in a Python object that `is_array`.
inline UnifiedArray& array_in(PyObject* object) noexcept {
  return *nb::inst_ptr<UnifiedArray>(object);
}
/// A new Python object that holds `array`.
PyObject* wrap(UnifiedArray&& array) noexcept;

/// Set Python's error from the C++ exception that is being handled.
void set_error() noexcept;

/// The scalar in a Python bool, int, float or complex, which is what the standard mixes with
/// arrays, or in a number of NumPy's, which counts as Python's; none for other objects.
std::optional<Scalar> scalar_in(PyObject* object) noexcept;

/// A number of another library's: its value and dtype in memory with the buffer protocol and no
/// axes; none for other objects.
struct ForeignNumber {
  Scalar value;
  DType dtype;
};
std::optional<ForeignNumber> foreign_number_in(PyObject* object) noexcept;

/// Whether an object that is none of our arrays holds elements: a list, a tuple, or what other
/// libraries call an array. Bytes are no numbers.
bool holds_elements(PyObject* object) noexcept;

/// Throw TypeError: the argument `name` is `wanted`, not what was given.
[[noreturn]] void refuse(const char* name, const char* wanted, nb::handle given);
/// A Python argument as a T; throws TypeError that names it.
template <class T>
T argument(nb::handle given, const char* name, const char* wanted) {
  T value;
  if (!nb::try_cast(given, value)) refuse(name, wanted, given);
  return value;
}

/// An array or a number as an operand; none for other objects.
std::optional<Operand> operand_in(PyObject* object);

/// Whether an operation on these elements takes longer than giving up the interpreter.
inline bool is_long(const Shape& shape) noexcept {
  std::int64_t count = 1;
  for (const auto n : shape)
    if ((count *= n) == 0 || count > 4096) break;
  return count > 4096;
}
inline bool is_long(const Operand& x) noexcept {
  return !x.is_scalar() && is_long(x.array().shape());
}

/// Releases the interpreter for the time of a call that may take long.
class Unlocked {
 public:
  explicit Unlocked(bool release = true) noexcept
      : state_(release ? PyEval_SaveThread() : nullptr) {}
  ~Unlocked() {
    if (state_) PyEval_RestoreThread(state_);
  }
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

 private:
  PyThreadState* state_;
};

/// Run `f` with the interpreter released.
template <class F>
auto unlocked(F&& f) {
  const Unlocked lock;
  return f();
}

/// Compute a pending value with the interpreter released.
inline void evaluate(const UnifiedArray& array) {
  if (!array.pending()) return;
  const Unlocked lock(is_long(array.shape()));
  array.eval();
}

/// Axes that the Python argument `name` names, an int or a sequence of ints; none for None. Throws
/// TypeError for others.
std::optional<std::vector<int>> axes_in(nb::handle axis, const char* name = "axis");
/// The same with all axes of an array of `rank` for None.
std::vector<int> axes_in(nb::handle axis, int rank);
/// The same where None is no answer.
std::vector<int> given_axes_in(nb::handle axis, const char* name = "axis");
/// The arrays among `*arguments`; throws TypeError for others.
std::vector<UnifiedArray> arrays_in(const nb::args& arguments);
/// Arrays as a tuple.
nb::tuple to_tuple(std::vector<UnifiedArray>&& arrays);
/// A result with names: a named tuple of the package.
template <class... Array>
nb::object named(const char* type, Array&&... arrays) {
  return nb::module_::import_("isofield._results").attr(type)(std::forward<Array>(arrays)...);
}

/// The `device` argument: a backend's spelling, "cpu" for a host backend, or None.
struct DeviceArgument {
  nb::object name;
  /// The backend; null for None. Throws NotAvailable, TypeError.
  BaseBackend* backend() const;
};

/// A Python number as an element of an integer dtype; throws OverflowError where it is out of its
/// range, DTypeError where it is complex and the dtype is real.
void check_element(const char* operation, const Scalar& value, DType dtype);

/// The `shape` argument: an int or a sequence of ints.
struct ShapeArgument {
  nb::object given;
  /// Throws TypeError for other objects, ShapeError for lengths and ranks out of range.
  operator Shape() const;
};

/// Any object as an array, sharing memory where it can; `copy`: must, must not, or None.
UnifiedArray to_array(nb::handle object, std::optional<DType> dtype, BaseBackend* backend,
                      std::optional<bool> copy);

/// `array` cast and moved as `asarray`, `astype` and `to_device` ask.
UnifiedArray brought(const UnifiedArray& array, std::optional<DType> dtype, BaseBackend* backend,
                     std::optional<bool> copy);

/// `object` itself where it is the array `result`, else a new object: whoever is given the same
/// array is to see what is written to it.
nb::object same_or(nb::handle object, UnifiedArray&& result);

/// The dtype in a Python object: ours, a name, one of Python's number types or of NumPy's.
std::optional<DType> dtype_in(PyObject* object) noexcept;
/// The Python object of a dtype, a new reference.
PyObject* dtype_object(DType dtype) noexcept;
/// A shape as a tuple.
nb::tuple to_tuple(const Dims& dims);

}  // namespace isofield::python

namespace nanobind::detail {

template <>
struct type_caster<isofield::DType> {
  NB_TYPE_CASTER(isofield::DType, const_name("DType"))
  bool from_python(handle src, uint32_t, cleanup_list*) noexcept {
    const auto found = isofield::python::dtype_in(src.ptr());
    if (found) value = *found;
    return found.has_value();
  }
  static handle from_cpp(isofield::DType dtype, rv_policy, cleanup_list*) noexcept {
    return isofield::python::dtype_object(dtype);
  }
};

template <>
struct type_caster<isofield::Scalar> {
  NB_TYPE_CASTER(isofield::Scalar, const_name("complex"))
  bool from_python(handle src, uint32_t, cleanup_list*) noexcept {
    const auto found = isofield::python::scalar_in(src.ptr());
    if (found) value = *found;
    return found.has_value();
  }
};

/// An array or a Python number.
template <>
struct type_caster<isofield::Operand> {
  static constexpr auto Name = const_name("UnifiedArray | complex");
  template <class T>
  using Cast = movable_cast_t<T>;
  template <class T>
  static constexpr bool can_cast() {
    return true;
  }
  bool from_python(handle src, uint32_t, cleanup_list*) noexcept {
    namespace python = isofield::python;
    if (python::is_array(src.ptr())) {
      value = isofield::Operand(python::array_in(src.ptr()), python::nowhere);
      return true;
    }
    const auto scalar = python::scalar_in(src.ptr());
    if (scalar) value = isofield::Operand(*scalar, python::nowhere);
    return scalar.has_value();
  }
  explicit operator isofield::Operand*() { return &value; }
  explicit operator isofield::Operand&() { return value; }
  explicit operator isofield::Operand&&() { return std::move(value); }
  isofield::Operand value{isofield::Scalar(0.0), isofield::python::nowhere};
};

/// An int or a sequence of ints; leaves as a tuple.
template <>
struct type_caster<isofield::Dims> {
  NB_TYPE_CASTER(isofield::Dims, const_name("int | tuple[int, ...]"))
  bool from_python(handle src, uint32_t flags, cleanup_list* cleanup) noexcept {
    try {
      if (PyIndex_Check(src.ptr()) && !PySequence_Check(src.ptr())) return append(src, value);
      make_caster<std::vector<object>> list;
      if (!PySequence_Check(src.ptr()) || !list.from_python(src, flags, cleanup)) return false;
      isofield::Dims dims;
      for (const object& entry : list.value)
        if (!append(entry, dims)) return false;
      value = dims;
      return true;
    } catch (...) {
      return false;
    }
  }
  static handle from_cpp(const isofield::Dims& dims, rv_policy, cleanup_list*) noexcept {
    return isofield::python::to_tuple(dims).release();
  }

 private:
  static bool append(handle entry, isofield::Dims& dims) {
    const long long n = PyLong_AsLongLong(entry.ptr());
    if (n == -1 && PyErr_Occurred()) {
      PyErr_Clear();
      return false;
    }
    dims.push_back(n);
    return true;
  }
};

template <>
struct type_caster<isofield::python::ShapeArgument> {
  NB_TYPE_CASTER(isofield::python::ShapeArgument, const_name("int | typing.Sequence[int]"))
  bool from_python(handle src, uint32_t, cleanup_list*) noexcept {
    value.given = borrow(src);
    return true;
  }
};

template <>
struct type_caster<isofield::python::DeviceArgument> {
  NB_TYPE_CASTER(isofield::python::DeviceArgument, const_name("str"))
  bool from_python(handle src, uint32_t, cleanup_list*) noexcept {
    if (!src.is_none() && !PyUnicode_Check(src.ptr())) return false;
    value.name = borrow(src);
    return true;
  }
};

}  // namespace nanobind::detail
