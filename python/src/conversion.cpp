#include <algorithm>
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

/// Nested sequences of numbers on their way to be an array.
class Nested {
 public:
  explicit Nested(nb::handle object) {
    measure(object);
    values_.reserve(static_cast<std::size_t>(element_count(shape_)));
    read(object, 0);
  }
  UnifiedArray array(std::optional<DType> dtype, BaseBackend* backend) const {
    const DType own = values_.empty() ? DType::float64 : widest_;
    const DType target = dtype.value_or(own);
    check_range(target);
    return visit_dtype(target, [&](auto tag) {
      using T = decltype(tag);
      const auto elements = std::make_unique<T[]>(values_.size());
      std::transform(values_.begin(), values_.end(), elements.get(),
                     [](const Scalar& s) { return s.to<T>(); });
      return asarray_bytes(elements.get(), values_.size() * sizeof(T), target, shape_, backend);
    });
  }

 private:
  static bool is_sequence(nb::handle object) {
    return PyList_Check(object.ptr()) || PyTuple_Check(object.ptr()) || PyRange_Check(object.ptr());
  }
  static std::optional<Scalar> number(nb::handle object) {
    if (const auto scalar = scalar_in(object.ptr())) return scalar;
    if (PyLong_Check(object.ptr())) {
      PyErr_SetString(PyExc_OverflowError, "asarray: an int does not fit into 64 bits");
      throw nb::python_error();
    }
    if (is_array(object.ptr()) && array_in(object.ptr()).ndim() == 0)
      return array_in(object.ptr()).item_scalar(nowhere);
    return {};
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
      widest_ =
          values_.empty() ? value->default_dtype() : std::max(widest_, value->default_dtype());
      values_.push_back(*value);
      return;
    }
    if (!is_sequence(object) || PySequence_Size(object.ptr()) != shape_[depth]) refuse(object);
    const nb::object entries = nb::steal(PySequence_Fast(object.ptr(), "asarray: no sequence"));
    for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(entries.ptr()); ++k)
      read(PySequence_Fast_GET_ITEM(entries.ptr(), k), depth + 1);
  }

  [[noreturn]] void refuse(nb::handle object) const {
    if (is_sequence(object) || scalar_in(object.ptr()))
      throw ShapeError("asarray: the lists do not have one shape; by their first entries it is " +
                       to_string(shape_));
    const std::string type = nb::cast<std::string>(nb::str(object.type().attr("__name__")));
    throw DTypeError("asarray: an object of type " + type + " is no number");
  }

  void check_range(DType target) const {
    if (!is_integer(target)) return;
    for (const Scalar& s : values_) {
      const bool fits = s.fits(target);
      if (fits) continue;
      PyErr_SetString(
          PyExc_OverflowError,
          ("asarray: an int is out of the range of " + std::string(name(target))).c_str());
      throw nb::python_error();
    }
  }

  Shape shape_;
  std::vector<Scalar> values_;
  DType widest_ = DType::bool_;
};

}  // namespace

UnifiedArray to_array(nb::handle object, std::optional<DType> dtype, BaseBackend* backend,
                      std::optional<bool> copy) {
  if (is_array(object.ptr())) return brought(array_in(object.ptr()), dtype, backend, copy);
  if (PyObject_CheckBuffer(object.ptr())) return from_buffer(object, dtype, backend, copy);
  if (nb::hasattr(object, "__dlpack__"))
    return brought(from_producer(object, nullptr, copy), dtype, backend, copy);
  if (copy == false)
    throw nb::value_error("asarray: Python numbers and lists hold no memory to share: copy=False");
  return Nested(object).array(dtype, backend);
}

}  // namespace isofield::python
