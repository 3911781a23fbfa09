#include <isofield/program.hpp>
#include <mutex>

namespace isofield {
namespace {

constexpr OpInfo op_table[] = {
#define UNARY(name, domain, result, value, ...) {#name, 1, Domain::domain, OpResult::result},
#define BINARY(name, domain, result, value, ...) {#name, 2, Domain::domain, OpResult::result},
#include <isofield/ops.def>
#undef UNARY
#undef BINARY
    {"where", 3, Domain::any, OpResult::same},
    {"cast", 1, Domain::any, OpResult::same},
};
static_assert(sizeof(op_table) / sizeof(op_table[0]) == op_count);

std::mutex lowering_mutex;

}  // namespace

const OpInfo& info(Op op) noexcept { return op_table[static_cast<int>(op)]; }

std::string_view name(Reduce op) noexcept {
  static constexpr std::string_view names[] = {"sum", "prod", "min", "max", "any", "all"};
  return names[static_cast<int>(op)];
}

Program::~Program() = default;

DType Program::dtype(Value v) const noexcept {
  switch (v.source) {
    case Source::immediate: return immediates[v.index];
    case Source::result: return code[v.index].result;
    case Source::leaf: break;
  }
  return inputs[static_cast<std::size_t>(leaves[v.index].input)];
}

void* Program::find_lowered(int slot) const noexcept {
  return __atomic_load_n(&lowered_raw_[static_cast<std::size_t>(slot)], __ATOMIC_ACQUIRE);
}

void* Program::set_lowered(int slot, void* value, void (*destroy)(void*)) const {
  const auto i = static_cast<std::size_t>(slot);
  const std::shared_ptr<void> holder(value, destroy);
  const std::lock_guard lock(lowering_mutex);
  if (!lowered_raw_[i]) {
    lowered_[i] = holder;
    __atomic_store_n(&lowered_raw_[i], value, __ATOMIC_RELEASE);
  }
  return lowered_raw_[i];
}

}  // namespace isofield
