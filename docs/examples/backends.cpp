// The snippets of docs/user/backend_selection.md.
#include <cstdio>
#include <isofield/isofield.hpp>
#include <string>

#include "expect.hpp"

using namespace isofield;

namespace {

void choose() {
  // [choose]
  set_backend("eigen");                  // for the process; "auto" undoes it
  const UnifiedArray a = zeros({1000});  // on eigen
  {
    const ScopedBackend scope("eigen");  // for this thread, until the end of the scope
    const UnifiedArray b = zeros({1000});
  }
  BaseBackend& eigen = get_backend("eigen");
  const UnifiedArray c = zeros({1000}, float64, &eigen);  // for one array
  const UnifiedArray d = eigen.exp(c);                    // every operation is a member, too
  // [end]
  expect(&a.backend() == &eigen && &d.backend() == &eigen);
  expect(default_backend_origin() == "set_backend");
  set_backend("auto");
}

void list() {
  // [list]
  for (const BackendStatus& status : list_backends())
    std::printf("%-10s %s\n", status.spelling.c_str(),
                status.available ? "yes" : status.reason.c_str());
  // [end]
}

void missing() {
  std::string text;
  // [missing]
  try {
    get_backend("opencl");
  } catch (const NotAvailable& error) {
    text = error.what();  // unknown backend 'opencl'; available: kokkos, torch:cpu, eigen
  }
  // [end]
  expect(text.find("unknown backend 'opencl'; available: ") == 0);
}

void move() {
  // [move]
  const UnifiedArray a = linspace(0.0, 1.0, 11);
  const UnifiedArray b = a.to_backend("eigen");  // both on cpu: the same memory
  // [end]
  expect(a.view().bytes() == b.view().bytes());
}

void precision() {
  const UnifiedArray m = ones({2, 2}, float32);
  // [precision]
  UnifiedArray product;
  {
    const ScopedMatmulPrecision lowest(Precision::tf32);
    product = linalg::matmul(m, m);
  }
  // [end]
  expect(sum(product).item<float>() == 8.0f);
}

void threads() {
  // [threads]
  default_backend().set_threads(1);  // 0: all there are
  // [end]
  default_backend().set_threads(0);
}

// [aware]
/// Works on whatever backend the data is on, or on the one given.
UnifiedArray normalised(const UnifiedArray& density, BaseBackend* backend = nullptr) {
  UnifiedArray m = backend_aware_copy(density, backend);
  if (!backend_aware_any(m)) throw SolverError("normalised: the density is zero");
  return m / sum(m);
}
// [end]

}  // namespace

int main() {
  choose();
  list();
  missing();
  move();
  precision();
  threads();
  expect(sum(normalised(ones({4}))).item<double>() == 1.0);
}
