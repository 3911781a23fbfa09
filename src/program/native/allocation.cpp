#include "program/native/allocation.hpp"

#include <algorithm>
#include <climits>

#include "program/kernels/kernel_table.hpp"

namespace isofield::host::native {
namespace {

using Kind = MachineOp::Kind;
using Home = Vector::Home;
using namespace held;

/// Straight-line code through a fixed number of registers.
class Allocation {
 public:
  /// Without an assembler nothing is written, and only needs are found out.
  Allocation(x86::Assembler* code, const Frame& frame, const Body& body)
      : code_(code), frame_(frame), body_(body) {
    needs_.places = frame.places;
    holds_.fill(-1);
    pinned_.fill(false);
    const std::size_t n = body.vectors.size();
    at_.assign(n, -1);
    spilled_.assign(n, -1);
    uses_.resize(n);
    for (std::size_t i = 0; i < body.ops.size(); ++i)
      for (int k = 0; k < body.ops[i].inputs; ++k)
        uses_[static_cast<std::size_t>(body.ops[i].in[k])].push_back(static_cast<int>(i));
    for (std::size_t v = 0; v < n; ++v)
      if (const int r = kept_register(body.vectors[v]); r >= 0)
        hold(static_cast<int>(v), r), pin(r);
    for (const auto& [bits, r] : frame.literal_registers) pin(r);
    for (const auto& [slot, r] : frame.scalar_registers) pin(r);
    for (const auto& [step, r] : frame.lane_registers) pin(r);
  }

  Needs run() {
    for (now_ = 0; now_ < static_cast<int>(body_.ops.size()); ++now_)
      step(body_.ops[static_cast<std::size_t>(now_)]);
    return needs_;
  }

 private:
  void step(MachineOp op) {
    locked_.fill(false);
    if (op.kind == Kind::store_lanes) return store_lanes(op);
    if (op.commutative && !in_register(op.in[0]) && in_memory(op.in[0]) &&
        (in_register(op.in[1]) || !in_memory(op.in[1])))
      std::swap(op.in[0], op.in[1]);
    asmjit::Operand in[3];
    for (const bool there : {true, false})  // those that are in registers first, to keep them there
      for (int k = 0; k < op.inputs; ++k) {
        if (!in[k].isNone() || (there && !in_register(op.in[k]))) continue;
        const bool last_use = next_use(op.in[k], now_) == INT_MAX;
        const bool fold = k == op.memory_operand && !in_register(op.in[k]) && in_memory(op.in[k]) &&
                          (last_use || repeated(op.in[k])) && !needed_elsewhere(op, k);
        if (fold)
          in[k] = memory(op.in[k]);
        else
          in[k] = name(ensure(op.in[k]));
      }
    for (int k = 0; k < op.inputs; ++k)
      if (in_register(op.in[k]) && next_use(op.in[k], now_) == INT_MAX) drop(op.in[k]);
    int out = -1;
    if (op.out >= 0) out = take_for(op.out);
    write(op, in, out);
  }

  bool needed_elsewhere(const MachineOp& op, int k) const {
    for (int j = 0; j < op.inputs; ++j)
      if (j != k && op.in[j] == op.in[k]) return true;
    return false;
  }

  // The lanes' register takes the value over; lanes in memory are written.
  void store_lanes(const MachineOp& op) {
    const int lanes = op.out, value = op.in[0];
    const int from = ensure(value);
    const Vector& vector = body_.vectors[static_cast<std::size_t>(lanes)];
    if (const int kept = kept_register(vector); kept >= 0) {
      if (from != kept) emit(x86::Inst::kIdVmovapd, name(kept), name(from));
    } else if (code_) {
      emit(x86::Inst::kIdVmovupd, address_of(vector), name(from));
    }
    if (next_use(value, now_) == INT_MAX) drop(value);
  }

  int kept_register(const Vector& v) const {
    const auto find = [](const auto& map, auto key) {
      const auto found = map.find(key);
      return found == map.end() ? -1 : found->second;
    };
    switch (v.home) {
      case Home::literal: return find(frame_.literal_registers, v.bits);
      case Home::scalar: return find(frame_.scalar_registers, v.slot);
      case Home::lanes: return find(frame_.lane_registers, static_cast<int>(v.bits));
      case Home::mask: return v.mask ? file(true).end - 1 : -1;
      default: return -1;
    }
  }

