#pragma once

#include <isofield/backend.hpp>

/// Programs, line solves and transforms written in at:: operations, for devices whose memory the
/// processor cannot read. On the cpu they serve as a test of themselves.
namespace isofield::torch_backend {

void replay(const Launch& launch, Device device);

/// Multiply stacks of matrices with one at:: call.
void replay_matmul(const View& a, const View& b, const View& out);

/// Solve tridiagonal systems by cyclic reduction in parallel: log2(n) rounds of whole-array
/// operations. Stable for diagonally dominant systems (Hockney and Jesshope, Parallel Computers 2,
/// 1988, section 5.4); a periodic system is one with two right-hand sides (Sherman-Morrison).
void replay_tridiagonal_solve(const View& lower, const View& diag, const View& upper,
                              const View& rhs, const View& out, int axis, bool periodic);

/// Factorize matrices by at::linalg_*. It waits for the device: whether a matrix has a result is
/// known only then.
std::optional<std::int64_t> replay_factorize(const Factorization& factorization,
                                             std::span<const View> in, std::span<const View> out);

/// Transform along axes by LibTorch's complex FFTs: cosine and sine transforms of types 2 and 3 of
/// the same length (Makhoul, IEEE Trans. ASSP 28, 1980), of type 1 of an even or odd continuation,
/// of type 4 of twice the length.
void replay_fourier_transform(const View& in, const View& out, const FourierTransform& transform);

/// Move, order or select elements. Indices are looked at first, which waits for the device: a
/// kernel that meets one beyond its axis would end the process.
std::optional<BadIndex> replay_arrange(const Arrangement& arrangement, std::span<const View> in,
                                       std::span<const View> out);

}  // namespace isofield::torch_backend
