// Copies and fills: programs without arithmetic, made once for each pair of dtypes and rank.

#include <mutex>
#include <optional>
#include <unordered_map>

#include "core/node.hpp"
#include "core/step.hpp"

namespace isofield::detail {
namespace {

/// A program that copies or casts `from`, or fills with an immediate where there is none.
std::shared_ptr<const Program> copying(std::optional<DType> from, DType to, int rank) {
  auto program = std::make_shared<Program>();
  program->rank = rank;
  if (!from) {
    program->immediates = {to};
    program->outputs = {{Program::Source::immediate, 0}};
    return program;
  }
  program->inputs = {*from};
  program->leaves = {Program::Leaf{0, {}}};
  program->outputs = {{Program::Source::leaf, 0}};
  if (*from != to) {
    program->code = {{Op::cast, *from, to, {program->outputs[0]}}};
    program->outputs = {{Program::Source::result, 0}};
  }
  return program;
}

/// The same, from the second call on without making it.
std::shared_ptr<const Program> kept_copying(std::optional<DType> from, DType to, int rank) {
  static std::mutex mutex;
  static auto* programs = new std::unordered_map<std::uint32_t, std::shared_ptr<const Program>>;
  const std::uint32_t source = from ? static_cast<std::uint32_t>(*from) : 0xff;
  const std::uint32_t key =
      source | static_cast<std::uint32_t>(to) << 8 | static_cast<std::uint32_t>(rank) << 16;
  const std::lock_guard lock(mutex);
  auto& program = (*programs)[key];
  if (!program) program = copying(from, to, rank);
  return program;
}

Step step_to(const View& to, std::optional<DType> from, BaseBackend& backend) {
  Step step;
  step.backend = &backend;
  step.program = kept_copying(from, to.dtype, to.layout.rank());
  step.shape = to.layout.shape;
  step.out = {to};
  return step;
}

}  // namespace

void copy_elements(const View& from, const View& to, BaseBackend& backend) {
  Step step = step_to(to, from.dtype, backend);
  step.in = {from};
  execute(std::move(step));
}

void fill_elements(Scalar value, const View& to, BaseBackend& backend) {
  Step step = step_to(to, std::nullopt, backend);
  step.immediates = {value};
  execute(std::move(step));
}

}  // namespace isofield::detail