  bool in_register(int v) const { return at_[static_cast<std::size_t>(v)] >= 0; }
  bool in_memory(int v) const {
    return body_.vectors[static_cast<std::size_t>(v)].home != Home::none ||
           spilled_[static_cast<std::size_t>(v)] >= 0;
  }
  /// Whether reading it again costs no more than keeping it: it stays in the nearest cache.
  bool repeated(int v) const {
    const Home home = body_.vectors[static_cast<std::size_t>(v)].home;
    return home == Home::scalar || home == Home::literal;
  }

  int next_use(int v, int after) const {
    const auto& uses = uses_[static_cast<std::size_t>(v)];
    const auto next = std::upper_bound(uses.begin(), uses.end(), after);
    return next == uses.end() ? INT_MAX : *next;
  }

  int ensure(int v) {
    int r = at_[static_cast<std::size_t>(v)];
    if (r < 0) {
      const x86::Mem from = code_ ? memory(v) : x86::Mem();
      r = take(v);
      hold(v, r);
      emit(move(v), name(r), from);
    }
    locked_[static_cast<std::size_t>(r)] = true;
    return r;
  }

  int take_for(int v) {
    const int r = take(v);
    hold(v, r);
    return r;
  }

  /// The registers that vectors live in, or masks.
  struct File {
    int begin, end;
  };
  static File file(bool mask) {
    const Machine& m = machine();
    return mask ? File{m.vector_registers, m.vector_registers + m.mask_registers}
                : File{0, m.vector_registers};
  }
  bool is_mask(int v) const { return body_.vectors[static_cast<std::size_t>(v)].mask; }

  /// A register for `v` that nothing needs, emptied if there is none.
  int take(int v) {
    const File among = file(is_mask(v));
    int used = 0;
    for (int r = among.begin; r < among.end; ++r)
      used += holds_[static_cast<std::size_t>(r)] >= 0 && !pinned_[static_cast<std::size_t>(r)];
    if (!is_mask(v)) needs_.registers = std::max(needs_.registers, used + 1);
    for (int r = among.begin; r < among.end; ++r)
      if (holds_[static_cast<std::size_t>(r)] < 0 && !pinned_[static_cast<std::size_t>(r)])
        return r;
    return empty(among);
  }

  /// Put away what is needed latest.
  int empty(File among) {
    int victim = -1, furthest = -1;
    for (int r = among.begin; r < among.end; ++r) {
      const auto i = static_cast<std::size_t>(r);
      if (locked_[i] || pinned_[i]) continue;
      // What is in memory already needs no store.
      const int next = next_use(holds_[i], now_ - 1);
      const int score = next == INT_MAX ? INT_MAX : 2 * next + (in_memory(holds_[i]) ? 1 : 0);
      if (score > furthest) furthest = score, victim = r;
    }
    const int v = holds_[static_cast<std::size_t>(victim)];
    if (!in_memory(v)) {
      if (!is_mask(v)) needs_.spills = true;
      spilled_[static_cast<std::size_t>(v)] = needs_.places++;
      emit(move(v), Frame::place(spilled_[static_cast<std::size_t>(v)]), name(victim));
    }
    drop(v);
    return victim;
  }

  void hold(int v, int r) {
    holds_[static_cast<std::size_t>(r)] = v;
    at_[static_cast<std::size_t>(v)] = r;
  }
  void pin(int r) { pinned_[static_cast<std::size_t>(r)] = true; }
  void drop(int v) {
    const int r = at_[static_cast<std::size_t>(v)];
    if (r < 0 || pinned_[static_cast<std::size_t>(r)]) return;
    holds_[static_cast<std::size_t>(r)] = -1;
    at_[static_cast<std::size_t>(v)] = -1;
  }

  static x86::Reg name(int r) {
    const int mask = r - file(true).begin;
    if (mask >= 0) return x86::k(static_cast<std::uint32_t>(mask + 1));
    return vector_register(r);
  }
  /// What moves a value between a register and memory.
  std::uint32_t move(int v) const {
    return is_mask(v) ? x86::Inst::kIdKmovw : x86::Inst::kIdVmovupd;
  }

  template <class... O>
  void emit(std::uint32_t id, const O&... operands) {
    if (code_) code_->emit(id, operands...);
  }

