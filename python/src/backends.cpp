#include <isofield/precision.hpp>

#include "binding.hpp"

namespace isofield::python {
namespace {

/// A scope of the library's as a block of Python's, which may be entered again inside itself:
/// `with isofield.backend("kokkos"):`
template <class Scoped, class Argument>
class Block {
 public:
  explicit Block(Argument argument) : argument_(std::move(argument)) {}
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  Block& enter() {
    scopes_.push_back(std::make_unique<Scoped>(argument_));
    return *this;
  }
  void leave() {
    if (!scopes_.empty()) scopes_.pop_back();
  }

 private:
  Argument argument_;
  std::vector<std::unique_ptr<Scoped>> scopes_;
};
using BackendBlock = Block<ScopedBackend, std::string>;
using PrecisionBlock = Block<ScopedMatmulPrecision, Precision>;

template <class B>
void bind_block(nb::class_<B>& c, const char* name) {
  const std::string sig = std::string("def __enter__(self) -> ") + name;
  c.def("__enter__", &B::enter, nb::rv_policy::reference, nb::sig(sig.c_str()))
      .def(
          "__exit__", [](B& block, const nb::args&) { block.leave(); },
          nb::sig("def __exit__(self, *exception: object) -> None"));
}

Precision precision_in(const std::string& name) {
  if (name == "exact") return Precision::exact;
  if (name == "tf32") return Precision::tf32;
  if (name == "bfloat16") return Precision::bfloat16;
  throw nb::value_error("matmul_precision: lowest is \"exact\", \"tf32\" or \"bfloat16\"");
}

nb::list statuses() {
  nb::list list;
  for (const BackendStatus& s : list_backends())
    list.append(nb::make_tuple(s.spelling, s.available, s.reason));
  return list;
}

nb::dict capabilities_of(const DeviceArgument& device) {
  BaseBackend* const given = device.backend();
  const Capabilities c = (given ? *given : default_backend()).capabilities();
  const auto as_dict = [](const auto& pairs) {
    nb::dict dict;
    for (const auto& [key, value] : pairs) dict[nb::str(key.c_str())] = value;
    return dict;
  };
  nb::dict result;
  result["dtypes"] = nb::tuple(nb::cast(c.dtypes));
  result["threads"] = c.threads;
  result["details"] = as_dict(c.details);
  result["delegated"] = as_dict(c.delegated);
  return result;
}

}  // namespace

void bind_backends(nb::module_& m) {
  m.def(
      "set_backend", [](const std::string& spelling) { set_backend(spelling); },
      nb::sig("def set_backend(spelling: str, /) -> None"),
      "Choose the process's backend: \"eigen\", \"kokkos\", \"torch:cuda:0\"; \"auto\" undoes it.");
  m.def(
      "get_backend", [] { return default_backend().spelling(); },
      nb::sig("def get_backend() -> str"), "The backend that new arrays are made on.");
  m.def("list_backends", &statuses, nb::sig("def list_backends() -> list[tuple[str, _bool, str]]"),
        "Every backend and device: how it is spelled, whether it can be used, and if not, why.");
  m.def("capabilities", &capabilities_of,
        nb::sig("def capabilities(device: str | None = None) -> dict[str, typing.Any]"),
        nb::arg("device") = nb::none(),
        "What a backend can do, the one in force by default: its dtypes, threads, details of its\n"
        "libraries, and operations that it hands to another one.");
  m.def(
      "get_available_devices",
      [] {
        nb::list names;
        for (const Device& device : get_available_devices()) names.append(to_string(device));
        return names;
      },
      nb::sig("def get_available_devices() -> list[str]"),
      "The devices that some backend can use here: \"cpu\", \"cuda:0\".");
  m.def(
      "_backend_dtypes",
      [](const DeviceArgument& device) {
        BaseBackend* const backend = device.backend();
        return (backend ? *backend : default_backend()).capabilities().dtypes;
      },
      nb::arg("device") = nb::none());
  nb::class_<BackendBlock> backend(m, "backend",
                                   "A block whose new arrays are on another backend:\n"
                                   "`with isofield.backend(\"kokkos\"): ...`");
  backend.def(nb::init<std::string>(), nb::sig("def __init__(self, spelling: str, /) -> None"));
  bind_block(backend, "backend");
  nb::class_<PrecisionBlock> precision(
      m, "matmul_precision",
      "A block that allows less exact products of float32 matrices, \"tf32\" or \"bfloat16\", to\n"
      "devices that have units for them: `with isofield.matmul_precision(\"tf32\"): ...`");
  precision.def(
      "__init__",
      [](PrecisionBlock* block, const std::string& lowest) {
        new (block) PrecisionBlock(precision_in(lowest));
      },
      nb::sig("def __init__(self, lowest: str, /) -> None"));
  bind_block(precision, "matmul_precision");
}

}  // namespace isofield::python
