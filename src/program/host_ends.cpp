#include "program/host_ends.hpp"

#include <algorithm>

#include "program/scratch.hpp"

namespace isofield::host {

void RowEnds::bind(const Launch& launch, const HostLeaf* leaves, std::int64_t row, std::int64_t low,
                   std::int64_t high) {
  for (std::int64_t c = 0; c < low; ++c) columns_.push_back(c);
  for (std::int64_t c = row - high; c < row; ++c) columns_.push_back(c);
  leaves_ = launch.program.leaves.size();
  std::int64_t widest = 1;
  for (std::size_t i = 0; i < leaves_; ++i) {
    if (leaves[i].uniform()) continue;
    lead_ = std::max(lead_, -leaves[i].row_offset());
    trail_ = std::max(trail_, leaves[i].row_offset());
    widest = std::max(widest, leaves[i].element_size());
  }
  for (const std::int64_t c : columns_)
    for (std::size_t i = 0; i < leaves_; ++i) {
      const HostLeaf& leaf = leaves[i];
      uses_.push_back(leaf.uniform() ? Use{-1, 0}
                                     : Use{strip_of(launch, leaves, static_cast<int>(i), c),
                                           (lead_ + leaf.row_offset()) * leaf.element_size()});
    }
  // A cache line more, so that strips do not share cache sets.
  pitch_ = ((lead_ + most_rows + trail_) * widest + 63) / 64 * 64 + 64;
}

std::int64_t RowEnds::strip_of(const Launch& launch, const HostLeaf* leaves, int leaf,
                               std::int64_t column) {
  // Each leaf may have an input of its own; the storage tells which are one, in each replay.
  const auto view = [&](int i) -> const View& {
    const int input = launch.program.leaves[static_cast<std::size_t>(i)].input;
    return launch.inputs[static_cast<std::size_t>(input)];
  };
  const auto same_elements = [&](const View& a, const View& b) {
    return a.storage == b.storage && a.dtype == b.dtype && a.layout.offset == b.layout.offset &&
           a.layout.strides == b.layout.strides;
  };
  const HostLeaf::Place place = leaves[leaf].column_place(column);
  for (std::size_t s = 0; s < strips_.size(); ++s) {
    Strip& strip = strips_[s];
    if (!same_elements(view(strip.leaf), view(leaf)) || strip.column != place ||
        !leaves[strip.leaf].shares_columns(leaves[leaf]))
      continue;
    if (leaves[leaf].row_offset() != 0) strip.leaf = leaf;
    return static_cast<std::int64_t>(s);
  }
  strips_.push_back({leaf, place});
  return static_cast<std::int64_t>(strips_.size()) - 1;
}

const std::byte* RowEnds::gather(const HostLeaf* leaves, std::int64_t row, std::int64_t n) const {
  constinit thread_local Scratch scratch;
  std::byte* const memory = scratch.need(static_cast<std::size_t>(pitch_) * strips_.size());
  std::byte* to = memory;
  for (const Strip& strip : strips_) {
    leaves[strip.leaf].column(strip.column, row, n, lead_, trail_, to);
    to += pitch_;
  }
  return memory;
}

}  // namespace isofield::host
