#include <complex>
#include <isofield/linalg.hpp>

#include "binding.hpp"
#include "operators.hpp"
#include "pointwise.hpp"

namespace isofield::python {

PyTypeObject* array_type = nullptr;

PyObject* wrap(UnifiedArray&& array) noexcept {
  PyObject* object =
      nb::inst_alloc(nb::handle(reinterpret_cast<PyObject*>(array_type))).release().ptr();
  new (nb::inst_ptr<UnifiedArray>(object)) UnifiedArray(std::move(array));
  nb::inst_mark_ready(object);
  return object;
}

namespace {

/// One element in host memory as a Python number.
nb::object number_at(const View& view, std::int64_t position) {
  return visit_dtype(view.dtype, [&](auto tag) -> nb::object {
    using T = decltype(tag);
    const T value = view.data<T>()[position];
    if constexpr (std::is_same_v<T, bool>)
      return nb::bool_(value);
    else if constexpr (std::is_signed_v<T> && std::is_integral_v<T>)
      return nb::int_(static_cast<std::int64_t>(value));
    else if constexpr (std::is_integral_v<T>)
      return nb::int_(static_cast<std::uint64_t>(value));
    else if constexpr (std::is_floating_point_v<T>)
      return nb::float_(static_cast<double>(value));
    else
      return nb::steal(PyComplex_FromDoubles(value.real(), value.imag()));
  });
}

nb::object list_of(const View& view, int axis, std::int64_t position) {
  if (axis == view.layout.rank()) return number_at(view, position - view.layout.offset);
  const std::int64_t n = view.layout.shape[axis];
  nb::object list = nb::steal(PyList_New(n));
  for (std::int64_t i = 0; i < n; ++i)
    PyList_SET_ITEM(
        list.ptr(), i,
        list_of(view, axis + 1, position + i * view.layout.strides[axis]).release().ptr());
  return list;
}

UnifiedArray on_host(const UnifiedArray& array) {
  const UnifiedArray host = array.device().is_host() ? array : array.to_backend("eigen");
  evaluate(host);
  host.backend().synchronize();
  return host;
}

nb::object to_list(const UnifiedArray& array) {
  const UnifiedArray host = on_host(array);
  const View view = host.view(nowhere);
  return list_of(view, 0, view.layout.offset);
}

nb::object reduce(const UnifiedArray& array) {
  const std::size_t bytes = static_cast<std::size_t>(array.size()) * itemsize(array.dtype());
  nb::object data = nb::steal(PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(bytes)));
  if (!data.is_valid()) throw nb::python_error();
  char* memory = PyBytes_AS_STRING(data.ptr());
  unlocked([&] { array.copy_to(memory, bytes, array.dtype(), nowhere); });
  nb::object restore = nb::module_::import_("isofield").attr("_restored");
  return nb::make_tuple(restore, nb::make_tuple(data, array.dtype(), to_tuple(array.shape())));
}

/// A number's method, which an array of rank 0 has, too.
template <class... Argument>
nb::object of_number(const UnifiedArray& array, const char* method, Argument&&... arguments) {
  if (array.ndim() != 0)
    throw nb::type_error(
        (std::string(method) + ": an array of shape " + to_string(array.shape()) + " is no number")
            .c_str());
  return to_number(array).attr(method)(std::forward<Argument>(arguments)...);
}

UnifiedArray restored(const nb::bytes& data, DType dtype, const Shape& shape) {
  return asarray_bytes(data.c_str(), data.size(), dtype, shape, nullptr);
}

nb::object namespace_of(const UnifiedArray&, const nb::object& api_version) {
  const nb::object module = nb::module_::import_("isofield");
  if (!api_version.is_none() && !nb::cast<bool>(module.attr("_is_known_version")(api_version)))
    throw nb::value_error(("isofield does not follow version " +
                           nb::cast<std::string>(nb::str(api_version)) +
                           " of the Array API standard; it follows 2025.12")
                              .c_str());
  return module;
}

template <class Class>
void bind_attributes(Class& c) {
  c.def_prop_ro(
       "dtype", [](const UnifiedArray& x) { return x.dtype(); }, "Data type.")
      .def_prop_ro(
          "device", [](const UnifiedArray& x) { return x.backend().spelling(); },
          "Backend and device, spelled as `device=` takes it: \"eigen\", \"torch:cuda:0\".")
      .def_prop_ro(
          "shape", [](const UnifiedArray& x) { return to_tuple(x.shape()); },
          nb::sig("def shape(self) -> tuple[int, ...]"), "Length of each axis.")
      .def_prop_ro("ndim", &UnifiedArray::ndim, "Number of axes.")
      .def_prop_ro("size", &UnifiedArray::size, "Number of elements.")
      .def_prop_ro(
          "nbytes",
          [](const UnifiedArray& x) {
            return x.size() * static_cast<std::int64_t>(itemsize(x.dtype()));
          },
          "Bytes that the elements take.")
      .def_prop_ro(
          "T",
          [](const UnifiedArray& x) {
            evaluate(x);
            return x.T();
          },
          "Transpose: all axes reversed.")
      .def_prop_ro(
          "mT",
          [](const UnifiedArray& x) {
            return matrix_transpose({x, nowhere});
          },
          "Transpose of each matrix: the last two axes swapped.")
      .def_prop_ro("pending", &UnifiedArray::pending, nb::sig("def pending(self) -> _bool"),
                   "Whether the value is an expression that is not computed yet.");
}

template <class Class>
void bind_methods(Class& c) {
  c.def(
       "eval",
       [](nb::handle self) {
         evaluate(array_in(self.ptr()));
         return nb::borrow(self);
       },
       nb::sig("def eval(self) -> UnifiedArray"), "Compute a pending value now; gives the array.")
      .def("item", &to_number, nb::sig("def item(self) -> _bool | int | float | complex"),
           "The only element as a Python number.")
      .def("tolist", &to_list, nb::sig("def tolist(self) -> typing.Any"),
           "The elements as nested lists of Python numbers.")
      .def(
          "copy", [](const UnifiedArray& x) { return unlocked([&] { return x.copy(); }); },
          nb::sig("def copy(self) -> UnifiedArray"), "An array with memory of its own.")
      .def(
          "to_device",
          [](const UnifiedArray& x, const DeviceArgument& device, const nb::object& stream) {
            if (!stream.is_none())
              throw nb::value_error("to_device: streams are the backends' own; pass None");
            BaseBackend* backend = device.backend();
            return unlocked([&] { return brought(x, {}, backend, {}); });
          },
          nb::sig("def to_device(self, device: str, /, *, stream: int | None = None)"
                  " -> UnifiedArray"),
          nb::arg(), nb::kw_only(), nb::arg("stream") = nb::none(),
          "Bring the array to another backend or device; on one device memory is shared.")
      .def("__array_namespace__", &namespace_of,
           nb::sig("def __array_namespace__(self, /, *, api_version: str | None = None)"
                   " -> types.ModuleType"),
           nb::kw_only(), nb::arg("api_version") = nb::none(), "The module `isofield`.")
      .def(
          "__complex__",
          [](const UnifiedArray& x) {
            const nb::object number = to_number(x);
            const Py_complex z = PyComplex_AsCComplex(number.ptr());
            return nb::steal(PyComplex_FromCComplex(z));
          },
          nb::sig("def __complex__(self) -> complex"))
      .def(
          "__copy__", [](const UnifiedArray& x) { return x; },
          nb::sig("def __copy__(self) -> UnifiedArray"))
      .def(
          "__deepcopy__", [](const UnifiedArray& x, nb::handle) { return x.copy(); },
          nb::sig("def __deepcopy__(self, memo: dict[int, typing.Any], /) -> UnifiedArray"))
      .def(
          "__format__",
          [](const UnifiedArray& x, const nb::str& spec) -> nb::object {
            if (x.ndim() != 0 && nb::len(spec) == 0)
              return nb::str(to_string((evaluate(x), x), nowhere).c_str());
            return of_number(x, "__format__", spec);
          },
          nb::sig("def __format__(self, spec: str, /) -> str"))
      .def(
          "__round__",
          [](const UnifiedArray& x, const nb::object& digits) {
            return digits.is_none() ? of_number(x, "__round__") : of_number(x, "__round__", digits);
          },
          nb::sig("def __round__(self, ndigits: int | None = None, /) -> int | float"),
          nb::arg("ndigits") = nb::none())
      .def("__reduce__", &reduce, nb::sig("def __reduce__(self) -> tuple[typing.Any, ...]"))
      .def(
          "__repr__",
          [](const UnifiedArray& x) {
            evaluate(x);
            return to_string(x, nowhere);
          },
          nb::sig("def __repr__(self) -> str"));
}

}  // namespace

