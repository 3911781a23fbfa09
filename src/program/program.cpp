#include <isofield/program.hpp>
#include <mutex>

namespace isofield {
namespace {

enum class Result { same, boolean };

constexpr OpInfo op_table[] = {
#define UNARY(name, domain, result, value) \
  {#name, 1, Domain::domain, Result::result == Result::boolean},
#define BINARY(name, domain, result, value) \
  {#name, 2, Domain::domain, Result::result == Result::boolean},
#include <isofield/ops.def>
#undef UNARY
#undef BINARY
    {"where", 3, Domain::any, false},
    {"cast", 1, Domain::any, false},
};
static_assert(sizeof(op_table) / sizeof(op_table[0]) == op_count);

std::mutex lowering_mutex;

std::string text_of(const Program& p, Program::Value v) {
  switch (v.source) {
    case Program::Source::immediate: return "#" + std::to_string(v.index);
    case Program::Source::result: return "r" + std::to_string(v.index);
    case Program::Source::leaf: break;
  }
  const auto& leaf = p.leaves[v.index];
  std::string text = "in" + std::to_string(leaf.input);
  static constexpr const char* rules[] = {"periodic", "clamp", "reflect", "constant"};
  for (const auto& s : leaf.shifts)
    text += "[" + std::to_string(s.axis) + (s.offset >= 0 ? ":+" : ":") + std::to_string(s.offset) +
            " " + rules[static_cast<int>(s.boundary)] + "]";
  return text;
}

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

std::string Program::to_string() const {
  std::string text;
  for (std::size_t i = 0; i < code.size(); ++i) {
    const auto& instruction = code[i];
    text += "r" + std::to_string(i) + " = " + std::string(info(instruction.op).name) + "." +
            std::string(isofield::name(instruction.compute));
    for (int k = 0; k < info(instruction.op).arity; ++k)
      text += (k ? ", " : " ") + text_of(*this, instruction.operands[static_cast<std::size_t>(k)]);
    text += "\n";
  }
  for (std::size_t i = 0; i < outputs.size(); ++i)
    text += "out" + std::to_string(i) + " = " + text_of(*this, outputs[i]) + "\n";
  if (reduction) text += std::string(isofield::name(reduction->op)) + " of out0\n";
  return text;
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
