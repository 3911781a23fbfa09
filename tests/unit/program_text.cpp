// A program's name in tables and tools.
#include <boost/test/unit_test.hpp>
#include <isofield/isofield.hpp>

using namespace isofield;

namespace {

/// What one evaluation's program is called.
template <class F>
std::string name_of(F function) {
  set_backend("eigen");
  Profile profile;
  function().eval();
  const auto rows = profile.rows();
  BOOST_REQUIRE(rows.size() == 1);
  return rows[0].kernel;
}

}  // namespace

BOOST_AUTO_TEST_CASE(expressions_have_the_parentheses_they_need) {
  const UnifiedArray a = ones({4}).eval(), b = ones({4}).copy();
  BOOST_TEST(name_of([&] { return a - (b - a); }) == "a - (b - a)");
  BOOST_TEST(name_of([&] { return (a - b) - a; }) == "a - b - a");
  BOOST_TEST(name_of([&] { return -(a + b) * 2.0 / (a * b); }) == "-(a + b)*#0/(a*b)");
  BOOST_TEST(name_of([&] { return where(a < b && !(b == 1.0), a, exp(b)); }) ==
             "where(a < b && !(b == #0), a, exp(b))");
  BOOST_TEST(name_of([&] { return (a + b).astype(float32); }) == "float32(a + b)");
  BOOST_TEST(name_of([&] { return maximum(a, -b); }) == "maximum(a, -b)");
}

BOOST_AUTO_TEST_CASE(shifts_are_written_as_indices_and_long_programs_are_cut) {
  const UnifiedArray u = ones({4, 5}).copy();
  BOOST_TEST(name_of([&] {
               return shift(u, 1, -1, Boundary::clamp) +
                      shift(shift(u, 0, 2, Boundary::periodic), 1, 1, Boundary::periodic);
             }) == "a[i,j-1] + b[i+2,j+1]");
  const std::string cut = name_of([&] {
    UnifiedArray x = u;
    for (int n = 0; n < 30; ++n) x = x * u + u;
    return x;
  });
  BOOST_TEST(cut.ends_with("... (60 operations)"), cut);
  BOOST_TEST(cut.size() < 100);
}
