#include "exchange.hpp"

#include <nanobind/stl/pair.h>

#include <cstring>
#include <isofield/interop/dlpack.hpp>
#include <isofield/interop/strided.hpp>
#include <mutex>
#include <utility>

#include "operators.hpp"

namespace isofield::python {

// Memory may lose its last user while another thread waits for an evaluation with the interpreter's
// lock in its hands. To wait for that lock here would be for ever; so what cannot be dropped now is
// dropped by the interpreter when it comes round, or before the next object is taken in.
namespace {

struct Dropped {
  void* what;
  void (*drop)(void*);
};
std::mutex dropped_mutex;
std::vector<Dropped>& dropped() {
  static auto* list = new std::vector<Dropped>;  // for ever: arrays may outlive static objects
  return *list;
}

int drop_all(void* = nullptr) {
  std::vector<Dropped> now;
  {
    const std::lock_guard lock(dropped_mutex);
    now.swap(dropped());
  }
  for (const auto& [what, drop] : now) drop(what);
  return 0;
}

}  // namespace

std::shared_ptr<void> deferred(void* what, void (*drop)(void*)) {
  drop_all();
  return {what, [drop](void* object) {
            if (!Py_IsInitialized()) return;
            if (PyGILState_Check()) return drop(object);
            const std::lock_guard lock(dropped_mutex);
            dropped().push_back({object, drop});
            Py_AddPendingCall(&drop_all, nullptr);
          }};
}

// The buffer protocol.
namespace {

struct BufferOwner {
  UnifiedArray array;
  std::vector<Py_ssize_t> shape, strides;
};

const char* format_of(DType dtype) {
  constexpr const char* formats[dtype_count] = {"?", "b", "h", "i", "q",  "B", "H",
                                                "I", "Q", "f", "d", "Zf", "Zd"};
  return formats[static_cast<int>(dtype)];
}

/// The dtype of elements of a buffer's format; none where we have no such.
std::optional<DType> dtype_of_format(const char* format, Py_ssize_t width) {
  std::string_view text = format ? format : "B";
  if (!text.empty() && (text[0] == '@' || text[0] == '=' || text[0] == '<')) text.remove_prefix(1);
  const auto integer = [&](std::initializer_list<DType> choices) -> std::optional<DType> {
    for (const DType d : choices)
      if (static_cast<Py_ssize_t>(itemsize(d)) == width) return d;
    return {};
  };
  if (text == "?") return DType::bool_;
  if (text == "f") return DType::float32;
  if (text == "d") return DType::float64;
  if (text == "Zf") return DType::complex64;
  if (text == "Zd") return DType::complex128;
  if (text.size() != 1) return {};
  if (std::string_view("bhilqn").find(text[0]) != std::string_view::npos)
    return integer({DType::int8, DType::int16, DType::int32, DType::int64});
  if (std::string_view("BHILQN").find(text[0]) != std::string_view::npos)
    return integer({DType::uint8, DType::uint16, DType::uint32, DType::uint64});
  return {};
}

struct HeldBuffer {
  Py_buffer view{};
  bool held = false;
  ~HeldBuffer() {
    if (held) PyBuffer_Release(&view);
  }
};

/// Whether the elements lie where elements of an array can.
bool is_regular(const Py_buffer& view) {
  const auto boundary = static_cast<std::size_t>(std::min<Py_ssize_t>(view.itemsize, 8));
  if (view.suboffsets || reinterpret_cast<std::uintptr_t>(view.buf) % boundary != 0) return false;
  for (int k = 0; k < view.ndim && view.strides; ++k)
    if (view.shape[k] > 1 && view.strides[k] % view.itemsize != 0) return false;
  return true;
}

/// Where there are no strides, as NumPy's dates leave them out, the elements lie in C order.
Layout layout_of(const Py_buffer& view) {
  Layout layout;
  if (!view.strides) {
    Shape shape;
    for (int k = 0; k < view.ndim; ++k)
      shape.push_back(view.shape ? view.shape[k] : view.len / view.itemsize);
    return Layout(shape);
  }
  for (int k = 0; k < view.ndim; ++k) {
    layout.shape.push_back(view.shape[k]);
    layout.strides.push_back(view.shape[k] > 1 ? view.strides[k] / view.itemsize : 1);
  }
  return layout;
}

UnifiedArray copied(const Py_buffer& view, DType dtype, BaseBackend& host) {
  const auto bytes = static_cast<std::size_t>(view.len);
  const auto packed = std::make_unique<std::byte[]>(bytes);
  if (PyBuffer_ToContiguous(packed.get(), &view, view.len, 'C') != 0) throw nb::python_error();
  return asarray_bytes(packed.get(), bytes, dtype, layout_of(view).shape, &host);
}

UnifiedArray shared(std::unique_ptr<HeldBuffer> buffer, DType dtype, BaseBackend& host) {
  Layout layout = layout_of(buffer->view);
  if (element_count(layout.shape) == 0) return empty(layout.shape, dtype, &host);
  const auto [first, last] = layout.reach();
  layout.offset = -first;
  const auto width = static_cast<std::int64_t>(itemsize(dtype));
  auto* data = static_cast<std::byte*>(buffer->view.buf) + first * width;
  auto owner = deferred(buffer.release(), [](void* b) { delete static_cast<HeldBuffer*>(b); });
  return from_memory(data, dtype, layout, static_cast<std::size_t>((last - first + 1) * width),
                     std::move(owner), host);
}

/// Whether truth values are stored as 0 and 1, as kernels take for granted.
bool is_canonical(const UnifiedArray& bytes) {
  return all(less_equal({bytes, nowhere}, 1)).item<bool>(nowhere);
}

/// An array over the same memory with elements of another dtype of the same width.
UnifiedArray reinterpreted(const UnifiedArray& array, DType dtype) {
  const View view = array.view(nowhere);
  const auto held = std::make_shared<UnifiedArray>(array);
  Layout layout = view.layout;
  return from_memory(view.storage->data, dtype, layout, view.storage->bytes, held, array.backend());
}

/// Truth values that came from elsewhere: a copy where one is stored as another byte than 0 or 1.
UnifiedArray canonical(UnifiedArray array, std::optional<bool> copy) {
  if (array.dtype() != DType::bool_ || !array.device().is_host() || array.size() == 0) return array;
  const UnifiedArray bytes = reinterpreted(array, DType::uint8);
  if (is_canonical(bytes)) return array;
  if (copy == false)
    throw nb::value_error("asarray: truth values that are not stored as 0 or 1 need a copy");
  return not_equal({bytes, nowhere}, 0).eval();
}

}  // namespace

std::optional<ForeignNumber> foreign_number_in(PyObject* object) noexcept {
  if (!PyObject_CheckBuffer(object) || is_array(object) || PyBytes_Check(object)) return {};
  HeldBuffer buffer;
  if (PyObject_GetBuffer(object, &buffer.view, PyBUF_FULL_RO) != 0) {
    PyErr_Clear();
    return {};
  }
  buffer.held = true;
  if (buffer.view.ndim != 0) return {};
  const auto dtype = dtype_of_format(buffer.view.format, buffer.view.itemsize);
  if (!dtype) return {};
  return visit_dtype(*dtype, [&](auto tag) {
    using T = decltype(tag);
    if constexpr (std::is_same_v<T, bool>) {
      return ForeignNumber{*static_cast<const unsigned char*>(buffer.view.buf) != 0, *dtype};
    } else {
      T value;
      std::memcpy(&value, buffer.view.buf, sizeof value);
      return ForeignNumber{value, *dtype};
    }
  });
}

UnifiedArray from_buffer(nb::handle object, std::optional<DType> dtype, BaseBackend* backend,
                         std::optional<bool> copy) {
  auto buffer = std::make_unique<HeldBuffer>();
  if (PyObject_GetBuffer(object.ptr(), &buffer->view, PyBUF_FULL_RO) != 0) throw nb::python_error();
  buffer->held = true;
  const Py_buffer& view = buffer->view;
  const auto own = dtype_of_format(view.format, view.itemsize);
  if (!own)
    throw DTypeError(std::string("asarray: elements of the buffer format \"") +
                     (view.format ? view.format : "") + "\" have no dtype here");
  BaseBackend& host = backend && backend->device().is_host() ? *backend : interop::host_backend();
  const bool irregular = !is_regular(view);
  if (irregular && copy == false)
    throw nb::value_error("asarray: elements that do not lie on their boundaries need a copy");
  BaseBackend* target = backend ? backend : &default_backend();
  if (irregular) return brought(canonical(copied(view, *own, host), {}), dtype, target, {});
  return brought(canonical(shared(std::move(buffer), *own, host), copy), dtype, target, copy);
}

int get_buffer(PyObject* self, Py_buffer* buffer, int flags) noexcept {
  try {
    const UnifiedArray array = array_in(self);
    if (!array.device().is_host())
      throw nb::buffer_error(
          "the array is not on the host; bring it there with to_device(\"cpu\")");
    if (flags & PyBUF_WRITABLE)
      throw nb::buffer_error("an array is a value: its memory is read-only");
    evaluate(array);
    array.backend().synchronize();
    const View view = array.view(nowhere);
    const bool plain = view.layout.contiguous();
    if ((flags & PyBUF_STRIDES) != PyBUF_STRIDES && !plain)
      throw nb::buffer_error("the array is strided; copy() it first");
    if ((flags & PyBUF_C_CONTIGUOUS) == PyBUF_C_CONTIGUOUS && !plain)
      throw nb::buffer_error("the array is not contiguous; copy() it first");
    const auto width = static_cast<Py_ssize_t>(itemsize(view.dtype));
    auto owner = std::make_unique<BufferOwner>(BufferOwner{array, {}, {}});
    for (int k = 0; k < view.layout.rank(); ++k) {
      owner->shape.push_back(view.layout.shape[k]);
      owner->strides.push_back(view.layout.strides[k] * width);
    }
    *buffer = {};
    buffer->buf = view.bytes();
    buffer->len = static_cast<Py_ssize_t>(element_count(view.layout.shape)) * width;
    buffer->itemsize = width;
    buffer->readonly = 1;
    buffer->ndim = view.layout.rank();
    if (flags & PyBUF_FORMAT) buffer->format = const_cast<char*>(format_of(view.dtype));
    if (flags & PyBUF_ND) buffer->shape = owner->shape.data();
    if ((flags & PyBUF_STRIDES) == PyBUF_STRIDES) buffer->strides = owner->strides.data();
    buffer->internal = owner.release();
    Py_INCREF(self);
    buffer->obj = self;
    return 0;
  } catch (...) {
    set_error();
    buffer->obj = nullptr;
    return -1;
  }
}

void release_buffer(PyObject*, Py_buffer* buffer) noexcept {
  delete static_cast<BufferOwner*>(buffer->internal);
}

// DLPack.
namespace {

constexpr const char *versioned_name = "dltensor_versioned", *plain_name = "dltensor";

template <class Managed>
nb::object capsule_of(const UnifiedArray& array, bool writable, const char* name) {
  Managed* managed = interop::to_dlpack<Managed>(array, writable);
  PyObject* capsule = PyCapsule_New(managed, name, [](PyObject* c) {
    // A consumer that took it renamed it.
    const char* own =
        std::is_same_v<Managed, interop::DLManagedTensor> ? plain_name : versioned_name;
    if (!PyCapsule_IsValid(c, own)) return;
    auto* m = static_cast<Managed*>(PyCapsule_GetPointer(c, own));
    m->deleter(m);
  });
  if (!capsule) {
    managed->deleter(managed);
    throw nb::python_error();
  }
  return nb::steal(capsule);
}

nb::object dlpack(const UnifiedArray& array, const nb::object& stream,
                  const nb::object& max_version, const nb::object& dl_device,
                  const nb::object& copy) {
  const auto own = interop::dl_device(array.backend());
  if (!stream.is_none() && own.type == interop::dl_cpu)
    throw nb::value_error("__dlpack__: the cpu has no streams; pass None");
  UnifiedArray given = array;
  evaluate(given);
  bool copied = false;
  if (!dl_device.is_none()) {
    const auto [type, id] = nb::cast<std::pair<int, int>>(dl_device);
    if (type != own.type || id != own.id) {
      if (type != interop::dl_cpu || (!copy.is_none() && !nb::cast<bool>(copy)))
        throw nb::buffer_error("__dlpack__: the array is on another device than dl_device");
      given = unlocked([&] { return array.to_backend(interop::host_backend(), nowhere); });
      copied = true;
    }
  }
  if (!copied && !copy.is_none() && nb::cast<bool>(copy)) {
    given = unlocked([&] { return array.copy(); });
    copied = true;
  }
  const bool versioned =
      !max_version.is_none() && nb::cast<int>(nb::borrow<nb::tuple>(max_version)[0]) >= 1;
  if (versioned)
    return capsule_of<interop::DLManagedTensorVersioned>(given, copied, versioned_name);
  return capsule_of<interop::DLManagedTensor>(given, copied, plain_name);
}

template <class Managed>
UnifiedArray taken(PyObject* capsule, const char* name, const char* used, BaseBackend* backend) {
  auto* managed = static_cast<Managed*>(PyCapsule_GetPointer(capsule, name));
  if (!managed) throw nb::python_error();
  if constexpr (std::is_same_v<Managed, interop::DLManagedTensorVersioned>) {
    if (managed->version.major != 1)
      throw nb::buffer_error("from_dlpack: the producer's DLPack is of another major version");
  }
  if (PyCapsule_SetName(capsule, used) != 0) throw nb::python_error();
  auto owner = deferred(managed, [](void* p) {
    auto* m = static_cast<Managed*>(p);
    if (m->deleter) m->deleter(m);
  });
  return interop::from_dlpack(managed->dl_tensor, std::move(owner), backend);
}

nb::object asked(nb::handle producer, bool forbid_copy) {
  nb::object ask = producer.attr("__dlpack__");
  try {
    if (forbid_copy)
      return ask(nb::arg("max_version") = nb::make_tuple(1, 1), nb::arg("copy") = false);
    return ask(nb::arg("max_version") = nb::make_tuple(1, 1));
  } catch (nb::python_error& e) {
    // Producers of the time before version 1 know neither argument.
    if (!e.matches(PyExc_TypeError) || forbid_copy) throw;
  }
  return ask();
}

}  // namespace

UnifiedArray from_producer(nb::handle object, BaseBackend* backend, std::optional<bool> copy) {
  const auto [type, id] = nb::cast<std::pair<int, int>>(object.attr("__dlpack_device__")());
  BaseBackend& own = interop::backend_of({type, id});
  const nb::object capsule = asked(object, copy == false);
  BaseBackend* where = backend && backend->device() == own.device() ? backend : &own;
  if (PyCapsule_IsValid(capsule.ptr(), versioned_name))
    return canonical(taken<interop::DLManagedTensorVersioned>(capsule.ptr(), versioned_name,
                                                              "used_dltensor_versioned", where),
                     copy);
  return canonical(
      taken<interop::DLManagedTensor>(capsule.ptr(), plain_name, "used_dltensor", where), copy);
}

namespace {

/// For NumPy, which asks for it where there is no buffer: it would read element after element.
nb::object numpy_array(const UnifiedArray& array, const nb::object& dtype, const nb::object& copy) {
  if (!array.device().is_host())
    throw nb::type_error(
        "__array__: the array is not on the host; bring it there with to_device(\"cpu\")");
  evaluate(array);
  (void)array.view(nowhere);  // throws where there are no elements yet
  const nb::object view = nb::steal(PyMemoryView_FromObject(nb::find(array).ptr()));
  if (!view.is_valid()) throw nb::python_error();
  const nb::object numpy = nb::module_::import_("numpy");
  if (copy.is_none()) return numpy.attr("asarray")(view, nb::arg("dtype") = dtype);
  return numpy.attr("array")(view, nb::arg("dtype") = dtype, nb::arg("copy") = copy);
}

}  // namespace

void bind_exchange(nb::module_& m, nb::class_<UnifiedArray>& c) {
  c.def("__dlpack__", &dlpack,
        nb::sig("def __dlpack__(self, /, *, stream: int | None = None, "
                "max_version: tuple[int, int] | None = None, "
                "dl_device: tuple[int, int] | None = None, copy: _bool | None = None)"
                " -> object"),
        nb::kw_only(), nb::arg("stream") = nb::none(), nb::arg("max_version") = nb::none(),
        nb::arg("dl_device") = nb::none(), nb::arg("copy") = nb::none(),
        "Share the memory, read-only, as a DLPack capsule.");
  c.def(
      "__dlpack_device__",
      [](const UnifiedArray& x) {
        const auto device = interop::dl_device(x.backend());
        return nb::make_tuple(device.type, device.id);
      },
      nb::sig("def __dlpack_device__(self, /) -> tuple[int, int]"),
      "DLPack's device type and number.");
  c.def("__array__", &numpy_array,
        nb::sig("def __array__(self, dtype: typing.Any = None, copy: _bool | None = None)"
                " -> typing.Any"),
        nb::arg("dtype") = nb::none(), nb::arg("copy") = nb::none(),
        "The elements as an array of NumPy's, which takes them through the buffer protocol.");
  m.def(
      "from_dlpack",
      [](nb::handle x, const DeviceArgument& device, std::optional<bool> copy) {
        BaseBackend* backend = device.backend();
        if (is_array(x.ptr())) return brought(array_in(x.ptr()), {}, backend, copy);
        return brought(from_producer(x, backend, copy), {}, backend, copy);
      },
      nb::sig("def from_dlpack(x: typing.Any, /, *, device: str | None = None, "
              "copy: _bool | None = None) -> UnifiedArray"),
      nb::arg(), nb::kw_only(), nb::arg("device") = nb::none(), nb::arg("copy") = nb::none(),
      "Share the memory of another library's array through DLPack.");
}

}  // namespace isofield::python
