// A build without machine code.

#include "program/native/code.hpp"

namespace isofield::host::native {

bool available() { return false; }
const std::string& why_not() {
  static const std::string text = "built without it (ISOFIELD_NATIVE=OFF)";
  return text;
}
bool supports(Op, DType) noexcept { return false; }
bool supports(Reduce) noexcept { return false; }
std::shared_ptr<const Code> assemble(const Segment&) { return nullptr; }
Code::~Code() = default;

}  // namespace isofield::host::native
