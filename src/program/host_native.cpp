// Programs as machine code where it has the instructions, and kernels between.

#include <algorithm>
#include <climits>

#include "program/host_code.hpp"

namespace isofield::host {
namespace {

using Value = Program::Value;
using Source = Program::Source;
using native::Segment;

/// Cuts a program into stages that are all machine code (even) or all kernels (odd), as few as the
/// order of its instructions allows. What crosses a stage's end goes through memory, a tile at a
/// time.
class NativeLowering {
 public:
  NativeLowering(const Program& program, Variant variant)
      : program_(program), variant_(variant), n_(program.code.size()) {}

  std::optional<HostCode> run() {
    if (program_.leaves.size() > 64 || !choose_type()) return {};
    choose_stages();
    prepare();
    for (int stage = -1; stage <= last_stage_; ++stage)
      if (stage % 2 == 0)
        segment(stage);
      else
        kernels_of(stage);
    copy_outputs();
    code_.measure(program_);
    if (failed_ || code_.registers > most_registers) return {};
    return std::move(code_);
  }

 private:
  static constexpr int most_registers = 200;

  bool choose_type() {
    int doubles = 0, floats = 0;
    for (const auto& i : program_.code) {
      doubles += i.compute == DType::float64 || i.result == DType::float64;
      floats += i.compute == DType::float32 || i.result == DType::float32;
    }
    type_ = floats > doubles ? DType::float32 : DType::float64;
    native_.resize(n_);
    bool any = false;
    for (std::size_t i = 0; i < n_; ++i) any |= native_[i] = has_code(program_.code[i]);
    return any;
  }

  // int64 has the width of float64.
  bool fits(DType dtype) const {
    return dtype == type_ || dtype == DType::bool_ ||
           (dtype == DType::int64 && type_ == DType::float64);
  }
  bool has_code(const Program::Instruction& i) const {
    bool fit = fits(i.compute) && fits(i.result) && native::supports(i.op, i.compute);
    for (int k = 0; k < info(i.op).arity; ++k)
      fit = fit && fits(program_.dtype(i.operands[static_cast<std::size_t>(k)]));
    return fit;
  }

  template <class F>
  void each_result_operand(std::size_t i, F&& f) const {
    for (int k = 0; k < info(program_.code[i].op).arity; ++k) {
      const Value v = program_.code[i].operands[static_cast<std::size_t>(k)];
      if (v.source == Source::result) f(static_cast<std::size_t>(v.index));
    }
  }

  void choose_stages() {
    stage_.assign(n_, 0);
    for (std::size_t i = 0; i < n_; ++i) {  // as early as can be
      int stage = native_[i] ? 0 : -1;
      each_result_operand(i, [&](std::size_t from) {
        stage = std::max(stage, stage_[from] + (native_[from] == native_[i] ? 0 : 1));
      });
      stage_[i] = stage;
      last_stage_ = std::max(last_stage_, stage);
    }
    std::vector<int> latest(n_, INT_MAX);  // machine code as late as its users allow
    for (std::size_t i = n_; i-- > 0;) {
      if (native_[i] && latest[i] != INT_MAX) stage_[i] = latest[i];
      each_result_operand(i, [&](std::size_t from) {
        latest[from] = std::min(latest[from], stage_[i] - (native_[from] == native_[i] ? 0 : 1));
      });
    }
  }

  // A value that is used in another stage than its own gets a register; an output its own place.
  void prepare() {
    code_.leaves = static_cast<int>(program_.leaves.size());
    code_.immediates = static_cast<int>(program_.immediates.size());
    code_.outputs = static_cast<int>(program_.outputs.size());
    code_.fill_immediate.assign(program_.immediates.size(), false);
    code_.fill_leaf.assign(program_.leaves.size(), false);
    home_.assign(n_, -1);
    for (std::size_t i = 0; i < n_; ++i)
      each_result_operand(i, [&](std::size_t from) {
        if (home_[from] < 0 && (!native_[from] || stage_[i] != stage_[from]))
          home_[from] = code_.registers++;
      });
    for (const Value v : program_.outputs)
      if (v.source == Source::result && !native_[v.index] && home_[v.index] < 0)
        home_[v.index] = code_.registers++;
  }

  std::uint16_t slot(Value v) const {
    switch (v.source) {
      case Source::leaf: return static_cast<std::uint16_t>(code_.leaf_slot(v.index));
      case Source::immediate: return static_cast<std::uint16_t>(code_.immediate_slot(v.index));
      case Source::result: break;
    }
    return static_cast<std::uint16_t>(code_.register_slot(home_[v.index]));
  }

  bool uniform(Value v) const {
    return v.source == Source::immediate ||
           (v.source == Source::leaf && ((variant_.uniform >> v.index) & 1));
  }

