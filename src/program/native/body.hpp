#pragma once

#include <cstdint>
#include <vector>

#include "program/native/code.hpp"

namespace isofield::host::native {

/// What the instruction set in use has for machine code.
struct Machine {
  int vector_bytes;
  int vector_registers;
  int mask_registers;  ///< for truth values; none: they are vectors of ones and zeros
  bool masks() const { return mask_registers > 0; }
  /// How many elements a vector holds.
  int length(DType type) const { return vector_bytes / static_cast<int>(itemsize(type)); }
};
/// AVX2's, or AVX-512's without the mask register that stands for "all".
inline constexpr Machine avx2{32, 16, 0}, avx512{64, 32, 7};
const Machine& machine();

/// A vector that a loop's body names: made by an instruction, or found in memory.
struct Vector {
  enum class Home : std::uint8_t {
    none,     ///< made by an instruction
    array,    ///< elements of a slot, one after the other
    scalar,   ///< one element of a slot, repeated
    literal,  ///< a bit pattern, repeated
    lanes,    ///< a vector of a fold's lanes
    mask,     ///< which elements of the last vector are there
  };
  Home home = Home::none;
  bool truth = false;
  bool mask = false;  ///< lives in a mask register
  std::uint16_t slot = 0;
  std::uint64_t bits = 0;  ///< of a literal
};

/// One machine instruction on vectors, or one of the few sequences that move truth values.
struct MachineOp {
  enum class Kind : std::uint8_t {
    plain,        ///< out = id(in...)
    load_part,    ///< the elements that are left, zeros after
    load_truth,   ///< bytes into 0 or 1 for each element, with masks where to
    store,        ///< in[0] to a slot
    store_part,   ///< the elements that are left
    store_truth,  ///< as bytes
    store_lanes,  ///< in[0] to a vector of the lanes
  };
  Kind kind = Kind::plain;
  std::uint32_t id = 0;
  int immediate = -1;
  bool commutative = false;
  int out = -1;
  int inputs = 0;
  int in[3] = {-1, -1, -1};
  /// The operand that may be read from memory.
  int memory_operand = -1;
  bool masked = false;   ///< the last operand says where, as AVX-512's instructions have it
  bool zeroing = false;  ///< and elsewhere zeros
  std::uint16_t slot = 0;
  bool part = false;  ///< of a truth value's load or store: the elements that are left
  bool rest = false;  ///< of a store: to the rest of a fold, which starts at the slot's beginning
  int step = 0;       ///< which vector of an unrolled body
};

/// A loop's body.
struct Body {
  std::vector<Vector> vectors;
  std::vector<MachineOp> ops;
};

enum class BodyKind : std::uint8_t {
  vector,  ///< one vector of elements
  two,     ///< two of them, an instruction of each in turn
  part,    ///< the elements that do not fill one
  fold,    ///< all vectors of a round of lanes, folded
};

/// Spell a segment out in machine instructions. Stores come after every load, since an output may
/// lie where an input does.
Body translate(const Segment& segment, BodyKind kind);

}  // namespace isofield::host::native
