// Chains with elementary functions. This file alone is compiled with -ffast-math, which lets the
// compiler call the C library's vector functions where it has them (glibc's libmvec, good to 4 ulp)
// and contract and reorder the rest.

#include <cmath>

#include "rivals/rivals.hpp"

namespace rivals::RIVALS_ISA {
namespace {

using Int = std::int64_t;
using In = const double* __restrict;
using Out = double* __restrict;

void exp(Out z, In x, In y, Int begin, Int end) {
  for (Int i = begin; i < end; ++i) z[i] = std::exp(-(x[i] * x[i])) * y[i];
}

void log(Out z, In x, In y, Int begin, Int end) {
  for (Int i = begin; i < end; ++i) z[i] = std::log(x[i]) * y[i];
}

void tanh(Out z, In x, In y, Int begin, Int end) {
  for (Int i = begin; i < end; ++i) z[i] = std::tanh(4.0 * x[i] - 2.0) * y[i];
}

void power(Out z, In x, In y, Int begin, Int end) {
  for (Int i = begin; i < end; ++i) z[i] = std::pow(x[i] + 0.5, y[i]) * y[i];
}

void sin(Out z, In x, In y, Int begin, Int end) {
  for (Int i = begin; i < end; ++i) z[i] = std::sin(20.0 * x[i] - 10.0) * y[i];
}

}  // namespace

extern const Elementary elementary_table;
const Elementary elementary_table = {exp, log, tanh, power, sin};

}  // namespace rivals::RIVALS_ISA
