// The snippets of docs/user/linear_algebra.md.
#include <isofield/isofield.hpp>

#include "expect.hpp"

using namespace isofield;

namespace {

bool agree(const UnifiedArray& x, const UnifiedArray& y) {
  return max(abs(x - y)).item<double>() < 1e-13;
}

void systems() {
  const UnifiedArray a = asarray(std::vector{4.0, 1.0, 2.0, 3.0}, {2, 2}), b = asarray({1.0, 2.0});
  const UnifiedArray sum = a + a.T();
  // [systems]
  const UnifiedArray x = linalg::solve(a, b);         // a x = b; b is a vector or a matrix
  const UnifiedArray l = linalg::cholesky(sum);       // sum = l l^H, positive definite
  const auto [q, r] = linalg::qr(a);                  // a = q r
  const auto [w, v] = linalg::eigh(sum);              // w ascending, vectors in columns
  const UnifiedArray s = linalg::svdvals(a);          // the largest first
  const auto [sign, logabsdet] = linalg::slogdet(a);  // where det would overflow
  // [end]
  expect(agree(linalg::matmul(a, x), b) && agree(linalg::matmul(l, l.T()), sum));
  expect(agree(linalg::matmul(q, r), a) && agree(linalg::matmul(sum, v), v * w));
  expect(agree(prod(s), exp(logabsdet)) && sign.item<double>() == 1.0);
}

void formulas() {
  const UnifiedArray a = asarray(std::vector{4.0, 1.0, 2.0, 3.0}, {2, 2});
  const UnifiedArray u = reshape(arange(0.0, 6.0), {3, 2});
  // [einsum]
  const UnifiedArray y = linalg::einsum("ij,...j->...i", {a, u});  // a times each vector of u
  const UnifiedArray d = linalg::einsum("ii->i", {a});             // the diagonal
  const UnifiedArray c = linalg::tensordot(u, u, {0}, {0});        // over the first axes
  // [end]
  expect(agree(y, linalg::matmul(u, a.T())) && agree(d, linalg::diagonal(a)));
  expect(agree(c, linalg::matmul(u.T(), u)));
}

}  // namespace

int main() {
  systems();
  formulas();
}
