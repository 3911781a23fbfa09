#include <asmjit/x86.h>

#include <algorithm>
#include <array>
#include <climits>
#include <map>

#include "program/kernels/kernel_table.hpp"
#include "program/native/body.hpp"
#include "program/native/memory.hpp"

namespace isofield::host::native {
namespace {

namespace x86 = asmjit::x86;
using Kind = MachineOp::Kind;
using Home = Vector::Home;

constexpr int vector_registers = 16;
/// Registers that a body can always spend: three operands, a result, and one to load into.
constexpr int fewest_free = 5;

// What general registers hold throughout.
const x86::Gp slots = x86::rdi, count = x86::rsi, index = x86::r8, limit = x86::r9;
const x86::Gp scratch = x86::rax, scratch2 = x86::rcx, truth_table = x86::rdx;
// These hold the addresses of the slots that are used most; others are read when needed.
const std::array<x86::Gp, 7> address_registers = {x86::r10, x86::r11, x86::rbx, x86::r12,
                                                  x86::r13, x86::r14, x86::r15};

/// Places that all bodies of a function agree on: registers of addresses and of repeated values,
/// the stack, the literals after the code.
struct Frame {
  x86::Assembler* code = nullptr;
  DType type = DType::float64;
  std::map<std::uint16_t, x86::Gp> addresses;
  std::map<std::uint16_t, int> scalars;  ///< slot -> place on the stack
  std::map<std::uint64_t, asmjit::Label> literals;
  std::map<std::uint64_t, int> literal_registers;  ///< bits -> register
  std::map<std::uint16_t, int> scalar_registers;   ///< slot -> register
  std::map<int, int> lane_registers;               ///< vector of lanes -> register
  int places = 2;                                  ///< vectors on the stack: mask, truth values
  asmjit::Label table;
  static constexpr int mask_place = 0, truth_place = 1;

  int itemsize() const { return static_cast<int>(isofield::itemsize(type)); }
  static x86::Mem place(int i) { return x86::ymmword_ptr(x86::rsp, i * vector_bytes); }
};

/// Spends registers on one body: straight-line code whose every use is known, so that what is used
/// last goes first.
class Allocation {
 public:
  /// Without an assembler in the frame nothing is written, and only needs are found out.
  Allocation(Frame& frame, const Body& body) : frame_(frame), body_(body) {
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
    for (const auto* kept : {&frame.literal_registers})
      for (const auto& [bits, r] : *kept) pin(r);
    for (const auto& [slot, r] : frame.scalar_registers) pin(r);
    for (const auto& [step, r] : frame.lane_registers) pin(r);
  }

  void run() {
    for (now_ = 0; now_ < static_cast<int>(body_.ops.size()); ++now_)
      step(body_.ops[static_cast<std::size_t>(now_)]);
  }
  /// The most registers that were in use at once, pinned ones left out.
  int most_used() const { return most_; }
  bool spilled() const { return spills_; }

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
          in[k] = x86::ymm(static_cast<std::uint32_t>(ensure(op.in[k])));
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
      if (from != kept) emit(x86::Inst::kIdVmovapd, ymm(kept), ymm(from));
    } else if (frame_.code) {
      emit(x86::Inst::kIdVmovupd, address_of(vector), ymm(from));
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
      const x86::Mem from = frame_.code ? memory(v) : x86::Mem();
      r = take();
      hold(v, r);
      if (frame_.code) emit(x86::Inst::kIdVmovupd, ymm(r), from);
    }
    locked_[static_cast<std::size_t>(r)] = true;
    return r;
  }

  int take_for(int v) {
    const int r = take();
    hold(v, r);
    return r;
  }

