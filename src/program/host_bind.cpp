// A launch bound to its memory: where operands lie, how elements are walked, which code runs.

#include <algorithm>
#include <cstring>

#include "program/host_run.hpp"

namespace isofield::host {
namespace {

/// Where output o of a launch is stored; null where it is computed inside of another kernel.
const View* output_view(const Launch& launch, int o) {
  return o < launch.inside ? nullptr : &launch.outputs[static_cast<std::size_t>(o - launch.inside)];
}

}  // namespace

BoundLaunch::BoundLaunch(const Launch& launch, LaunchMemory& memory, const int* order, bool fold)
    : lowered_(launch.program.lowered<LoweredProgram>(
          Program::host_slot, [](const Program& p) { return LoweredProgram(p); })),
      code_(&lowered_.kernels()),
      program_(launch.program) {
  const HostCode& code = *code_;
  if (code.leaves > max_leaves || code.immediates > max_immediates || code.outputs > max_outputs ||
      code.registers > max_registers)
    throw BackendError(
        "run: a program of " + std::to_string(code.leaves) + " leaves, " +
        std::to_string(code.immediates) + " immediates, " + std::to_string(code.outputs) +
        " outputs and " + std::to_string(code.registers) +
        " registers is larger than the host's kernels hold: " + std::to_string(max_leaves) +
        " of each and " + std::to_string(max_outputs) + " outputs");
  place_tables(launch, memory);
  for (int i = 0; i < code.immediates; ++i) {
    const Scalar value = launch.immediates[static_cast<std::size_t>(i)];
    visit_dtype(program_.immediates[static_cast<std::size_t>(i)], [&](auto tag) {
      const auto typed = value.to<decltype(tag)>();
      std::memcpy(immediates_[i].bytes, &typed, sizeof typed);
    });
  }
  size_ = element_count(launch.shape);
  if (size_ == 0) return;
  for (int o = 0; o < code.outputs; ++o) {
    const View* const view = output_view(launch, o);
    const DType dtype = program_.dtype(program_.outputs[static_cast<std::size_t>(o)]);
    outputs_[o].base = view ? view->bytes() : nullptr;
    outputs_[o].size = static_cast<std::int64_t>(itemsize(view ? view->dtype : dtype));
    outputs_[o].stored = !(program_.reduction && o == 0);
    outputs_[o].contiguous = true;
  }
  if (order || !bind_flat(launch)) {
    bind_axes(launch, order);
    choose_rows(launch);
  }
  choose_code(launch, fold);
  if (launch.plan && settled_ && !straight_ && !program_.reduction && size_ <= longest_run)
    plan_runs();
}

// Of a small launch, finding the runs and where they lie costs as much as a third of the whole.
void BoundLaunch::plan_runs() {
  const bool row_ends = !by_rows_;
  const std::int64_t end = by_rows_ ? size_ - reach_high_ : size_;
  for (std::int64_t i = by_rows_ ? reach_low_ : 0, n; i < end; i += n) {
    n = run_length(i, end, row_ends);
    runs_.push_back({i, n});
    for (int k = 0; k < code_->leaves; ++k)
      places_.push_back(leaves_[k].offset_in_place(i, n, row_ends));
  }
}

std::pair<std::int64_t, std::int64_t> BoundLaunch::reach(int k) const noexcept {
  std::int64_t low = 0, high = 0;
  for (int i = 0; i < code_->leaves; ++i) {
    low = std::max(low, -leaves_[i].offset(k));
    high = std::max(high, leaves_[i].offset(k));
  }
  return {low, high};
}

void BoundLaunch::find_seams() {
  std::int64_t inner = 1;
  Seam found[Dims::max_rank];
  int n = 0;
  for (int k = rank_ - 1; k >= 0; inner *= lengths_[k], --k) {
    if (!((shifted_axes_ >> k) & 1)) continue;
    const auto [low, high] = reach(k);
    const std::int64_t block = lengths_[k] * inner;
    inner_seam_ = inner_seam_ || k == rank_ - 1;
    found[n++] = {low * inner, block - high * inner, inner, block};
  }
  // Of short rows, leaves that are shifted along them are copied.
  if (inner_seam_ && !by_rows_ && row_ < shortest_row) {
    inner_seam_ = false;
    std::copy(found + 1, found + n, found);
    --n;
  }
  seam_count_ = std::min(n, 3);
  std::reverse_copy(found, found + seam_count_, seams_);
}

void BoundLaunch::choose_code(const Launch& launch, bool fold) {
  find_seams();
  Variant variant;
  variant.fold = fold;
  const bool rows_in_place = by_rows_ || row_ >= shortest_row;
  bool in_place = true;
  for (int i = 0; i < code_->leaves; ++i) {
    if (leaves_[i].uniform()) variant.uniform |= i < 64 ? std::uint64_t{1} << i : 0;
    in_place = in_place && (leaves_[i].uniform() ||
                            leaves_[i].in_place(program_.reduction.has_value(), rows_in_place));
  }
  for (int o = 0; o < code_->outputs; ++o)
    in_place = in_place && (!outputs_[o].stored || outputs_[o].contiguous);
  const auto [code, final] = lowered_.choose(program_, variant, size_);
  code_ = &code;
  settled_ = final;
  for (const int i : code_->numbers) {
    const double bound = launch.immediates[static_cast<std::size_t>(i)].to<double>();
    if (bound != bound) code_ = &lowered_.kernels();
  }
  // What is read and written where it lies has no tile to keep in the cache: long runs are best.
  const bool tiles_kept = program_.reduction && !code_->folds && !(fold && code_->code.empty());
  const bool long_runs = in_place && code_->streams() && !tiles_kept;
  tile_ = std::min(long_runs ? longest_run : code_->tile, size_);
  straight_ = long_runs && size_ <= tile_ && shifted_axes_ == 0 && !program_.reduction &&
              code_->code.size() == 1;
}

void BoundLaunch::place_tables(const Launch& launch, LaunchMemory& memory) {
  const auto rank = static_cast<std::size_t>(std::max(1, launch.shape.size()));
  const auto leaves = static_cast<std::size_t>(code_->leaves);
  const auto outputs = static_cast<std::size_t>(code_->outputs);
  std::size_t bytes = 0;
  const auto part = [&bytes](std::size_t size, std::size_t count) {
    const std::size_t at = bytes;
    bytes += (size * count + 15) / 16 * 16;
    return at;
  };
  const std::size_t immediates =
      part(sizeof(Immediate), static_cast<std::size_t>(code_->immediates));
  const std::size_t leaf_table = part(sizeof(HostLeaf), leaves);
  const std::size_t axes = part(sizeof(HostLeaf::Axis), leaves * rank);
  const std::size_t output_table = part(sizeof(Output), outputs);
  const std::size_t output_strides = part(sizeof(std::int64_t), outputs * rank);
  const std::size_t strides = part(sizeof(std::int64_t), (leaves + outputs) * rank);
  std::byte* base = memory.need(bytes);
  immediates_ = reinterpret_cast<Immediate*>(base + immediates);
  leaves_ = reinterpret_cast<HostLeaf*>(base + leaf_table);
  axes_ = reinterpret_cast<HostLeaf::Axis*>(base + axes);
  outputs_ = reinterpret_cast<Output*>(base + output_table);
  strides_ = reinterpret_cast<std::int64_t*>(base + strides);
  for (std::size_t o = 0; o < outputs; ++o)
    outputs_[o].strides = reinterpret_cast<std::int64_t*>(base + output_strides) + o * rank;
}

void BoundLaunch::rebase(const Launch& launch) noexcept {
  for (int i = 0; i < code_->leaves; ++i) {
    const int input = program_.leaves[static_cast<std::size_t>(i)].input;
    leaves_[i].rebase(launch.inputs[static_cast<std::size_t>(input)].bytes());
  }
  for (int o = launch.inside; o < code_->outputs; ++o)
    outputs_[o].base = output_view(launch, o)->bytes();
}

// All operands contiguous and unshifted: one axis.
bool BoundLaunch::bind_flat(const Launch& launch) {
  for (const auto& leaf : program_.leaves) {
    const View& view = launch.inputs[static_cast<std::size_t>(leaf.input)];
    if (!leaf.shifts.empty() || !view.layout.contiguous()) return false;
  }
  for (int o = launch.inside; o < code_->outputs; ++o)
    if (outputs_[o].stored && !output_view(launch, o)->layout.contiguous()) return false;
  rank_ = 1;
  lengths_[0] = size_;
  for (int i = 0; i < code_->leaves; ++i) {
    const View& view =
        launch.inputs[static_cast<std::size_t>(program_.leaves[static_cast<std::size_t>(i)].input)];
    axes_[i] = {size_, 1, 0, 1, Boundary::periodic, nullptr};
    leaves_[i].bind(view.bytes(), static_cast<std::int64_t>(itemsize(view.dtype)), &axes_[i], 1);
  }
  for (int o = 0; o < code_->outputs; ++o) outputs_[o].strides[0] = 1;
  return true;
}

void BoundLaunch::bind_axes(const Launch& launch, const int* order) {
  const int rank = launch.shape.size();
  const int operands = code_->leaves + code_->outputs;
  std::uint32_t shifted = 0;
  for (const auto& leaf : program_.leaves)
    for (const auto& s : leaf.shifts) shifted |= 1u << s.axis;
  rank_ = 0;
  for (int k = 0; k < rank; ++k) {
    const int axis = order ? order[k] : k;
    walked_[axis] = -1;
    if (launch.shape[axis] == 1 && !((shifted >> axis) & 1)) continue;
    std::int64_t* row = strides_ + rank_ * operands;
    for (int i = 0; i < code_->leaves; ++i) {
      const int input = program_.leaves[static_cast<std::size_t>(i)].input;
      row[i] = launch.inputs[static_cast<std::size_t>(input)].layout.strides[axis];
    }
    for (int o = 0; o < code_->outputs; ++o) {
      const View* const view = output_view(launch, o);
      row[code_->leaves + o] =
          view ? view->layout.strides[axis] : contiguous_strides(launch.shape)[axis];
    }
    lengths_[rank_] = launch.shape[axis];
    const bool is_shifted = (shifted >> axis) & 1;
    // Join with the axis outside where all operands step on evenly.
    bool join = rank_ > 0 && !is_shifted && !((shifted_axes_ >> (rank_ - 1)) & 1);
    for (int o = 0; join && o < operands; ++o) {
      if (o >= code_->leaves && !outputs_[o - code_->leaves].stored) continue;
      join = row[o - operands] == row[o] * lengths_[rank_];
    }
    if (join) {
      lengths_[rank_ - 1] *= lengths_[rank_];
      std::copy(row, row + operands, row - operands);
      walked_[axis] = rank_ - 1;
      continue;
    }
    if (is_shifted) shifted_axes_ |= 1u << rank_;
    walked_[axis] = rank_++;
  }
  if (rank_ == 0) {
    rank_ = 1;
    lengths_[0] = 1;
    std::fill(strides_, strides_ + operands, 1);
  }
  bind_operands(launch, operands);
}

void BoundLaunch::bind_operands(const Launch& launch, int operands) {
  HostLeaf::Axis* axes = axes_;
  for (int i = 0; i < code_->leaves; ++i, axes += rank_) {
    const auto& leaf = program_.leaves[static_cast<std::size_t>(i)];
    const View& view = launch.inputs[static_cast<std::size_t>(leaf.input)];
    for (int k = 0; k < rank_; ++k) {
      axes[k] = {lengths_[k], strides_[k * operands + i], 0, 1, Boundary::periodic, nullptr};
    }
    for (const auto& s : leaf.shifts) {
      HostLeaf::Axis& axis = axes[walked_[s.axis]];
      axis.offset = s.offset;
      axis.boundary = s.boundary;
      if (s.boundary == Boundary::constant) axis.fill = immediates_[s.fill].bytes;
    }
    leaves_[i].bind(view.bytes(), static_cast<std::int64_t>(itemsize(view.dtype)), axes, rank_);
  }
  for (int o = 0; o < code_->outputs; ++o) {
    std::int64_t inner = 1;
    for (int k = rank_ - 1; k >= 0; --k) {
      outputs_[o].strides[k] = strides_[k * operands + code_->leaves + o];
      if (lengths_[k] != 1 && outputs_[o].strides[k] != inner) outputs_[o].contiguous = false;
      inner *= lengths_[k];
    }
  }
}

// The ends of rows are either done apart, which costs each column that is read or written an
// element a row, or leaves that are shifted along rows are copied and patched, which costs their
// every element, about six times less.
void BoundLaunch::choose_rows(const Launch& launch) {
  row_ = lengths_[rank_ - 1];
  if (rank_ < 2 || !((shifted_axes_ >> (rank_ - 1)) & 1) || program_.reduction) return;
  std::tie(reach_low_, reach_high_) = reach(rank_ - 1);
  const std::int64_t columns = reach_low_ + reach_high_;
  if (columns * 4 >= row_ || columns > most_columns) return;
  if (rank_ > 2 && lengths_[rank_ - 2] < fewest_rows) return;  // rows are done a run at a time
  std::int64_t copied = 0;
  for (int i = 0; i < code_->leaves; ++i) copied += leaves_[i].offset(rank_ - 1) != 0;
  ends_.bind(launch, leaves_, row_, reach_low_, reach_high_);
  by_rows_ = copied * row_ > 6 * (ends_.strips() + code_->outputs * columns);
}

}  // namespace isofield::host
