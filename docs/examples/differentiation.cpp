// The snippets of docs/user/differentiation.md.
#include <cmath>
#include <complex>
#include <isofield/isofield.hpp>

#include "expect.hpp"

using namespace isofield;

namespace {

double largest(const UnifiedArray& x) { return max(abs(x)).item<double>(); }

void gradients() {
  // [gradients]
  const auto loss = [](const UnifiedArray& x, const UnifiedArray& w) {
    return sum(square(tanh(x * w) - 0.5));
  };
  const UnifiedArray x = linspace(-1.0, 1.0, 100), w = ones({});
  const UnifiedArray by_x = grad(loss)(x, w);  // d loss / dx: shape (100,)
  const auto [value, x_again, by_w] =
      value_and_grad<0, 1>(loss)(x, w);            // and by both, with the loss
  const auto step = jit(value_and_grad<1>(loss));  // recorded once, replayed
  const auto [again, w_again] = step(x, w);
  // [end]
  expect(by_x.shape() == Shape{100} && largest(by_x - x_again) == 0.0);
  expect(largest(by_w - w_again) < 1e-12 && largest(value - again) < 1e-12);
}

void complex_numbers() {
  // [complex]
  const std::complex<double> i(0.0, 1.0);
  const UnifiedArray z = exp(linspace(0.0, 1.0, 5) * i), w = ones_like(z) * i;
  const UnifiedArray up =
      grad([](const UnifiedArray& a) { return sum(square(abs(a))); })(z);  // 2 z
  const auto square_of = [](const UnifiedArray& a) { return a * a; };
  const UnifiedArray back = vjp(square_of, z).second(w);   // conj(2 z) w
  const UnifiedArray along = jvp(square_of, z, w).second;  // 2 z w
  // [end]
  expect(largest(up - 2.0 * z) < 1e-15);
  expect(largest(back - conj(2.0 * z) * w) < 1e-15 && largest(along - 2.0 * z * w) < 1e-15);
}

void products() {
  const UnifiedArray x = linspace(0.1, 1.0, 5), dx = ones({5}), w = linspace(1.0, 2.0, 5);
  const auto f = [](const UnifiedArray& a) { return sin(a) * a; };
  // [products]
  const auto [y, pull] = vjp(f, x);       // f(x), and cotangents of y to cotangents of x
  const UnifiedArray by_x = pull(w);      // J' w
  const auto [z, dz] = jvp(f, x, dx);     // f(x), and J dx
  const UnifiedArray j = jacobian(f)(x);  // J: (5, 5)
  const UnifiedArray h = hessian([&](const UnifiedArray& a) { return sum(f(a)); })(x);
  // [end]
  expect(largest(linalg::matmul(w, j) - by_x) < 1e-14);
  expect(largest(linalg::matmul(j, dx) - dz) < 1e-14 && largest(y - z) == 0.0);
  expect(h.shape() == Shape({5, 5}));
}

void schemes() {
  const std::int64_t n = 50, steps = 20;
  const double dt = 0.05, h = 1.0 / 50.0;
  // [scheme]
  // Implicit heat steps u^n - u^(n-1) = dt D u^n between walls, from a diffusivity a(x) and u^0.
  const auto final_value = [&](const UnifiedArray& a, const UnifiedArray& u0) {
    // k(i) belongs to the face behind cell i; that behind the last is a wall.
    UnifiedArray k = a * (dt / (h * h));
    k(-1) = 0.0;
    const UnifiedArray left = shift(k, 0, -1, Boundary::constant, 0.0);
    UnifiedArray u = zeros({steps + 1, n});
    u(0) = u0;
    for (std::int64_t i = 1; i <= steps; ++i)
      u(i) = linalg::tridiagonal_solve(-left, 1.0 + left + k, -k, u(i - 1), 0);
    return u(-1);
  };
  const UnifiedArray a = full({n}, 1e-3), u0 = sin(linspace(0.0, 3.0, n));
  const auto misfit = [&](const UnifiedArray& b) { return sum(square(final_value(b, u0))); };
  const UnifiedArray by_a = grad(misfit)(a);
  // [end]
  UnifiedArray moved = a.copy();
  moved(7) += 1e-8;
  const double difference = (misfit(moved) - misfit(a)).item<double>() / 1e-8;
  expect(std::abs(by_a(7).item<double>() - difference) < 1e-4 * (1 + std::abs(difference)));
}

void fixed_points() {
  // [implicit]
  // x = a cos x. Where an iteration ends does not depend on its way: with s(x, a) = a cos x,
  // dx/da = ds/da / (1 - ds/dx), so that the way back solves w = v + (ds/dx)' w.
  const auto step = [](const UnifiedArray& x, const UnifiedArray& a) { return a * cos(x); };
  const auto settled = [](const auto& next, UnifiedArray x) {
    for (UnifiedArray last; max(abs(x - last)).template item<double>() > 1e-14;) {
      last = x;
      x = next(x).eval();
    }
    return x;
  };
  const auto solve = [=](const UnifiedArray& a) {
    return settled([&](const UnifiedArray& x) { return step(x, a); }, zeros_like(a) + 0.5);
  };
  const auto fixed_point = custom_vjp(
      solve,
      [=](const UnifiedArray& a) {
        const UnifiedArray x = solve(a);
        return std::pair(x, std::tuple(x, a));  // the value, and what the way back needs
      },
      [=](const auto& kept, const UnifiedArray& v) {
        const auto pull = vjp(step, kept).second;
        const UnifiedArray w =
            settled([&](const UnifiedArray& u) { return v + std::get<0>(pull(u)); }, v);
        return std::get<1>(pull(w));
      });
  const UnifiedArray a = asarray({0.3, 0.5, 0.7});
  const UnifiedArray by_a = grad([&](const UnifiedArray& b) { return sum(fixed_point(b)); })(a);
  // [end]
  const UnifiedArray x = fixed_point(a);
  expect(largest(by_a - cos(x) / (1.0 + a * sin(x))) < 1e-12);
}

void memory() {
  const UnifiedArray x = linspace(0.0, 1.0, 100);
  // [checkpoint]
  // Ten blocks of ten steps: their ends are kept, and each block's inside only while it goes back.
  const auto block = checkpoint([](const UnifiedArray& a) {
    UnifiedArray u = a;
    for (int i = 0; i < 10; ++i) u = u + 0.1 * sin(shift(u, 0, 1, Boundary::periodic));
    return u;
  });
  const UnifiedArray by_x = grad([&](const UnifiedArray& a) {
    UnifiedArray u = a;
    for (int i = 0; i < 10; ++i) u = block(u);
    return sum(square(u));
  })(x);
  // [end]
  expect(by_x.shape() == Shape{100});
}

void batches() {
  // [vmap]
  const auto distance = [](const UnifiedArray& p, const UnifiedArray& q) {
    return sqrt(sum(square(p - q)));  // of two points, (3,)
  };
  const UnifiedArray ps = reshape(linspace(0.0, 1.0, 30), {10, 3}), q = ones({3});
  const UnifiedArray each = vmap(distance, {0, std::nullopt})(ps, q);  // (10,): q is shared
  const UnifiedArray pairs = vmap(vmap(distance, {std::nullopt, 0}), {0, std::nullopt})(ps, ps);
  const UnifiedArray slopes = vmap(grad(distance), {0, std::nullopt})(ps, q);  // (10, 3)
  // [end]
  expect(each.shape() == Shape{10} && pairs.shape() == Shape({10, 10}));
  expect(largest(slopes - (ps - q) / expand_dims(each, 1)) < 1e-14);
}

}  // namespace

int main() {
  gradients();
  complex_numbers();
  products();
  schemes();
  fixed_points();
  memory();
  batches();
}
