#include <asmjit/x86.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>

#include "program/kernels/kernel_table.hpp"
#include "program/native/allocation.hpp"
#include "program/native/memory.hpp"
#include "program/native/writer.hpp"

namespace isofield::host::native {
namespace {

using Kind = MachineOp::Kind;
using Home = Vector::Home;
using namespace held;

/// Keeps what asmjit could not write, which is a mistake of ours.
struct Refusal : asmjit::ErrorHandler {
  std::string text;
  void handleError(asmjit::Error, const char* message, asmjit::BaseEmitter*) override {
    text = message;
  }
};

/// A function: the loops over a segment's bodies.
class Function {
 public:
  Function(const Segment& segment, x86::Assembler& code)
      : segment_(segment), code_(code), length_(machine().length(segment.type)) {
    frame_.type = segment.type;
    // The long chains of elementary functions leave room for a second vector's.
    const bool long_chains =
        std::any_of(segment.code.begin(), segment.code.end(),
                    [](const Segment::Instruction& i) { return knows_elementary(i.op); });
    const BodyKind kind = segment.fold  ? BodyKind::fold
                          : long_chains ? BodyKind::two
                                        : BodyKind::vector;
    main_ = translate(segment, kind);
    if (kind != BodyKind::vector) rest_ = translate(segment, BodyKind::vector);
    elements_ = segment.fold ? fold_lanes : kind == BodyKind::two ? 2 * length_ : length_;
    part_ = translate(segment, BodyKind::part);
  }

  void write() {
    choose_addresses();
    place_repeated();
    choose_registers();
    prologue();
    code_.xor_(index.r32(), index.r32());
    loop(main_, elements_);
    if (segment_.fold) store_lanes();
    if (elements_ > length_) loop(rest_, length_);
    remainder();
    epilogue();
    data();
  }

 private:
  std::vector<const Body*> bodies() const {
    if (elements_ > length_) return {&main_, &rest_, &part_};
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
    for (std::size_t i = 0; i < std::min(order.size(), held::addresses.size()); ++i)
      frame_.addresses[order[i].second] = held::addresses[i];
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
    const int all = machine().vector_registers;
    int next = all;
    const auto need = [&] {
      const Needs n = needs(frame_, main_);
      return n.spills ? all : n.registers;
    };
    if (segment_.fold) {
      const int vectors = fold_lanes / length_;
      for (int k = 0; k < vectors; ++k) frame_.lane_registers[k] = --next;
      if (need() > next) frame_.lane_registers.clear(), next = all;
    }
    struct Repeated {
      int uses;
      const Vector* vector;
    };
    std::vector<Repeated> repeated;
    for (std::size_t v = 0; v < main_.vectors.size(); ++v) {
      const Home home = main_.vectors[v].home;
      if ((home != Home::scalar && home != Home::literal) || main_.vectors[v].mask) continue;
      int uses = 0;
      for (const auto& op : main_.ops)
        for (int k = 0; k < op.inputs; ++k) uses += op.in[k] == static_cast<int>(v);
      repeated.push_back({uses, &main_.vectors[v]});
    }
    std::stable_sort(repeated.begin(), repeated.end(),
                     [](const auto& a, const auto& b) { return a.uses > b.uses; });
    for (const auto& r : repeated) {
      const int kept = next - 1;
      if (kept < fewest_free) break;
      const bool scalar = r.vector->home == Home::scalar;
      if (scalar)
        frame_.scalar_registers[r.vector->slot] = kept;
      else
        frame_.literal_registers[r.vector->bits] = kept;
      if (need() > kept) {
        if (scalar)
          frame_.scalar_registers.erase(r.vector->slot);
        else
          frame_.literal_registers.erase(r.vector->bits);
        break;
      }
      next = kept;
    }
    // How deep the stack gets, in the worst of the bodies.
    for (const Body* body : bodies()) places_ = std::max(places_, needs(frame_, *body).places);
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
    code_.sub(x86::rsp, places_ * machine().vector_bytes);
    code_.and_(x86::rsp, -machine().vector_bytes);
    for (const auto& [slot, r] : frame_.addresses) code_.mov(r, x86::ptr(slots, 8 * slot));
    for (const auto& [slot, place] : frame_.scalars) {
      const auto kept = frame_.scalar_registers.find(slot);
      repeat(slot, Frame::place(place),
             vector_register(kept == frame_.scalar_registers.end() ? 0 : kept->second));
    }
    for (const auto& [bits, r] : frame_.literal_registers)
      code_.emit(x86::Inst::kIdVmovapd, vector_register(r), x86::ptr(frame_.literals.at(bits)));
    for (const auto& [step, r] : frame_.lane_registers)
      code_.emit(x86::Inst::kIdVmovupd, vector_register(r), lanes(step));
    for (const Body* body : bodies())
      for (const auto& op : body->ops)
        if (op.kind == Kind::store_truth && !machine().masks() && !table_) {
          table_ = true;
          frame_.table = code_.newLabel();
          code_.lea(truth_table, x86::ptr(frame_.table));
        }
  }

