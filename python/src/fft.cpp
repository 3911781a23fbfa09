#include <isofield/fft.hpp>

#include "binding.hpp"

namespace isofield::python {
namespace {

using Length = std::optional<std::int64_t>;
using Lengths = std::optional<std::vector<std::int64_t>>;
using SomeAxes = std::optional<std::vector<int>>;
using Line = UnifiedArray (*)(Operand, Length, int, fft::Norm);
using Lines = UnifiedArray (*)(Operand, const Lengths&, const SomeAxes&, fft::Norm);
using Real = UnifiedArray (*)(Operand, int, const std::vector<int>&, fft::Norm);
using Shift = UnifiedArray (*)(Operand, const SomeAxes&);
using Frequencies = UnifiedArray (*)(std::int64_t, double, DType, BaseBackend*,
                                     std::source_location);

fft::Norm norm_in(const std::string& name) {
  if (name == "backward") return fft::Norm::backward;
  if (name == "ortho") return fft::Norm::ortho;
  if (name == "forward") return fft::Norm::forward;
  throw nb::value_error("fft: norm is \"backward\", \"ortho\" or \"forward\"");
}

void define(nb::module_& m, const char* name, Line f, const char* doc) {
  const std::string sig = std::string("def ") + name +
                          "(x: UnifiedArray, /, *, n: int | None = None, axis: int = -1, "
                          "norm: str = 'backward') -> UnifiedArray";
  m.def(
      name,
      [f](Operand x, Length n, int axis, const std::string& norm) {
        const auto chosen = norm_in(norm);
        return unlocked([&] { return f(std::move(x), n, axis, chosen); });
      },
      nb::sig(sig.c_str()), nb::arg(), nb::kw_only(), nb::arg("n") = nb::none(),
      nb::arg("axis") = -1, nb::arg("norm") = "backward", doc);
}
void define(nb::module_& m, const char* name, Lines f, const char* doc) {
  const std::string sig =
      std::string("def ") + name +
      "(x: UnifiedArray, /, *, s: typing.Sequence[int] | None = None, "
      "axes: typing.Sequence[int] | None = None, norm: str = 'backward') -> UnifiedArray";
  m.def(
      name,
      [f](Operand x, const Lengths& s, nb::handle axes, const std::string& norm) {
        const auto chosen = norm_in(norm);
        const auto along = axes_in(axes, "axes");
        return unlocked([&] { return f(std::move(x), s, along, chosen); });
      },
      nb::sig(sig.c_str()), nb::arg(), nb::kw_only(), nb::arg("s") = nb::none(),
      nb::arg("axes") = nb::none(), nb::arg("norm") = "backward", doc);
}
void define(nb::module_& m, const char* name, Real f, const char* doc) {
  const std::string sig = std::string("def ") + name +
                          "(x: UnifiedArray, /, *, type: int = 2, "
                          "axes: int | typing.Sequence[int] = -1, norm: str = 'backward')"
                          " -> UnifiedArray";
  m.def(
      name,
      [f](Operand x, int type, nb::handle axes, const std::string& norm) {
        const auto chosen = norm_in(norm);
        const auto along = given_axes_in(axes, "axes");
        return unlocked([&] { return f(std::move(x), type, along, chosen); });
      },
      nb::sig(sig.c_str()), nb::arg(), nb::kw_only(), nb::arg("type") = 2, nb::arg("axes") = -1,
      nb::arg("norm") = "backward", doc);
}
void define(nb::module_& m, const char* name, Shift f, const char* doc) {
  const std::string sig = std::string("def ") + name +
                          "(x: UnifiedArray, /, *, axes: int | typing.Sequence[int] | None = None)"
                          " -> UnifiedArray";
  m.def(
      name,
      [f](Operand x, nb::handle axes) {
        const auto along = axes_in(axes, "axes");
        return unlocked([&] { return f(std::move(x), along); });
      },
      nb::sig(sig.c_str()), nb::arg(), nb::kw_only(), nb::arg("axes") = nb::none(), doc);
}
void define(nb::module_& m, const char* name, Frequencies f, const char* doc) {
  const std::string sig = std::string("def ") + name +
                          "(n: int, /, *, d: float = 1.0, dtype: _DTypeLike | None = None, "
                          "device: str | None = None) -> UnifiedArray";
  m.def(
      name,
      [f](std::int64_t n, double d, std::optional<DType> dtype, const DeviceArgument& device) {
        return f(n, d, dtype.value_or(DType::float64), device.backend(), nowhere);
      },
      nb::sig(sig.c_str()), nb::arg(), nb::kw_only(), nb::arg("d") = 1.0,
      nb::arg("dtype") = nb::none(), nb::arg("device") = nb::none(), doc);
}

}  // namespace

void bind_fft(nb::module_& main) {
  nb::module_ m = main.def_submodule("fft", "Fourier, cosine, sine and Hartley transforms.");
  define(m, "fft", &fft::fft, "Transform lines along an axis, cut or filled to n elements first.");
  define(m, "ifft", &fft::ifft, "The inverse of `fft`.");
  define(m, "fftn", &fft::fftn, "Transform along several axes, all by default.");
  define(m, "ifftn", &fft::ifftn, "The inverse of `fftn`.");
  define(m, "rfft", &fft::rfft, "Transform real lines: the first n / 2 + 1 terms.");
  define(m, "irfft", &fft::irfft, "The inverse of `rfft`: n real numbers.");
  define(m, "rfftn", &fft::rfftn, "`rfft` along the last axis, `fft` along the others.");
  define(m, "irfftn", &fft::irfftn, "The inverse of `rfftn`.");
  define(m, "hfft", &fft::hfft, "Transform Hermitian lines, given by their first half.");
  define(m, "ihfft", &fft::ihfft, "The inverse of `hfft`.");
  define(m, "fftfreq", &fft::fftfreq, "The frequencies of the terms of `fft`.");
  define(m, "rfftfreq", &fft::rfftfreq, "The frequencies of the terms of `rfft`.");
  define(m, "fftshift", &fft::fftshift, "Turn lines so that frequency 0 is in the middle.");
  define(m, "ifftshift", &fft::ifftshift, "The inverse of `fftshift`.");
  define(m, "dct", &fft::dct, "Discrete cosine transforms of type 1, 2, 3 or 4.");
  define(m, "idct", &fft::idct, "The inverse of `dct` of the same type.");
  define(m, "dst", &fft::dst, "Discrete sine transforms of type 1, 2, 3 or 4.");
  define(m, "idst", &fft::idst, "The inverse of `dst` of the same type.");
  m.def(
      "hartley",
      [](Operand x, nb::handle axes, const std::string& norm) {
        const auto chosen = norm_in(norm);
        const auto along = given_axes_in(axes, "axes");
        return unlocked([&] { return fft::hartley(std::move(x), along, chosen); });
      },
      nb::sig("def hartley(x: UnifiedArray, /, *, axes: int | typing.Sequence[int] = -1, "
              "norm: str = 'backward') -> UnifiedArray"),
      nb::arg(), nb::kw_only(), nb::arg("axes") = -1, nb::arg("norm") = "backward",
      "sum_j x[j] (cos + sin)(2 pi j k / n): its own inverse with norm \"ortho\", or with\n"
      "\"forward\" that of \"backward\".");
}

}  // namespace isofield::python
