// Writes results of many operations to a file: dump FILE BACKEND. Files are compared between
// instruction sets and numbers of threads, and with NumPy by golden.py.
//
// A record is a line "name dtype rank lengths..." and the elements in C order.
#include <complex>
#include <cstdio>
#include <isofield/isofield.hpp>
#include <limits>
#include <random>
#include <string>
#include <vector>

using namespace isofield;

namespace {

std::FILE* file = nullptr;

void record(const std::string& name, const UnifiedArray& x) {
  std::string line =
      name + " " + std::string(isofield::name(x.dtype())) + " " + std::to_string(x.ndim());
  for (const auto n : x.shape()) line += " " + std::to_string(n);
  std::fprintf(file, "%s\n", line.c_str());
  std::vector<unsigned char> bytes(static_cast<std::size_t>(x.size()) * itemsize(x.dtype()));
  x.copy_to(bytes.data(), bytes.size(), x.dtype());
  std::fwrite(bytes.data(), 1, bytes.size(), file);
}

UnifiedArray noise(const Shape& shape, unsigned seed, double low, double high) {
  std::mt19937 generator(seed);
  std::vector<double> values(static_cast<std::size_t>(element_count(shape)));
  for (auto& v : values) v = low + (high - low) * (static_cast<double>(generator()) / 4294967296.0);
  return asarray(values, shape);
}

/// Numbers with NaN, infinities, zeros, halves and ordinary ones; against each other as rows and
/// columns.
UnifiedArray specials(DType dtype) {
  if (dtype == DType::bool_) return asarray({true, false});
  if (dtype == DType::int64) {
    using L = std::numeric_limits<std::int64_t>;
    return asarray<std::int64_t>(
        {0, 1, -1, 2, -2, 3, 7, -7, 10, 63, 1000003, L::max(), L::min(), L::min() + 1});
  }
  using L = std::numeric_limits<double>;
  return asarray({0.0,  -0.0,  1.0,           -1.0,           0.5,
                  -0.5, 1.5,   2.5,           -2.5,           3.0,
                  0.1,  7.25,  -7.25,         88.5,           1e-3,
                  1e10, -1e10, L::infinity(), -L::infinity(), L::quiet_NaN()})
      .astype(dtype);
}

void rows_of_the_table() {
  for (const DType dtype : {float32, float64, int64, bool_}) {
    const UnifiedArray x = specials(dtype), column = expand_dims(x, 1);
    record("specials", x);
#define UNARY(op, domain_, result, value, ...) \
  if (in_domain(Domain::domain_, dtype)) record(#op, isofield::op(x));
#define BINARY(op, domain_, result, value, ...) \
  if (in_domain(Domain::domain_, dtype)) record(#op, isofield::op(column, x));
#include <isofield/ops.def>
#undef UNARY
#undef BINARY
  }
}

void large_programs(DType dtype) {
  const UnifiedArray u = noise({130, 517}, 1, -2, 2).astype(dtype),
                     v = noise({517}, 2, 0.5, 1.5).astype(dtype);
  record("u", u);
  record("v", v);
  const auto s = [&](int axis, std::int64_t offset, Boundary rule) {
    return shift(u, axis, offset, rule, 0.25);
  };
  record("stencil",
         u + 0.1 * (s(0, -1, Boundary::periodic) + s(0, 2, Boundary::clamp) +
                    s(1, -3, Boundary::reflect) + s(1, 1, Boundary::constant) - 4.0 * u));
  record("upwind", square(maximum(u - s(1, -1, Boundary::reflect), 0.0)) +
                       square(minimum(s(1, 1, Boundary::reflect) - u, 0.0)) * v);
  record("transcendental", where(u > 0.0, exp(u) * log(v) - sqrt(abs(u)), tanh(u) / (1.0 + u * u)));
  record("reversed", flip(u, 0)(slice(0, 130, 3), slice(500, 3, -2)) * 2.0);
  record("sum", sum(u));
  record("sum_rows", sum(u * u, {1}));
  record("sum_columns", sum(u, {0}));
  record("max_columns", max(u, {0}, true));
  record("min_rows", min(u, {1}));
  record("mean", mean(u));
  record("prod_rows", prod(1.0 + 0.001 * u, {1}));
  record("tridiagonal_rows", linalg::tridiagonal_solve(0.3 * u, 4.0 + abs(u), -0.4 * u, u + v, 1));
  record("tridiagonal_columns",
         linalg::tridiagonal_solve(0.3 * u, 4.0 + abs(u), -0.4 * u, u + v, 0, true));
  // Few lines are cut into parts, and long ones into stretches.
  const auto along = [](const UnifiedArray& x, int axis, bool periodic) {
    return linalg::tridiagonal_solve(0.3 * x, 4.0 + abs(x), -0.4 * x, x, axis, periodic);
  };
  const UnifiedArray line = reshape(u, {-1});
  record("few_lines", along(u(slice(0, 3)), 1, false));
  record("few_columns_periodic", along(u(slice(0, 3)).T().copy(), 0, true));
  record("long_line", along(line, 0, false));
  record("long_line_periodic", along(line, 0, true));
}

void transforms(DType dtype) {
  // Lengths of small factors, with a large prime, and of primes whose lines are convolutions.
  for (const Shape& shape : {Shape{130, 517}, Shape{3, 4 * 101}, Shape{2, 1009}}) {
    const UnifiedArray x = noise(shape, 3, -2, 2).astype(dtype);
    record("x", x);
    for (const auto norm : {fft::Norm::backward, fft::Norm::ortho, fft::Norm::forward}) {
      const std::string tail = "_" + std::to_string(static_cast<int>(norm));
      for (int type = 1; type <= 4; ++type) {
        const std::string number = std::to_string(type) + tail;
        record("dct_rows_" + number, fft::dct(x, type, {1}, norm));
        record("dct_both_" + number, fft::dct(x, type, {0, 1}, norm));
        record("idct_both_" + number, fft::idct(x, type, {0, 1}, norm));
        record("dst_both_" + number, fft::dst(x, type, {0, 1}, norm));
        record("idst_columns_" + number, fft::idst(x, type, {0}, norm));
      }
      record("hartley_both_0" + tail, fft::hartley(x, {0, 1}, norm));
    }
  }
}

/// Numbers of a dtype that may be complex.
UnifiedArray any_noise(const Shape& shape, unsigned seed, DType dtype) {
  const UnifiedArray parts = noise(shape, seed, -2, 2).astype(real_dtype(dtype));
  if (!is_complex(dtype)) return parts;
  return parts + noise(shape, seed + 1, -2, 2).astype(real_dtype(dtype)) * std::complex(0.0, 1.0);
}

void matrices(DType dtype) {
  for (const std::int64_t n : {1, 3, 8, 9, 40}) {
    const UnifiedArray a = any_noise({2, n, n}, 5, dtype), b = any_noise({2, n, 3}, 7, dtype);
    const UnifiedArray h =
        a + conj(matrix_transpose(a)) + 8.0 * static_cast<double>(n) * eye(n, dtype);
    record("matrix_a", a);
    record("matrix_b", b);
    record("matrix_h", h);
    record("linalg_solve", linalg::solve(a, b));
    record("linalg_inv", linalg::inv(a));
    record("linalg_det", linalg::det(a));
    const auto [sign, logabsdet] = linalg::slogdet(a);
    record("linalg_sign", sign);
    record("linalg_logabsdet", logabsdet);
    record("linalg_cholesky", linalg::cholesky(h));
    record("linalg_absolute_r", abs(linalg::qr(a).R));
    record("linalg_svdvals", linalg::svdvals(a));
    record("linalg_eigvalsh", linalg::eigvalsh(h));
    record("linalg_eigvals", linalg::eigvals(a));
    record("linalg_expm", linalg::expm(a * 0.5));
  }
}

void complex_transforms(DType dtype) {
  for (const Shape& shape : {Shape{30, 64}, Shape{3, 101}, Shape{1, 1009}}) {
    const UnifiedArray z = any_noise(shape, 9, dtype), x = real(z).copy();
    record("signal_z", z);
    for (const auto norm : {fft::Norm::backward, fft::Norm::ortho, fft::Norm::forward}) {
      const std::string tail = "_" + std::to_string(static_cast<int>(norm));
      record("fourier_fft" + tail, fft::fft(z, {}, -1, norm));
      record("fourier_ifft" + tail, fft::ifft(z, {}, 0, norm));
      record("fourier_fftn" + tail, fft::fftn(z, std::vector<std::int64_t>{40, 50}, {}, norm));
      record("fourier_rfft" + tail, fft::rfft(x, {}, -1, norm));
      record("fourier_irfft" + tail, fft::irfft(z, 77, -1, norm));
      record("fourier_hfft" + tail, fft::hfft(z, 50, -1, norm));
      record("fourier_ihfft" + tail, fft::ihfft(x, {}, 0, norm));
      record("fourier_rfftn" + tail, fft::rfftn(x, {}, {}, norm));
      record("fourier_irfftn" + tail, fft::irfftn(z, {}, {}, norm));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  set_backend(argv[2]);
  file = std::fopen(argv[1], "wb");
  if (!file) return 5;
  rows_of_the_table();
  large_programs(float32);
  large_programs(float64);
  transforms(float32);
  transforms(float64);
  for (const DType dtype : {float32, float64, complex64, complex128}) matrices(dtype);
  complex_transforms(complex64);
  complex_transforms(complex128);
  return std::fclose(file) == 0 ? 0 : 5;
}
