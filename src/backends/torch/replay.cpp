#include "backends/torch/replay.hpp"

#include <ATen/Context.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/matmul.h>

#include <algorithm>
#include <complex>
#include <isofield/precision.hpp>

#include "backends/torch/replay_ops.hpp"
#include "backends/torch/tensors.hpp"

namespace isofield::torch_backend {
namespace {

/// When each leaf and each result of a program is read for the last time, by instruction; outputs
/// are read after the last instruction.
struct Lifetimes {
  std::vector<std::size_t> leaves, results;
};

std::size_t arity(const Program::Instruction& instruction) {
  return static_cast<std::size_t>(info(instruction.op).arity);
}

Lifetimes lifetimes(const Program& program) {
  Lifetimes last;
  last.leaves.resize(program.leaves.size());
  last.results.resize(program.code.size());
  const auto read = [&](Program::Value v, std::size_t when) {
    if (v.source == Program::Source::leaf) last.leaves[v.index] = when;
    if (v.source == Program::Source::result) last.results[v.index] = when;
  };
  for (std::size_t i = 0; i < program.code.size(); ++i)
    for (std::size_t k = 0; k < arity(program.code[i]); ++k) read(program.code[i].operands[k], i);
  for (const Program::Value v : program.outputs) read(v, program.code.size());
  return last;
}

at::Scalar to_torch(Scalar value) {
  switch (value.kind()) {
    case Kind::boolean: return value.to<bool>();
    case Kind::signed_integer: return value.to<std::int64_t>();
    // An integer beyond int64 meets floating-point arrays alone: LibTorch has no uint64.
    case Kind::unsigned_integer:
    case Kind::real: return value.to<double>();
    case Kind::complex: break;
  }
  const auto z = value.to<std::complex<double>>();
  return c10::complex<double>(z.real(), z.imag());
}

/// One launch: values are tensors that live from their first use to their last.
class Replay {
 public:
  Replay(const Launch& launch, Device device)
      : launch_(launch),
        program_(launch.program),
        last_(program_.lowered<Lifetimes>(Program::device_slot, lifetimes)),
        options_(at::TensorOptions().device(torch_device(device))),
        leaves_(program_.leaves.size()),
        immediates_(program_.immediates.size()),
        results_(program_.code.size()),
        targets_(program_.code.size()) {}

  void run() {
    const bool in_place = reads_what_it_writes();
    if (!in_place) choose_targets();
    for (std::size_t i = 0; i < program_.code.size(); ++i) {
      step(i);
      release(i);
    }
    store(in_place);
  }

 private:
  const at::Tensor& value(Program::Value v) {
    switch (v.source) {
      case Program::Source::leaf: return leaf(v.index);
      case Program::Source::immediate: return immediate(v.index);
      case Program::Source::result: break;
    }
    return results_[v.index];
  }

  const at::Tensor& leaf(std::size_t index) {
    at::Tensor& tensor = leaves_[index];
    if (tensor.defined()) return tensor;
    const Program::Leaf& leaf = program_.leaves[index];
    tensor = read(launch_.inputs[static_cast<std::size_t>(leaf.input)]);
    for (const AxisShift& shift : leaf.shifts) {
      const bool filled = shift.boundary == Boundary::constant;
      tensor = shifted(tensor, shift,
                       filled ? immediate(static_cast<std::size_t>(shift.fill)) : at::Tensor());
    }
    return tensor;
  }

  const at::Tensor& immediate(std::size_t index) {
    at::Tensor& tensor = immediates_[index];
    if (!tensor.defined())
      tensor = at::full({}, to_torch(launch_.immediates[index]),
                        options_.dtype(scalar_type(program_.immediates[index])));
    return tensor;
  }

  void step(std::size_t i) {
    const Program::Instruction& instruction = program_.code[i];
    at::Tensor operands[3];
    bool scalar = true;
    for (std::size_t k = 0; k < arity(instruction); ++k) {
      operands[k] = value(instruction.operands[k]);
      scalar = scalar && operands[k].dim() == 0;
    }
    at::Tensor& out = results_[i];
    // Operands of rank 0 give a result of rank 0, which broadcasts where it is used.
    const at::IntArrayRef sizes = scalar ? at::IntArrayRef() : sizes_of(launch_.shape);
    if (targets_[i].defined() && targets_[i].sizes() == sizes)
      out = targets_[i];
    else
      out = at::empty(sizes, options_.dtype(scalar_type(instruction.result)));
    apply(instruction.op, out, operands[0], operands[1], operands[2]);
  }