  x86::Gp base(std::uint16_t slot) { return frame_.base(*code_, slot); }
  unsigned shift() const { return frame_.itemsize() == 8 ? 3 : 2; }

  x86::Mem address_of(const Vector& v) {
    switch (v.home) {
      case Home::array:
        return x86::ptr(base(v.slot), index, shift(), static_cast<int>(v.bits) * vector_bytes());
      case Home::lanes: return x86::ptr(base(v.slot), static_cast<int>(v.bits) * vector_bytes());
      case Home::scalar: return Frame::place(frame_.scalars.at(v.slot));
      case Home::literal: return x86::ptr(frame_.literals.at(v.bits));
      case Home::mask: return Frame::place(Frame::mask_place);
      case Home::none: break;
    }
    return {};
  }
  x86::Mem memory(int v) {
    if (!code_) return x86::ptr(x86::rsp);
    const auto i = static_cast<std::size_t>(v);
    if (body_.vectors[i].home == Home::none) return Frame::place(spilled_[i]);
    return address_of(body_.vectors[i]);
  }

  void write(const MachineOp& op, const asmjit::Operand* in, int out) {
    if (!code_) return;
    switch (op.kind) {
      case Kind::plain: return plain(op, in, out);
      case Kind::load_part:
        return move_part(name(out), x86::ptr(base(op.slot), index, shift()), in[0], true);
      case Kind::load_truth: return machine().masks() ? widen(op, in, out) : load_truth(op, out);
      case Kind::store: return emit(x86::Inst::kIdVmovupd, place_of(op), in[0]);
      case Kind::store_part: return move_part(place_of(op), in[0], in[1], false);
      case Kind::store_truth: return machine().masks() ? narrow(op, in) : store_truth(op, in[0]);
      case Kind::store_lanes: return;
    }
  }

  void plain(const MachineOp& op, const asmjit::Operand* in, int out) {
    asmjit::Operand all[6];
    int n = 0;
    all[n++] = name(out);
    for (int k = 0; k < op.inputs - (op.masked ? 1 : 0); ++k) all[n++] = in[k];
    if (op.immediate >= 0) all[n++] = asmjit::Imm(op.immediate);
    if (op.masked) where(in[op.inputs - 1], op.zeroing);
    code_->emitOpArray(op.id, all, static_cast<std::size_t>(n));
  }

  /// Let the next instruction touch only elements of a mask.
  void where(const asmjit::Operand& mask, bool zeroing) {
    code_->setExtraReg(mask.as<x86::KReg>());
    if (zeroing) code_->addInstOptions(asmjit::InstOptions::kX86_ZMask);
  }

  // A vector to or from memory, as far as a mask goes.
  void move_part(const asmjit::Operand& to, const asmjit::Operand& from,
                 const asmjit::Operand& mask, bool load) {
    if (machine().masks()) {
      where(mask, load);
      emit(doubles() ? x86::Inst::kIdVmovupd : x86::Inst::kIdVmovups, to, from);
    } else {
      emit(doubles() ? x86::Inst::kIdVmaskmovpd : x86::Inst::kIdVmaskmovps, to, mask, from);
    }
  }

  x86::Mem place_of(const MachineOp& op) {
    return op.rest ? rest_address(op.slot)
                   : x86::ptr(base(op.slot), index, shift(), op.step * vector_bytes());
  }

  // AVX-512 loads bytes as elements, and stores elements as bytes.
  void widen(const MachineOp& op, const asmjit::Operand* in, int out) {
    if (op.part) where(in[0], true);
    emit(doubles() ? x86::Inst::kIdVpmovzxbq : x86::Inst::kIdVpmovzxbd, name(out), bytes_of(op));
  }
  void narrow(const MachineOp& op, const asmjit::Operand* in) {
    if (op.part) where(in[1], false);
    emit(doubles() ? x86::Inst::kIdVpmovqb : x86::Inst::kIdVpmovdb, bytes_of(op), in[0]);
  }
  x86::Mem bytes_of(const MachineOp& op) {
    return x86::ptr(base(op.slot), index, 0, op.step * length());
  }

  // The rest of a fold starts at a multiple of the lanes, and its slot there.
  x86::Mem rest_address(std::uint16_t slot) {
    code_->mov(scratch, x86::ptr(slots, 8 * slot));
    code_->mov(scratch2, index);
    code_->and_(scratch2, fold_lanes - 1);
    return x86::ptr(scratch, scratch2, shift());
  }

