#include "isofield/version.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

BOOST_AUTO_TEST_CASE(library_and_header_tell_the_version_of_the_project) {
  BOOST_TEST(std::string(isofield::version()) == EXPECTED_VERSION);
  BOOST_TEST(std::string(ISOFIELD_VERSION) == EXPECTED_VERSION);
  const std::string joined = std::to_string(ISOFIELD_VERSION_MAJOR) + "." +
                             std::to_string(ISOFIELD_VERSION_MINOR) + "." +
                             std::to_string(ISOFIELD_VERSION_PATCH);
  BOOST_TEST(joined == EXPECTED_VERSION);
}
