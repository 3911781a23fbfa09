#include <cmath>
#include <cstdio>
#include <isofield/isofield.hpp>
#include <isofield/version.hpp>

// Compute the same sum on every backend that the installation brings; fail where one is wrong.
int main() {
  std::printf("Isofield %s\n", isofield::version());
  for (const isofield::BackendStatus& status : isofield::list_backends()) {
    if (!status.available) {
      std::printf("%s is missing: %s\n", status.spelling.c_str(), status.reason.c_str());
      continue;
    }
    const isofield::ScopedBackend scope(status.spelling);
    const isofield::UnifiedArray x = isofield::linspace(0.0, 1.0, 11);
    const double sum = isofield::sum(2.0 * x + 1.0).item<double>();
    if (std::abs(sum - 22.0) > 1e-12) return 1;
    std::printf("%s works\n", status.spelling.c_str());
  }
}
