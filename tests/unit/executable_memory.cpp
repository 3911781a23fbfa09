// Where the system lets no memory become executable, kernels run programs, and say why.
#include <sys/prctl.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <isofield/host.hpp>
#include <isofield/isofield.hpp>

using namespace isofield;

BOOST_AUTO_TEST_CASE(without_executable_memory_kernels_run_programs) {
  constexpr int set_mdwe = 65, refuse_exec_gain = 1;  // Linux 6.3's; older headers lack the names
  setenv("ISOFIELD_INTERPRET", "0", 1);
  if (prctl(set_mdwe, refuse_exec_gain, 0UL, 0UL, 0UL) != 0) {
    BOOST_TEST_MESSAGE("skipped: this kernel cannot refuse executable memory to a process");
    return;
  }
  const std::string form = host::program_form();
  BOOST_TEST(form.starts_with("kernels ("));
  set_backend("eigen");
  const auto step = jit([](const UnifiedArray& x) { return sum(square(x) * 2.0 - x); });
  const UnifiedArray x = arange(0.0, 1000.0);
  for (int i = 0; i < 3; ++i) BOOST_TEST(step(x).item<double>() == 2.0 * 332833500.0 - 499500.0);
}
