#include <isofield/interop/foreign.hpp>

#include "core/node.hpp"

namespace isofield::interop {

bool is_foreign(const Operand& x) noexcept {
  return !x.is_scalar() && x.node()->is_leaf() && x.node()->storage->foreign;
}

}  // namespace isofield::interop
