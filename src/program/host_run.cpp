// A bound launch runs: tile by tile, along rows and at their ends.

#include "program/host_run.hpp"

#include <algorithm>
#include <cstring>

#include "program/scratch.hpp"

namespace isofield::host {

BoundLaunch::Tiles::Tiles(const BoundLaunch& launch) {
  const HostCode& code = *launch.code_;
  for (int o = 0; o < code.outputs; ++o) outputs[o] = launch.outputs_[o].base;
  // A cache line more than the tile, so that slots do not share cache sets.
  pitch_ = static_cast<std::size_t>((launch.tile_ * code.widest + 63) / 64 * 64 + 64);
  constinit thread_local Scratch memory;
  memory_ = memory.need(pitch_ * static_cast<std::size_t>(code.slots()));
  for (int i = 0; i < code.immediates; ++i) {
    const int slot = code.immediate_slot(i);
    const std::byte* value = launch.immediates_[i].bytes;
    slots[slot] = const_cast<std::byte*>(value);
    if (!code.fill_immediate[static_cast<std::size_t>(i)]) continue;
    const auto size = itemsize(launch.program_.immediates[static_cast<std::size_t>(i)]);
    copy_strided(value, 0, launch.tile_, static_cast<std::int64_t>(size),
                 static_cast<std::byte*>(scratch(slot)));
    slots[slot] = scratch(slot);
  }
  for (int i = 0; i < code.registers; ++i)
    slots[code.register_slot(i)] = scratch(code.register_slot(i));
  for (int i = 0; i < code.leaves; ++i)
    if (launch.leaves_[i].uniform()) {
      const std::int64_t n = code.fill_leaf[static_cast<std::size_t>(i)] ? launch.tile_ : 1;
      slots[i] = const_cast<void*>(launch.leaves_[i].tile(0, n, scratch(i)));
    }
}

void BoundLaunch::run_planned(Tiles& tiles) const {
  const std::int64_t* place = places_.data();
  for (const Run& run : runs_) {
    for (int i = 0; i < code_->leaves; ++i, ++place) {
      if (leaves_[i].uniform()) continue;
      const int slot = code_->leaf_slot(i);
      tiles.slots[slot] =
          const_cast<void*>(*place == HostLeaf::nowhere
                                ? leaves_[i].tile(run.begin, run.n, tiles.scratch(slot), !by_rows_)
                                : static_cast<const void*>(leaves_[i].base() + *place));
    }
    compute(tiles, run.begin, run.n);
  }
  if (by_rows_) run_row_ends(tiles, 0, size_ / row_);
}

std::int64_t BoundLaunch::run_length(std::int64_t begin, std::int64_t end,
                                     bool row_ends) const noexcept {
  std::int64_t n = std::min(tile_, end - begin);
  if (n <= shortest_run) return n;
  for (int k = 0; k < seam_count_ - (inner_seam_ && !row_ends ? 1 : 0); ++k) {
    const Seam& seam = seams_[k];
    const std::int64_t at = begin % seam.block;
    // Near an end a step of the axis at a time: it lies somewhere as a whole.
    const bool inside = at >= seam.low && at < seam.high;
    const std::int64_t next = inside ? seam.high : (at / seam.step + 1) * seam.step;
    n = std::min(n, std::max(next - at, shortest_run));
  }
  return n;
}

void BoundLaunch::execute(void** slots, std::int64_t n) const {
  for (const auto& i : code_->code) {
    if (i.segment) {
      i.segment(slots, n);
      continue;
    }
    const void* in[5] = {slots[i.in[0]], slots[i.in[1]], slots[i.in[2]], slots[i.in[3]],
                         slots[i.in[4]]};
    i.kernel(slots[i.out], in, n);
  }
}

void BoundLaunch::run_straight() const {
  void* slots[max_leaves + max_immediates + max_outputs];
  for (int i = 0; i < code_->leaves; ++i)
    slots[code_->leaf_slot(i)] = const_cast<std::byte*>(leaves_[i].base());
  for (int i = 0; i < code_->immediates; ++i)
    slots[code_->immediate_slot(i)] = immediates_[i].bytes;
  for (int o = 0; o < code_->outputs; ++o) slots[code_->output_slot(o)] = outputs_[o].base;
  code_->code[0].segment(slots, size_);
}

const void* BoundLaunch::run_tile(Tiles& tiles, std::int64_t begin, std::int64_t n,
                                  bool row_ends) const {
  for (int i = 0; i < code_->leaves; ++i)
    if (!leaves_[i].uniform())
      tiles.slots[code_->leaf_slot(i)] = const_cast<void*>(
          leaves_[i].tile(begin, n, tiles.scratch(code_->leaf_slot(i)), row_ends));
  compute(tiles, begin, n);
  return tiles.slots[code_->first_output];
}

void BoundLaunch::compute(Tiles& tiles, std::int64_t begin, std::int64_t n) const {
  for (int o = 0; o < code_->outputs; ++o) {
    const Output& output = outputs_[o];
    const int slot = code_->output_slot(o);
    tiles.slots[slot] = output.stored && output.contiguous ? tiles.outputs[o] + begin * output.size
                                                           : tiles.scratch(slot);
  }
  execute(tiles.slots, n);
  for (int o = 0; o < code_->outputs; ++o)
    if (outputs_[o].stored && !outputs_[o].contiguous)
      scatter(outputs_[o], begin, n,
              static_cast<const std::byte*>(tiles.slots[code_->output_slot(o)]));
}

void BoundLaunch::run_range(Tiles& tiles, std::int64_t begin, std::int64_t end) const {
  while (begin < end) {
    const std::int64_t n = run_length(begin, end, true);
    run_tile(tiles, begin, n);
    begin += n;
  }
}

void BoundLaunch::run_rows(Tiles& tiles, std::int64_t begin, std::int64_t end) const {
  // Over the ends of rows as if each went on in the next: what that gives there is written over.
  const std::int64_t inner_end = end * row_ - reach_high_;
  for (std::int64_t i = begin * row_ + reach_low_; i < inner_end;) {
    const std::int64_t n = run_length(i, inner_end, false);
    run_tile(tiles, i, n, false);
    i += n;
  }
  run_row_ends(tiles, begin, end);
}

// The first and last elements of rows, some rows at a time, a column after the other.
void BoundLaunch::run_row_ends(Tiles& tiles, std::int64_t begin, std::int64_t end) const {
  const std::int64_t run = lengths_[rank_ - 2];
  for (std::int64_t row = begin, n; row < end; row += n) {
    n = std::min({end - row, run - row % run, tile_, RowEnds::most_rows});
    const std::byte* const gathered = ends_.gather(leaves_, row, n);
    for (std::size_t c = 0; c < ends_.columns().size(); ++c) {
      for (int i = 0; i < code_->leaves; ++i)
        if (const auto* from = ends_.operand(gathered, c, static_cast<std::size_t>(i)))
          tiles.slots[code_->leaf_slot(i)] = const_cast<std::byte*>(from);
      for (int o = 0; o < code_->outputs; ++o)
        tiles.slots[code_->output_slot(o)] = tiles.scratch(code_->output_slot(o));
      execute(tiles.slots, n);
      store_column(tiles, row, n, ends_.columns()[c]);
    }
  }
}

void BoundLaunch::store_column(Tiles& tiles, std::int64_t row, std::int64_t n,
                               std::int64_t column) const {
  for (int o = 0; o < code_->outputs; ++o) {
    const Output& output = outputs_[o];
    const auto* from = static_cast<const std::byte*>(tiles.slots[code_->output_slot(o)]);
    if (output.contiguous) {
      scatter_strided(from, n, output.size, tiles.outputs[o] + (row * row_ + column) * output.size,
                      row_);
    } else {
      for (std::int64_t i = 0; i < n; ++i)
        scatter(output, (row + i) * row_ + column, 1, from + i * output.size);
    }
  }
}

void BoundLaunch::scatter(const Output& output, std::int64_t begin, std::int64_t n,
                          const std::byte* from) const {
  std::int64_t at[Dims::max_rank];
  std::int64_t rest = begin, position = 0;
  for (int k = rank_ - 1; k >= 0; --k) {
    at[k] = rest % lengths_[k];
    rest /= lengths_[k];
    position += at[k] * output.strides[k];
  }
  const int last = rank_ - 1;
  while (n > 0) {
    const std::int64_t run = std::min(n, lengths_[last] - at[last]);
    scatter_strided(from, run, output.size, output.base + position * output.size,
                    output.strides[last]);
    from += run * output.size;
    n -= run;
    position -= at[last] * output.strides[last];
    at[last] = 0;
    for (int k = last - 1; k >= 0; --k) {
      position += output.strides[k];
      if (++at[k] < lengths_[k]) break;
      position -= at[k] * output.strides[k];
      at[k] = 0;
    }
  }
}

}  // namespace isofield::host