  bool doubles() const { return frame_.type == DType::float64; }
  int length() const { return machine().length(frame_.type); }
  static int vector_bytes() { return machine().vector_bytes; }

  void load_truth(const MachineOp& op, int out) {
    x86::Mem from;
    if (op.part) {
      from = Frame::place(Frame::truth_place);
      copy_part(op.slot, true);
    } else {
      from = bytes_of(op);
    }
    emit(doubles() ? x86::Inst::kIdVpmovzxbq : x86::Inst::kIdVpmovzxbd, name(out), from);
  }

  // Each four elements: their signs as a number, and from a table the four bytes.
  void store_truth(const MachineOp& op, const asmjit::Operand& in) {
    x86::Assembler& code = *code_;
    const auto value = in.as<x86::Ymm>();
    x86::Mem to;
    if (op.part) {
      to = Frame::place(Frame::truth_place);
    } else if (const auto kept = frame_.addresses.find(op.slot); kept != frame_.addresses.end()) {
      to = x86::ptr(kept->second, index, 0, op.step * length());
    } else {
      code.push(x86::rbx);  // both scratch registers are in use
      code.mov(x86::rbx, x86::ptr(slots, 8 * op.slot));
      to = x86::ptr(x86::rbx, index, 0, op.step * length());
    }
    const auto four = [&](const x86::Mem& at) {
      x86::Mem word = at;
      word.setSize(4);
      code.mov(scratch.r32(), x86::ptr(truth_table, scratch, 2));
      code.mov(word, scratch.r32());
    };
    if (length() == 4) {
      code.vmovmskpd(scratch.r32(), value);
      four(to);
    } else {
      code.vmovmskps(scratch2.r32(), value);
      code.mov(scratch.r32(), scratch2.r32());
      code.and_(scratch.r32(), 15);
      four(to);
      code.mov(scratch.r32(), scratch2.r32());
      code.shr(scratch.r32(), 4);
      x86::Mem second = to;
      second.addOffset(4);
      four(second);
    }
    if (op.part)
      copy_part(op.slot, false);
    else if (!frame_.addresses.contains(op.slot))
      code.pop(x86::rbx);
  }

  // The bytes of the elements that are left, between their slot and the stack.
  void copy_part(std::uint16_t slot, bool load) {
    x86::Assembler& code = *code_;
    const x86::Mem place = Frame::place(Frame::truth_place);
    const x86::Gp byte = scratch2;
    if (load) {
      x86::Mem eight = place;
      eight.setSize(8);
      code.mov(eight, 0);
    }
    code.mov(scratch, x86::ptr(slots, 8 * slot));
    code.add(scratch, index);
    // `limit` is free here: the part comes after all loops.
    code.xor_(limit.r32(), limit.r32());
    const asmjit::Label next = code.newLabel();
    x86::Mem here = x86::ptr(x86::rsp, limit, 0, Frame::truth_place * vector_bytes());
    here.setSize(1);
    x86::Mem there = x86::ptr(scratch, limit, 0);
    there.setSize(1);
    code.bind(next);
    if (load) {
      code.movzx(byte.r32(), there);
      code.mov(here, byte.r8());
    } else {
      code.movzx(byte.r32(), here);
      code.mov(there, byte.r8());
    }
    code.inc(limit);
    code.lea(byte, x86::ptr(index, limit));
    code.cmp(byte, count);
    code.jb(next);
  }

  x86::Assembler* code_;
  const Frame& frame_;
  const Body& body_;
  std::array<int, most_registers> holds_;
  std::array<bool, most_registers> pinned_, locked_;
  std::vector<int> at_, spilled_;
  std::vector<std::vector<int>> uses_;
  int now_ = 0;
  Needs needs_;
};

}  // namespace

x86::Gp Frame::base(x86::Assembler& code, std::uint16_t slot) const {
  const auto kept = addresses.find(slot);
  if (kept != addresses.end()) return kept->second;
  code.mov(scratch, x86::ptr(slots, 8 * slot));
  return scratch;
}

Needs needs(const Frame& frame, const Body& body) { return Allocation(nullptr, frame, body).run(); }

void write(x86::Assembler& code, const Frame& frame, const Body& body) {
  Allocation(&code, frame, body).run();
}

}  // namespace isofield::host::native
