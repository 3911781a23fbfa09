#pragma once

#include <asmjit/x86.h>

#include <array>
#include <cstdint>
#include <map>

#include "program/native/body.hpp"

namespace isofield::host::native {

namespace x86 = asmjit::x86;

/// Registers by one number: the vectors', then those of masks, k1 first.
inline constexpr int most_registers = 40;
/// Registers that a body can always spend: three operands, a result, and one to load into.
inline constexpr int fewest_free = 5;

/// What general registers hold throughout a function.
namespace held {
inline const x86::Gp slots = x86::rdi, count = x86::rsi, index = x86::r8, limit = x86::r9;
inline const x86::Gp scratch = x86::rax, scratch2 = x86::rcx, truth_table = x86::rdx;
/// The addresses of the slots that are used most; others are read when needed.
inline const std::array<x86::Gp, 7> addresses = {x86::r10, x86::r11, x86::rbx, x86::r12,
                                                 x86::r13, x86::r14, x86::r15};
}  // namespace held

/// Places that all bodies of a function agree on: registers of addresses and of repeated values,
/// the stack, the literals after the code.
struct Frame {
  DType type = DType::float64;
  std::map<std::uint16_t, x86::Gp> addresses;
  std::map<std::uint16_t, int> scalars;  ///< slot -> place on the stack
  std::map<std::uint64_t, asmjit::Label> literals;
  std::map<std::uint64_t, int> literal_registers;  ///< bits -> register
  std::map<std::uint16_t, int> scalar_registers;   ///< slot -> register
  std::map<int, int> lane_registers;               ///< vector of lanes -> register
  int places = 2;  ///< vectors on the stack: AVX2's mask, truth values
  asmjit::Label table;
  static constexpr int mask_place = 0, truth_place = 1;

  int itemsize() const { return static_cast<int>(isofield::itemsize(type)); }
  /// The address of a slot's first element: kept in a register, or read into `held::scratch`.
  x86::Gp base(x86::Assembler& code, std::uint16_t slot) const;
  static x86::Mem place(int i) { return x86::ptr(x86::rsp, i * machine().vector_bytes); }
};

/// A vector register of the machine's width.
inline x86::Vec vector_register(int r) {
  const auto id = static_cast<std::uint32_t>(r);
  if (machine().vector_bytes == 64) return x86::zmm(id);
  return x86::ymm(id);
}
/// The mask of the elements that are left, in the last loop body.
inline x86::KReg left_mask() {
  return x86::k(static_cast<std::uint32_t>(machine().mask_registers));
}

/// What a body needs of a frame.
struct Needs {
  int registers = 0;    ///< the most vectors in use at once, kept ones left out
  bool spills = false;  ///< whether their registers were not enough
  int places = 0;       ///< on the stack, those of the frame included
};
Needs needs(const Frame& frame, const Body& body);

/// Write a body's instructions. Registers are spent knowing every use: what is used last goes
/// first.
void write(x86::Assembler& code, const Frame& frame, const Body& body);

}  // namespace isofield::host::native