  /// A register that nothing needs, emptied if there is none.
  int take() {
    int used = 0;
    for (int r = 0; r < vector_registers; ++r)
      used += holds_[static_cast<std::size_t>(r)] >= 0 && !pinned_[static_cast<std::size_t>(r)];
    most_ = std::max(most_, used + 1);
    for (int r = 0; r < vector_registers; ++r)
      if (holds_[static_cast<std::size_t>(r)] < 0 && !pinned_[static_cast<std::size_t>(r)])
        return r;
    int victim = -1, furthest = -1;
    for (int r = 0; r < vector_registers; ++r) {
      const auto i = static_cast<std::size_t>(r);
      if (locked_[i] || pinned_[i]) continue;
      // What is in memory already needs no store.
      const int next = next_use(holds_[i], now_ - 1);
      const int score = next == INT_MAX ? INT_MAX : 2 * next + (in_memory(holds_[i]) ? 1 : 0);
      if (score > furthest) furthest = score, victim = r;
    }
    const int v = holds_[static_cast<std::size_t>(victim)];
    if (!in_memory(v)) {
      spills_ = true;
      spilled_[static_cast<std::size_t>(v)] = frame_.places++;
      if (frame_.code)
        emit(x86::Inst::kIdVmovapd, Frame::place(spilled_[static_cast<std::size_t>(v)]),
             ymm(victim));
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

  static x86::Ymm ymm(int r) { return x86::ymm(static_cast<std::uint32_t>(r)); }

  template <class... O>
  void emit(std::uint32_t id, const O&... operands) {
    if (frame_.code) frame_.code->emit(id, operands...);
  }

  x86::Gp base(std::uint16_t slot) {
    const auto kept = frame_.addresses.find(slot);
    if (kept != frame_.addresses.end()) return kept->second;
    if (frame_.code) frame_.code->mov(scratch, x86::ptr(slots, 8 * slot));
    return scratch;
  }
  unsigned shift() const { return frame_.itemsize() == 8 ? 3 : 2; }

  x86::Mem address_of(const Vector& v) {
    switch (v.home) {
      case Home::array:
        return x86::ymmword_ptr(base(v.slot), index, shift(),
                                static_cast<int>(v.bits) * vector_bytes);
      case Home::lanes:
        return x86::ymmword_ptr(base(v.slot), static_cast<int>(v.bits) * vector_bytes);
      case Home::scalar: return Frame::place(frame_.scalars.at(v.slot));
      case Home::literal: return x86::ymmword_ptr(frame_.literals.at(v.bits));
      case Home::mask: return Frame::place(Frame::mask_place);
      case Home::none: break;
    }
    return {};
  }
  x86::Mem memory(int v) {
    if (!frame_.code) return x86::ymmword_ptr(x86::rsp);
    const auto i = static_cast<std::size_t>(v);
    if (body_.vectors[i].home == Home::none) return Frame::place(spilled_[i]);
    return address_of(body_.vectors[i]);
  }

  void write(const MachineOp& op, asmjit::Operand* in, int out) {
    if (!frame_.code) return;
    x86::Assembler& code = *frame_.code;
    const bool doubles = frame_.type == DType::float64;
    switch (op.kind) {
      case Kind::plain: {
        asmjit::Operand all[6];
        int n = 0;
        all[n++] = ymm(out);
        for (int k = 0; k < op.inputs; ++k) all[n++] = in[k];
        if (op.immediate >= 0) all[n++] = asmjit::Imm(op.immediate);
        code.emitOpArray(op.id, all, static_cast<std::size_t>(n));
        return;
      }
      case Kind::load_part:
        code.emit(doubles ? x86::Inst::kIdVmaskmovpd : x86::Inst::kIdVmaskmovps, ymm(out), in[0],
                  x86::ymmword_ptr(base(op.slot), index, shift()));
        return;
      case Kind::load_truth: return load_truth(op, out);
      case Kind::store: {
        const x86::Mem to =
            op.rest ? rest_address(op.slot)
                    : x86::ymmword_ptr(base(op.slot), index, shift(), op.step * vector_bytes);
        code.vmovupd(to, in[0].as<x86::Ymm>());
        return;
      }
      case Kind::store_part: {
        const x86::Mem to =
            op.rest ? rest_address(op.slot) : x86::ymmword_ptr(base(op.slot), index, shift());
        code.emit(doubles ? x86::Inst::kIdVmaskmovpd : x86::Inst::kIdVmaskmovps, to, in[1], in[0]);
        return;
      }
      case Kind::store_truth: return store_truth(op, in[0].as<x86::Ymm>());
      case Kind::store_lanes: return;
    }
  }

  // The rest of a fold starts at a multiple of the lanes, and its slot there.
  x86::Mem rest_address(std::uint16_t slot) {
    frame_.code->mov(scratch, x86::ptr(slots, 8 * slot));
    frame_.code->mov(scratch2, index);
    frame_.code->and_(scratch2, fold_lanes - 1);
    return x86::ymmword_ptr(scratch, scratch2, shift());
  }

  int length() const { return vector_length(frame_.type); }

  void load_truth(const MachineOp& op, int out) {
    x86::Assembler& code = *frame_.code;
    x86::Mem from;
    if (op.part) {
      from = Frame::place(Frame::truth_place);
      copy_part(op.slot, true);
    } else {
      from = x86::ptr(base(op.slot), index, 0, op.step * length());
    }
    if (length() == 4) {
      from.setSize(4);
      code.vpmovzxbq(ymm(out), from);
    } else {
      from.setSize(8);
      code.vpmovzxbd(ymm(out), from);
    }
  }

  // Each four elements: their signs as a number, and from a table the four bytes.
  void store_truth(const MachineOp& op, const x86::Ymm& value) {
    x86::Assembler& code = *frame_.code;
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
    x86::Assembler& code = *frame_.code;
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
    x86::Mem here = x86::ptr(x86::rsp, limit, 0, Frame::truth_place * vector_bytes);
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

  Frame& frame_;
  const Body& body_;
  std::array<int, vector_registers> holds_;
  std::array<bool, vector_registers> pinned_, locked_;
  std::vector<int> at_, spilled_;
  std::vector<std::vector<int>> uses_;
  int now_ = 0, most_ = 0;
  bool spills_ = false;
};

/// A function: the loops over a segment's bodies.
class Function {
 public:
  Function(const Segment& segment, x86::Assembler& code)
      : segment_(segment), code_(code), length_(vector_length(segment.type)) {
    frame_.type = segment.type;
    main_ = translate(segment, segment.fold ? BodyKind::fold : BodyKind::vector);
    if (segment.fold) rest_ = translate(segment, BodyKind::vector);
    part_ = translate(segment, BodyKind::part);
  }

  void write() {
    choose_addresses();
    place_repeated();
    choose_registers();
    prologue();
    code_.xor_(index.r32(), index.r32());
    if (segment_.fold) {
      loop(main_, fold_lanes);
      store_lanes();
      loop(rest_, length_);
    } else {
      loop(main_, length_);
    }
    remainder();
    epilogue();
    data();
  }

 private:
  std::vector<const Body*> bodies() const {
    if (segment_.fold) return {&main_, &rest_, &part_};
    return {&main_, &part_};
  }

  void choose_addresses() {
    std::map<std::uint16_t, int> uses;
    for (const auto& v : main_.vectors)
      if (v.home == Home::array || v.home == Home::lanes) ++uses[v.slot];
    for (const auto& op : main_.ops)
      if (op.kind == Kind::load_truth || op.kind == Kind::store || op.kind == Kind::store_truth)
        ++uses[op.slot];
    std::vector<std::pair<int, std::uint16_t>> order;
    for (const auto& [slot, n] : uses) order.emplace_back(-n, slot);
    std::sort(order.begin(), order.end());
    for (std::size_t i = 0; i < std::min(order.size(), address_registers.size()); ++i)
      frame_.addresses[order[i].second] = address_registers[i];
  }

  void place_repeated() {
    for (const Body* body : bodies())
      for (const auto& v : body->vectors) {
        if (v.home == Home::scalar && !frame_.scalars.contains(v.slot)) {
          frame_.scalars[v.slot] = frame_.places++;
          scalar_truth_[v.slot] = v.truth;
        }
        if (v.home == Home::literal && !frame_.literals.contains(v.bits))
          frame_.literals[v.bits] = code_.newLabel();
      }
  }

  // What registers the main loop leaves over keeps lanes, then what is repeated and used most.
  void choose_registers() {
    int next = vector_registers;
    const auto need = [&] {
      Frame trial = frame_;
      trial.code = nullptr;
      Allocation allocation(trial, main_);
      allocation.run();
      return allocation.spilled() ? vector_registers : allocation.most_used();
    };
    if (segment_.fold) {
      const int vectors = fold_lanes / length_;
      Frame trial = frame_;
      for (int k = 0; k < vectors; ++k) frame_.lane_registers[k] = --next;
      if (need() > vector_registers - vectors) frame_ = trial, next = vector_registers;
    }
    struct Repeated {
      int uses;
      const Vector* vector;
    };
    std::vector<Repeated> repeated;
    for (std::size_t v = 0; v < main_.vectors.size(); ++v) {
      const Home home = main_.vectors[v].home;
      if (home != Home::scalar && home != Home::literal) continue;
      int uses = 0;
      for (const auto& op : main_.ops)
        for (int k = 0; k < op.inputs; ++k) uses += op.in[k] == static_cast<int>(v);
      repeated.push_back({uses, &main_.vectors[v]});
    }
    std::stable_sort(repeated.begin(), repeated.end(),
                     [](const auto& a, const auto& b) { return a.uses > b.uses; });
    for (const auto& r : repeated) {
      const Frame before = frame_;
      const int kept = next - 1;
      if (kept < fewest_free) break;
      if (r.vector->home == Home::scalar)
        frame_.scalar_registers[r.vector->slot] = kept;
      else
        frame_.literal_registers[r.vector->bits] = kept;
      if (need() > kept) {
        frame_ = before;
        break;
      }
      next = kept;
    }
    // How deep the stack gets, in the worst of the bodies.
    int places = frame_.places;
    for (const Body* body : bodies()) {
      Frame trial = frame_;
      trial.code = nullptr;
      Allocation(trial, *body).run();
      places = std::max(places, trial.places);
    }
    frame_places_ = places;
    frame_.code = &code_;
  }

  std::vector<x86::Gp> saved() const {
    std::vector<x86::Gp> list;
    for (const auto& r : {x86::rbx, x86::r12, x86::r13, x86::r14, x86::r15})
      for (const auto& [slot, used] : frame_.addresses)
        if (used == r) list.push_back(r);
    return list;
  }

  void prologue() {
    code_.push(x86::rbp);
    code_.mov(x86::rbp, x86::rsp);
    for (const auto& r : saved()) code_.push(r);
    code_.sub(x86::rsp, frame_places_ * vector_bytes);
    code_.and_(x86::rsp, -vector_bytes);
    for (const auto& [slot, r] : frame_.addresses) code_.mov(r, x86::ptr(slots, 8 * slot));
    for (const auto& [slot, place] : frame_.scalars) {
      const auto kept = frame_.scalar_registers.find(slot);
      const x86::Ymm to = x86::ymm(
          kept == frame_.scalar_registers.end() ? 0 : static_cast<std::uint32_t>(kept->second));
      broadcast(slot, to);
      code_.vmovapd(Frame::place(place), to);
    }
    for (const auto& [bits, r] : frame_.literal_registers)
      code_.vmovapd(x86::ymm(static_cast<std::uint32_t>(r)),
                    x86::ymmword_ptr(frame_.literals.at(bits)));
    for (const auto& [step, r] : frame_.lane_registers)
      code_.vmovupd(x86::ymm(static_cast<std::uint32_t>(r)), lanes(step));
    for (const Body* body : bodies())
      for (const auto& op : body->ops)
        if (op.kind == Kind::store_truth && !table_) {
          table_ = true;
          frame_.table = code_.newLabel();
          code_.lea(truth_table, x86::ptr(frame_.table));
        }
  }

  void broadcast(std::uint16_t slot, const x86::Ymm& to) {
    code_.mov(scratch, x86::ptr(slots, 8 * slot));
    if (scalar_truth_[slot]) {
      code_.movzx(scratch.r32(), x86::byte_ptr(scratch));
      code_.neg(scratch);
      code_.vmovq(to.xmm(), scratch);
      code_.vpbroadcastq(to, to.xmm());
    } else if (segment_.type == DType::float64) {
      code_.vbroadcastsd(to, x86::ptr(scratch));
    } else {
      code_.vbroadcastss(to, x86::ptr(scratch));
    }
  }

  x86::Mem lanes(int step) {
    const std::uint16_t slot = segment_.fold->lanes_slot;
    const auto kept = frame_.addresses.find(slot);
    if (kept != frame_.addresses.end()) return x86::ymmword_ptr(kept->second, step * vector_bytes);
    code_.mov(scratch, x86::ptr(slots, 8 * slot));
    return x86::ymmword_ptr(scratch, step * vector_bytes);
  }

  void store_lanes() {
    for (const auto& [step, r] : frame_.lane_registers)
      code_.vmovupd(lanes(step), x86::ymm(static_cast<std::uint32_t>(r)));
  }

  void body(const Body& which) {
    const int places = frame_.places;
    Allocation(frame_, which).run();
    frame_.places = places;
  }

  void loop(const Body& which, int elements) {
    const asmjit::Label next = code_.newLabel(), done = code_.newLabel();
    code_.mov(limit, count);
    code_.and_(limit, -elements);
    code_.cmp(index, limit);
    code_.jae(done);
    code_.align(asmjit::AlignMode::kCode, 32);
    code_.bind(next);
    body(which);
    code_.add(index, elements);
    code_.cmp(index, limit);
    code_.jb(next);
    code_.bind(done);
  }

  void remainder() {
    const asmjit::Label done = code_.newLabel();
    code_.cmp(index, count);
    code_.jae(done);
    // The mask: as many ones as there are elements, from a row of ones and zeros.
    masks_ = code_.newLabel();
    code_.lea(scratch, x86::ptr(masks_));
    code_.mov(scratch2, index);
    code_.sub(scratch2, count);  // minus the elements that are left
    code_.vmovupd(x86::ymm0, x86::ymmword_ptr(scratch, scratch2, frame_.itemsize() == 8 ? 3 : 2,
                                              vector_bytes));
    // Registers of lanes have been written out, and ymm0 holds nothing between bodies.
    code_.vmovapd(Frame::place(Frame::mask_place), x86::ymm0);
    body(part_);
    code_.bind(done);
  }

  void epilogue() {
    code_.vzeroupper();
    const auto list = saved();
    code_.lea(x86::rsp, x86::ptr(x86::rbp, -8 * static_cast<int>(list.size())));
    for (auto r = list.rbegin(); r != list.rend(); ++r) code_.pop(*r);
    code_.pop(x86::rbp);
    code_.ret();
  }

  void data() {
    code_.align(asmjit::AlignMode::kData, vector_bytes);
    for (const auto& [bits, label] : frame_.literals) {
      code_.bind(label);
      for (int k = 0; k < vector_bytes / 8; ++k) code_.embedUInt64(bits);
    }
    if (table_) {
      code_.bind(frame_.table);
      for (std::uint32_t bits = 0; bits < 16; ++bits)
        code_.embedUInt32((bits & 1) | (bits & 2) << 7 | (bits & 4) << 14 | (bits & 8) << 21);
    }
    code_.bind(masks_);
    for (int k = 0; k < vector_bytes / 8; ++k) code_.embedUInt64(~std::uint64_t{0});
    for (int k = 0; k < vector_bytes / 8; ++k) code_.embedUInt64(0);
  }

  const Segment& segment_;
  x86::Assembler& code_;
  int length_;
  Frame frame_;
  Body main_, rest_, part_;
  std::map<std::uint16_t, bool> scalar_truth_;
  int frame_places_ = 0;
  bool table_ = false;
  asmjit::Label masks_;
};

}  // namespace

std::shared_ptr<const Code> assemble(const Segment& segment) {
  if (!available()) return nullptr;
  asmjit::CodeHolder holder;
  holder.init(asmjit::Environment::host());
  x86::Assembler code(&holder);
  Function(segment, code).write();
  return place(holder);
}

}  // namespace isofield::host::native
