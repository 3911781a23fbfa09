#include "isofield/mfg/expression.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <numbers>
#include <random>
#include <string>
#include <utility>
#include <vector>

using isofield::mfg::Expression;
using isofield::mfg::ExpressionError;
using isofield::mfg::ExpressionOp;

namespace {

const std::vector<std::string> names{"x", "y", "t", "m", "mean_x"};
const std::map<std::string, double> point{
    {"x", 0.7}, {"y", -1.3}, {"t", 0.25}, {"m", 2.5}, {"mean_x", 0.4}};

Expression parse(std::string_view text) { return Expression::parse(text, names); }
double value(std::string_view text) { return parse(text).evaluate(point); }

ExpressionError error_of(std::string_view text) {
  try {
    parse(text);
  } catch (const ExpressionError& error) {
    return error;
  }
  BOOST_FAIL("no error for: " << text);
  throw 0;
}

std::string repeated(std::string_view part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(expression)

BOOST_AUTO_TEST_CASE(arithmetic_has_the_usual_precedence) {
  BOOST_TEST(value("1 + 2*3") == 7.0);
  BOOST_TEST(value("(1 + 2)*3") == 9.0);
  BOOST_TEST(value("8/4/2") == 1.0);
  BOOST_TEST(value("10 - 4 - 3") == 3.0);
  BOOST_TEST(value("2^3^2") == 512.0);
  BOOST_TEST(value("-2^2") == -4.0);
  BOOST_TEST(value("(-2)^2") == 4.0);
  BOOST_TEST(value("2^-1*4") == 2.0);
  BOOST_TEST(value("2^-2^2") == 0.0625);
  BOOST_TEST(value("--3") == 3.0);
  BOOST_TEST(value("+3 - +1") == 2.0);
  BOOST_TEST(value("2*-3") == -6.0);
  BOOST_TEST(value("-2*3 + 10") == 4.0);
}

BOOST_AUTO_TEST_CASE(numbers_are_read_in_every_usual_form) {
  BOOST_TEST(value("1.5") == 1.5);
  BOOST_TEST(value(".5") == 0.5);
  BOOST_TEST(value("2.") == 2.0);
  BOOST_TEST(value("1e3") == 1000.0);
  BOOST_TEST(value("2.5E-1") == 0.25);
  BOOST_TEST(value("pi") == std::numbers::pi);
  BOOST_TEST(value("e") == std::numbers::e);
}

BOOST_AUTO_TEST_CASE(functions_agree_with_the_standard_library) {
  const double x = point.at("x");
  const std::vector<std::pair<const char*, double>> cases{
      {"abs(-x)", x},           {"exp(x)", std::exp(x)},
      {"log(x)", std::log(x)},  {"sqrt(x)", std::sqrt(x)},
      {"sin(x)", std::sin(x)},  {"cos(x)", std::cos(x)},
      {"tan(x)", std::tan(x)},  {"tanh(x)", std::tanh(x)},
      {"erf(x)", std::erf(x)},  {"floor(-x)", -1.0},
      {"sign(y)", -1.0},        {"sign(0)", 0.0},
      {"min(x, y)", -1.3},      {"max(x, y, 3, 2)", 3.0},
      {"if(x > y, 1, 2)", 1.0}, {"if(x < y, 1, 2)", 2.0},
      {"mod(7, 3)", 1.0},       {"mod(-1, 3)", 2.0},
      {"mod(1, -3)", -2.0},
  };
  for (const auto& [text, expected] : cases) {
    BOOST_TEST_CONTEXT(text) { BOOST_TEST(value(text) == expected); }
  }
}

BOOST_AUTO_TEST_CASE(comparisons_and_logic_give_one_or_zero) {
  BOOST_TEST(value("x < 1 and y < 0") == 1.0);
  BOOST_TEST(value("x < 1 and y > 0") == 0.0);
  BOOST_TEST(value("x > 1 or y < 0") == 1.0);
  BOOST_TEST(value("not x > 1") == 1.0);
  BOOST_TEST(value("not (x < 1) or x == x") == 1.0);
  BOOST_TEST(value("1 <= 1") == 1.0);
  BOOST_TEST(value("1 != 1") == 0.0);
  BOOST_TEST(value("2 >= 3") == 0.0);
  BOOST_TEST(value("0 and 1 or 1") == 1.0);
  BOOST_TEST(value("3*(x > 0.5)") == 3.0);
  BOOST_TEST(value("x > 0.45 and x < 0.55 and abs(y - 0.5) > 0.1") == 0.0);
  BOOST_TEST(parse("x < 1").is_boolean());
  BOOST_TEST(parse("not x").is_boolean());
  BOOST_TEST(!parse("x + 1").is_boolean());
}

BOOST_AUTO_TEST_CASE(nan_passes_through_minimum_maximum_and_sign) {
  BOOST_TEST(std::isnan(value("min(log(-1), 1)")));
  BOOST_TEST(std::isnan(value("min(1, log(-1))")));
  BOOST_TEST(std::isnan(value("max(log(-1), 1)")));
  BOOST_TEST(std::isnan(value("max(1, log(-1))")));
  BOOST_TEST(std::isnan(value("sign(log(-1))")));
}

BOOST_AUTO_TEST_CASE(variables_are_listed_once_and_sorted) {
  const Expression e = parse("m + 0.5*(x - 0.8)^2*m + mean_x");
  BOOST_TEST(e.variables() == (std::vector<std::string>{"m", "mean_x", "x"}),
             boost::test_tools::per_element());
  BOOST_TEST(e.depends_on("m"));
  BOOST_TEST(!e.depends_on("y"));
  BOOST_TEST(!e.is_constant());
  BOOST_TEST(parse("2*pi + sqrt(2)").is_constant());
  BOOST_CHECK_THROW(e.evaluate({{"x", 1.0}}), std::out_of_range);
}

BOOST_AUTO_TEST_CASE(the_tree_is_open_to_visitors) {
  const Expression e = parse("if(x > 1, m, 2)");
  BOOST_CHECK(e.op() == ExpressionOp::select);
  BOOST_TEST(e.children().size() == 3U);
  BOOST_CHECK(e.children()[0].op() == ExpressionOp::greater);
  BOOST_TEST(e.children()[1].name() == "m");
  BOOST_TEST(e.children()[2].value() == 2.0);
  BOOST_TEST(e.depth() == 3U);
  const Expression copy = e;
  BOOST_TEST(copy.id() == e.id());
  BOOST_CHECK_THROW(Expression::apply(ExpressionOp::add, {e}), std::invalid_argument);
  BOOST_CHECK_THROW(Expression::number(std::numeric_limits<double>::infinity()),
                    std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(printing_and_parsing_again_gives_the_same_tree) {
  for (const char* text : {"m + 0.5*(x - 0.8)^2",
                           "x - (y - t)",
                           "x - y - t",
                           "x/(y*t)",
                           "x/y/t",
                           "(x^y)^t",
                           "x^y^t",
                           "-(x^2)",
                           "(-x)^2",
                           "-(-x)",
                           "x^(-y)",
                           "2*(-x)",
                           "not (x < 1 and y > 2) or m == 0",
                           "(x < 1) == (y < 2)",
                           "if(x < 1, min(x, y), mod(m, 2))",
                           "x*(y < 1)",
                           "exp(-((x - 0.2)^2 + (y - 0.5)^2)/0.01)",
                           "1e-300*x + 1e+21",
                           "(x or y) and m",
                           "x and (y or m)",
                           "-(x + y)",
                           "x and (y and m)",
                           "x + (y + m)",
                           "(not x) + 1"}) {
    BOOST_TEST_CONTEXT(text) {
      const Expression e = parse(text);
      BOOST_TEST_CONTEXT(e.to_string()) { BOOST_TEST((parse(e.to_string()) == e)); }
    }
  }
}

BOOST_AUTO_TEST_CASE(what_may_be_read_prints_as_what_may_be_read) {
  for (const char* part : {"-", "not ", "2^", "2^-", "(", "-(", "abs(", "1+(2*-", "if(x,y,-"}) {
    std::string good;
    for (int n = 1; n < 200; ++n) {
      std::string text = repeated(part, n) + "x";
      for (const char c : text.substr(0, text.size())) text += c == '(' ? ")" : "";
      try {
        parse(text);
      } catch (const ExpressionError&) {
        break;
      }
      good = text;
    }
    BOOST_TEST_CONTEXT(good) {
      BOOST_TEST(good.size() > 50U);
      BOOST_TEST((parse(parse(good).to_string()) == parse(good)));
    }
  }
  const Expression many = parse("min(x" + repeated(", m + 1", 400) + ")");
  BOOST_TEST((parse(many.to_string()) == many));
}

BOOST_AUTO_TEST_CASE(printing_uses_few_brackets) {
  BOOST_TEST(parse("((m)) + (0.5*(x-0.8)^2)").to_string() == "m + 0.5*(x - 0.8)^2");
  BOOST_TEST(parse("-(x^2)").to_string() == "-x^2");
  BOOST_TEST(parse("not(x<1)").to_string() == "not x < 1");
  BOOST_TEST(parse("max(1,2,x)").to_string() == "max(1, 2, x)");
  BOOST_TEST(parse("max(1,max(2,min(x,y,1)))").to_string() == "max(1, max(2, min(x, y, 1)))");
}

BOOST_AUTO_TEST_CASE(errors_point_at_the_place_and_name_the_nearest) {
  const ExpressionError error = error_of("1 + 2*mx");
  BOOST_TEST(error.column() == 7U);
  BOOST_TEST(error.line() == 1U);
  BOOST_TEST(error.suggestion() == "x");
  BOOST_TEST(error.what() ==
             std::string("column 7: unknown name 'mx'; the variables here are x, y, t, m, mean_x; "
                         "did you mean 'x'?\n  1 + 2*mx\n        ^~"));
  BOOST_TEST(error_of("mean_z + 1").suggestion() == "mean_x");
  BOOST_TEST(error_of("sqr(x)").suggestion() == "sqrt");
  BOOST_TEST(error_of("sqr(x)").reason() == "unknown function 'sqr'");
  BOOST_TEST(error_of("nonsense").suggestion().empty());
  const ExpressionError second_line = error_of("x +\n  q9q9q9 + 1");
  BOOST_TEST(second_line.line() == 2U);
  BOOST_TEST(second_line.column() == 3U);
  BOOST_TEST(second_line.context() == "    q9q9q9 + 1\n    ^~~~~~");
}

BOOST_AUTO_TEST_CASE(errors_say_what_was_expected) {
  const std::vector<std::pair<const char*, const char*>> cases{
      {"", "the expression is empty"},
      {"  ", "the expression is empty"},
      {"1 +", "the expression ends where a value is expected"},
      {"(1 + 2", "'(' is never closed"},
      {"1 + 2)", "')' closes no bracket"},
      {"1, 2", "',' stands outside a function's brackets"},
      {"min(1 2)", "an operator is missing before '2'"},
      {"2x", "an operator is missing before 'x'"},
      {"x(1)", "'x' is a variable, not a function"},
      {"(x)(y)", "an operator is missing before '('"},
      {"* 2", "expected a value before '*'"},
      {"x and or y", "expected a value before 'or'"},
      {"exp", "'exp' is a function and needs its arguments in brackets"},
      {"min(x)", "'min' takes 2 arguments or more, got 1"},
      {"if(x, 1)", "'if' takes 3 arguments, got 2"},
      {"sin()", "'sin' takes 1 argument, got 0"},
      {"1 < x < 2", "comparisons do not chain"},
      {"x = 1", "'=' is not an operator here"},
      {"x ** 2", "'**' is not an operator here"},
      {"x && y", "'&&' is not an operator here"},
      {"!x", "expected a value before '!'"},
      {"x + not y", "'not' needs brackets here"},
      {"x # y", "unexpected character '#'"},
      {"x + \xC3\xA9", "unexpected character '\xC3\xA9'"},
      {"1e999", "the number is out of the range of double precision"},
  };
  for (const auto& [text, reason] : cases) {
    BOOST_TEST_CONTEXT(text) { BOOST_TEST(error_of(text).reason() == reason); }
  }
  BOOST_TEST(error_of("x = 1").suggestion() == "==");
  BOOST_TEST(error_of("x ** 2").suggestion() == "^");
  BOOST_TEST(error_of("!x").suggestion() == "not");
  BOOST_CHECK_THROW(Expression::parse("x", {}), ExpressionError);
}

BOOST_AUTO_TEST_CASE(long_lines_are_shown_around_the_caret) {
  const std::string text = repeated("x + ", 100) + "?";
  const ExpressionError error = error_of(text + repeated(" + x", 100));
  BOOST_TEST(error.column() == 401U);
  BOOST_TEST(error.context().size() < 200U);
  const std::size_t newline = error.context().find('\n');
  const std::size_t caret = error.context().find('^');
  BOOST_TEST(error.context()[caret - newline - 1] == '?');
}

BOOST_AUTO_TEST_CASE(hostile_texts_are_refused_without_exhausting_the_stack) {
  const std::size_t many = Expression::max_length / 2;
  for (const char* part : {"(", "-", "not ", "2^", "exp(", "if(", "x+", "x^", "x<", "1-("}) {
    BOOST_TEST_CONTEXT(part) {
      const std::string text = repeated(part, 3000) + "x";
      BOOST_CHECK_THROW(parse(text), ExpressionError);
    }
  }
  BOOST_TEST(error_of(repeated("x ", static_cast<int>(many) + 1)).reason() ==
             "the expression is longer than 16384 bytes");
  // A sum of as many terms as are allowed is evaluated and printed.
  const Expression longest = parse(repeated("m + ", 490) + "x");
  BOOST_TEST(longest.evaluate(point) == 490 * point.at("m") + point.at("x"),
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST((parse(longest.to_string()) == longest));
  BOOST_CHECK_THROW(parse(repeated("x + ", 3000) + "x"), ExpressionError);
}

BOOST_AUTO_TEST_CASE(random_texts_never_crash_and_what_parses_prints_and_parses_again) {
  std::mt19937 random(20240611);
  const std::vector<std::string> parts{
      "x",  "y",    "m",   "1",    "2.5", "(",    ")", "+",    "-",    "*", "/",   "^",  "<", ">=",
      "==", "and ", "or ", "not ", "if(", "min(", ",", "exp(", "abs(", " ", "1e3", "pi", ".", "!"};
  std::uniform_int_distribution<std::size_t> pick(0, parts.size() - 1), length(1, 12);
  int parsed = 0;
  for (int i = 0; i < 100000; ++i) {
    std::string text;
    for (std::size_t n = length(random); n > 0; --n) text += parts[pick(random)];
    try {
      const Expression e = parse(text);
      const Expression again = parse(e.to_string());
      if (!(again == e)) BOOST_ERROR(text + " printed as " + e.to_string());
      static_cast<void>(e.evaluate(point));
      ++parsed;
    } catch (const ExpressionError& error) {
      if (error.reason().empty() || error.column() > text.size() + 1) BOOST_ERROR(text);
    }
  }
  BOOST_TEST(parsed > 1000);
}

BOOST_AUTO_TEST_SUITE_END()
