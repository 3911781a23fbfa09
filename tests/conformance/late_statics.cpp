// Objects with static life compute while they are destroyed, when what is thread-local has ended.
#include <cstdio>
#include <cstdlib>
#include <isofield/isofield.hpp>
#include <optional>

using namespace isofield;

namespace {

/// Something of each kind of kernel, over arrays large enough that freed memory is unmapped.
double of_everything(const UnifiedArray& u) {
  const UnifiedArray there_and_back = fft::idct(fft::dct(u, 2, {0}), 2, {0}),
                     odd = fft::hartley(u(slice(0, 1021)), {0});
  const UnifiedArray solved = linalg::tridiagonal_solve(-1.0 * abs(u), 4.0, -0.5, u, 0);
  const UnifiedArray stencil = shift(u, 1, 1, Boundary::clamp) - shift(u, 0, -1, Boundary::reflect);
  return sum(square(there_and_back + solved + stencil)).item<double>() + max(odd).item<double>();
}

struct Late {
  std::optional<UnifiedArray> u;
  double expected = 0.0;
  ~Late() {
    if (of_everything(*u) == expected) return;
    std::fputs("late_statics: another result at the end than before\n", stderr);
    std::_Exit(1);
  }
};

Late late;

}  // namespace

int main(int, char** arguments) {
  BaseBackend& backend = get_backend(arguments[1]);
  late.u = sin(reshape(arange(0, 1024 * 64, 1.0, float64, &backend), {1024, 64}));
  late.expected = of_everything(*late.u);
}
