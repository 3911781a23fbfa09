#pragma once

#include <isofield/host.hpp>
#include <memory>
#include <utility>

#include "program/host_code.hpp"
#include "program/host_ends.hpp"
#include "program/host_leaf.hpp"
#include "program/scratch.hpp"

namespace isofield::host {

/// Memory of a bound launch: its own, or this thread's.
class LaunchMemory {
 public:
  LaunchMemory() = default;
  explicit LaunchMemory(Scratch& shared) : shared_(&shared) {}
  /// At least `bytes` bytes, aligned as `new` does; what was there is gone.
  std::byte* need(std::size_t bytes) {
    if (shared_) return shared_->need(bytes);
    own_ = std::make_unique_for_overwrite<std::byte[]>(bytes);
    return own_.get();
  }

 private:
  Scratch* shared_ = nullptr;
  std::unique_ptr<std::byte[]> own_;
};

/// A launch whose addresses are resolved, ready to run from any thread, tile by tile.
class BoundLaunch {
 public:
  static constexpr int max_leaves = 208, max_immediates = 208, max_outputs = 16,
                       max_registers = 208;

  /// `order`: the axes of the iteration space in the order they are walked; null: as they are.
  /// `fold`: the first output is wanted as `lanes` of a fold where the code can do that.
  BoundLaunch(const Launch& launch, LaunchMemory& memory, const int* order = nullptr,
              bool fold = false);
  BoundLaunch(const BoundLaunch&) = delete;
  BoundLaunch& operator=(const BoundLaunch&) = delete;

  /// Take other addresses for the same layouts.
  void rebase(const Launch& launch) noexcept;

  const HostCode& code() const noexcept { return *code_; }
  /// Whether binding anew would give machine code instead of kernels; counts a run.
  bool outlived() const noexcept { return !settled_ && lowered_.spend(size_); }
  /// Elements times instructions, with one for reading and writing.
  std::int64_t work() const noexcept {
    return size_ * static_cast<std::int64_t>(lowered_.kernels().code.size() + 1);
  }
  std::int64_t size() const noexcept { return size_; }
  std::int64_t tile() const noexcept { return tile_; }
  /// Whether the work is best cut along rows, whose two odd ends are done in batches apart.
  bool by_rows() const noexcept { return by_rows_; }
  std::int64_t row_length() const noexcept { return row_; }

  /// This thread's scratch for a launch; one at a time a thread.
  class Tiles;

  /// Compute elements [begin, begin + n), n <= tile(), and store all outputs but a reduced one;
  /// returns the address of output 0's tile, valid until the next call.
  const void* run_tile(Tiles& tiles, std::int64_t begin, std::int64_t n,
                       bool row_ends = true) const;
  /// Whether everything is one run of machine code over memory as it lies.
  bool straight() const noexcept { return straight_; }
  /// Compute and store everything, where it is straight.
  void run_straight() const;
  /// Whether the runs of everything are laid down, for a launch that comes again.
  bool planned() const noexcept { return !runs_.empty(); }
  /// Compute and store everything, where it is planned.
  void run_planned(Tiles& tiles) const;
  /// Compute and store elements [begin, end).
  void run_range(Tiles& tiles, std::int64_t begin, std::int64_t end) const;
  /// Compute and store rows [begin, end).
  void run_rows(Tiles& tiles, std::int64_t begin, std::int64_t end) const;

 private:
  struct Output {
    std::byte* base = nullptr;
    std::int64_t size = 8;
    bool stored = true, contiguous = true;
    std::int64_t* strides = nullptr;
  };
  struct alignas(16) Immediate {
    std::byte bytes[16];
  };

  void bind_axes(const Launch& launch, const int* order);
  bool bind_flat(const Launch& launch);
  void bind_operands(const Launch& launch, int operands);
  void place_tables(const Launch& launch, LaunchMemory& memory);
  void choose_rows(const Launch& launch);
  void plan_runs();
  /// How far shifted leaves reach below and above their place along walked axis k.
  std::pair<std::int64_t, std::int64_t> reach(int k) const noexcept;
  void find_seams();
  void choose_code(const Launch& launch, bool fold);
  /// Run the code on elements whose leaves are in their slots, and store them.
  void compute(Tiles& tiles, std::int64_t begin, std::int64_t n) const;
  void execute(void** slots, std::int64_t n) const;
  void scatter(const Output& output, std::int64_t begin, std::int64_t n,
               const std::byte* from) const;
  /// How many of the elements [begin, end) to run at once: a long run should not reach from where
  /// shifted leaves are read in place to where they are gathered.
  std::int64_t run_length(std::int64_t begin, std::int64_t end, bool row_ends) const noexcept;
  void run_row_ends(Tiles& tiles, std::int64_t begin, std::int64_t end) const;
  void store_column(Tiles& tiles, std::int64_t row, std::int64_t n, std::int64_t column) const;

  const LoweredProgram& lowered_;
  const HostCode* code_;
  const Program& program_;
  std::int64_t size_ = 0, tile_ = 0, row_ = 1;
  bool by_rows_ = false, straight_ = false, settled_ = true;
  std::int64_t reach_low_ = 0, reach_high_ = 0;
  RowEnds ends_;  ///< bound where work is cut along rows
  /// Where runs along shifted axes start and stop being read in place.
  struct Seam {
    std::int64_t low, high, step, block;
  };
  Seam seams_[3];
  int seam_count_ = 0;
  bool inner_seam_ = false;  ///< the last seam is the innermost axis
  int rank_ = 0;
  std::int64_t lengths_[Dims::max_rank];
  std::uint32_t shifted_axes_ = 0;  ///< of the walked axes
  int walked_[Dims::max_rank];      ///< original axis -> walked axis
  /// Elements that one call of the code does, and where it finds leaf i of run r.
  struct Run {
    std::int64_t begin, n;
  };
  std::vector<Run> runs_;
  std::vector<std::int64_t> places_;  ///< [r * leaves + i]: HostLeaf::offset_in_place
  // Tables in the launch's memory.
  Immediate* immediates_ = nullptr;
  HostLeaf* leaves_ = nullptr;
  HostLeaf::Axis* axes_ = nullptr;  ///< a leaf after the other
  Output* outputs_ = nullptr;
  std::int64_t* strides_ = nullptr;  ///< [k * operands + o]: operand o along walked axis k
  static constexpr std::int64_t shortest_row = 256, longest_run = 1 << 14, shortest_run = 24,
                                most_columns = 64, fewest_rows = 8;
};

/// Slots of a launch, and the memory of those that are not read or written in place.
class BoundLaunch::Tiles {
 public:
  explicit Tiles(const BoundLaunch& launch);
  void* scratch(int slot) const noexcept {
    return memory_ + pitch_ * static_cast<std::size_t>(slot);
  }
  void* slots[max_leaves + max_immediates + max_registers + max_outputs + 1];
  /// Element 0 of each output that lies in C order.
  std::byte* outputs[max_outputs];

 private:
  std::byte* memory_;
  std::size_t pitch_;
};

}  // namespace isofield::host
