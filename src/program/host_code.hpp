#pragma once

#include <cstdint>
#include <isofield/program.hpp>
#include <vector>

#include "program/kernels/kernel_table.hpp"

namespace isofield::host {

/// A program lowered to kernels over tiles. Operands are slots of a table of tile pointers, in this
/// order: leaves, immediates, registers, outputs.
struct HostCode {
  struct Instruction {
    PointwiseKernel kernel;
    std::uint16_t out;
    std::uint16_t in[5];
  };
  std::vector<Instruction> code;
  int leaves = 0, immediates = 0, registers = 0, outputs = 0;
  /// Bytes of the widest element: a tile holds the same number of elements in every slot.
  int widest = 1;
  /// Immediates that a reduction or a store needs as a whole tile.
  std::vector<bool> fill_immediate;
  /// Where the first output is read from, for a reduction: a leaf needs no copy.
  int first_output = 0;

  int leaf_slot(int i) const { return i; }
  int immediate_slot(int i) const { return leaves + i; }
  int register_slot(int i) const { return leaves + immediates + i; }
  int output_slot(int i) const { return leaves + immediates + registers + i; }
  int slots() const { return leaves + immediates + registers + outputs; }
  /// Elements in a tile, so that what an instruction touches stays in the first-level cache.
  std::int64_t tile = 256;
};

/// Lower a program: fuse pairs of instructions, pick kernels, allocate registers by liveness.
HostCode lower(const Program& program);

}  // namespace isofield::host