  Segment::Value operand(Value v, int stage, const std::vector<int>& place) const {
    const DType dtype = program_.dtype(v);
    const bool truth = dtype == DType::bool_, integer = dtype == DType::int64;
    if (v.source == Source::result && stage_[v.index] == stage)
      return {Segment::Source::result, static_cast<std::uint16_t>(place[v.index]), truth, integer};
    return {uniform(v) ? Segment::Source::scalar : Segment::Source::array, slot(v), truth, integer};
  }

  void segment(int stage) {
    Segment segment;
    segment.type = type_;
    std::vector<int> place(n_, -1);
    for (std::size_t i = 0; i < n_; ++i) {
      if (stage_[i] != stage || !native_[i]) continue;
      const auto& from = program_.code[i];
      Segment::Instruction to;
      to.op = from.op;
      to.truth = from.result == DType::bool_;
      to.integer = from.result == DType::int64;
      for (int k = 0; k < info(from.op).arity; ++k) {
        const Value v = from.operands[static_cast<std::size_t>(k)];
        to.in[k] = operand(v, stage, place);
        if ((from.op == Op::maximum || from.op == Op::minimum) && v.source == Source::immediate) {
          to.in[k].number = true;
          code_.numbers.push_back(v.index);
        }
      }
      place[i] = static_cast<int>(segment.code.size());
      segment.code.push_back(to);
      if (home_[i] >= 0)
        segment.stores.push_back(
            {{Segment::Source::result, static_cast<std::uint16_t>(place[i]), to.truth, to.integer},
             static_cast<std::uint16_t>(code_.register_slot(home_[i]))});
    }
    if (segment.code.empty()) return;
    for (int o = 0; o < code_.outputs; ++o) {
      const Value v = program_.outputs[static_cast<std::size_t>(o)];
      if (v.source != Source::result || !native_[v.index] || stage_[v.index] != stage) continue;
      const Segment::Value value = operand(v, stage, place);
      const auto to = static_cast<std::uint16_t>(code_.output_slot(o));
      if (o == 0 && variant_.fold && !value.truth && native::supports(program_.reduction->op)) {
        segment.fold = {program_.reduction->op, value,
                        static_cast<std::uint16_t>(code_.lanes_slot()), to};
        code_.folds = true;
      } else {
        segment.stores.push_back({value, to});
      }
    }
    auto made = native::assemble(segment);
    if (!made) {
      failed_ = true;
      return;
    }
    code_.code.push_back({nullptr, made->entry(), 0, {}});
    code_.segments.push_back(std::move(made));
  }

  void kernels_of(int stage) {
    for (std::size_t i = 0; i < n_; ++i) {
      if (stage_[i] != stage || native_[i]) continue;
      const auto& from = program_.code[i];
      const int arity = info(from.op).arity;
      unsigned scalars = 0;
      HostCode::Instruction to{};
      for (int k = 0; k < arity; ++k) {
        const Value v = from.operands[static_cast<std::size_t>(k)];
        if (uniform(v)) scalars |= 1u << k;
        to.in[k] = slot(v);
      }
      if (from.op == Op::cast) {
        to.kernel = cast_kernel(program_.dtype(from.operands[0]), from.result);
        if (scalars) fill(from.operands[0]);
      } else {
        to.kernel = pointwise_kernel(from.op, from.compute, scalars);
      }
      if (!to.kernel) failed_ = true;
      to.out = static_cast<std::uint16_t>(code_.register_slot(home_[i]));
      code_.code.push_back(to);
    }
  }

  void fill(Value v) {
    if (v.source == Source::immediate) code_.fill_immediate[v.index] = true;
    if (v.source == Source::leaf) code_.fill_leaf[v.index] = true;
  }

  // Outputs that no segment stored.
  void copy_outputs() {
    code_.first_output = code_.outputs > 0 ? code_.output_slot(0) : 0;
    for (int o = 0; o < code_.outputs; ++o) {
      const Value v = program_.outputs[static_cast<std::size_t>(o)];
      if (v.source == Source::result && native_[v.index]) continue;
      fill(v);
      if (o == 0 && program_.reduction && v.source != Source::immediate) {
        code_.first_output = slot(v);  // read where it lies
        continue;
      }
      const DType dtype = program_.dtype(v);
      HostCode::Instruction copy{};
      copy.kernel = cast_kernel(dtype, dtype);
      copy.in[0] = slot(v);
      copy.out = static_cast<std::uint16_t>(code_.output_slot(o));
      code_.code.push_back(copy);
    }
  }

  const Program& program_;
  const Variant variant_;
  const std::size_t n_;
  DType type_ = DType::float64;
  std::vector<bool> native_;
  std::vector<int> stage_, home_;
  int last_stage_ = 0;
  bool failed_ = false;  ///< no memory for machine code, or no kernel
  HostCode code_;
};

}  // namespace

std::optional<HostCode> lower_native(const Program& program, Variant variant) {
  return NativeLowering(program, variant).run();
}

}  // namespace isofield::host
