#pragma once

#include <isofield/array.hpp>

namespace isofield::interop {

/// Whether an array's elements are computed and lie in memory that somebody else has, too, who may
/// write to it: what is pending over such memory sees the writes. Never throws, also not for an
/// array of a trace.
bool is_foreign(const Operand& x) noexcept;

}  // namespace isofield::interop
