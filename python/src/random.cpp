#include <isofield/random.hpp>

#include "binding.hpp"

namespace isofield::python {
namespace {

using random::Generator;
using Given = std::optional<DType>;
#define ISOFIELD_SHAPE "shape: int | tuple[int, ...] = (), *, "
#define ISOFIELD_END "dtype: DType | None = None, device: str | None = None) -> UnifiedArray"

void bind_draws(nb::class_<Generator>& c) {
  c.def(
       "uniform",
       [](Generator& g, const Shape& shape, double low, double high, Given dtype,
          const DeviceArgument& device) {
         BaseBackend* backend = device.backend();
         const DType own = dtype.value_or(DType::float64);
         return unlocked([&] { return g.uniform(shape, low, high, own, backend); });
       },
       nb::sig("def uniform(self, " ISOFIELD_SHAPE
               "low: float = 0.0, high: float = 1.0, " ISOFIELD_END),
       nb::arg("shape") = nb::make_tuple(), nb::kw_only(), nb::arg("low") = 0.0,
       nb::arg("high") = 1.0, nb::arg("dtype") = nb::none(), nb::arg("device") = nb::none(),
       "Evenly distributed in [low, high).")
      .def(
          "normal",
          [](Generator& g, const Shape& shape, double mean, double deviation, Given dtype,
             const DeviceArgument& device) {
            BaseBackend* backend = device.backend();
            const DType own = dtype.value_or(DType::float64);
            return unlocked([&] { return g.normal(shape, mean, deviation, own, backend); });
          },
          nb::sig("def normal(self, " ISOFIELD_SHAPE
                  "mean: float = 0.0, deviation: float = 1.0, " ISOFIELD_END),
          nb::arg("shape") = nb::make_tuple(), nb::kw_only(), nb::arg("mean") = 0.0,
          nb::arg("deviation") = 1.0, nb::arg("dtype") = nb::none(), nb::arg("device") = nb::none(),
          "Normally distributed.")
      .def(
          "integers",
          [](Generator& g, std::int64_t low, std::int64_t high, const Shape& shape, Given dtype,
             const DeviceArgument& device) {
            BaseBackend* backend = device.backend();
            const DType own = dtype.value_or(DType::int64);
            return unlocked([&] { return g.integers(shape, low, high, own, backend); });
          },
          nb::sig("def integers(self, low: int, high: int, " ISOFIELD_SHAPE ISOFIELD_END),
          nb::arg("low"), nb::arg("high"), nb::arg("shape") = nb::make_tuple(), nb::kw_only(),
          nb::arg("dtype") = nb::none(), nb::arg("device") = nb::none(),
          "Whole numbers in [low, high).");
}

void bind_choices(nb::class_<Generator>& c) {
  c.def(
       "permutation",
       [](Generator& g, std::int64_t n, const DeviceArgument& device) {
         return g.permutation(n, device.backend());
       },
       nb::sig("def permutation(self, n: int, *, device: str | None = None) -> UnifiedArray"),
       nb::arg("n"), nb::kw_only(), nb::arg("device") = nb::none(),
       "0, 1, ..., n - 1 in random order.")
      .def(
          "choice",
          [](Generator& g, std::int64_t n, const Shape& shape, bool replace,
             const DeviceArgument& device) {
            return g.choice(n, shape, replace, device.backend());
          },
          nb::sig("def choice(self, n: int, " ISOFIELD_SHAPE
                  "replace: _bool = True, device: str | None = None) -> UnifiedArray"),
          nb::arg("n"), nb::arg("shape") = nb::make_tuple(), nb::kw_only(),
          nb::arg("replace") = true, nb::arg("device") = nb::none(),
          "Places 0, ..., n - 1 chosen at random, all different unless `replace`.")
      .def("split", &Generator::split, nb::sig("def split(self) -> Generator"),
           "A generator whose stream has nothing to do with this one's.");
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
