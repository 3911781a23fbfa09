#include "binding.hpp"

namespace isofield::python {
namespace {

using Given = std::optional<DType>;
#define ISOFIELD_END "dtype: _DTypeLike | None = None, device: str | None = None) -> UnifiedArray"

UnifiedArray arange_of(Scalar start, std::optional<Scalar> stop, Scalar step, Given dtype,
                       const DeviceArgument& device) {
  return arange(stop ? start : Scalar(0), stop.value_or(start), step, dtype, device.backend());
}

/// A number in all elements of a dtype, which holds it.
Scalar filled(const char* operation, Scalar value, DType dtype) {
  check_element(operation, value, dtype);
  return value;
}

UnifiedArray full_of(const ShapeArgument& shape, Scalar value, Given given,
                     const DeviceArgument& device) {
  const DType dtype = given.value_or(value.default_dtype());
  return full(shape, filled("full", value, dtype), dtype, device.backend());
}

/// The backend of a new array like `x`.
BaseBackend* like(const UnifiedArray& x, const DeviceArgument& device) {
  BaseBackend* backend = device.backend();
  return backend ? backend : &x.backend();
}

void bind_filled(nb::module_& m) {
  const auto define = [&](const char* name, UnifiedArray (*make)(const Shape&, DType, BaseBackend*),
                          const char* doc) {
    const std::string sig =
        std::string("def ") + name + "(shape: int | typing.Sequence[int], *, " ISOFIELD_END;
    m.def(
        name,
        [make](const ShapeArgument& shape, Given dtype, const DeviceArgument& device) {
          return make(shape, dtype.value_or(DType::float64), device.backend());
        },
        nb::sig(sig.c_str()), nb::arg("shape"), nb::kw_only(), nb::arg("dtype") = nb::none(),
        nb::arg("device") = nb::none(), doc);
    const std::string like_name = std::string(name) + "_like";
    const std::string like_sig = "def " + like_name + "(x: UnifiedArray, /, *, " ISOFIELD_END;
    const std::string like_doc = std::string(doc) + " As `x` is, where nothing else is said.";
    m.def(
        like_name.c_str(),
        [make](const UnifiedArray& x, Given dtype, const DeviceArgument& device) {
          return make(x.shape(), dtype.value_or(x.dtype()), like(x, device));
        },
        nb::sig(like_sig.c_str()), nb::arg(), nb::kw_only(), nb::arg("dtype") = nb::none(),
        nb::arg("device") = nb::none(), like_doc.c_str());
  };
  define("zeros", &zeros, "An array of zeros.");
  define("ones", &ones, "An array of ones.");
  define("empty", &empty, "An array whose elements are not defined yet.");
}

}  // namespace

void bind_creation(nb::module_& m) {
  bind_filled(m);
  m.def(
      "asarray",
      [](nb::handle object, Given dtype, const DeviceArgument& device, std::optional<bool> copy) {
        return same_or(object, to_array(object, dtype, device.backend(), copy));
      },
      nb::sig("def asarray(obj: typing.Any, /, *, dtype: _DTypeLike | None = None, "
              "device: str | None = None, copy: _bool | None = None) -> UnifiedArray"),
      nb::arg(), nb::kw_only(), nb::arg("dtype") = nb::none(), nb::arg("device") = nb::none(),
      nb::arg("copy") = nb::none(),
      "Turn numbers, nested lists, or another library's array into an array.\n\n"
      "Memory with the buffer protocol or DLPack is shared unless `copy` is true.");
  m.def(
      "full", &full_of,
      nb::sig("def full(shape: int | typing.Sequence[int], fill_value: complex, *, " ISOFIELD_END),
      nb::arg("shape"), nb::arg("fill_value"), nb::kw_only(), nb::arg("dtype") = nb::none(),
      nb::arg("device") = nb::none(), "An array of one value.");
  m.def(
      "full_like",
      [](const UnifiedArray& x, Scalar value, Given dtype, const DeviceArgument& device) {
        const DType own = dtype.value_or(x.dtype());
        return full(x.shape(), filled("full_like", value, own), own, like(x, device));
      },
      nb::sig("def full_like(x: UnifiedArray, /, fill_value: complex, *, " ISOFIELD_END), nb::arg(),
      nb::arg("fill_value"), nb::kw_only(), nb::arg("dtype") = nb::none(),
      nb::arg("device") = nb::none(), "An array of one value, as `x` is.");
  m.def("arange", &arange_of,
        nb::sig("def arange(start: float, /, stop: float | None = None, step: float = 1, "
                "*, " ISOFIELD_END),
        nb::arg(), nb::arg("stop") = nb::none(), nb::arg("step") = 1, nb::kw_only(),
        nb::arg("dtype") = nb::none(), nb::arg("device") = nb::none(),
        "Numbers from `start` on, `step` apart, before `stop`; of one number, from 0 up to it.");
  m.def(
      "linspace",
      [](Scalar start, Scalar stop, std::int64_t num, Given dtype, const DeviceArgument& device,
         bool endpoint) { return linspace(start, stop, num, endpoint, dtype, device.backend()); },
      nb::sig("def linspace(start: complex, stop: complex, /, num: int, *, "
              "dtype: _DTypeLike | None = None, device: str | None = None, endpoint: _bool = True)"
              " -> UnifiedArray"),
      nb::arg(), nb::arg(), nb::arg("num"), nb::kw_only(), nb::arg("dtype") = nb::none(),
      nb::arg("device") = nb::none(), nb::arg("endpoint") = true,
      "`num` numbers evenly from `start` to `stop`.");
  m.def(
      "eye",
      [](std::int64_t rows, std::optional<std::int64_t> columns, std::int64_t k, Given dtype,
         const DeviceArgument& device) {
        return eye(rows, columns.value_or(rows), k, dtype.value_or(DType::float64),
                   device.backend());
      },
      nb::sig("def eye(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, " ISOFIELD_END),
      nb::arg(), nb::arg() = nb::none(), nb::kw_only(), nb::arg("k") = 0,
      nb::arg("dtype") = nb::none(), nb::arg("device") = nb::none(),
      "Ones on the diagonal `k`, zeros elsewhere.");
}

}  // namespace isofield::python
