#pragma once

#include <isofield/dtype.hpp>
#include <isofield/mfg/problem.hpp>

namespace isofield::mfg {

/// Bytes that a solve needs at least, whatever the coupling: u and m at all levels, and as much
/// again thrice for the residual, the correction and the linear solver's own.
double least_memory(const Problem& problem, DType dtype);

/// Bytes that this process may have: of the machine, of its group of processes and of its limits
/// the least. Infinite where nobody says.
double allowed_memory();

/// Throw OutOfMemory if the default backend computes on the processor and a solve needs more than
/// that: otherwise the system might end the process, and others, in the midst of it.
void check_memory(const Problem& problem, DType dtype);

}  // namespace isofield::mfg
