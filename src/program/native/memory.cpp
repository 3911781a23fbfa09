#include "program/native/memory.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <isofield/host.hpp>
#include <string_view>

namespace isofield::host::native {
namespace {

// A page that cannot be had is found out here, once.
std::string reason() {
  const char* interpret = std::getenv("ISOFIELD_INTERPRET");
  if (interpret && std::string_view(interpret) == "1") return "ISOFIELD_INTERPRET=1";
  if (instruction_set() == "baseline") return "the kernels in use are those without AVX2";
  asmjit::CodeHolder holder;
  holder.init(asmjit::Environment::host());
  asmjit::x86::Assembler code(&holder);
  code.ret();
  errno = 0;
  if (place(holder)) return "";
  return std::string("the system gives no executable memory: ") + std::strerror(errno);
}

}  // namespace

const std::string& why_not() {
  static const std::string text = reason();
  return text;
}

bool available() { return why_not().empty(); }

std::shared_ptr<const Code> place(asmjit::CodeHolder& code) {
  code.flatten();
  code.resolveUnresolvedLinks();
  const std::size_t bytes = code.codeSize();
  void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return nullptr;
  const bool ready =
      code.relocateToBase(reinterpret_cast<std::uint64_t>(pages)) == asmjit::kErrorOk &&
      code.copyFlattenedData(pages, bytes) == asmjit::kErrorOk &&
      mprotect(pages, bytes, PROT_READ | PROT_EXEC) == 0;
  if (ready) return std::make_shared<const Code>(pages, bytes);
  munmap(pages, bytes);
  return nullptr;
}

Code::~Code() { munmap(pages_, bytes_); }

}  // namespace isofield::host::native
