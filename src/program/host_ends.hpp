#pragma once

#include <isofield/program.hpp>
#include <vector>

#include "program/host_leaf.hpp"

namespace isofield::host {

/// What the first and last elements of rows read, column by column. A column that several leaves
/// read, each in a row of its own, is gathered once, with the rows above and below.
class RowEnds {
 public:
  /// Rows that are done at once, at most.
  static constexpr std::int64_t most_rows = 256;

  /// `low` columns at the beginning of a row and `high` at its end, of leaves that are bound to a
  /// launch.
  void bind(const Launch& launch, const HostLeaf* leaves, std::int64_t row, std::int64_t low,
            std::int64_t high);
  bool empty() const noexcept { return columns_.empty(); }
  /// The columns to compute, and how many different ones are read for that.
  const std::vector<std::int64_t>& columns() const noexcept { return columns_; }
  std::int64_t strips() const noexcept { return static_cast<std::int64_t>(strips_.size()); }

  /// Gather what rows [row, row + n) read, n <= most_rows, which are one run of the last but one
  /// axis; returns memory of this thread for `operand`.
  const std::byte* gather(const HostLeaf* leaves, std::int64_t row, std::int64_t n) const;
  /// Where leaf i of column c lies in what was gathered; null for a leaf of one element for all.
  const std::byte* operand(const std::byte* gathered, std::size_t c, std::size_t i) const noexcept {
    const Use& use = uses_[c * leaves_ + i];
    return use.strip < 0 ? nullptr : gathered + use.strip * pitch_ + use.offset;
  }

 private:
  struct Strip {
    int leaf;  ///< one of those that read it, whose rule holds beyond the first and last row
    HostLeaf::Place column;
  };
  struct Use {
    std::int64_t strip, offset;
  };
  std::int64_t strip_of(const Launch& launch, const HostLeaf* leaves, int leaf,
                        std::int64_t column);

  std::size_t leaves_ = 0;
  std::int64_t lead_ = 0, trail_ = 0, pitch_ = 0;  ///< rows above and below; bytes of a strip
  std::vector<std::int64_t> columns_;
  std::vector<Strip> strips_;
  std::vector<Use> uses_;  ///< [c * leaves + i]
};

}  // namespace isofield::host