  // One element of a slot for all, into a register and its place.
  void repeat(std::uint16_t slot, const x86::Mem& place, const x86::Vec& to) {
    code_.mov(scratch, x86::ptr(slots, 8 * slot));
    if (scalar_truth_[slot]) {
      code_.movzx(scratch.r32(), x86::byte_ptr(scratch));
      code_.neg(scratch);
      if (machine().masks()) {
        code_.mov(place, scratch);
        return;
      }
      code_.vmovq(to.xmm(), scratch);
      code_.emit(x86::Inst::kIdVpbroadcastq, to, to.xmm());
    } else {
      code_.emit(
          segment_.type == DType::float64 ? x86::Inst::kIdVbroadcastsd : x86::Inst::kIdVbroadcastss,
          to, x86::ptr(scratch));
    }
    code_.emit(x86::Inst::kIdVmovapd, place, to);
  }

  x86::Mem lanes(int step) {
    return x86::ptr(frame_.base(code_, segment_.fold->lanes_slot), step * machine().vector_bytes);
  }

  void store_lanes() {
    for (const auto& [step, r] : frame_.lane_registers)
      code_.emit(x86::Inst::kIdVmovupd, lanes(step), vector_register(r));
  }

  void loop(const Body& which, int elements) {
    const asmjit::Label next = code_.newLabel(), done = code_.newLabel();
    code_.mov(limit, count);
    code_.and_(limit, -elements);
    code_.cmp(index, limit);
    code_.jae(done);
    code_.align(asmjit::AlignMode::kCode, 32);
    code_.bind(next);
    native::write(code_, frame_, which);
    code_.add(index, elements);
    code_.cmp(index, limit);
    code_.jb(next);
    code_.bind(done);
  }

  void remainder() {
    const asmjit::Label done = code_.newLabel();
    code_.cmp(index, count);
    code_.jae(done);
    machine().masks() ? mask_register() : mask_vector();
    native::write(code_, frame_, part_);
    code_.bind(done);
  }

  // As many ones as there are elements.
  void mask_register() {
    code_.mov(scratch2, count);
    code_.sub(scratch2, index);
    code_.mov(scratch.r32(), 1);
    code_.shl(scratch.r32(), scratch2.r8());
    code_.dec(scratch.r32());
    code_.kmovw(left_mask(), scratch.r32());
  }
  // The same from a row of ones and zeros.
  void mask_vector() {
    masks_ = code_.newLabel();
    code_.lea(scratch, x86::ptr(masks_));
    code_.mov(scratch2, index);
    code_.sub(scratch2, count);  // minus the elements that are left
    code_.vmovupd(x86::ymm0, x86::ptr(scratch, scratch2, frame_.itemsize() == 8 ? 3 : 2,
                                      machine().vector_bytes));
    // Between bodies ymm0 holds nothing: what is kept lies in the last registers.
    code_.vmovapd(Frame::place(Frame::mask_place), x86::ymm0);
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
    const int bytes = machine().vector_bytes;
    code_.align(asmjit::AlignMode::kData, static_cast<std::uint32_t>(bytes));
    for (const auto& [bits, label] : frame_.literals) {
      code_.bind(label);
      for (int k = 0; k < bytes / 8; ++k) code_.embedUInt64(bits);
    }
    if (table_) {
      code_.bind(frame_.table);
      for (std::uint32_t bits = 0; bits < 16; ++bits)
        code_.embedUInt32((bits & 1) | (bits & 2) << 7 | (bits & 4) << 14 | (bits & 8) << 21);
    }
    if (machine().masks()) return;
    code_.bind(masks_);
    for (int k = 0; k < bytes / 8; ++k) code_.embedUInt64(~std::uint64_t{0});
    for (int k = 0; k < bytes / 8; ++k) code_.embedUInt64(0);
  }

  const Segment& segment_;
  x86::Assembler& code_;
  int length_, elements_ = 0;  ///< in a vector, and in a round of the main loop
  Frame frame_;
  Body main_, rest_, part_;
  std::map<std::uint16_t, bool> scalar_truth_;
  int places_ = 0;  ///< on the stack, of the body that needs most
  bool table_ = false;
  asmjit::Label masks_;
};

}  // namespace

std::shared_ptr<const Code> assemble(const Segment& segment) {
  if (!available()) return nullptr;
  asmjit::CodeHolder holder;
  holder.init(asmjit::Environment::host());
  Refusal refusal;
  holder.setErrorHandler(&refusal);
  x86::Assembler code(&holder);
  Function(segment, code).write();
  if (!refusal.text.empty()) throw std::logic_error("isofield: machine code: " + refusal.text);
  return place(holder);
}

}  // namespace isofield::host::native
