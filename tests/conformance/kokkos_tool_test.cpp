// What a tool of Kokkos is told, when the process starts with one.
#include <dlfcn.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <isofield/isofield.hpp>

using namespace isofield;

BOOST_AUTO_TEST_CASE(each_kernel_is_a_region_of_kokkos_tools) {
  setenv("KOKKOS_TOOLS_LIBS", KOKKOS_TOOL, 1);
  set_backend("kokkos");
  const UnifiedArray x = linspace(0.0, 1.0, 101), one = ones({101}).copy();
  max(abs(x - 0.5)).item<double>();
  linalg::tridiagonal_solve(one, one * 4.0, one, x, 0).eval();
  linalg::matmul(reshape(x, {1, 101}), reshape(x, {101, 1})).eval();
  void* tool = dlopen(KOKKOS_TOOL, RTLD_NOW | RTLD_NOLOAD);
  BOOST_REQUIRE(tool);
  const auto regions_so_far = reinterpret_cast<const char* (*)()>(dlsym(tool, "regions_so_far"));
  BOOST_REQUIRE(regions_so_far);
  const std::string regions = regions_so_far();
  for (const char* name :
       {"isofield: max(abs(a - #0))\n", "isofield: tridiagonal_solve\n", "isofield: matmul\n"})
    BOOST_TEST(regions.find(name) != std::string::npos, name << " is not in\n" << regions);
}
