#include "isofield/mfg/convolution.hpp"

#include <algorithm>
#include <isofield/error.hpp>
#include <isofield/fft.hpp>
#include <mutex>

namespace isofield::mfg {

namespace {

bool same(const Axis& a, const Axis& b) {
  return a.lower == b.lower && a.upper == b.upper && a.cells == b.cells && a.boundary == b.boundary;
}

// How long the transforms along an axis are: on a bounded one, densities are followed by zeros, so
// that what wraps round meets nobody.
std::int64_t length_of(const Axis& axis) { return axis.periodic() ? axis.cells : 2 * axis.cells; }

// Offsets in the order of a transform: from 0 on, the negative ones at the end.
std::vector<double> offsets_of(const Axis& axis) {
  std::vector<double> offsets(static_cast<std::size_t>(length_of(axis)));
  const std::int64_t n = length_of(axis);
  for (std::int64_t j = 0; j < n; ++j) {
    // In the middle of a bounded axis there is one that nobody meets.
    const std::int64_t signed_j = 2 * j <= n ? j : j - n;
    offsets[static_cast<std::size_t>(j)] = static_cast<double>(signed_j) * axis.spacing();
  }
  return offsets;
}

}  // namespace

struct Convolution::Transforms {
  struct Entry {
    std::vector<Axis> axes;
    DType dtype;
    const BaseBackend* backend;
    UnifiedArray kernel;
  };
  std::mutex mutex;
  std::vector<Entry> entries;
};

Convolution::Convolution(Kernel kernel)
    : kernel_(std::move(kernel)), transforms_(std::make_shared<Transforms>()) {}

UnifiedArray Convolution::operator()(const Grid& grid, const UnifiedArray& m) const {
  std::vector<std::int64_t> lengths;
  std::vector<int> last_axes;
  std::vector<Axis> axes;
  for (int k = 0; k < grid.axes(); ++k) {
    axes.push_back(grid.axis(k));
    lengths.push_back(length_of(axes.back()));
    last_axes.push_back(k - grid.axes());
  }
  const BaseBackend* backend = &grid.coordinate(0).backend();
  const auto is_ours = [&](const Transforms::Entry& e) {
    return e.backend == backend && e.dtype == grid.dtype() &&
           std::ranges::equal(e.axes, axes, same);
  };
  UnifiedArray transformed;
  {
    const std::lock_guard lock(transforms_->mutex);
    auto& entries = transforms_->entries;
    auto found = std::ranges::find_if(entries, is_ours);
    if (found == entries.end()) {
      std::vector<UnifiedArray> offsets;
      Shape shape;
      for (int k = 0; k < grid.axes(); ++k) {
        Shape along(grid.axes(), 1);
        along[k] = lengths[static_cast<std::size_t>(k)];
        shape.push_back(along[k]);
        offsets.push_back(
            asarray(offsets_of(axes[static_cast<std::size_t>(k)]), along).astype(grid.dtype()));
      }
      const UnifiedArray values = broadcast_to(kernel_(offsets), shape).copy();
      if (has_nan_or_inf(values))
        throw SolverError("the kernel of a convolution is NaN or infinite somewhere");
      UnifiedArray kernel = fft::rfftn(values * grid.cell_volume()).eval();
      entries.push_back({axes, grid.dtype(), backend, std::move(kernel)});
      found = std::prev(entries.end());
    }
    transformed = found->kernel;
  }
  const UnifiedArray product = fft::rfftn(m, lengths, last_axes) * transformed;
  const UnifiedArray result = fft::irfftn(product, lengths, last_axes);
  const auto cells = [&](int k) { return upto(grid.axis(k).cells); };
  switch (grid.axes()) {
    case 1: return result(ellipsis, cells(0));
    case 2: return result(ellipsis, cells(0), cells(1));
    default: return result(ellipsis, cells(0), cells(1), cells(2));
  }
}

}  // namespace isofield::mfg
