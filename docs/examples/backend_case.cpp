// The case that docs/development/testing.md shows.
// [case]
#include "backend_case.hpp"

#include <isofield/isofield.hpp>

using namespace isofield;

BACKEND_TEST_CASE(copies_do_not_see_later_writes) {
  UnifiedArray a = ones({5, 5});
  const UnifiedArray b = a;
  a(0, 0) = 999.0;
  BOOST_TEST(b(0, 0).item<double>() == 1.0);
}
// [end]
