#pragma once

#include <cstdint>
#include <isofield/mfg/problem.hpp>
#include <string>
#include <vector>

namespace isofield::mfg {

/// What each cell of a grid is, as `/grid/mask` of result files has it.
struct Mask {
  std::vector<std::int64_t> cells;  ///< of each axis
  std::vector<std::uint8_t> kinds;  ///< 0 free, 1 obstacle, 2 exit; last axis fastest
};

/// Read the mask of a grid of so many cells from "FILE.h5:/DATASET", or from /grid/mask of
/// "FILE.h5". Throws IoError where there is none, ShapeError where it is one of another grid,
/// SolverError where it has other numbers than 0, 1 and 2 or no free cell.
Mask read_mask(const std::string& source, const std::vector<std::int64_t>& cells);

/// Make a mask of numbers, last axis fastest; `name` is what errors call it. Throws as read_mask().
Mask make_mask(const std::vector<double>& numbers, const std::vector<std::int64_t>& shape,
               const std::vector<std::int64_t>& cells, const std::string& name);

/// Mark a problem's obstacles and exits by a mask, beside those that the problem has. A grid of
/// other cells, coarser as a rule, is marked by what its cells cover: an exit wherever a part of
/// one is covered, else an obstacle where half of the cell or more is.
void mark(Problem& problem, const Mask& mask);

}  // namespace isofield::mfg