  void release(std::size_t i) {
    for (std::size_t k = 0; k < arity(program_.code[i]); ++k) {
      const Program::Value v = program_.code[i].operands[k];
      if (v.source == Program::Source::leaf && last_.leaves[v.index] == i) leaves_[v.index].reset();
      if (v.source == Program::Source::result && last_.results[v.index] == i)
        results_[v.index].reset();
    }
  }

  bool reads_what_it_writes() const {
    for (const View& out : launch_.outputs)
      for (const View& in : launch_.inputs)
        if (overlap(*in.storage, *out.storage)) return true;
    return false;
  }

  static bool overlap(const Storage& a, const Storage& b) {
    const auto begin = [](const Storage& s) { return reinterpret_cast<std::uintptr_t>(s.data); };
    return begin(a) < begin(b) + b.bytes && begin(b) < begin(a) + a.bytes;
  }

  /// Let results be computed where they are stored.
  void choose_targets() {
    for (std::size_t k = program_.reduction ? 1 : 0; k < program_.outputs.size(); ++k) {
      const Program::Value v = program_.outputs[k];
      if (v.source != Program::Source::result || targets_[v.index].defined()) continue;
      const ViewTensor shared = share(launch_.outputs[k]);
      if (shared.flipped.empty() &&
          shared.tensor.scalar_type() == scalar_type(program_.code[v.index].result))
        targets_[v.index] = shared.tensor;
    }
  }

  void store(bool in_place) {
    std::vector<at::Tensor> values;
    for (const Program::Value v : program_.outputs) {
      values.push_back(value(v));
      // An output may lie on an input that is itself an output of this launch.
      if (in_place && v.source == Program::Source::leaf) values.back() = values.back().clone();
    }
    for (std::size_t k = 0; k < values.size(); ++k) {
      const View& out = launch_.outputs[k];
      if (k == 0 && program_.reduction)
        write(out, reduced(values[k].expand(sizes_of(launch_.shape)), *program_.reduction));
      else if (program_.outputs[k].source != Program::Source::result ||
               !values[k].is_same(targets_[program_.outputs[k].index]) || repeated(k))
        write(out, values[k]);
    }
  }

  /// Whether an earlier output holds the same value.
  bool repeated(std::size_t k) const {
    const auto end = program_.outputs.begin() + static_cast<std::ptrdiff_t>(k);
    return std::find(program_.outputs.begin() + (program_.reduction ? 1 : 0), end,
                     program_.outputs[k]) < end;
  }

  const Launch& launch_;
  const Program& program_;
  const Lifetimes& last_;
  at::TensorOptions options_;
  std::vector<at::Tensor> leaves_, immediates_, results_, targets_;
};

}  // namespace

void replay(const Launch& launch, Device device) {
  const at::AutoDispatchBelowADInplaceOrView no_autograd;
  Replay(launch, device).run();
}

namespace {

/// Sets LibTorch's own switch for TF32 as this product is to be computed, and back.
class ScopedTf32 {
 public:
  explicit ScopedTf32(bool allow) : previous_(at::globalContext().allowTF32CuBLAS()) {
    at::globalContext().setAllowTF32CuBLAS(allow);
  }
  ~ScopedTf32() { at::globalContext().setAllowTF32CuBLAS(previous_); }
  ScopedTf32(const ScopedTf32&) = delete;
  ScopedTf32& operator=(const ScopedTf32&) = delete;

 private:
  bool previous_;
};

}  // namespace

void replay_matmul(const View& a, const View& b, const View& out) {
  const at::AutoDispatchBelowADInplaceOrView no_autograd;
  const at::Tensor x = read(a), y = read(b);
  if (!is_integer(a.dtype)) {
    const Precision allowed = matmul_precision();
    const ScopedTf32 tf32(allowed == Precision::tf32);
    if (allowed == Precision::bfloat16 && out.dtype == DType::float32)
      return write(out, at::matmul(x.to(at::kBFloat16), y.to(at::kBFloat16)));
    return write(out, at::matmul(x, y));
  }
  // LibTorch multiplies matrices of integers on the processor only.
  at::Tensor product = x.narrow(-1, 0, 1).mul(y.narrow(-2, 0, 1));
  for (std::int64_t k = 1; k < x.size(-1); ++k)
    product.add_(x.narrow(-1, k, 1).mul(y.narrow(-2, k, 1)));
  write(out, product);
}

}  // namespace isofield::torch_backend
