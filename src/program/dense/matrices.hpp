#pragma once

#include <complex>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "program/dense/dense.hpp"

// Eigen under another name: an application may have compiled the same functions for more than its
// processor's baseline, and the linker keeps one copy.
#define Eigen isofield_dense_eigen
#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Core>

namespace isofield::host::dense {

template <class T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
template <class T>
using Real = typename Eigen::NumTraits<T>::Real;
template <class T>
using Complex = std::complex<Real<T>>;

/// What iterations and approximations compute in: float64 for float32, too, which halves what is to
/// be compiled and costs less than it gives in digits.
template <class T>
using Wide = std::conditional_t<Eigen::NumTraits<T>::IsComplex, std::complex<double>, double>;

/// Matrices as they lie in memory, in C order.
template <class T>
using Rows = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
template <class T>
using ConstRows =
    Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
template <class T>
using Line = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, 1>>;
template <class T>
using ConstLine = Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, 1>>;

/// Element `at` of an operand or a result.
template <class T>
const T* read(const void* operand, std::int64_t at) {
  return static_cast<const T*>(operand) + at;
}
template <class T>
T* place(void* result, std::int64_t at) {
  return static_cast<T*>(result) + at;
}

template <class T>
constexpr T nan = T(std::numeric_limits<Real<T>>::quiet_NaN());

/// The kernel for a type.
template <template <class> class Kernel>
DenseKernel kernel_of(DenseType type) {
  switch (type) {
    case DenseType::float32: return Kernel<float>::run;
    case DenseType::float64: return Kernel<double>::run;
    case DenseType::complex64: return Kernel<std::complex<float>>::run;
    default: return Kernel<std::complex<double>>::run;
  }
}

/// Call `each(i)`, which tells whether matrix i has a result, for all; gives the first without.
template <class F>
std::int64_t first_failure(const DenseMatrices& of, F&& each) {
  std::int64_t failed = -1;
  for (std::int64_t i = 0; i < of.count; ++i)
    if (!each(i) && failed < 0) failed = i;
  return failed;
}

}  // namespace isofield::host::dense
