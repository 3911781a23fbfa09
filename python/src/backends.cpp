#include "binding.hpp"

namespace isofield::python {
namespace {

/// `with isofield.backend("kokkos"):`
class BackendScope {
 public:
  explicit BackendScope(std::string spelling) : spelling_(std::move(spelling)) {}
  BackendScope(const BackendScope&) = delete;
  BackendScope& operator=(const BackendScope&) = delete;
  BackendScope& enter() {
    scopes_.push_back(std::make_unique<ScopedBackend>(spelling_));
    return *this;
  }
  void leave() {
    if (!scopes_.empty()) scopes_.pop_back();
  }

 private:
  std::string spelling_;
  std::vector<std::unique_ptr<ScopedBackend>> scopes_;
};

nb::list statuses() {
  nb::list list;
  for (const BackendStatus& s : list_backends())
    list.append(nb::make_tuple(s.spelling, s.available, s.reason));
  return list;
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
  nb::class_<BackendScope>(m, "backend",
                           "A block whose new arrays are on another backend:\n"
                           "`with isofield.backend(\"kokkos\"): ...`")
      .def(nb::init<std::string>(), nb::sig("def __init__(self, spelling: str, /) -> None"))
      .def("__enter__", &BackendScope::enter, nb::rv_policy::reference,
           nb::sig("def __enter__(self) -> backend"))
      .def(
          "__exit__", [](BackendScope& scope, const nb::args&) { scope.leave(); },
          nb::sig("def __exit__(self, *exception: object) -> None"));
}

}  // namespace isofield::python
