// Which form of a program runs, and when it becomes machine code.

#include <cstdlib>
#include <isofield/host.hpp>
#include <mutex>
#include <string_view>
#include <utility>

#include "program/host_code.hpp"

namespace isofield::host {
namespace {

/// Elements times instructions of kernels that cost about what making machine code does.
std::int64_t patience() {
  static const std::int64_t elements = [] {
    const char* text = std::getenv("ISOFIELD_INTERPRET");
    return text && std::string_view(text) == "0" ? std::int64_t{0} : std::int64_t{1} << 16;
  }();
  return elements;
}

constexpr int most_variants = 8;
std::mutex making;

}  // namespace

struct LoweredProgram::Native {
  Variant variant;
  std::optional<HostCode> code;
  Native* next;
  int count;
};

LoweredProgram::~LoweredProgram() {
  for (Native* n = natives_.load(); n;) delete std::exchange(n, n->next);
}

bool LoweredProgram::spend(std::int64_t elements) const noexcept {
  if (!native::available()) return false;
  const std::int64_t work = elements * static_cast<std::int64_t>(kernels_.code.size());
  return spent_.fetch_add(work, std::memory_order_relaxed) + work >= patience();
}

LoweredProgram::Choice LoweredProgram::choose(const Program& program, Variant variant,
                                              std::int64_t elements) const {
  if (!native::available()) return {kernels_, true};
  const auto find = [&](Native* n) {
    while (n && n->variant != variant) n = n->next;
    return n;
  };
  Native* found = find(natives_.load(std::memory_order_acquire));
  if (!found) {
    if (!spend(elements)) return {kernels_, false};
    const std::lock_guard lock(making);
    Native* first = natives_.load(std::memory_order_acquire);
    found = find(first);
    if (!found) {
      const int count = first ? first->count : 0;
      if (count == most_variants) return {kernels_, true};
      found = new Native{variant, lower_native(program, variant), first, count + 1};
      natives_.store(found, std::memory_order_release);
    }
  }
  return {found->code ? *found->code : kernels_, true};
}

std::string program_form() {
  return native::available() ? "machine code" : "kernels (" + native::why_not() + ")";
}

}  // namespace isofield::host
