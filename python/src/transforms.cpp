#include <isofield/differentiation.hpp>
#include <isofield/transforms.hpp>
#include <isofield/vmap.hpp>

#include "binding.hpp"
#include "exchange.hpp"

namespace isofield::python {
namespace {

using detail::Arrays;
using detail::ListFunction;
using Pair = std::pair<nb::list, nb::list>;

Arrays arrays_of(nb::handle list) {
  Arrays arrays;
  for (const nb::handle entry : list) {
    if (!is_array(entry.ptr()))
      throw nb::type_error(
          "a transformed function gives arrays, or tuples, lists and dicts of them");
    arrays.push_back(array_in(entry.ptr()));
  }
  return arrays;
}

nb::list list_of(std::span<const UnifiedArray> arrays) {
  nb::list list;
  for (const UnifiedArray& a : arrays) list.append(nb::steal(wrap(UnifiedArray(a))));
  return list;
}

/// A Python function of a list of arrays, called with the interpreter's lock wherever it is called.
ListFunction function_of(const nb::handle function) {
  return [function](std::span<const UnifiedArray> arrays) {
    const nb::gil_scoped_acquire lock;
    return arrays_of(function(list_of(arrays)));
  };
}

/// The same for a function that is kept, and may be dropped anywhere.
ListFunction kept_function_of(nb::handle function) {
  const auto kept =
      deferred(function.inc_ref().ptr(), [](void* f) { Py_DECREF(static_cast<PyObject*>(f)); });
  return [kept](std::span<const UnifiedArray> arrays) {
    const nb::gil_scoped_acquire lock;
    return arrays_of(nb::handle(static_cast<PyObject*>(kept.get()))(list_of(arrays)));
  };
}

/// What has been traced of one Python function, for `jit`.
class Traced {
 public:
  nb::list call(nb::handle function, nb::handle list) const {
    const Arrays arrays = arrays_of(list);
    std::vector<const UnifiedArray*> pointers;
    for (const UnifiedArray& a : arrays) pointers.push_back(&a);
    const ListFunction f = function_of(function);
    return list_of(unlocked([&] { return traces_.call(f, {pointers, 0}); }));
  }
  int count() const {
    return unlocked([&] { return traces_.count(); });
  }

 private:
  detail::Traces traces_;
};

/// Shapes, dtypes and backends of arrays as bytes: what tells one trace of a function from another.
nb::bytes kinds_of(nb::handle arrays) {
  std::string key;
  const auto put = [&key](auto value) {
    key.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  for (const nb::handle a : arrays) {
    const UnifiedArray& array = array_in(a.ptr());
    put(&array.backend());
    put(array.dtype());
    put(array.ndim());
    for (const std::int64_t n : array.shape()) put(n);
  }
  return nb::bytes(key.data(), key.size());
}

nb::tuple value_and_gradient(nb::handle function, nb::handle list, const std::vector<bool>& by,
                             const std::string& name) {
  const Arrays arrays = arrays_of(list);
  const ListFunction f = function_of(function);
  auto [value, gradients] = unlocked([&] {
    return detail::value_and_gradient(f, arrays, by, {name, nowhere});
  });
  return nb::make_tuple(nb::steal(wrap(std::move(value))), list_of(gradients));
}

/// What takes cotangents of results back; see `isofield.vjp`.
struct Pulled {
  detail::Pulled pulled;
  nb::list call(nb::handle cotangents) const {
    const Arrays arrays = arrays_of(cotangents);
    return list_of(unlocked([&] { return pulled(arrays, nowhere); }));
  }
};

nb::tuple pulled_back(nb::handle function, nb::handle list) {
  const Arrays arrays = arrays_of(list);
  const ListFunction f = function_of(function);
  auto [values, pulled] = unlocked([&] {
    return detail::pulled_back(f, arrays, {"vjp", nowhere});
  });
  return nb::make_tuple(list_of(values), Pulled{std::move(pulled)});
}

nb::tuple pushed_forward(nb::handle function, nb::handle list, nb::handle tangents) {
  const Arrays arrays = arrays_of(list), directions = arrays_of(tangents);
  const ListFunction f = function_of(function);
  const auto [values, derivatives] = unlocked([&] {
    return detail::pushed_forward(f, arrays, directions, {"jvp", nowhere});
  });
  return nb::make_tuple(list_of(values), list_of(derivatives));
}

nb::list mapped(nb::handle function, nb::handle list, const std::vector<std::optional<int>>& in,
                const std::vector<int>& out) {
  const Arrays arrays = arrays_of(list);
  const ListFunction f = function_of(function);
  return list_of(unlocked([&] { return detail::mapped(f, arrays, in, out, {"vmap", nowhere}); }));
}

UnifiedArray jacobian(nb::handle function, const UnifiedArray& argument) {
  const ListFunction f = function_of(function);
  const UnifiedArray x = argument;
  return unlocked([&] { return detail::jacobian_of(f, x, {"jacobian", nowhere}); });
}

nb::list checkpointed(nb::handle function, nb::handle list) {
  const Arrays arrays = arrays_of(list);
  const ListFunction f = kept_function_of(function);
  return list_of(unlocked([&] {
    return detail::checkpointed_call(f, arrays, {"checkpoint", nowhere});
  }));
}

/// Python's `forward` gives the values and what is kept as one list, and where that begins.
nb::list custom(nb::handle value, nb::handle forward, nb::handle backward, nb::handle list) {
  const Arrays arrays = arrays_of(list);
  detail::CustomFunctions functions;
  functions.value = kept_function_of(value);
  functions.forward = [f = kept_function_of(forward)](std::span<const UnifiedArray> in) {
    Arrays both = f(in);
    const auto values = static_cast<std::ptrdiff_t>(both.front().item<std::int64_t>(nowhere));
    return std::pair(Arrays(both.begin() + 1, both.begin() + 1 + values),
                     Arrays(both.begin() + 1 + values, both.end()));
  };
  functions.backward = [f = kept_function_of(backward)](std::span<const UnifiedArray> kept,
                                                        std::span<const UnifiedArray> cotangents) {
    Arrays both(kept.begin(), kept.end());
    both.insert(both.end(), cotangents.begin(), cotangents.end());
    return f(both);
  };
  return list_of(unlocked([&] {
    return detail::custom_call(std::move(functions), arrays, {"custom_vjp", nowhere});
  }));
}

}  // namespace

void bind_transforms(nb::module_& m) {
  nb::class_<Traced>(m, "_Traced")
      .def(nb::init<>())
      .def("__call__", &Traced::call)
      .def_prop_ro("count", &Traced::count);
  nb::class_<Pulled>(m, "_Pulled").def("__call__", &Pulled::call);
  m.def("_kinds", &kinds_of);
  m.def("_value_and_gradient", &value_and_gradient);
  m.def("_pulled_back", &pulled_back);
  m.def("_pushed_forward", &pushed_forward);
  m.def("_mapped", &mapped);
  m.def("_jacobian", &jacobian);
  m.def("_checkpointed", &checkpointed);
  m.def("_custom", &custom);
  m.def("_stop_gradient", [](const Operand& x) { return stop_gradient(x); });
}

}  // namespace isofield::python
