#pragma once

#include <asmjit/x86.h>

#include <memory>

#include "program/native/code.hpp"

namespace isofield::host::native {

/// Finished code as a function, in pages of its own that are written first and executable after,
/// never both; null where the system gives none.
std::shared_ptr<const Code> place(asmjit::CodeHolder& code);

}  // namespace isofield::host::native
