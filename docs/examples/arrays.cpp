// The snippets of docs/user/arrays.md.
#include <cmath>
#include <isofield/isofield.hpp>
#include <string>
#include <thread>
#include <vector>

#include "expect.hpp"

using namespace isofield;

namespace {

void values() {
  // [values]
  UnifiedArray a = zeros({2, 3});
  const UnifiedArray b = a;  // O(1): both see the same memory
  a(0, 1) = 5.0;             // a copies first: b is what it was
  // [end]
  expect(a(0, 1).item<double>() == 5.0);
  expect(b(0, 1).item<double>() == 0.0);
}

void creation() {
  // [creation]
  const UnifiedArray x = linspace(0.0, 1.0, 5);     // 0, 0.25, ..., 1
  const UnifiedArray n = arange(0, 4, 1, int64);    // 0, 1, 2, 3
  const UnifiedArray v = asarray({1.0, 2.0, 3.0});  // float64, shape (3,)
  const UnifiedArray w = asarray(std::vector<double>{1, 2, 3, 4}, {2, 2});
  const UnifiedArray c = full({2, 2}, 7.0, float32);
  // [end]
  expect(x.shape() == Shape{5} && n.dtype() == int64 && v.size() == 3);
  expect(w(1, 0).item<double>() == 3.0 && c.dtype() == float32);
}

void slices() {
  // [slices]
  UnifiedArray u = zeros({4, 6});
  u(0) = 1.0;                                        // a row: u[0]
  u(all_of, -1) = 2.0;                               // the last column: u[:, -1]
  u(slice(1, 3), from(4)) = 3.0;                     // u[1:3, 4:]
  u(slice(3, 0, -1), upto(2)) += 4.0;                // u[3:0:-1, :2]
  const UnifiedArray row = u(ellipsis, newaxis, 5);  // u[..., None, 5], shape (4, 1)
  // [end]
  expect(sum(u).item<double>() == 45.0);
  expect(row.shape() == Shape({4, 1}));
}

void selections() {
  // [selections]
  UnifiedArray t = asarray({3.0, -1.0, 4.0, -1.0, 5.0});
  const UnifiedArray positive = t(t > 0.0);          // 3, 4, 5
  t(t < 0.0) = 0.0;                                  // 3, 0, 4, 0, 5
  t(asarray({0, 4})) += 1.0;                         // 4, 0, 4, 0, 6
  const UnifiedArray order = argsort(t);             // 1, 3, 0, 2, 4
  const UnifiedArray sorted = take(t, order);        // 0, 0, 4, 4, 6, as sort(t)
  const UnifiedArray counts = unique_all(t).counts;  // 2, 2, 1
  // [end]
  expect(sum(positive).item<double>() == 12.0 && sum(t).item<double>() == 14.0);
  expect(all(sorted == sort(t)).item<bool>() && counts(2).item<std::int64_t>() == 1);
}

void laziness() {
  const UnifiedArray a = ones({1000}), b = ones({1000});
  // [lazy]
  UnifiedArray c = (a - b) * 0.5 + exp(a);     // nothing is computed yet
  const bool waits = c.pending();              // true
  const double total = sum(c).item<double>();  // one pass: the chain and its sum
  // [end]
  expect(waits && std::abs(total - 1000 * std::exp(1.0)) < 1e-9);
  // [eager]
  {
    const ScopedEager eager;       // this thread, until the end of the scope
    const UnifiedArray d = a + b;  // computed here
    expect(!d.pending());          // nothing waits
  }
  // [end]
}

void shifts() {
  // [shifts]
  const UnifiedArray u = asarray({10.0, 20.0, 30.0});
  const UnifiedArray next = shift(u, 0, 1, Boundary::periodic);        // 20 30 10
  const UnifiedArray same = shift(u, 0, 1, Boundary::clamp);           // 20 30 30
  const UnifiedArray back = shift(u, 0, -2, Boundary::reflect);        // 20 10 10
  const UnifiedArray zero = shift(u, 0, -1, Boundary::constant, 0.0);  //  0 10 20
  const UnifiedArray laplacian =
      shift(u, 0, 1, Boundary::clamp) - 2.0 * u + shift(u, 0, -1, Boundary::clamp);  // no copies
  // [end]
  using List = std::vector<double>;
  expect(next.to_vector<double>() == List{20, 30, 10});
  expect(same.to_vector<double>() == List{20, 30, 30});
  expect(back.to_vector<double>() == List{20, 10, 10});
  expect(zero.to_vector<double>() == List{0, 10, 20});
  expect(laplacian.to_vector<double>() == List{10, 0, -10});
}

void reductions() {
  const UnifiedArray u = reshape(arange(0.0, 6.0), {2, 3}), v = zeros({2, 3});
  // [reductions]
  const double total = sum(u).item<double>();              // all axes: an array of rank 0
  const UnifiedArray rows = sum(u, {1});                   // shape (2,)
  const UnifiedArray means = mean(u, {0}, true);           // keepdims: shape (1, 3)
  const double distance = max(abs(u - v)).item<double>();  // one pass, nothing stored
  const bool negative = any(u < 0.0).item<bool>();
  // [end]
  expect(total == 15.0 && rows.shape() == Shape{2} && means.shape() == Shape({1, 3}));
  expect(distance == 5.0 && !negative && !has_nan_or_inf(u));
}

void dtypes() {
  // [dtypes]
  const UnifiedArray i = arange(0, 3, 1, int64), f = ones({3}, float32);
  const UnifiedArray g = 0.5 * f;                // float32: a scalar takes the array's dtype
  const UnifiedArray s = i.astype(float32) + f;  // i + f is a DTypeError
  const UnifiedArray p = where(i > 1, f, 0.0);   // comparisons give bool
  // [end]
  expect(g.dtype() == float32 && s.dtype() == float32 && p.dtype() == float32);
}

void errors() {
  std::string text;
  // [errors]
  const UnifiedArray a = zeros({3, 4}), b = zeros({5, 2});
  try {
    const UnifiedArray c = a + b;
  } catch (const ShapeError& error) {
    text = error.what();
  }
  // [end]
  expect(text.find("add: ") == 0 && text.find("(3, 4) and (5, 2)") != std::string::npos);
  expect(text.find(" at arrays.cpp:") != std::string::npos);
  std::printf("%s\n", text.c_str());
}

void replays() {
  // [jit]
  const auto step = jit([](const UnifiedArray& u, const UnifiedArray& dt) {
    const UnifiedArray right = shift(u, 0, 1, Boundary::periodic);
    const UnifiedArray left = shift(u, 0, -1, Boundary::periodic);
    return u + dt * (right - 2.0 * u + left);
  });
  UnifiedArray u = exp(-square(linspace(-3.0, 3.0, 200)));
  const UnifiedArray dt = asarray(0.1);
  for (int n = 0; n < 100; ++n) u = step(u, dt);  // recorded once, replayed 99 times
  // [end]
  expect(step.traces() == 1 && !has_nan_or_inf(u));
}

void profiles() {
  std::string text;
  // [profile]
  Profile profile;
  const UnifiedArray x = linspace(0.0, 1.0, 1000000);
  for (int n = 0; n < 10; ++n) max(abs(x * x - 0.5)).item<double>();
  profile.stop();
  text = profile.table();  // or let profile() print it to the standard error
  // [end]
  expect(text.find("max(abs(a*a - #0))  (1000000,)") != std::string::npos);
  std::printf("%s\n", text.c_str());
}

void threads() {
  // [threads]
  const UnifiedArray shared = linspace(0.0, 1.0, 1001) * 2.0;
  double totals[2] = {};
  std::thread first([&] { totals[0] = sum(shared).item<double>(); });  // both only read
  std::thread second([&] {
    UnifiedArray own = shared;  // a copy of one's own may be written to
    own(0) = 1.0;
    totals[1] = sum(own).item<double>();
  });
  first.join();
  second.join();
  // [end]
  expect(std::abs(totals[0] - 1001.0) < 1e-9 && std::abs(totals[1] - 1002.0) < 1e-9);
}

}  // namespace

int main() {
  values();
  creation();
  slices();
  selections();
  laziness();
  shifts();
  reductions();
  dtypes();
  errors();
  replays();
  profiles();
  threads();
}
