// What a profile counts: calls, bytes and shapes of every kernel, on every backend.
#include <isofield/profile.hpp>
#include <sstream>
#include <thread>

#include "backend_case.hpp"
#include "reference.hpp"

using namespace isofield;
using namespace isofield::testing;

namespace {

/// The row of a kernel; none fails the test.
ProfileRow row_of(const Profile& profile, const std::string& kernel) {
  for (const auto& row : profile.rows())
    if (row.kernel == kernel) return row;
  BOOST_FAIL("no row for " << kernel << " in\n" << profile.table());
  return {};
}

UnifiedArray numbers(const Shape& shape) { return noise<double>(shape).array(); }

}  // namespace

BACKEND_TEST_CASE(replayed_programs_count_calls_and_bytes) {
  const UnifiedArray x = numbers({30, 40}), row = numbers({40});
  const auto step = jit([](const UnifiedArray& a, const UnifiedArray& b) {
    return sum(a * b + shift(a, 0, 1, Boundary::clamp));
  });
  step(x, row).item<double>();
  Profile profile;
  for (int n = 0; n < 5; ++n) step(x, row).item<double>();
  profile.stop();
  step(x, row).item<double>();
  BOOST_TEST(profile.rows().size() == (variant().eager ? profile.rows().size() : 1));
  if (variant().eager) return;
  const ProfileRow r = row_of(profile, "sum(a*b + c[i+1,j])");
  BOOST_TEST(r.calls == 5);
  BOOST_TEST((r.shape == Shape{30, 40}));
  BOOST_TEST(r.backend == default_backend().spelling());
  BOOST_TEST(r.bytes == 5.0 * 8.0 * (30 * 40 + 40 + 1));  // x once, though it is read twice
  BOOST_TEST(r.seconds > 0.0);
}

BACKEND_TEST_CASE(other_kernels_have_rows_of_their_own) {
  const UnifiedArray one = ones({6, 50}), a = numbers({50, 60}), b = numbers({60, 70});
  Profile profile;
  linalg::tridiagonal_solve(one, 4.0 * one, one, one, 1).eval();
  linalg::matmul(a, b).eval();
  linalg::matmul(a, b).eval();
  profile.stop();
  BOOST_TEST(row_of(profile, "matmul").calls == 2);
  BOOST_TEST((row_of(profile, "matmul").shape == Shape{50, 70}));
  BOOST_TEST(row_of(profile, "matmul").bytes == 2.0 * 8.0 * (50 * 60 + 60 * 70 + 50 * 70));
  // What is computed inside of a kernel belongs to it.
  const std::string lines = variant().eager ? "tridiagonal_solve" : "tridiagonal_solve of #0*a";
  BOOST_TEST(row_of(profile, lines).calls == 1);
}

BACKEND_TEST_CASE(shapes_of_one_program_are_apart_and_most_time_comes_first) {
  Profile profile;
  for (const std::int64_t n : {10, 200000, 10}) square(numbers({n})).eval();
  profile.stop();
  std::vector<Shape> shapes;
  double last = 1e9;
  for (const auto& row : profile.rows()) {
    BOOST_TEST(row.seconds <= last);
    last = row.seconds;
    if (row.kernel == "square(a)") shapes.push_back(row.shape);
  }
  BOOST_REQUIRE(shapes.size() == 2);
  BOOST_TEST((shapes[0] == Shape{200000}));
  BOOST_TEST((shapes[1] == Shape{10}));
}

BACKEND_TEST_CASE(scopes_nest_and_see_all_threads) {
  std::ostringstream printed;
  const UnifiedArray x = numbers({100});
  Profile outer;
  {
    const Profile inner = profile(printed);
    auto& backend = default_backend();
    std::thread([&] {
      const ScopedBackend scope(backend);
      (x / 3.0).eval();
    }).join();
  }
  (x / 3.0).eval();
  outer.stop();
  BOOST_TEST(row_of(outer, "a/#0").calls == 2);
  BOOST_TEST(printed.str().find("a/#0  (100,)") != std::string::npos, printed.str());
}

BACKEND_TEST_CASE(a_table_compares_with_the_bandwidth_it_is_told) {
  setenv("ISOFIELD_BANDWIDTH", "20", 1);
  Profile profile;
  (numbers({1000}) + 1.0).eval();
  BOOST_TEST(profile.table().find("bandwidth is 20 GB/s") != std::string::npos, profile.table());
  BOOST_TEST(profile.table().find(" %  ") != std::string::npos);
  ones({7}).copy().eval();
  ones({8}).copy().eval();
  BOOST_TEST(profile.table(1).find(" more kernels\n") != std::string::npos);
  setenv("ISOFIELD_BANDWIDTH", "0", 1);
  BOOST_TEST(profile.table().find("scripts/bench") != std::string::npos);
  unsetenv("ISOFIELD_BANDWIDTH");
}
