#include <isofield/activations.hpp>

#include "binding.hpp"
#include "pointwise.hpp"

namespace isofield::python {

void bind_activations(nb::module_& m) {
  const auto define = [&](const char* name, Unary f, const char* doc) {
    const std::string sig = std::string("def ") + name + "(x: UnifiedArray, /) -> UnifiedArray";
    m.def(
        name, [f](Operand x) { return apply(f, std::move(x)); }, nb::sig(sig.c_str()), doc);
  };
  define("softplus", &softplus, "log(1 + exp(x)), without overflow.");
  define("gelu", &gelu, "x times the normal distribution's function.");
  define("silu", &silu, "x sigmoid(x).");
  const auto sloped = [&](const char* name, const char* parameter, double standard,
                          UnifiedArray (*f)(Operand, double), const char* doc) {
    const std::string sig = std::string("def ") + name + "(x: UnifiedArray, /, *, " + parameter +
                            ": float = " + (standard == 1.0 ? "1.0" : "0.01") + ") -> UnifiedArray";
    m.def(
        name, [f](Operand x, double a) { return f(std::move(x), a); }, nb::sig(sig.c_str()),
        nb::arg(), nb::kw_only(), nb::arg(parameter) = standard, doc);
  };
  sloped("leaky_relu", "slope", 0.01, &leaky_relu, "x where it is positive, slope x elsewhere.");
  sloped("elu", "alpha", 1.0, &elu, "x where it is positive, alpha (exp(x) - 1) elsewhere.");
  const auto along = [&](const char* name, UnifiedArray (*f)(Operand, int), const char* doc) {
    const std::string sig =
        std::string("def ") + name + "(x: UnifiedArray, /, *, axis: int = -1) -> UnifiedArray";
    m.def(
        name,
        [f](Operand x, int axis) { return unlocked([&] { return f(std::move(x), axis).eval(); }); },
        nb::sig(sig.c_str()), nb::arg(), nb::kw_only(), nb::arg("axis") = -1, doc);
  };
  along("softmax", &softmax, "exp(x) over its sum along an axis.");
  along("log_softmax", &log_softmax, "The logarithm of `softmax`.");
  m.def(
      "logsumexp",
      [](const UnifiedArray& x, nb::handle axis, bool keepdims) {
        const auto axes = axes_in(axis, x.ndim());
        return unlocked([&] { return logsumexp({x, nowhere}, axes, keepdims).eval(); });
      },
      nb::sig(
          "def logsumexp(x: UnifiedArray, /, *, axis: int | typing.Sequence[int] | None = None, "
          "keepdims: _bool = False) -> UnifiedArray"),
      nb::arg(), nb::kw_only(), nb::arg("axis") = nb::none(), nb::arg("keepdims") = false,
      "log(sum(exp(x))) over axes.");
}

}  // namespace isofield::python
