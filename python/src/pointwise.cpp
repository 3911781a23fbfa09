#include "pointwise.hpp"

namespace isofield::python {
namespace {

/// "exp(x)" of "math::exp(x)": the table's value as a reader sees it.
std::string readable(std::string value) {
  for (std::size_t at; (at = value.find("math::")) != std::string::npos;) value.erase(at, 6);
  return value;
}

std::string_view taken(Domain domain) {
  switch (domain) {
    case Domain::boolean: return "Takes dtype bool";
    case Domain::bits: return "Takes bool and integers";
    case Domain::integer: return "Takes integers";
    case Domain::numeric: return "Takes numeric dtypes";
    case Domain::real: return "Takes real dtypes";
    case Domain::inexact: return "Takes real and complex floating-point dtypes";
    case Domain::floating: return "Takes real floating-point dtypes";
    case Domain::any: break;
  }
  return "Takes any dtype";
}

std::string_view given(OpResult result) {
  if (result == OpResult::boolean) return "; gives bool.";
  return result == OpResult::real ? "; gives the real dtype." : "; gives the promoted dtype.";
}

/// A row of the table as a docstring.
std::string described(Op op, const char* value) {
  const OpInfo& row = info(op);
  return "Compute `" + readable(value) + "` of each element.\n\n" + std::string(taken(row.domain)) +
         std::string(given(row.result));
}

void define(nb::module_& m, const char* name, Unary f, const std::string& doc) {
  const std::string sig = std::string("def ") + name + "(x: UnifiedArray, /) -> UnifiedArray";
  m.def(
      name, [f](Operand x) { return apply(f, std::move(x)); }, nb::sig(sig.c_str()), doc.c_str());
}
void define(nb::module_& m, const char* name, Binary f, const std::string& doc) {
  const std::string sig = std::string("def ") + name +
                          "(x1: UnifiedArray | complex, x2: UnifiedArray | complex, /)"
                          " -> UnifiedArray";
  m.def(
      name, [f](Operand a, Operand b) { return apply(f, std::move(a), std::move(b)); },
      nb::sig(sig.c_str()), doc.c_str());
}

Boundary boundary_in(const std::string& name) {
  if (name == "periodic") return Boundary::periodic;
  if (name == "clamp") return Boundary::clamp;
  if (name == "reflect") return Boundary::reflect;
  if (name == "constant") return Boundary::constant;
  throw nb::value_error("shift: boundary is \"periodic\", \"clamp\", \"reflect\" or \"constant\"");
}

UnifiedArray shifted(Operand x, std::int64_t offset, int axis, const std::string& boundary,
                     Scalar fill) {
  const bool shared = interop::is_foreign(x);
  const Boundary rule = boundary_in(boundary);
  const Unlocked lock(is_long(x));
  return settled(shift(std::move(x), axis, offset, rule, fill), shared);
}

UnifiedArray where_of(Operand condition, Operand x, Operand y) {
  const bool shared =
      interop::is_foreign(condition) || interop::is_foreign(x) || interop::is_foreign(y);
  const Unlocked lock(is_long(condition));
  return settled(where(std::move(condition), std::move(x), std::move(y)), shared);
}

std::optional<Operand> bound_of(nb::handle object) {
  if (object.is_none()) return {};
  auto operand = operand_in(object.ptr());
  if (!operand) throw nb::type_error("clip: min and max are arrays, numbers or None");
  return operand;
}

UnifiedArray clipped(const UnifiedArray& x, nb::handle min, nb::handle max) {
  auto low = bound_of(min), high = bound_of(max);
  const bool shared = interop::is_foreign({x, nowhere}) || (low && interop::is_foreign(*low)) ||
                      (high && interop::is_foreign(*high));
  return settled(clip({x, nowhere}, std::move(low), std::move(high)), shared);
}

}  // namespace

void bind_pointwise(nb::module_& m) {
#define UNARY(name, domain, result, value, ...) \
  define(m, #name, &isofield::name, described(Op::name, #value));
#define BINARY(name, domain, result, value, ...) \
  define(m, #name, &isofield::name, described(Op::name, #value));
#include <isofield/ops.def>
#undef UNARY
#undef BINARY
  m.attr("pow") = m.attr("power");
  m.def("where", &where_of,
        nb::sig("def where(condition: UnifiedArray, x1: UnifiedArray | complex, "
                "x2: UnifiedArray | complex, /) -> UnifiedArray"),
        "Take `x1` where the condition is true, else `x2`.");
  m.def(
      "shift", &shifted,
      nb::sig("def shift(x: UnifiedArray, offset: int, /, *, axis: int = -1, "
              "boundary: str = 'constant', fill: complex = 0) -> UnifiedArray"),
      nb::arg(), nb::arg(), nb::kw_only(), nb::arg("axis") = -1, nb::arg("boundary") = "constant",
      nb::arg("fill") = 0,
      "Read the elements `offset` further along an axis: result[i] = x[i + offset], lazily.\n\n"
      "Beyond the edge `boundary` says what is read: \"periodic\", \"clamp\" (the last element),\n"
      "\"reflect\" or \"constant\" (`fill`).");
  m.def("clip", &clipped,
        nb::sig("def clip(x: UnifiedArray, /, min: UnifiedArray | float | None = None, "
                "max: UnifiedArray | float | None = None) -> UnifiedArray"),
        nb::arg(), nb::arg("min") = nb::none(), nb::arg("max") = nb::none(),
        "Limit to [min, max].");
}

}  // namespace isofield::python
