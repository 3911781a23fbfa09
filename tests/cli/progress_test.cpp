#include "progress.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>

#include "summary.hpp"

using namespace isofield::mfg_solve;

namespace {

struct Closer {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Closer>;

std::string contents(std::FILE* file) {
  std::rewind(file);
  std::string text;
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) text += static_cast<char>(c);
  return text;
}

Summary example() {
  Summary summary;
  summary.title = "Two rooms";
  summary.status = "not_converged";
  summary.reason = "200 iterations were not enough";
  summary.iterations = 200;
  summary.residual = 3.25e-5;
  summary.tolerance = 1e-8;
  summary.unknowns = 131200;
  summary.wall_seconds = 2.0;
  summary.backend = "eigen";
  summary.device = "cpu";
  summary.dtype = "float64";
  summary.threads = 2;
  summary.phases = {{"HJB", 12, 1.0}, {"Fokker-Planck", 3, 0.5}};
  summary.work = {{"linear solves", 300}, {"GMRES iterations", 12}};
  summary.files = {"a.h5", "a.xdmf"};
  return summary;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(progress)

BOOST_AUTO_TEST_CASE(a_geometric_decay_is_foretold_exactly) {
  Forecast forecast(1e-8, 1000);
  BOOST_TEST(!forecast.rate().has_value());
  BOOST_TEST(!forecast.seconds_left().has_value());
  BOOST_TEST(forecast.share() == 0.0);
  // Residual 10^-k after k iterations of 2 s: 8 iterations in all.
  for (int k = 1; k <= 3; ++k) forecast.add(k, std::pow(10.0, -k), 2.0 * k);
  BOOST_TEST(forecast.rate().value() == 0.1, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(forecast.seconds_per_iteration().value() == 2.0);
  BOOST_TEST(forecast.seconds_left().value() == 10.0, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(forecast.share() == 2.0 / 7.0, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(what_does_not_fall_lasts_to_the_last_iteration_allowed) {
  Forecast forecast(1e-8, 10);
  forecast.add(1, 0.5, 1.0);
  forecast.add(2, 0.7, 2.0);
  BOOST_TEST(forecast.seconds_left().value() == 8.0);
  BOOST_TEST(forecast.share() == 0.0);
}

BOOST_AUTO_TEST_CASE(residuals_without_a_logarithm_are_passed_over) {
  Forecast forecast(1e-8, 10);
  forecast.add(1, std::numeric_limits<double>::quiet_NaN(), 1.0);
  forecast.add(2, 0.0, 2.0);
  forecast.add(3, std::numeric_limits<double>::infinity(), 3.0);
  BOOST_TEST(!forecast.rate().has_value());
  forecast.add(4, 1e-9, 4.0);
  BOOST_TEST(forecast.share() == 1.0);
}

BOOST_AUTO_TEST_CASE(durations_read_as_people_say_them) {
  BOOST_TEST(duration(0.04) == "0.0 s");
  BOOST_TEST(duration(3.21) == "3.2 s");
  BOOST_TEST(duration(9.96) == "10 s");
  BOOST_TEST(duration(200) == "3 min 20 s");
  BOOST_TEST(duration(7500) == "2 h 5 min");
  BOOST_TEST(duration(1e6) == "11 days");
}

BOOST_AUTO_TEST_CASE(a_file_gets_plain_lines_and_few_of_them) {
  const File file(std::tmpfile());
  {
    Progress shown(file.get(), Progress::Mode::automatic, 1e-8, 100);
    for (int k = 1; k <= 50; ++k) shown.update({k, std::pow(0.5, k)});
    shown.log("a line of log");
  }
  const std::string text = contents(file.get());
  BOOST_TEST(text == "iteration 1 of 100 at most: residual 5.00e-01" +
                         text.substr(text.find("5.00e-01") + 8));
  BOOST_TEST(text.find('\r') == std::string::npos);
  BOOST_TEST(text.find("a line of log\n") != std::string::npos);
  BOOST_TEST(text.size() < 300U);
}

BOOST_AUTO_TEST_CASE(a_terminal_gets_one_line_that_is_redrawn) {
  const File file(std::tmpfile());
  {
    Progress shown(file.get(), Progress::Mode::always, 1e-8, 100);
    for (int k = 1; k <= 3; ++k) shown.update({k, std::pow(0.1, k), 1e-15});
    shown.log("note");
  }
  const std::string text = contents(file.get());
  BOOST_TEST(text.find("\r   3/100 [") != std::string::npos);
  BOOST_TEST(text.find("residual 1.0e-03  x0.1  ") != std::string::npos);
  BOOST_TEST(text.find(" left  mass 1e-15") != std::string::npos);
  BOOST_TEST(text.find("\r\x1b[Knote\n   3/100") != std::string::npos);
  BOOST_TEST(text.ends_with("\n"));
}

BOOST_AUTO_TEST_CASE(never_means_nothing) {
  const File file(std::tmpfile());
  {
    Progress shown(file.get(), Progress::Mode::never, 1e-8, 100);
    shown.update({1, 0.1});
  }
  BOOST_TEST(contents(file.get()).empty());
}

BOOST_AUTO_TEST_CASE(the_summary_is_a_table_or_one_json_object) {
  const std::string table = to_table(example());
  for (const char* const part :
       {"Two rooms\n", "not converged: 200 iterations were not enough\n",
        "3.250e-05 (tolerance 1e-08)", "eigen on cpu, float64, 2 threads", "  a.xdmf\n",
        "HJB                           12     1.000    50.0\n",
        "300 linear solves, 12 GMRES iterations\n"}) {
    BOOST_TEST(table.find(part) != std::string::npos, table << " lacks " << part);
  }
  BOOST_TEST(table.find("mass error") == std::string::npos);
  Summary summary = example();
  summary.mass_error = 1e-15;
  summary.exploitability = 0.25;
  summary.residual = std::numeric_limits<double>::quiet_NaN();
  summary.title = "bad \xFF \"quoted\"";
  const std::string json = to_json(summary);
  for (const char* const part :
       {"\"status\":\"not_converged\"", "\"residual\":null", "\"mass_error\":1e-15",
        "\"exploitability\":0.25", "\"remaining_mass\":null", "\\\"quoted\\\"",
        "\"files\":[\"a.h5\",\"a.xdmf\"]", "{\"name\":\"HJB\",\"calls\":12,\"seconds\":1.0}",
        "\"work\":{\"linear solves\":300,"}) {
    BOOST_TEST(json.find(part) != std::string::npos, json << " lacks " << part);
  }
  BOOST_TEST(json.find('\n') == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
