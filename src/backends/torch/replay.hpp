#pragma once

#include <isofield/backend.hpp>

/// Programs and line solves written in at:: operations, for devices whose memory the processor
/// cannot read. On the cpu they serve as a test of themselves.
namespace isofield::torch_backend {

void replay(const Launch& launch, Device device);

/// Multiply stacks of matrices with one at:: call.
void replay_matmul(const View& a, const View& b, const View& out);

/// Solve tridiagonal systems by cyclic reduction in parallel: log2(n) rounds of whole-array
/// operations. Stable for diagonally dominant systems (Hockney and Jesshope, Parallel Computers 2,
/// 1988, section 5.4); a periodic system is one with two right-hand sides (Sherman-Morrison).
void replay_tridiagonal_solve(const View& lower, const View& diag, const View& upper,
                              const View& rhs, const View& out, int axis, bool periodic);

}  // namespace isofield::torch_backend
