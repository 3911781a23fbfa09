#include <nanobind/stl/pair.h>
#include <isofield/indexing.hpp>
#include <isofield/random.hpp>

#include "binding.hpp"

namespace isofield::python {
namespace {

using random::Generator;
using Given = std::optional<DType>;
#define ISOFIELD_SHAPE "shape: int | typing.Sequence[int] = (), *, "
#define ISOFIELD_END "dtype: _DTypeLike | None = None, device: str | None = None) -> UnifiedArray"

void bind_draws(nb::class_<Generator>& c) {
  c.def(
       "uniform",
       [](Generator& g, const ShapeArgument& shape, double low, double high, Given dtype,
          const DeviceArgument& device) {
         BaseBackend* backend = device.backend();
         const DType own = dtype.value_or(DType::float64);
         const Shape lengths = shape;
         return unlocked([&] { return g.uniform(lengths, low, high, own, backend); });
       },
       nb::sig("def uniform(self, " ISOFIELD_SHAPE
               "low: float = 0.0, high: float = 1.0, " ISOFIELD_END),
       nb::arg("shape") = nb::make_tuple(), nb::kw_only(), nb::arg("low") = 0.0,
       nb::arg("high") = 1.0, nb::arg("dtype") = nb::none(), nb::arg("device") = nb::none(),
       "Evenly distributed in [low, high).")
      .def(
          "normal",
          [](Generator& g, const ShapeArgument& shape, double mean, double deviation, Given dtype,
             const DeviceArgument& device) {
            BaseBackend* backend = device.backend();
            const DType own = dtype.value_or(DType::float64);
            const Shape lengths = shape;
            return unlocked([&] { return g.normal(lengths, mean, deviation, own, backend); });
          },
          nb::sig("def normal(self, " ISOFIELD_SHAPE
                  "mean: float = 0.0, deviation: float = 1.0, " ISOFIELD_END),
          nb::arg("shape") = nb::make_tuple(), nb::kw_only(), nb::arg("mean") = 0.0,
          nb::arg("deviation") = 1.0, nb::arg("dtype") = nb::none(), nb::arg("device") = nb::none(),
          "Normally distributed.")
      .def(
          "integers",
          [](Generator& g, Scalar low, Scalar high, const ShapeArgument& shape, Given dtype,
             const DeviceArgument& device, bool endpoint) {
            BaseBackend* backend = device.backend();
            const DType own = dtype.value_or(DType::int64);
            const Shape lengths = shape;
            return unlocked([&] { return g.integers(lengths, low, high, own, backend, endpoint); });
          },
          nb::sig("def integers(self, low: int, high: int, " ISOFIELD_SHAPE
                  "dtype: _DTypeLike | None = None, device: str | None = None, "
                  "endpoint: _bool = False) -> UnifiedArray"),
          nb::arg("low"), nb::arg("high"), nb::arg("shape") = nb::make_tuple(), nb::kw_only(),
          nb::arg("dtype") = nb::none(), nb::arg("device") = nb::none(),
          nb::arg("endpoint") = false,
          "Whole numbers in [low, high), or [low, high] with `endpoint`.");
}

/// Places below an int, or slices of an array at places below its length.
template <class Places>
UnifiedArray chosen(nb::handle of, const DeviceArgument& device, Places places) {
  if (!is_array(of.ptr()) && !holds_elements(of.ptr()))
    return places(argument<std::int64_t>(of, "n", "an int or an array"), device.backend());
  const UnifiedArray array = to_array(of, {}, device.backend(), {});
  if (array.ndim() == 0) throw ShapeError("random: an array of rank 0 has nothing to choose from");
  const UnifiedArray where = places(array.shape()[0], &array.backend());
  if (where.ndim() == 1) return take({array, nowhere}, {where, nowhere}, 0);
  const UnifiedArray flat = reshape({where, nowhere}, {where.size()});
  Shape shape = where.shape();
  for (int k = 1; k < array.ndim(); ++k) shape.push_back(array.shape()[k]);
  return reshape({take({array, nowhere}, {flat, nowhere}, 0), nowhere}, shape);
}

void bind_choices(nb::class_<Generator>& c) {
  c.def(
       "permutation",
       [](Generator& g, nb::handle of, const DeviceArgument& device) {
         return chosen(of, device, [&](std::int64_t n, BaseBackend* backend) {
           return g.permutation(n, backend);
         });
       },
       nb::sig("def permutation(self, n: int | UnifiedArray, *, device: str | None = None)"
               " -> UnifiedArray"),
       nb::arg("n"), nb::kw_only(), nb::arg("device") = nb::none(),
       "0, 1, ..., n - 1, or the slices of an array along its first axis, in random order.")
      .def(
          "choice",
          [](Generator& g, nb::handle of, const ShapeArgument& shape, bool replace,
             const DeviceArgument& device) {
            return chosen(of, device, [&](std::int64_t n, BaseBackend* backend) {
              return g.choice(n, shape, replace, backend);
            });
          },
          nb::sig("def choice(self, n: int | UnifiedArray, " ISOFIELD_SHAPE
                  "replace: _bool = True, device: str | None = None) -> UnifiedArray"),
          nb::arg("n"), nb::arg("shape") = nb::make_tuple(), nb::kw_only(),
          nb::arg("replace") = true, nb::arg("device") = nb::none(),
          "Places 0, ..., n - 1, or slices of an array along its first axis, chosen at random, "
          "from\n"
          "different places unless `replace`.")
      .def("split", &Generator::split, nb::sig("def split(self) -> Generator"),
           "A generator whose stream has nothing to do with this one's.")
      .def("__repr__",
           [](const Generator& g) {
             const auto [seed, drawn] = g.state();
             return "Generator(seed=" + std::to_string(seed) + "), " + std::to_string(drawn) +
                    " blocks drawn";
           })
      .def(
          "__getstate__",
          [](const Generator& g) { return nb::make_tuple(g.state().seed, g.state().drawn); },
          nb::sig("def __getstate__(self) -> tuple[int, int]"))
      .def("__setstate__", [](Generator& g, const std::pair<std::uint64_t, std::uint64_t>& state) {
        new (&g) Generator(Generator::State{state.first, state.second});
      });
}

}  // namespace

void bind_random(nb::module_& main) {
  nb::module_ m =
      main.def_submodule("random", "Random numbers that a seed decides, the same everywhere.");
  nb::class_<Generator> c(m, "Generator", "A stream of random numbers, decided by its seed.");
  c.def(nb::init<std::uint64_t>(), nb::sig("def __init__(self, seed: int) -> None"),
        nb::arg("seed"));
  bind_draws(c);
  bind_choices(c);
  m.def("seed", &random::seed, nb::sig("def seed(seed: int, /) -> None"),
        "Begin the stream of the module's functions again.");
  // The module's functions are methods of its generator.
  const nb::object generator = nb::cast(&random::default_generator(), nb::rv_policy::reference);
  for (const char* name : {"uniform", "normal", "integers", "permutation", "choice"})
    m.attr(name) = generator.attr(name);
}

}  // namespace isofield::python
