#pragma once

#include <asmjit/x86.h>

#include <memory>

#include "program/native/code.hpp"

namespace isofield::host::native {

/// Where machine code lives. Pages are mapped twice, once to write and once to run, and never both
/// at one address.
asmjit::JitRuntime& runtime();
/// Finished code as a function; null where the system gives no memory.
std::shared_ptr<const Code> place(asmjit::CodeHolder& code);

}  // namespace isofield::host::native
