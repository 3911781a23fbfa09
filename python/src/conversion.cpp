#include <algorithm>
#include <cmath>
#include <complex>
#include <isofield/interop/strided.hpp>

#include "binding.hpp"
#include "exchange.hpp"

namespace isofield::python {

BaseBackend* DeviceArgument::backend() const {
  if (!name.is_valid() || name.is_none()) return nullptr;
  const std::string text = nb::cast<std::string>(name);
  return text == "cpu" ? &interop::host_backend() : &get_backend(text);
}

namespace {

bool is_sequence(nb::handle object) {
  return PyList_Check(object.ptr()) || PyTuple_Check(object.ptr()) || PyRange_Check(object.ptr());
}

/// The dtype of a list with elements of both, which may be of kinds that do not promote.
DType common_dtype(DType a, DType b) {
  if (a == DType::bool_ || b == DType::bool_) return std::max(a, b);
  if (is_integer(a) && is_integer(b) && (a == DType::uint64 || b == DType::uint64))
    return DType::uint64;
  if (is_integer(a) != is_integer(b)) {
    const DType other = is_integer(a) ? b : a;
    return is_complex(other) ? DType::complex128 : DType::float64;
  }
  return result_type(a, b);
}

/// Nested sequences of numbers on their way to be an array.
class Nested {
 public:
  explicit Nested(nb::handle object) {
    measure(object);
    values_.reserve(static_cast<std::size_t>(element_count(shape_)));
    read(object, 0);
  }
  UnifiedArray array(std::optional<DType> dtype, BaseBackend* backend) const {
    const DType target = dtype.value_or(values_.empty() ? DType::float64 : *widest_);
    for (const Scalar& s : values_) check_element("asarray", s, target);
    return visit_dtype(target, [&](auto tag) {
      using T = decltype(tag);
      const auto elements = std::make_unique<T[]>(values_.size());
      std::transform(values_.begin(), values_.end(), elements.get(), [](const Scalar& s) {
        if constexpr (std::is_same_v<T, bool>)
          return s.to<std::complex<double>>() != 0.0;
        else
          return s.to<T>();
      });
      return asarray_bytes(elements.get(), values_.size() * sizeof(T), target, shape_, backend);
    });
  }

 private:
  static std::optional<ForeignNumber> number(nb::handle object) {
    if (!is_python_number(object))
      if (const auto foreign = foreign_number_in(object.ptr())) return foreign;
    if (const auto scalar = scalar_in(object.ptr()))
      return ForeignNumber{*scalar, scalar->default_dtype()};
    if (PyLong_Check(object.ptr())) {
      PyErr_SetString(PyExc_OverflowError, "asarray: an int does not fit into 64 bits");
      throw nb::python_error();
    }
    return {};
  }
  static bool is_python_number(nb::handle object) {
    return PyLong_Check(object.ptr()) || PyFloat_Check(object.ptr()) ||
           PyComplex_Check(object.ptr());
  }

  /// The shape, from the first entry of each level.
  void measure(nb::handle object) {
    nb::object level = nb::borrow(object);
    while (is_sequence(level)) {
      const Py_ssize_t n = PySequence_Size(level.ptr());
      shape_.push_back(n);
      if (n == 0) return;
      level = nb::steal(PySequence_GetItem(level.ptr(), 0));
    }
  }

  void read(nb::handle object, int depth) {
    if (depth == shape_.size()) {
      const auto value = is_sequence(object) ? std::nullopt : number(object);
      if (!value) refuse(object);
      widest_ = widest_ ? common_dtype(*widest_, value->dtype) : value->dtype;
      values_.push_back(value->value);
      return;
    }
    if (!is_sequence(object) || PySequence_Size(object.ptr()) != shape_[depth]) refuse(object);
    const nb::object entries = nb::steal(PySequence_Fast(object.ptr(), "asarray: no sequence"));
    for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(entries.ptr()); ++k)
      read(PySequence_Fast_GET_ITEM(entries.ptr(), k), depth + 1);
  }