nb::object to_number(const UnifiedArray& array) {
  if (array.size() != 1)
    throw ShapeError("item: shape " + to_string(array.shape()) + " holds " +
                     std::to_string(array.size()) + " elements, not one");
  const UnifiedArray host = on_host(array);
  const View view = host.view(nowhere);
  return number_at(view, 0);
}

nb::object same_or(nb::handle object, UnifiedArray&& result) {
  if (is_array(object.ptr()) && array_in(object.ptr()).node() == result.node())
    return nb::borrow(object);
  return nb::steal(wrap(std::move(result)));
}

UnifiedArray brought(const UnifiedArray& array, std::optional<DType> dtype, BaseBackend* backend,
                     std::optional<bool> copy) {
  const bool moves = backend && backend != &array.backend();
  const bool casts = dtype && *dtype != array.dtype();
  if (copy == false && (casts || (moves && array.device() != backend->device())))
    throw nb::value_error(("asarray: an array of " + std::string(name(array.dtype())) + " on " +
                           array.backend().spelling() + " cannot become " +
                           std::string(name(dtype.value_or(array.dtype()))) + " on " +
                           (backend ? *backend : array.backend()).spelling() + " without a copy")
                              .c_str());
  UnifiedArray result = array;
  if (casts) {
    const bool shared = interop::is_foreign({array, nowhere});
    result = settled(array.astype(*dtype, nowhere), shared);
  }
  if (moves) result = result.to_backend(*backend, nowhere);
  return copy == true && !casts ? result.copy() : result;
}

void bind_array(nb::module_& m) {
  nb::class_<UnifiedArray> c(
      m, "UnifiedArray", nb::type_slots(array_slots), nb::is_weak_referenceable(),
      "An n-dimensional array on any backend, with the semantics of a value.\n\n"
      "Pointwise operations are lazy: they run fused when their value is needed.");
  array_type = reinterpret_cast<PyTypeObject*>(c.ptr());
  c.attr("__array_ufunc__") = nb::none();  // NumPy's operators leave the work to ours
  bind_attributes(c);
  bind_methods(c);
  bind_exchange(m, c);
  m.def("_restored", &restored);
}

}  // namespace isofield::python
