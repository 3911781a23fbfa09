#include "program/native/memory.hpp"

#include <cstdlib>
#include <isofield/host.hpp>
#include <string_view>

namespace isofield::host::native {
namespace {

std::string reason() {
  const char* interpret = std::getenv("ISOFIELD_INTERPRET");
  if (interpret && std::string_view(interpret) == "1") return "ISOFIELD_INTERPRET=1";
  if (instruction_set() == "baseline") return "the kernels in use are those without AVX2";
  // A page that cannot be had is found out here, once.
  asmjit::CodeHolder holder;
  holder.init(runtime().environment());
  asmjit::x86::Assembler code(&holder);
  code.ret();
  void (*function)() = nullptr;
  if (const asmjit::Error error = runtime().add(&function, &holder))
    return std::string("no executable memory: ") + asmjit::DebugUtils::errorAsString(error);
  runtime().release(function);
  return "";
}

}  // namespace

asmjit::JitRuntime& runtime() {
  static asmjit::JitRuntime* instance =
      [] {  // never destroyed: programs may outlive static objects
        asmjit::JitAllocator::CreateParams parameters;
        parameters.options = asmjit::JitAllocatorOptions::kUseDualMapping;
        return new asmjit::JitRuntime(&parameters);
      }();
  return *instance;
}

const std::string& why_not() {
  static const std::string text = reason();
  return text;
}

bool available() { return why_not().empty(); }

std::shared_ptr<const Code> place(asmjit::CodeHolder& code) {
  Code::Entry entry = nullptr;
  if (runtime().add(&entry, &code) != asmjit::kErrorOk) return nullptr;
  return std::make_shared<const Code>(entry);
}

Code::~Code() { runtime().release(entry_); }

}  // namespace isofield::host::native