  [[noreturn]] void refuse(nb::handle object) const {
    if (is_sequence(object) || number(object))
      throw ShapeError("asarray: the lists do not have one shape; by their first entries it is " +
                       to_string(shape_));
    const std::string type = nb::cast<std::string>(nb::str(object.type().attr("__name__")));
    throw DTypeError("asarray: an object of type " + type + " is no number");
  }

  Shape shape_;
  std::vector<Scalar> values_;
  std::optional<DType> widest_;
};

/// The first array with elements to share among the entries of a list, of any depth.
nb::handle array_among(nb::handle list) {
  const nb::object entries = nb::steal(PySequence_Fast(list.ptr(), "asarray: no sequence"));
  for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(entries.ptr()); ++k) {
    const nb::handle entry = PySequence_Fast_GET_ITEM(entries.ptr(), k);
    if (is_array(entry.ptr())) return entry;
    if (is_sequence(entry)) {
      if (const nb::handle found = array_among(entry)) return found;
    } else if (!PyFloat_Check(entry.ptr()) && holds_elements(entry.ptr()) &&
               !foreign_number_in(entry.ptr())) {
      return entry;
    }
  }
  return {};
}

/// A list with arrays in it: its entries along a first axis.
UnifiedArray stacked(nb::handle list, std::optional<DType> dtype, BaseBackend* backend) {
  const nb::object entries = nb::steal(PySequence_Fast(list.ptr(), "asarray: no sequence"));
  std::vector<UnifiedArray> arrays;
  std::optional<DType> common = dtype;
  for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(entries.ptr()); ++k) {
    const nb::handle entry = PySequence_Fast_GET_ITEM(entries.ptr(), k);
    arrays.push_back(to_array(entry, dtype, backend, {}));
    if (!dtype) common = common ? common_dtype(*common, arrays.back().dtype()) : arrays[0].dtype();
  }
  for (UnifiedArray& a : arrays)
    if (a.dtype() != *common) a = a.astype(*common, nowhere);
  return unlocked([&] { return stack(arrays, 0, nowhere); });
}

}  // namespace

void check_element(const char* operation, const Scalar& value, DType dtype) {
  if (value.kind() == Kind::complex && !is_complex(dtype) && dtype != DType::bool_)
    throw DTypeError(std::string(operation) + ": a complex number does not go into dtype " +
                     std::string(name(dtype)) + "; say which part: real, imag, abs");
  bool fits = value.fits(dtype);
  if (value.kind() == Kind::real && is_integer(dtype)) {
    // What is left when the fraction is cut off; the ends of the range are powers of two, exact.
    const int bits = static_cast<int>(itemsize(dtype)) * 8;
    const bool is_signed = kind(dtype) == Kind::signed_integer;
    const double number = std::trunc(value.to<double>()),
                 high = std::ldexp(1.0, is_signed ? bits - 1 : bits);
    fits = number >= (is_signed ? -high : 0.0) && number < high;
  }
  if (fits) return;
  PyErr_SetString(PyExc_OverflowError, (std::string(operation) + ": " + value.text() +
                                        " is out of the range of " + std::string(name(dtype)))
                                           .c_str());
  throw nb::python_error();
}

UnifiedArray to_array(nb::handle object, std::optional<DType> dtype, BaseBackend* backend,
                      std::optional<bool> copy) {
  if (is_array(object.ptr())) return brought(array_in(object.ptr()), dtype, backend, copy);
  if (PyObject_CheckBuffer(object.ptr())) return from_buffer(object, dtype, backend, copy);
  if (nb::hasattr(object, "__dlpack__"))
    return brought(from_producer(object, nullptr, copy), dtype, backend, copy);
  if (nb::hasattr(object, "__array__") && !PyType_Check(object.ptr()))  // tables' columns, images
    return to_array(object.attr("__array__")(), dtype, backend, copy);
  if (copy == false)
    throw nb::value_error("asarray: Python numbers and lists hold no memory to share: copy=False");
  if (is_sequence(object))
    if (const nb::handle array = array_among(object))
      return stacked(
          object, dtype,
          backend || !is_array(array.ptr()) ? backend : &array_in(array.ptr()).backend());
  return Nested(object).array(dtype, backend);
}

}  // namespace isofield::python
