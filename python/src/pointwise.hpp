#pragma once

#include "binding.hpp"

namespace isofield::python {

using Unary = UnifiedArray (*)(Operand);
using Binary = UnifiedArray (*)(Operand, Operand);

/// Compute now what would else see later writes to memory of somebody else.
inline UnifiedArray settled(UnifiedArray result, bool shared) {
  if (shared) result.eval();
  return result;
}

/// Run a pointwise function for Python. It may compute what is pending below it.
inline UnifiedArray apply(Unary f, Operand&& x) {
  const bool shared = interop::is_foreign(x);
  const Unlocked lock(is_long(x));
  return settled(f(std::move(x)), shared);
}
inline UnifiedArray apply(Binary f, Operand&& a, Operand&& b) {
  const bool shared = interop::is_foreign(a) || interop::is_foreign(b);
  const Unlocked lock(is_long(a) || is_long(b));
  return settled(f(std::move(a), std::move(b)), shared);
}

/// The only element as a Python number of the kind of its dtype.
nb::object to_number(const UnifiedArray& array);

}  // namespace isofield::python
