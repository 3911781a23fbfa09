// Cosine and Hartley transforms against plain calls of pocketfft, compiled for the baseline of the
// architecture, with its own cache of plans.

#define POCKETFFT_CACHE_SIZE 16
#define POCKETFFT_NO_MULTITHREADING
#include <pocketfft_hdronly.h>

#include "compare.hpp"

namespace {

using isofield::Shape;
using Sizes = pocketfft::shape_t;

struct Grid {
  const char* name;
  Shape shape;
  std::vector<int> axes;
};

/// Make values even about the origin of each axis: pocketfft's Hartley transform is the sum of cos
/// - sin, and then both are the same.
void symmetrise(std::vector<double>& values, const Grid& grid) {
  std::vector<double> even(values.size());
  for (const int axis : grid.axes) {
    std::int64_t inner = 1;
    for (int k = axis + 1; k < grid.shape.size(); ++k) inner *= grid.shape[k];
    const std::int64_t n = grid.shape[axis];
    for (std::size_t p = 0; p < values.size(); ++p) {
      const auto place = static_cast<std::int64_t>(p), i = place / inner % n;
      const std::int64_t mirrored = place + ((n - i) % n - i) * inner;
      even[p] = 0.5 * (values[p] + values[static_cast<std::size_t>(mirrored)]);
    }
    std::swap(values, even);
  }
}

void run(benchmark::State& state, const std::string& spelling, const Grid& grid, bool hartley) {
  auto& backend = bench::backend(spelling, 1);
  std::vector<double> values = bench::noise(element_count(grid.shape), 1);
  if (hartley) symmetrise(values, grid);
  const bench::Operand x(backend, grid.shape, std::move(values));
  std::vector<double> expected(x.host.size());
  const Sizes shape(grid.shape.begin(), grid.shape.end()), axes(grid.axes.begin(), grid.axes.end());
  pocketfft::stride_t strides(shape.size(), sizeof(double));
  for (std::size_t k = shape.size() - 1; k-- > 0;)
    strides[k] = strides[k + 1] * static_cast<std::ptrdiff_t>(shape[k + 1]);
  const auto rival = [&] {
    if (hartley)
      pocketfft::r2r_separable_hartley(shape, strides, strides, axes, x.data(), expected.data(),
                                       1.0);
    else
      pocketfft::dct(shape, strides, strides, axes, 2, x.data(), expected.data(), 1.0, false);
  };
  const auto step = isofield::jit([&](const isofield::UnifiedArray& u) {
    return hartley ? isofield::fft::hartley(u, grid.axes) : isofield::fft::dct(u, 2, grid.axes);
  });
  bench::check_and_compare(
      state, 1, rival, [&] { return step(x.array); }, expected);
}

/// To cosine coefficients and back along the last axis of n x n numbers, as the solvers'
/// preconditioner goes: transforms against products with the matrix of eigenvectors.
void run_against_products(benchmark::State& state, const std::string& spelling, std::int64_t n) {
  auto& backend = bench::backend(spelling, 1);
  const bench::Operand x(backend, {n, n}, 1);
  const auto identity = isofield::eye(n, isofield::float64, &backend);
  const auto matrix = isofield::fft::dct(identity, 2, {-1}, isofield::fft::Norm::ortho);
  const auto transposed = matrix.T().copy();
  isofield::eval(matrix, transposed);
  std::vector<double> expected;
  const auto products = isofield::jit([&](const isofield::UnifiedArray& u) {
    return isofield::linalg::matmul(isofield::linalg::matmul(u, matrix), transposed);
  });
  const auto transforms = isofield::jit(
      [](const isofield::UnifiedArray& u) { return isofield::fft::idct(isofield::fft::dct(u)); });
  expected = products(x.array).to_vector<double>();
  bench::check_and_compare(
      state, 1, [&] { benchmark::DoNotOptimize(products(x.array).eval()); },
      [&] { return transforms(x.array); }, expected);
}

}  // namespace

void register_benchmarks() {
  static const Grid grids[] = {
      {"1024_batched", {1024, 1024}, {1}}, {"1024_one_line", {1024}, {0}},
      {"64x64", {64, 64}, {0, 1}},         {"256x256", {256, 256}, {0, 1}},
      {"1024x1024", {1024, 1024}, {0, 1}}, {"64x64x64", {64, 64, 64}, {0, 1, 2}}};
  for (const bool hartley : {false, true})
    for (const auto& spelling : bench::host_backends())
      for (const Grid& grid : grids)
        bench::one_iteration(
            std::string(hartley ? "hartley/" : "dct/") + spelling + "/" + grid.name + "/threads:1",
            [&grid, spelling, hartley](benchmark::State& state) {
              run(state, spelling, grid, hartley);
            });
  for (const auto& spelling : bench::host_backends())
    for (const std::int64_t n : {16, 32, 33, 64, 65, 97, 128, 129, 256, 257})
      bench::one_iteration(
          "there_and_back_against_products/" + spelling + "/" + std::to_string(n) + "/threads:1",
          [=](benchmark::State& state) { run_against_products(state, spelling, n); });
}
