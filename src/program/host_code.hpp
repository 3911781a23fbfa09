#pragma once

#include <atomic>
#include <cstdint>
#include <isofield/program.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "program/kernels/kernel_table.hpp"
#include "program/native/code.hpp"

namespace isofield::host {

/// A program lowered to loops over tiles: kernels, or machine code made for it. Operands are slots
/// of a table of tile pointers, in this order: leaves, immediates, registers, outputs, the lanes of
/// a fold.
struct HostCode {
  struct Instruction {
    PointwiseKernel kernel;       ///< null: machine code
    native::Code::Entry segment;  ///< reads and writes the slots it knows
    std::uint16_t out;
    std::uint16_t in[5];
  };
  std::vector<Instruction> code;
  std::vector<std::shared_ptr<const native::Code>> segments;
  int leaves = 0, immediates = 0, registers = 0, outputs = 0;
  /// Bytes of the widest element: a tile holds the same number of elements in every slot.
  int widest = 1;
  /// Immediates that a reduction or a store needs as a whole tile.
  std::vector<bool> fill_immediate;
  /// Leaves of one element for all that are read as a whole tile.
  std::vector<bool> fill_leaf;
  /// Immediates that must not be NaN here.
  std::vector<int> numbers;
  /// Where the first output is read from, for a reduction: a leaf needs no copy.
  int first_output = 0;
  /// Whether the first output is folded into the lanes, and its slot holds what is left over.
  bool folds = false;

  int leaf_slot(int i) const { return i; }
  int immediate_slot(int i) const { return leaves + i; }
  int register_slot(int i) const { return leaves + immediates + i; }
  int output_slot(int i) const { return leaves + immediates + registers + i; }
  int lanes_slot() const { return leaves + immediates + registers + outputs; }
  int slots() const { return lanes_slot() + 1; }
  /// Elements in a tile, so that what an instruction touches stays in the first-level cache.
  std::int64_t tile = 256;
  /// Set `widest` and `tile`, once the other members are.
  void measure(const Program& program);
  /// Whether nothing but leaves and outputs is touched, and each once: longer tiles cost nothing.
  bool streams() const {
    return registers == 0 && (code.empty() || (code.size() == 1 && code[0].segment));
  }
};

/// What machine code is made for, besides the program.
struct Variant {
  std::uint64_t uniform = 0;  ///< bit i: leaf i is one element for all
  bool fold = false;          ///< the reduction takes all elements of a tile into one
  friend bool operator==(const Variant&, const Variant&) = default;
};

/// Lower a program to kernels: fuse pairs of instructions, pick kernels, allocate registers by
/// liveness.
HostCode lower(const Program& program);
/// Lower a program to machine code, with kernels for what that has no instructions for; nothing if
/// kernels would do all.
std::optional<HostCode> lower_native(const Program& program, Variant variant);

/// The lowered forms of a program: kernels at once, machine code when it has paid for itself.
class LoweredProgram {
 public:
  explicit LoweredProgram(const Program& program) : kernels_(lower(program)) {}
  LoweredProgram(LoweredProgram&& other) noexcept : kernels_(std::move(other.kernels_)) {}
  ~LoweredProgram();

  const HostCode& kernels() const noexcept { return kernels_; }
  struct Choice {
    const HostCode& code;
    bool final;  ///< asking again would give the same
  };
  /// The form to run `elements` elements with.
  Choice choose(const Program& program, Variant variant, std::int64_t elements) const;
  /// Count a run of kernels; true once machine code is due.
  bool spend(std::int64_t elements) const noexcept;

 private:
  struct Native;
  HostCode kernels_;
  mutable std::atomic<std::int64_t> spent_ = 0;
  mutable std::atomic<Native*> natives_ = nullptr;  // a list that only grows, at its front
};

}  // namespace isofield::host
