#pragma once

#include <functional>
#include <isofield/mfg/grid.hpp>
#include <memory>
#include <vector>

namespace isofield::mfg {

/// The convolution of a density with a kernel, (k * m)(x) = integral of k(x - y) m(y) over the box:
/// on a grid the sum over cells y times their volume, by fast Fourier transforms. On a periodic
/// axis x - y is the shorter way round. Costs call it on their densities.
class Convolution {
 public:
  /// The kernel's values, from one array of offsets x - y for each axis, which broadcast.
  using Kernel = std::function<UnifiedArray(const std::vector<UnifiedArray>& offsets)>;

  explicit Convolution(Kernel kernel);

  /// The convolution of m, whose last axes are the grid's. Throws SolverError where the kernel is
  /// NaN or infinite.
  UnifiedArray operator()(const Grid& grid, const UnifiedArray& m) const;

 private:
  struct Transforms;
  Kernel kernel_;
  std::shared_ptr<Transforms> transforms_;  ///< of the kernel, one for each grid it was asked on
};

}  // namespace isofield::mfg
