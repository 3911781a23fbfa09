#pragma once

#include <cstdint>

namespace isofield::host {

/// From how much work on threads share it. Handing out work costs 0.3 to 5 us, more where idle
/// threads sleep; below these sizes the caller's thread alone is done sooner. They are constants,
/// so that the same call always runs the same way; bench_thresholds measures on both sides of each,
/// and docs/development/decisions.md has what it found.
namespace threshold {

/// Elements times instructions of a program.
inline constexpr std::int64_t program = 1 << 17;
/// The same where a program ends in a reduction, which reads and writes nothing back.
inline constexpr std::int64_t reduction = 1 << 19;
/// Unknowns of tridiagonal systems.
inline constexpr std::int64_t lines = 1 << 15;
/// Elements of a Fourier transform along one axis.
inline constexpr std::int64_t fourier = 1 << 15;
/// Multiplications of matrix products and decompositions.
inline constexpr std::int64_t matmul = 1 << 20;
/// Elements that are moved, ordered or selected.
inline constexpr std::int64_t arranged = 1 << 16;

}  // namespace threshold
}  // namespace isofield::host
