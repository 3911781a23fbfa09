#pragma once

#include <cstddef>
#include <cstdint>
#include <isofield/program.hpp>

namespace isofield::host {

/// One input of a launch as the tile loop reads it: elements [begin, begin + n) of the iteration
/// space, in C order, as contiguous memory. In place where the addresses are contiguous, else
/// gathered.
class HostLeaf {
 public:
  struct Axis {
    std::int64_t length, stride, offset;
    std::int64_t inner;  ///< elements of the iteration space below one step of this axis
    Boundary boundary;
    const std::byte* fill;  ///< the value outside, for `constant`
  };

  /// Take `rank` axes, outermost first, whose length, stride and shift are set.
  void bind(const std::byte* base, std::int64_t size, Axis* axes, int rank);

  const std::byte* base() const noexcept { return base_; }
  /// Read from another address from now on.
  void rebase(const std::byte* base) noexcept { base_ = base; }

  /// Whether all elements are one and the same.
  bool uniform() const noexcept { return mode_ == Mode::uniform; }
  /// Whether all elements are read where they lie, or all but those near ends of shifted axes, the
  /// innermost one among them if `rows` says so.
  bool in_place(bool all, bool rows) const noexcept {
    return mode_ == Mode::flat || (mode_ == Mode::shifted && !all && (rows || inner_.offset == 0));
  }
  /// How far elements along axis `k` are read from their own place.
  std::int64_t offset(int k) const noexcept { return axes_[k].offset; }

  /// Address of elements [begin, begin + n), using `scratch` where they must be gathered. Unless
  /// `row_ends` matter, the rule of the innermost axis is left out where that saves the gathering.
  const void* tile(std::int64_t begin, std::int64_t n, void* scratch, bool row_ends = true) const {
    if (mode_ == Mode::flat) return base_ + begin * size_;
    return slow_tile(begin, n, scratch, row_ends);
  }
  /// Bytes from `base()` to elements [begin, begin + n) where `tile` would find them in place, else
  /// `nowhere`.
  std::int64_t offset_in_place(std::int64_t begin, std::int64_t n, bool row_ends) const noexcept;
  static constexpr std::int64_t nowhere = INT64_MIN;
  /// Address of element i of this leaf's memory at `memory`.
  void* element(void* memory, std::int64_t i) const noexcept {
    return static_cast<std::byte*>(memory) + i * size_;
  }
  std::int64_t element_size() const noexcept { return size_; }

  /// Position along an axis after its shift, or nothing to read but a fill.
  struct Place {
    std::int64_t index;
    const std::byte* fill;
    friend bool operator==(const Place&, const Place&) = default;
  };
  // A row is a run of the innermost axis; there are two axes or more.
  /// Where this leaf reads what belongs to column `column`.
  Place column_place(std::int64_t column) const noexcept { return place(inner_, column); }
  /// How many rows below its own this leaf reads.
  std::int64_t row_offset() const noexcept { return axes_[rank_ - 2].offset; }
  /// Whether `other`, over the same memory, reads the same of a column, but for its row.
  bool shares_columns(const HostLeaf& other) const noexcept;
  /// Gather a column of rows [row - lead, row + n + trail), as this leaf sees rows beyond the first
  /// and last of the last but one axis. Rows [row, row + n) are one run of that.
  void column(Place column, std::int64_t row, std::int64_t n, std::int64_t lead, std::int64_t trail,
              std::byte* to) const;

 private:
  enum class Mode : std::uint8_t { flat, uniform, shifted, general };

  /// Whether the innermost axis' rule does not matter to elements [begin, begin + n).
  bool inside_rows(std::int64_t begin, std::int64_t n) const noexcept;
  void copy_patched(std::int64_t begin, std::int64_t at, std::int64_t n, std::byte* to) const;
  const void* slow_tile(std::int64_t begin, std::int64_t n, void* scratch, bool row_ends) const;
  /// Where elements [begin, begin + n) of a contiguous shifted leaf begin to lie side by side, by
  /// the rules of all axes but the innermost, perhaps outside of its memory; `nowhere` if they do
  /// not.
  std::int64_t position(std::int64_t begin, std::int64_t n) const noexcept;
  static Place place(const Axis& axis, std::int64_t i) noexcept;
  void gather_row(const std::byte* row, std::int64_t begin, std::int64_t n, std::byte* to) const;
  void gather(std::int64_t begin, std::int64_t n, std::byte* to) const;

  // Left uninitialised until `bind`: a launch holds many and uses few.
  Mode mode_;
  int rank_;
  std::int64_t size_;
  std::int64_t delta_;  ///< elements that the shifts move a contiguous leaf
  const std::byte* base_;
  Axis inner_;
  const Axis* axes_;
};

/// Copy `n` elements of `size` bytes from a strided place into contiguous memory.
void copy_strided(const std::byte* from, std::int64_t stride, std::int64_t n, std::int64_t size,
                  std::byte* to);
/// The reverse: contiguous memory into a strided place.
void scatter_strided(const std::byte* from, std::int64_t n, std::int64_t size, std::byte* to,
                     std::int64_t stride);

}  // namespace isofield::host
