#pragma once

#include <cstdint>

/// Elimination of tridiagonal systems, without pivoting, in stretches of rows.
///
/// A stretch lies between an unknown before it, x[-1], and one behind it, x[n]. Elimination from
/// its first row to its last gives each row as
///   x[i] = out[i] - factor[i] x[i + 1] - fill[i] x[-1],
/// and the first unknown, by the way, as
///   x[0] = head[0] - head[1] x[-1] - head[2] x[i].
/// What is left of a stretch are these two equations for its first and its last unknown: stretches
/// that follow each other leave tridiagonal systems again, for their last unknowns (Wang, ACM TOMS
/// 7, 1981).
///
/// Signs. In an M-matrix lower, upper <= 0 < diag and all pivots are positive. Then factor, fill,
/// head[1] and head[2] are <= 0, and where rhs >= 0 so are out and head[0]: every term that is
/// added anywhere has the sign of what it is added to, except in the pivots. So x >= 0 holds
/// exactly, however the numbers are rounded, as long as the pivots are positive; also for systems
/// of stretches, whose matrix is a Schur complement of the original one and therefore an M-matrix,
/// and for the equation that closes a cycle.
namespace isofield::host {

/// Systems that lie side by side: row i of operand k at operands[k] + i * strides[k], its systems
/// next to each other.
struct LineSweep {
  const void* operands[4];    ///< lower, diag, upper, rhs: the first row
  std::int64_t strides[4];    ///< elements from row to row
  void *factor, *out, *fill;  ///< the first row; fill is null where nothing comes before a system
  std::int64_t factor_stride, out_stride;  ///< fill's is factor's
  void* head;                              ///< three rows of `width`; with fill only
  bool begins;  ///< the first row is a system's first; otherwise the rows before are in memory
  std::int64_t rows, width;
};

/// `lanes` systems, each contiguous: element i of system p of operand k at
/// operands[k] + p * lane_strides[k] + i. They are taken `width` at a time; those from `lanes` on
/// are the last one again. Rows of factor, out and fill have `width` elements.
struct LaneSweep {
  const void* operands[4];
  std::int64_t lane_strides[4];
  std::int64_t lanes;
  void *factor, *out, *fill, *head;
  bool begins;
  std::int64_t rows;
  /// Where solutions go, element i of system p to lines + p * line_stride + i.
  void* lines;
  std::int64_t line_stride;
};

/// What is left of stretches that were eliminated, an array for each quantity:
/// x[last] = out - fill x[-1] - factor x[n], x[0] = head[0] - head[1] x[-1] - head[2] x[last].
struct StretchEnds {
  const void *factor, *out, *fill, *head[3];
};

struct LineKernels {
  void (*forward)(const LineSweep& sweep);
  /// Substitute back from the last row, where `out` holds the solution. `left`: a row of x[-1];
  /// null without fill.
  void (*backward)(const LineSweep& sweep, const void* left);
  /// For systems 8 and 16 wide.
  void (*lanes_forward[2])(const LaneSweep& sweep);
  /// Substitute back and write the solutions into their lines. `x`: the last unknowns on entry, the
  /// first of these rows on return.
  void (*lanes_backward[2])(const LaneSweep& sweep, const void* left, void* x);
  /// The systems for the last unknowns of n stretches that follow each other, as rows of n
  /// elements: lower, diag, upper, rhs.
  void (*join)(const StretchEnds& ends, std::int64_t n, void* const* operands);
  /// What is left of n stretches as a whole, given what is left of the systems that `join` made and
  /// the first stretch's head: the head of all, three elements.
  void (*join_heads)(const StretchEnds& first, const StretchEnds& joined, void* head);
  /// Close `width` cycles: x[last] and x[0] where x[-1] is x[last] and x[n] is x[0].
  void (*close)(const StretchEnds& ends, std::int64_t width, void* last, void* first);
  /// The row where elimination of one system meets a pivot that is zero or not finite, though
  /// lower, diag and upper are finite up to there; -1: nowhere. `stride`: of all operands.
  std::int64_t (*broken_row)(const void* const* operands, std::int64_t stride, std::int64_t n,
                             bool periodic);
};

}  // namespace isofield::host
